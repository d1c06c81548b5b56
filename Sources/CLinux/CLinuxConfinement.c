#define _GNU_SOURCE
#include "CLinuxConfinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---------------------------------------------------------------- Landlock */

/* The header of Debian 12 knows only the first member; the kernel takes the longest it knows. */
struct landlock_rules {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4 */
    uint64_t scoped;             /* ABI 6 */
};
#define ACCESS_REFER (1ull << 13)
#define ACCESS_TRUNCATE (1ull << 14)
#define ACCESS_IOCTL_DEVICE (1ull << 15)
#define ACCESS_BIND_TCP 1ull
#define ACCESS_CONNECT_TCP 2ull

static uint64_t access_of(int rights, uint64_t handled) {
    uint64_t access = 0;
    if (rights & CLinux_READ) access |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    if (rights & CLinux_RUN) access |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
    if (rights & CLinux_WRITE)
        access |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | ACCESS_REFER | ACCESS_TRUNCATE;
    return access & handled;
}

int CLinux_landlock(const CLinux_place *places, int count, int powers) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;

    struct landlock_rules rules = {ACCESS_REFER - 1, 0, 0};
    size_t size = sizeof rules.handled_access_fs;
    if (abi >= 2) rules.handled_access_fs |= ACCESS_REFER;
    if (abi >= 3) rules.handled_access_fs |= ACCESS_TRUNCATE;
    if (abi >= 4) {
        rules.handled_access_net = ACCESS_BIND_TCP | (powers & CLinux_MAY_CONNECT ? 0 : ACCESS_CONNECT_TCP);
        size = 2 * sizeof(uint64_t);
    }
    if (abi >= 5) rules.handled_access_fs |= ACCESS_IOCTL_DEVICE;
    if (abi >= 6) rules.scoped = 3, size = sizeof rules; /* abstract sockets, signals */
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) return -1;

    for (int i = 0; i < count; i++) {
        int fd = open(places[i].path, O_PATH | O_CLOEXEC);
        if (fd < 0) continue;
        struct landlock_path_beneath_attr beneath = {access_of(places[i].rights, rules.handled_access_fs), fd};
        long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        if (result != 0 && errno == EINVAL) { /* a file has no rights of directories */
            beneath.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                      LANDLOCK_ACCESS_FS_EXECUTE | ACCESS_TRUNCATE;
            result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        }
        close(fd);
        if (result != 0) {
            close(ruleset);
            return -1;
        }
    }
    long result = syscall(SYS_landlock_restrict_self, ruleset, 0);
    close(ruleset);
    return result == 0 ? (int)abi : -1;
}

/* ---------------------------------------------------------------- seccomp */

#if defined(__x86_64__)
#define AUDIT_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name the architecture for the seccomp filter"
#endif

/* What a process needs that reads, computes, loads modules and speaks over sockets it already has. */
static const int always[] = {
    SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_close, SYS_lseek, SYS_fstat,
    SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_getdents64, SYS_readlinkat, SYS_faccessat, SYS_fcntl,
    SYS_ftruncate, SYS_dup, SYS_dup3, SYS_memfd_create, SYS_getcwd,
    SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_membarrier, SYS_mincore,
    SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_rseq, SYS_sched_yield, SYS_sched_getaffinity,
    SYS_sched_getparam, SYS_sched_getscheduler, SYS_gettid, SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid,
    SYS_getgid, SYS_getegid, SYS_exit, SYS_exit_group, SYS_restart_syscall,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack,
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
    SYS_getrandom, SYS_getrusage, SYS_uname, SYS_sysinfo, SYS_times,
    SYS_ppoll, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_timerfd_create,
    SYS_timerfd_settime, SYS_timerfd_gettime, SYS_recvmsg, SYS_sendmsg, SYS_recvfrom, SYS_sendto, SYS_getsockopt,
    SYS_shutdown,
#ifdef SYS_poll
    SYS_poll, SYS_epoll_wait, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_time, SYS_arch_prctl,
#endif
#ifdef SYS_futex_waitv
    SYS_futex_waitv,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
};

/* Where files may be written is Landlock's part. */
static const int writing[] = {
    SYS_mkdirat, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_fchmod, SYS_fchmodat, SYS_fsync, SYS_fdatasync,
    SYS_fallocate, SYS_flock, SYS_utimensat, SYS_umask, SYS_copy_file_range, SYS_sendfile, SYS_fadvise64,
    SYS_sync_file_range,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_mkdir
    SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename, SYS_link, SYS_chmod, SYS_creat,
#endif
};

