#ifndef CLINUX_CONFINEMENT_H
#define CLINUX_CONFINEMENT_H

/// What a process may do with a file, or with everything below a directory.
enum { CLinux_READ = 1, CLinux_WRITE = 2, CLinux_RUN = 4 };

typedef struct {
    const char *path;
    int rights;
} CLinux_place;

/// What a confined process may do beyond reading, computing, loading libraries and talking over sockets that it has.
enum {
    /// Open files for writing, make, rename and remove them.
    CLinux_MAY_WRITE = 1,
    /// Make connections to others (Internet, Unix sockets, netlink); never listen.
    CLinux_MAY_CONNECT = 2,
    /// Start programs and wait for them.
    CLinux_MAY_RUN = 4,
};

/// Landlock: from now on this thread (and threads that it makes) opens files at these places only.
/// Places that do not exist are left out. Returns the ABI version in use, 0 when the kernel has no Landlock, -1 and
/// errno on failure.
int CLinux_landlock(const CLinux_place *places, int count, int powers);
/// seccomp: a list of what is allowed, for all threads. Other system calls fail with EPERM. Needs
/// CLinux_no_new_privileges. 0, or -1 and errno.
int CLinux_seccomp(int powers);
#endif
