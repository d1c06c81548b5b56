#define _GNU_SOURCE
#include "CMicrohttpd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>  // its tcp_info has more than that of netinet/tcp.h
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static int read_address(const struct sockaddr *address, CMicrohttpd_peer *peer) {
    memset(peer, 0, sizeof *peer);
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        peer->octets[10] = peer->octets[11] = 0xFF;
        memcpy(peer->octets + 12, &v4->sin_addr, 4);
        peer->port = ntohs(v4->sin_port);
        return 1;
    }
    if (address->sa_family != AF_INET6) return 0;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    memcpy(peer->octets, &v6->sin6_addr, 16);
    peer->port = ntohs(v6->sin6_port);
    return 1;
}

static int is_loopback(const CMicrohttpd_peer *peer) {
    static const uint8_t v4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    static const uint8_t v6[16] = {[15] = 1};
    return (!memcmp(peer->octets, v4, 12) && peer->octets[12] == 127) || !memcmp(peer->octets, v6, 16);
}

static enum MHD_Result admit(void *context, const struct sockaddr *address, socklen_t length) {
    CMicrohttpd_calls *calls = context;
    CMicrohttpd_peer peer;
    (void)length;
    if (!read_address(address, &peer)) return MHD_NO;
    // The address that it connected to is not known yet; whoever counts connections looks again when it is opened.
    peer.is_local = (uint8_t)is_loopback(&peer);
    return calls->admit(calls->context, &peer) ? MHD_YES : MHD_NO;
}

static void connection_changed(
    void *context, struct MHD_Connection *connection, void **state, enum MHD_ConnectionNotificationCode code) {
    CMicrohttpd_calls *calls = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*state) calls->closed(calls->context, *state);
        *state = NULL;
        return;
    }
    const union MHD_ConnectionInfo *address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const union MHD_ConnectionInfo *socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!address || !socket) return;
    CMicrohttpd_peer peer, own;
    struct sockaddr_storage local;
    socklen_t length = sizeof local;
    if (!read_address(address->client_addr, &peer)) return;
    peer.is_local = (uint8_t)is_loopback(&peer);
    if (!peer.is_local && getsockname(socket->connect_fd, (struct sockaddr *)(void *)&local, &length) == 0 &&
        read_address((struct sockaddr *)(void *)&local, &own))
        peer.is_local = !memcmp(peer.octets, own.octets, 16);
    *state = calls->opened(calls->context, socket->connect_fd, &peer);
}

static void *client_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static CMicrohttpd_text text(const char *bytes) {
    CMicrohttpd_text result = {(const uint8_t *)bytes, bytes ? (uint32_t)strlen(bytes) : 0};
    return result;
}

// The fields that are of interest, and where they go.
static const struct {
    const char *name;
    size_t size, member;
} fields[] = {
#define FIELD(name, member) {name, sizeof name - 1, offsetof(CMicrohttpd_request, member)}
    FIELD("Range", range),
    FIELD("If-Range", if_range),
    FIELD("If-Match", if_match),
    FIELD("If-None-Match", if_none_match),
    FIELD("If-Modified-Since", if_modified_since),
    FIELD("If-Unmodified-Since", if_unmodified_since),
    FIELD("Accept-Encoding", accept_encoding),
    FIELD("Authorization", authorization),
    FIELD("User-Agent", user_agent),
    FIELD("Referer", referer),
#undef FIELD
};

static enum MHD_Result take_field(
    void *context, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value, size_t size) {
    (void)kind;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].size != name_size || strcasecmp(fields[i].name, name) != 0) continue;
        CMicrohttpd_text *field = (CMicrohttpd_text *)(void *)((char *)context + fields[i].member);
        if (!field->bytes) {
            field->bytes = (const uint8_t *)value;
            field->count = (uint32_t)size;
        }
        break;
    }
    return MHD_YES;
}

static enum MHD_Result handle(
    void *context, struct MHD_Connection *connection, const char *target, const char *method, const char *version,
    const char *content, size_t *content_size, void **state) {
    CMicrohttpd_calls *calls = context;
    (void)content;
    static char seen;
    const int is_plain = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    if (!*state) {
        *state = &seen;
        // The library keeps a connection open only if the answer comes with the second call, after all content: so
        // a method that may have content is answered at once, and its connection ends.
        if (is_plain) return MHD_YES;
    }
    // Nobody has a reason to send content with GET.
    if (*content_size) return MHD_NO;
    void *client = client_of(connection);
    if (!client) return MHD_NO;
    CMicrohttpd_request request;
    memset(&request, 0, sizeof request);
    request.method = text(method);
    request.target = text(target);
    request.version = text(version);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_field, &request);
    return calls->answer(calls->context, client, connection, &request) ? MHD_YES : MHD_NO;
}

