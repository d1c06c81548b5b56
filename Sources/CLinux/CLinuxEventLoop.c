#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CLinuxEventLoop.h"
#include "CLinuxFiles.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(CLinux_EVENT_IN == EPOLLIN, "epoll bits");
_Static_assert(CLinux_EVENT_OUT == EPOLLOUT, "epoll bits");
_Static_assert(CLinux_EVENT_ERROR == EPOLLERR, "epoll bits");
_Static_assert(CLinux_EVENT_HANGUP == EPOLLHUP, "epoll bits");
_Static_assert(CLinux_EVENT_PEER_CLOSED == EPOLLRDHUP, "epoll bits");
_Static_assert(CLinux_EVENT_EXCLUSIVE == EPOLLEXCLUSIVE, "epoll bits");
_Static_assert(CLinux_EVENT_EDGE == EPOLLET, "epoll bits");
_Static_assert(sizeof(pthread_t) <= sizeof(uint64_t), "a thread fits its identity");

// SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST: linux/netfilter_ipv4.h cannot be included beside netinet/in.h.
enum { ORIGINAL_DESTINATION = 80 };

#define RETRY(result, call)                             \
    do {                                                \
        (result) = (call);                              \
    } while ((result) < 0 && errno == EINTR);           \
    if ((result) < 0) (result) = -errno

int32_t CLinux_epoll_create(void) {
    int32_t result;
    RETRY(result, epoll_create1(EPOLL_CLOEXEC));
    return result;
}

int32_t CLinux_epoll_add(int32_t epoll, int32_t descriptor, uint32_t events, uint64_t key) {
    struct epoll_event event = {.events = events, .data.u64 = key};
    int32_t result;
    RETRY(result, epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
    return result;
}

int32_t CLinux_epoll_modify(int32_t epoll, int32_t descriptor, uint32_t events, uint64_t key) {
    struct epoll_event event = {.events = events, .data.u64 = key};
    int32_t result;
    RETRY(result, epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event));
    return result;
}

int32_t CLinux_epoll_remove(int32_t epoll, int32_t descriptor) {
    struct epoll_event event = {0};
    int32_t result;
    RETRY(result, epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event));
    return result;
}

int32_t CLinux_epoll_wait(int32_t epoll, CLinux_event *events, int32_t capacity, int32_t milliseconds) {
    struct epoll_event found[256];
    if (capacity > 256) capacity = 256;
    int32_t count = epoll_wait(epoll, found, capacity, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int32_t i = 0; i < count; i++) {
        events[i].key = found[i].data.u64;
        events[i].events = found[i].events;
    }
    return count;
}

int32_t CLinux_eventfd(void) {
    int32_t result;
    RETRY(result, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return result;
}

void CLinux_eventfd_signal(int32_t descriptor) {
    uint64_t one = 1;
    int64_t result;
    RETRY(result, write(descriptor, &one, sizeof one));
    (void)result;  // EAGAIN: the counter is full, so the reader is already woken
}

void CLinux_eventfd_clear(int32_t descriptor) {
    uint64_t value;
    int64_t result;
    RETRY(result, read(descriptor, &value, sizeof value));
    (void)result;
}

// MARK: addresses

static void import(const struct sockaddr_storage *raw, socklen_t length, CLinux_address *address) {
    memset(address, 0, sizeof *address);
    if (length < sizeof(sa_family_t)) return;
    if (raw->ss_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)raw;
        address->port = ntohs(v4->sin_port);
        memcpy(address->octets, &v4->sin_addr, 4);
    } else if (raw->ss_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)raw;
        address->port = ntohs(v6->sin6_port);
        address->scope = v6->sin6_scope_id;
        memcpy(address->octets, &v6->sin6_addr, 16);
    } else if (raw->ss_family == AF_UNIX) {
        const struct sockaddr_un *local = (const struct sockaddr_un *)raw;
        size_t size = length - offsetof(struct sockaddr_un, sun_path);
        if (length <= offsetof(struct sockaddr_un, sun_path)) size = 0;
        if (size > sizeof address->path) size = sizeof address->path;
        // A path name ends at its NUL; an abstract name begins with one and fills the whole length.
        if (size > 0 && local->sun_path[0] != 0) size = strnlen(local->sun_path, size);
        memcpy(address->path, local->sun_path, size);
        address->path_length = (uint16_t)size;
    } else {
        return;
    }
    address->family = raw->ss_family;
}

static socklen_t export(const CLinux_address *address, struct sockaddr_storage *raw) {
    memset(raw, 0, sizeof *raw);
    raw->ss_family = (sa_family_t)address->family;
    if (address->family == AF_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)raw;
        v4->sin_port = htons(address->port);
        memcpy(&v4->sin_addr, address->octets, 4);
        return sizeof *v4;
    }
    if (address->family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)raw;
        v6->sin6_port = htons(address->port);
        v6->sin6_scope_id = address->scope;
        memcpy(&v6->sin6_addr, address->octets, 16);
        return sizeof *v6;
    }
    if (address->family == AF_UNIX && address->path_length <= sizeof address->path) {
        struct sockaddr_un *local = (struct sockaddr_un *)raw;
        memcpy(local->sun_path, address->path, address->path_length);
        socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + address->path_length);
        if (address->path_length > 0 && address->path[0] != 0 && address->path_length < sizeof address->path) length++;
        return length;
    }
    return 0;
}

