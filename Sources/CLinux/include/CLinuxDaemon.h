#ifndef CLINUX_DAEMON_H
#define CLINUX_DAEMON_H
#include <stddef.h>
#include <stdint.h>

/// Blocks the signals and makes a descriptor (close-on-exec, non-blocking) that reports them. -1 and errno on failure.
int CLinux_signal_descriptor(const int *signals, int count);
/// The next signal of such a descriptor; 0 when there is none, -1 and errno on failure.
int CLinux_signal_next(int fd);
/// A counter to wake a poll with: eventfd, close-on-exec, non-blocking. -1 and errno on failure.
int CLinux_event_descriptor(void);
/// Makes an event descriptor readable. Async-signal-safe.
void CLinux_event_raise(int fd);
/// Makes it unreadable again.
void CLinux_event_clear(int fd);

/// A descriptor (close-on-exec) that becomes readable when the process ends. -1 and errno on failure.
int CLinux_process_descriptor(int pid);

/// Gives up every group and the user id for those of a user, for good. 0, or -1 and errno.
int CLinux_become_user(const char *name, uint32_t uid, uint32_t gid);
/// User and group id of a user name. 0; -1 when there is no such user.
int CLinux_find_user(const char *name, uint32_t *uid, uint32_t *gid);
/// PR_SET_NO_NEW_PRIVS. 0, or -1 and errno.
int CLinux_no_new_privileges(void);
/// Neither core dumps nor ptrace by others of the same user. 0, or -1 and errno.
int CLinux_not_dumpable(void);
/// The kernel sends this process a signal when its parent ends; also after an exec. 0, or -1 and errno.
int CLinux_signal_when_parent_ends(int signal);
/// Sets soft and hard limit of a resource (RLIMIT_…), or less when the hard limit is lower. 0, or -1 and errno.
int CLinux_limit(int resource, uint64_t value);

/// RLIMIT_… constants, which the overlay imports with a type that does not fit setrlimit.
enum { CLinux_RLIMIT_CORE = 4, CLinux_RLIMIT_FSIZE = 1, CLinux_RLIMIT_NOFILE = 7 };
#endif