static void completed(
    void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
    CMicrohttpd_calls *calls = context;
    (void)state;
    void *client = client_of(connection);
    if (client) calls->completed(calls->context, client, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

// Targets are decoded by whoever gives the callbacks, who refuses what is malformed.
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *target) {
    (void)context;
    (void)connection;
    return strlen(target);
}

static void log_message(void *context, const char *format, va_list arguments) {
    CMicrohttpd_calls *calls = context;
    char line[512];
    const int count = vsnprintf(line, sizeof line, format, arguments);
    if (count <= 0) return;
    line[strcspn(line, "\n")] = 0;
    calls->log(calls->context, line);
}

struct CMicrohttpd_server {
    struct MHD_Daemon *daemon;
    CMicrohttpd_calls calls;
};

CMicrohttpd_server *CMicrohttpd_start(const CMicrohttpd_settings *settings, const CMicrohttpd_calls *calls) {
    CMicrohttpd_server *own = malloc(sizeof *own);
    if (!own) return NULL;
    own->calls = *calls;
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_TURBO | MHD_USE_ERROR_LOG |
                         MHD_USE_NO_LISTEN_SOCKET;
    struct MHD_OptionItem options[16];
    int count = 0;
#define OPTION(which, number, pointer) \
    options[count++] = (struct MHD_OptionItem){which, (intptr_t)(number), (void *)(uintptr_t)(pointer)}
    // Refuse what RFC 9112 calls malformed, such as requests without a Host.
    OPTION(MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
    OPTION(MHD_OPTION_CONNECTION_LIMIT, settings->connections, NULL);
    OPTION(MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_seconds, NULL);
    OPTION(MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->memory, NULL);
    OPTION(MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, &own->calls);
    OPTION(MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_changed, &own->calls);
    OPTION(MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL);
    if (settings->certificate && settings->key) {
        flags |= MHD_USE_TLS;
        OPTION(MHD_OPTION_HTTPS_MEM_CERT, 0, settings->certificate);
        OPTION(MHD_OPTION_HTTPS_MEM_KEY, 0, settings->key);
        OPTION(MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2");
    }
    OPTION(MHD_OPTION_END, 0, NULL);
#undef OPTION
    own->daemon = MHD_start_daemon(
        flags, 0, admit, &own->calls, handle, &own->calls, MHD_OPTION_EXTERNAL_LOGGER, log_message, &own->calls,
        MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!own->daemon) {
        free(own);
        return NULL;
    }
    return own;
}

int32_t CMicrohttpd_accept(CMicrohttpd_server *server, int32_t listening) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    const int descriptor =
        accept4(listening, (struct sockaddr *)(void *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
        switch (errno) {
        case EAGAIN: return 0;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM: return -1;
        default: return 2; // accept(2): errors of the new connection
        }
    }
    // Closes it when it fails, too.
    return MHD_add_connection(server->daemon, descriptor, (struct sockaddr *)(void *)&address, length) == MHD_YES ? 1 : 2;
}

void CMicrohttpd_stop(CMicrohttpd_server *server) {
    MHD_stop_daemon(server->daemon);
    free(server);
}

struct MHD_Response *CMicrohttpd_response_bytes(const void *bytes, uint64_t count) {
    return MHD_create_response_from_buffer((size_t)count, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);
}

struct MHD_Response *CMicrohttpd_response_file(int32_t file, uint64_t offset, uint64_t count) {
    const int copy = fcntl(file, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return NULL;
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(count, copy, offset);
    if (!response) close(copy);
    return response;
}

void CMicrohttpd_add_header(struct MHD_Response *response, const char *name, const char *value) {
    MHD_add_response_header(response, name, value);
}

void CMicrohttpd_release(struct MHD_Response *response) { MHD_destroy_response(response); }

int32_t CMicrohttpd_queue(struct MHD_Connection *connection, uint32_t status, struct MHD_Response *response) {
    return MHD_queue_response(connection, status, response) == MHD_YES;
}

void CMicrohttpd_cut(int32_t descriptor) { shutdown(descriptor, SHUT_RDWR); }

void CMicrohttpd_pace(int32_t descriptor, uint64_t rate) {
    setsockopt(descriptor, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate);
}

uint64_t CMicrohttpd_acknowledged(int32_t descriptor) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_bytes_acked : 0;
}