/* No listen and no accept. */
static const int connecting[] = {
    SYS_connect, SYS_bind, SYS_getsockname, SYS_getpeername, SYS_setsockopt, SYS_sendmmsg, SYS_recvmmsg,
    SYS_socketpair, SYS_pipe2, SYS_pselect6,
#ifdef SYS_select
    SYS_select, SYS_pipe,
#endif
};

static const int running[] = {
    SYS_clone, SYS_execve, SYS_wait4, SYS_waitid, SYS_prlimit64, SYS_set_tid_address, SYS_mlock, SYS_pipe2,
#ifdef SYS_vfork
    SYS_vfork, SYS_getrlimit, SYS_setrlimit, SYS_dup2,
#endif
};

#define COUNT(list) (sizeof list / sizeof list[0])
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define NUMBER offsetof(struct seccomp_data, nr)
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n)) /* low half: both are little-endian */
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)

struct filter {
    struct sock_filter code[128 + 2 * (COUNT(always) + COUNT(writing) + COUNT(connecting) + COUNT(running))];
    size_t count;
};

static void emit(struct filter *filter, struct sock_filter instruction) { filter->code[filter->count++] = instruction; }
#define EMIT(...) emit(filter, (struct sock_filter)__VA_ARGS__)

/* What follows, `skip` instructions, is only for this call. */
static void when(struct filter *filter, int number, uint8_t skip) {
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, skip));
}

static void allow(struct filter *filter, const int *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        when(filter, list[i], 1);
        EMIT(ALLOW);
    }
}

/* Allowed if the argument has one of the values. */
static void allow_values(struct filter *filter, int number, unsigned argument, const uint32_t *values, uint8_t count) {
    when(filter, number, (uint8_t)(2 * count + 2));
    EMIT(LOAD(ARGUMENT(argument)));
    for (uint8_t i = 0; i < count; i++) {
        EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1));
        EMIT(ALLOW);
    }
    EMIT(REFUSE);
}

/* Allowed if the argument has none of the bits, or has them. */
static void allow_bits(struct filter *filter, int number, unsigned argument, uint32_t bits, int has) {
    when(filter, number, 4);
    EMIT(LOAD(ARGUMENT(argument)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, has ? 0 : 1, has ? 1 : 0));
    EMIT(ALLOW);
    EMIT(REFUSE);
}

int CLinux_seccomp(int powers) {
    struct filter rules = {.count = 0}, *filter = &rules;
    EMIT(LOAD(offsetof(struct seccomp_data, arch)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCHITECTURE, 1, 0));
    EMIT(RETURN(SECCOMP_RET_KILL_PROCESS));
    EMIT(LOAD(NUMBER));
    allow(filter, always, COUNT(always));
    /* clone3: glibc then takes clone, whose flags can be looked at. */
    when(filter, SYS_clone3, 1);
    EMIT(RETURN(SECCOMP_RET_ERRNO | ENOSYS));
    if (powers & CLinux_MAY_RUN) allow(filter, running, COUNT(running));
    else allow_bits(filter, SYS_clone, 0, CLONE_THREAD, 1);
    if (powers & CLinux_MAY_WRITE) {
        static const int opening[] = {
            SYS_openat,
#ifdef SYS_open
            SYS_open,
#endif
        };
        allow(filter, opening, COUNT(opening));
        allow(filter, writing, COUNT(writing));
    } else {
        allow_bits(filter, SYS_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0);
#ifdef SYS_open
        allow_bits(filter, SYS_open, 1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0);
#endif
    }
    if (powers & CLinux_MAY_CONNECT) {
        static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
        static const uint32_t controls[] = {FIONREAD, FIONBIO, TCGETS};
        allow(filter, connecting, COUNT(connecting));
        allow_values(filter, SYS_socket, 0, families, COUNT(families));
        allow_values(filter, SYS_ioctl, 1, controls, COUNT(controls));
    }
    /* tgkill: itself only, for abort() */
    const uint32_t own[] = {(uint32_t)getpid()};
    allow_values(filter, SYS_tgkill, 0, own, 1);
    /* prctl: names of threads only */
    static const uint32_t naming[] = {PR_SET_NAME};
    allow_values(filter, SYS_prctl, 0, naming, 1);
    /* prlimit64: reading only (pthread_getattr_np) */
    when(filter, SYS_prlimit64, 6);
    EMIT(LOAD(ARGUMENT(2)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3));
    EMIT(LOAD(ARGUMENT(2) + 4));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1));
    EMIT(ALLOW);
    EMIT(REFUSE);
    EMIT(REFUSE);

    struct sock_fprog program = {(unsigned short)filter->count, filter->code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}
