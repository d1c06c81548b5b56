#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H
#include <stddef.h>
#include <stdint.h>

/// memfd_create with MFD_CLOEXEC | MFD_ALLOW_SEALING. -1 and errno on failure.
int CLinux_memfd(const char *name);
/// Seals a memfd against growing, shrinking, writing and further seals.
int CLinux_memfd_seal(int fd);
/// The seals of a descriptor, or -1 when it cannot have any.
int CLinux_memfd_seals(int fd);
/// Whether these seals forbid shrinking and writing.
int CLinux_seals_are_fixed(int seals);
/// open(2) of an unnamed file in a directory (O_TMPFILE | O_RDWR | O_CLOEXEC, mode 0600).
int CLinux_tmpfile(const char *directory);
/// Sends bytes and up to 8 descriptors in one message. Returns what sendmsg returns.
intptr_t CLinux_send_descriptors(int socket, const void *bytes, size_t length, const int *fds, int count, int flags);
/// Receives bytes and descriptors (close-on-exec). *count: in capacity of fds (at most 8), out how many came.
/// *truncated becomes 1 when bytes or descriptors did not fit; descriptors that did not fit are closed.
intptr_t CLinux_receive_descriptors(
    int socket, void *bytes, size_t length, int *fds, int *count, int *truncated, int flags);
/// Credentials of the peer of a Unix socket. 0, or -1 and errno.
int CLinux_peer_credentials(int socket, uint32_t *pid, uint32_t *uid, uint32_t *gid);
/// O_PATH, which the overlay does not export.
#define CLinux_O_PATH 010000000
/// openat2 below a directory, close-on-exec: no symbolic link and no ".." leads out of it. With `is_root` that directory
/// is taken for "/", so that absolute links begin there. The descriptor, or the negative errno; -EXDEV: it leads out.
int CLinux_open_beneath(int directory, const char *path, int flags, int is_root);
/// The f_type of fstatfs(2), or 0 when it cannot be had.
uint64_t CLinux_descriptor_file_system_type(int fd);
/// A new network namespace with nothing in it. 0, or -1 and errno.
int CLinux_leave_network(void);
/// dlopen with RTLD_NOW | RTLD_LOCAL, and with RTLD_NODELETE when pinned.
void *CLinux_dlopen(const char *path, int pinned);
/// dlclose; 0 on success.
int CLinux_dlclose(void *handle);
void *CLinux_dlsym(void *handle, const char *name);
/// The text of dlerror, or "" when there is none.
const char *CLinux_dlerror(void);
/// Size of the symbol `name` in a handle, and whether it lies in a mapping of that very library. 0 when unknown.
size_t CLinux_symbol_size(const void *address);
/// The f_type of statfs(2) for a path, or 0 when it cannot be had.
uint64_t CLinux_file_system_type(const char *path);
#endif
