#define _GNU_SOURCE
#include "CLinuxDaemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(CLinux_RLIMIT_CORE == RLIMIT_CORE, "RLIMIT_CORE");
_Static_assert(CLinux_RLIMIT_FSIZE == RLIMIT_FSIZE, "RLIMIT_FSIZE");
_Static_assert(CLinux_RLIMIT_NOFILE == RLIMIT_NOFILE, "RLIMIT_NOFILE");

/* ---------------------------------------------------------------- waking and signals */

int CLinux_signal_descriptor(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int CLinux_signal_next(int fd) {
    struct signalfd_siginfo info;
    ssize_t count = read(fd, &info, sizeof info);
    if (count == (ssize_t)sizeof info) return (int)info.ssi_signo;
    return count < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}

int CLinux_event_descriptor(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void CLinux_event_raise(int fd) {
    uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one); /* EAGAIN: it is readable already */
    (void)ignored;
}

void CLinux_event_clear(int fd) {
    uint64_t value;
    ssize_t ignored = read(fd, &value, sizeof value);
    (void)ignored;
}

int CLinux_process_descriptor(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/* ---------------------------------------------------------------- privileges */

int CLinux_become_user(const char *name, uint32_t uid, uint32_t gid) {
    if (initgroups(name, gid) != 0) return -1;
    if (setresgid(gid, gid, gid) != 0) return -1;
    if (setresuid(uid, uid, uid) != 0) return -1;
    if (uid != 0 && setuid(0) == 0) { /* it must not be possible to come back */
        errno = EPERM;
        return -1;
    }
    return 0;
}

int CLinux_find_user(const char *name, uint32_t *uid, uint32_t *gid) {
    struct passwd entry, *found = NULL;
    char buffer[16384];
    if (getpwnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || !found) return -1;
    *uid = entry.pw_uid;
    *gid = entry.pw_gid;
    return 0;
}

int CLinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
int CLinux_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
int CLinux_signal_when_parent_ends(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int CLinux_limit(int resource, uint64_t value) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) return -1;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value) value = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max = value;
    return setrlimit((__rlimit_resource_t)resource, &limit);
}

/* ---------------------------------------------------------------- Landlock */

/* The header of Debian 12 knows only the first member; the kernel takes the longest it knows. */
struct landlock_rules {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4 */
    uint64_t scoped;             /* ABI 6 */
};

int CLinux_landlock_read_only(const char *const *paths, int count) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;

    struct landlock_rules rules = {(1u << 13) - 1, 0, 0};
    size_t size = sizeof rules.handled_access_fs;
    if (abi >= 2) rules.handled_access_fs |= 1u << 13; /* REFER */
    if (abi >= 3) rules.handled_access_fs |= 1u << 14; /* TRUNCATE */
    if (abi >= 4) rules.handled_access_net = 3, size = 2 * sizeof(uint64_t); /* bind and connect TCP */
    if (abi >= 5) rules.handled_access_fs |= 1u << 15; /* IOCTL_DEV */
    if (abi >= 6) rules.scoped = 3, size = sizeof rules; /* abstract sockets, signals */
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) return -1;

    for (int i = 0; i < count; i++) {
        int fd = open(paths[i], O_PATH | O_CLOEXEC);
        if (fd < 0) continue;
        struct landlock_path_beneath_attr beneath = {
            LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE, fd};
        long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        if (result != 0 && errno == EINVAL) { /* a file has no directory rights */
            beneath.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
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
static const int allowed[] = {
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
#define ALLOWED_COUNT (sizeof allowed / sizeof allowed[0])

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define NUMBER offsetof(struct seccomp_data, nr)
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n)) /* low half: both are little-endian */
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)

int CLinux_seccomp_scanner(void) {
    struct sock_filter filter[64 + 2 * ALLOWED_COUNT];
    size_t n = 0;
#define EMIT(...) filter[n++] = (struct sock_filter)__VA_ARGS__

    EMIT(LOAD(offsetof(struct seccomp_data, arch)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCHITECTURE, 1, 0));
    EMIT(RETURN(SECCOMP_RET_KILL_PROCESS));
    EMIT(LOAD(NUMBER));
    for (size_t i = 0; i < ALLOWED_COUNT; i++) {
        EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], 0, 1));
        EMIT(RETURN(SECCOMP_RET_ALLOW));
    }
    /* clone3: glibc then takes clone, whose flags can be looked at. */
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1));
    EMIT(RETURN(SECCOMP_RET_ERRNO | ENOSYS));
    /* clone: threads only */
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4));
    EMIT(LOAD(ARGUMENT(0)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
    EMIT(RETURN(SECCOMP_RET_ALLOW));
    EMIT(REFUSE);
    /* openat: for reading only */
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4));
    EMIT(LOAD(ARGUMENT(2)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 1, 0));
    EMIT(RETURN(SECCOMP_RET_ALLOW));
    EMIT(REFUSE);
#ifdef SYS_open
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 4));
    EMIT(LOAD(ARGUMENT(1)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 1, 0));
    EMIT(RETURN(SECCOMP_RET_ALLOW));
    EMIT(REFUSE);
#endif
    /* tgkill: itself only, for abort() */
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4));
    EMIT(LOAD(ARGUMENT(0)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1));
    EMIT(RETURN(SECCOMP_RET_ALLOW));
    EMIT(REFUSE);
    /* prctl: names of threads only */
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 4));
    EMIT(LOAD(ARGUMENT(0)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_NAME, 0, 1));
    EMIT(RETURN(SECCOMP_RET_ALLOW));
    EMIT(REFUSE);
    /* prlimit64: reading only (pthread_getattr_np) */
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 6));
    EMIT(LOAD(ARGUMENT(2)));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3));
    EMIT(LOAD(ARGUMENT(2) + 4));
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1));
    EMIT(RETURN(SECCOMP_RET_ALLOW));
    EMIT(REFUSE);
    EMIT(REFUSE);
#undef EMIT

    struct sock_fprog program = {(unsigned short)n, filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}
