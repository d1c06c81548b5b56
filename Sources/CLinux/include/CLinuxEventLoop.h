#ifndef CLinuxEventLoop_H
#define CLinuxEventLoop_H
#include <stdint.h>

// System calls of the event loop that the Glibc overlay of Swift does not export, or exports in an
// unhandy shape (packed structs, unions, socket addresses).
// Every function retries on EINTR and returns a result >= 0, or the negative errno: errno itself is
// never left to be read later.

/// What epoll reports: the key given at registration and the EPOLL… bits.
typedef struct CLinux_event {
    uint64_t key;
    uint32_t events;
} CLinux_event;

#define CLinux_EVENT_IN 0x001u
#define CLinux_EVENT_OUT 0x004u
#define CLinux_EVENT_ERROR 0x008u
#define CLinux_EVENT_HANGUP 0x010u
#define CLinux_EVENT_PEER_CLOSED 0x2000u
#define CLinux_EVENT_EXCLUSIVE (1u << 28)
#define CLinux_EVENT_ONE_SHOT (1u << 30)
#define CLinux_EVENT_EDGE (1u << 31)

int32_t CLinux_epoll_create(void);
int32_t CLinux_epoll_add(int32_t epoll, int32_t descriptor, uint32_t events, uint64_t key);
int32_t CLinux_epoll_modify(int32_t epoll, int32_t descriptor, uint32_t events, uint64_t key);
int32_t CLinux_epoll_remove(int32_t epoll, int32_t descriptor);
/// At most 256 events at once; `milliseconds` -1 waits for ever. EINTR is reported as no event.
int32_t CLinux_epoll_wait(int32_t epoll, CLinux_event *events, int32_t capacity, int32_t milliseconds);

int32_t CLinux_eventfd(void);
void CLinux_eventfd_signal(int32_t descriptor);
void CLinux_eventfd_clear(int32_t descriptor);

/// A socket address in one fixed shape.
typedef struct CLinux_address {
    int32_t family;        // AF_INET, AF_INET6, AF_UNIX; 0: none
    uint16_t port;         // host byte order
    uint16_t path_length;  // AF_UNIX: bytes of path, a leading NUL of an abstract name included
    uint32_t scope;        // AF_INET6: interface index of a link-local address
    uint8_t octets[16];    // AF_INET: the first four
    uint8_t path[108];
} CLinux_address;

/// A non-blocking, close-on-exec stream socket of the family.
int32_t CLinux_socket(int32_t family);
/// Accepts one connection, non-blocking and close-on-exec.
int32_t CLinux_accept(int32_t descriptor, CLinux_address *peer);
int32_t CLinux_connect(int32_t descriptor, const CLinux_address *address);
int32_t CLinux_bind(int32_t descriptor, const CLinux_address *address);
int32_t CLinux_listen(int32_t descriptor, int32_t backlog);
int32_t CLinux_peer_address(int32_t descriptor, CLinux_address *address);
int32_t CLinux_local_address(int32_t descriptor, CLinux_address *address);
/// Where the client wanted to go before a REDIRECT rule of netfilter sent it here (SO_ORIGINAL_DST).
int32_t CLinux_original_destination(int32_t descriptor, CLinux_address *address);
/// A pair of connected, non-blocking Unix stream sockets.
int32_t CLinux_socket_pair(int32_t *first, int32_t *second);

/// 0, or the pending error of the socket (SO_ERROR) as a negative errno.
int32_t CLinux_socket_error(int32_t descriptor);
int32_t CLinux_set_nonblocking(int32_t descriptor);
int32_t CLinux_set_no_delay(int32_t descriptor);
/// The next close sends a reset in place of an orderly end.
int32_t CLinux_set_reset_on_close(int32_t descriptor);
int32_t CLinux_reuse_address(int32_t descriptor);
int32_t CLinux_shutdown_write(int32_t descriptor);
int32_t CLinux_close(int32_t descriptor);

int64_t CLinux_receive(int32_t descriptor, void *buffer, uint64_t count);
/// The same, and descriptors (close-on-exec) that came with the bytes: up to `*descriptors` of them, at most 8; how many
/// came is left there. *truncated becomes 1 when there were more, which are closed.
int64_t CLinux_receive_with_descriptors(
    int32_t socket, void *buffer, uint64_t count, int32_t *list, int32_t *descriptors, int32_t *truncated);
/// Never raises SIGPIPE. `more`: hold a partial segment back, more follows at once.
int64_t CLinux_send(int32_t descriptor, const void *buffer, uint64_t count, int32_t more);
int64_t CLinux_sendfile(int32_t descriptor, int32_t file, int64_t offset, uint64_t count);
int64_t CLinux_read_at(int32_t descriptor, void *buffer, uint64_t count, int64_t offset);

/// Reads "192.0.2.1", "2001:db8::1", "fe80::1%eth0" (no brackets); 0, or -EINVAL.
int32_t CLinux_address_parse(const char *text, uint16_t port, CLinux_address *address);
/// Writes the address alone, without its port; the number of characters, or -ENOSPC.
int32_t CLinux_address_format(const CLinux_address *address, char *text, uint32_t capacity);
/// Looks a name up with getaddrinfo; blocks. The number of addresses, or the negative of a positive
/// EAI code above 10000 (CLinux_RESOLVE_BASE) for CLinux_resolve_message.
int32_t CLinux_resolve(const char *host, uint16_t port, CLinux_address *addresses, int32_t capacity);
#define CLinux_RESOLVE_BASE 10000
const char *CLinux_resolve_message(int32_t result);

/// Starts a detached (`joinable` 0) or joinable thread that calls `body(context)`, all signals blocked.
/// 0, or the negative errno.
int32_t CLinux_start_thread(const char *name, void (*body)(void *), void *context, int32_t joinable, uint64_t *thread);
void CLinux_join_thread(uint64_t thread);
/// Tells threads apart; never 0.
uint64_t CLinux_thread_identity(void);

/* Processor time that the calling thread has used, in nanoseconds. */
uint64_t CLinux_thread_time(void);

#endif