int32_t CLinux_socket(int32_t family) {
    int32_t result;
    RETRY(result, socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    return result;
}

int32_t CLinux_accept(int32_t descriptor, CLinux_address *peer) {
    struct sockaddr_storage raw;
    socklen_t length;
    int32_t result;
    do {
        length = sizeof raw;
        result = accept4(descriptor, (struct sockaddr *)&raw, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    import(&raw, length, peer);
    return result;
}

int32_t CLinux_connect(int32_t descriptor, const CLinux_address *address) {
    struct sockaddr_storage raw;
    socklen_t length = export(address, &raw);
    if (length == 0) return -EAFNOSUPPORT;
    // Not retried on EINTR: the attempt goes on, and a second call would report EALREADY.
    int32_t result = connect(descriptor, (struct sockaddr *)&raw, length);
    if (result == 0) return 0;
    return errno == EINTR ? -EINPROGRESS : -errno;
}

int32_t CLinux_bind(int32_t descriptor, const CLinux_address *address) {
    struct sockaddr_storage raw;
    socklen_t length = export(address, &raw);
    if (length == 0) return -EAFNOSUPPORT;
    int32_t result;
    RETRY(result, bind(descriptor, (struct sockaddr *)&raw, length));
    return result;
}

int32_t CLinux_listen(int32_t descriptor, int32_t backlog) {
    int32_t result;
    RETRY(result, listen(descriptor, backlog));
    return result;
}

int32_t CLinux_peer_address(int32_t descriptor, CLinux_address *address) {
    struct sockaddr_storage raw;
    socklen_t length = sizeof raw;
    int32_t result;
    RETRY(result, getpeername(descriptor, (struct sockaddr *)&raw, &length));
    if (result == 0) import(&raw, length, address);
    return result;
}

int32_t CLinux_local_address(int32_t descriptor, CLinux_address *address) {
    struct sockaddr_storage raw;
    socklen_t length = sizeof raw;
    int32_t result;
    RETRY(result, getsockname(descriptor, (struct sockaddr *)&raw, &length));
    if (result == 0) import(&raw, length, address);
    return result;
}

int32_t CLinux_original_destination(int32_t descriptor, CLinux_address *address) {
    CLinux_address local;
    int32_t result = CLinux_local_address(descriptor, &local);
    if (result < 0) return result;
    struct sockaddr_storage raw;
    socklen_t length = sizeof raw;
    memset(&raw, 0, sizeof raw);
    int32_t level = local.family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    // A dual-stack listener holds IPv4 clients as mapped addresses, known to netfilter as IPv4.
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (local.family == AF_INET6 && memcmp(local.octets, mapped, sizeof mapped) == 0) level = IPPROTO_IP;
    RETRY(result, getsockopt(descriptor, level, ORIGINAL_DESTINATION, &raw, &length));
    if (result == 0) import(&raw, length, address);
    return result;
}

int32_t CLinux_socket_pair(int32_t *first, int32_t *second) {
    int pair[2];
    int32_t result;
    RETRY(result, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
    if (result == 0) {
        *first = pair[0];
        *second = pair[1];
    }
    return result;
}

int32_t CLinux_socket_error(int32_t descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    int32_t result;
    RETRY(result, getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length));
    return result < 0 ? result : -error;
}

int32_t CLinux_set_nonblocking(int32_t descriptor) {
    int32_t result;
    RETRY(result, fcntl(descriptor, F_GETFL));
    if (result < 0 || (result & O_NONBLOCK)) return result < 0 ? result : 0;
    RETRY(result, fcntl(descriptor, F_SETFL, result | O_NONBLOCK));
    return result;
}

int32_t CLinux_set_no_delay(int32_t descriptor) {
    int on = 1;
    int32_t result;
    RETRY(result, setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    return result;
}

int32_t CLinux_set_reset_on_close(int32_t descriptor) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    int32_t result;
    RETRY(result, setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    return result;
}

int32_t CLinux_reuse_address(int32_t descriptor) {
    int on = 1;
    int32_t result;
    RETRY(result, setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    return result;
}

int32_t CLinux_shutdown_write(int32_t descriptor) {
    int32_t result;
    RETRY(result, shutdown(descriptor, SHUT_WR));
    return result;
}

int32_t CLinux_close(int32_t descriptor) {
    // Linux releases the descriptor even when close is interrupted: never retry.
    return close(descriptor) < 0 ? -errno : 0;
}

int64_t CLinux_receive(int32_t descriptor, void *buffer, uint64_t count) {
    int64_t result;
    RETRY(result, recv(descriptor, buffer, count, 0));
    return result;
}

int64_t CLinux_receive_with_descriptors(
    int32_t socket, void *buffer, uint64_t count, int32_t *list, int32_t *descriptors, int32_t *truncated) {
    int capacity = *descriptors, came = 0, cut = 0;
    int64_t result;
    RETRY(result, (came = capacity, CLinux_receive_descriptors(socket, buffer, count, list, &came, &cut, 0)));
    *descriptors = result < 0 ? 0 : came;
    *truncated = cut;
    return result;
}

int64_t CLinux_send(int32_t descriptor, const void *buffer, uint64_t count, int32_t more) {
    int64_t result;
    RETRY(result, send(descriptor, buffer, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
    return result;
}

int64_t CLinux_sendfile(int32_t descriptor, int32_t file, int64_t offset, uint64_t count) {
    off_t position = offset;
    int64_t result;
    RETRY(result, sendfile(descriptor, file, &position, count));
    return result;
}

int64_t CLinux_read_at(int32_t descriptor, void *buffer, uint64_t count, int64_t offset) {
    int64_t result;
    RETRY(result, pread(descriptor, buffer, count, offset));
    return result;
}

int32_t CLinux_address_parse(const char *text, uint16_t port, CLinux_address *address) {
    memset(address, 0, sizeof *address);
    address->port = port;
    if (inet_pton(AF_INET, text, address->octets) == 1) {
        address->family = AF_INET;
        return 0;
    }
    char host[INET6_ADDRSTRLEN];
    const char *zone = strchr(text, '%');
    size_t length = zone ? (size_t)(zone - text) : strlen(text);
    if (length >= sizeof host) return -EINVAL;
    memcpy(host, text, length);
    host[length] = 0;
    if (inet_pton(AF_INET6, host, address->octets) != 1) return -EINVAL;
    if (zone) {
        address->scope = if_nametoindex(zone + 1);
        if (address->scope == 0) address->scope = (uint32_t)strtoul(zone + 1, NULL, 10);
        if (address->scope == 0) return -EINVAL;
    }
    address->family = AF_INET6;
    return 0;
}

int32_t CLinux_address_format(const CLinux_address *address, char *text, uint32_t capacity) {
    if (!inet_ntop(address->family, address->octets, text, capacity)) return -errno;
    size_t length = strlen(text);
    if (address->family == AF_INET6 && address->scope != 0) {
        char zone[IF_NAMESIZE];
        int added;
        if (if_indextoname(address->scope, zone)) {
            added = snprintf(text + length, capacity - length, "%%%s", zone);
        } else {
            added = snprintf(text + length, capacity - length, "%%%u", address->scope);
        }
        if (added < 0 || (size_t)added >= capacity - length) return -ENOSPC;
        length += (size_t)added;
    }
    return (int32_t)length;
}

int32_t CLinux_resolve(const char *host, uint16_t port, CLinux_address *addresses, int32_t capacity) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int code = getaddrinfo(host, NULL, &hints, &list);
    if (code != 0) return -(CLinux_RESOLVE_BASE + (code < 0 ? -code : code));
    int32_t count = 0;
    for (struct addrinfo *item = list; item && count < capacity; item = item->ai_next) {
        struct sockaddr_storage raw;
        if (item->ai_addrlen > sizeof raw) continue;
        memset(&raw, 0, sizeof raw);
        memcpy(&raw, item->ai_addr, item->ai_addrlen);
        import(&raw, item->ai_addrlen, &addresses[count]);
        if (addresses[count].family == 0) continue;
        addresses[count++].port = port;
    }
    freeaddrinfo(list);
    return count;
}

const char *CLinux_resolve_message(int32_t result) {
    return gai_strerror(result + CLinux_RESOLVE_BASE);  // glibc's EAI codes are negative
}

// MARK: threads

struct thread_start {
    void (*body)(void *);
    void *context;
};

static void *run_thread(void *argument) {
    struct thread_start start = *(struct thread_start *)argument;
    free(argument);
    start.body(start.context);
    return NULL;
}

int32_t CLinux_start_thread(const char *name, void (*body)(void *), void *context, int32_t joinable, uint64_t *thread) {
    struct thread_start *start = malloc(sizeof *start);
    if (!start) return -ENOMEM;
    start->body = body;
    start->context = context;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, joinable ? PTHREAD_CREATE_JOINABLE : PTHREAD_CREATE_DETACHED);
    // Signals belong to the main thread: a new thread inherits a full mask.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t created;
    int code = pthread_create(&created, &attributes, run_thread, start);
    if (code == 0 && joinable) pthread_setname_np(created, name);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (code != 0) {
        free(start);
        return -code;
    }
    if (thread) *thread = (uint64_t)created;
    return 0;
}

void CLinux_join_thread(uint64_t thread) { pthread_join((pthread_t)thread, NULL); }

uint64_t CLinux_thread_identity(void) { return (uint64_t)pthread_self(); }

uint64_t CLinux_thread_time(void) {
    struct timespec time;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
