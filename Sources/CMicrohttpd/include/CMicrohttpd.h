// libmicrohttpd as one HTTP(S) server with callbacks: its own epoll thread, responses that are shared by requests,
// files sent by sendfile. No policy: what is answered is decided by whoever gives the callbacks.
//
// It has no listening socket: whoever uses it accepts. A server of the library that listens with epoll cannot be made to
// stop listening safely (MHD_quiesce_daemon): the caller and its thread may both remove the socket from the epoll set, and
// the one that comes second ends the process.
#ifndef CMICROHTTPD_H
#define CMICROHTTPD_H
#include <stdint.h>

/// A running server.
typedef struct CMicrohttpd_server CMicrohttpd_server;
struct MHD_Response;
struct MHD_Connection;

/// The other end of a connection.
typedef struct CMicrohttpd_peer {
    uint8_t octets[16];  // IPv6 in network order; IPv4 as ::ffff:a.b.c.d
    uint16_t port;
    uint8_t is_local;  // a loopback address, or the address that it connected to: a program of this machine
} CMicrohttpd_peer;

/// A text of the request; `bytes` is null when it is missing. Valid during the callback.
typedef struct CMicrohttpd_text {
    const uint8_t *bytes;
    uint32_t count;
} CMicrohttpd_text;

/// A request without its content. Of fields that came several times, the first.
typedef struct CMicrohttpd_request {
    CMicrohttpd_text method;
    CMicrohttpd_text target;  // as sent, without the query
    CMicrohttpd_text version;
    CMicrohttpd_text range, if_range, if_match, if_none_match, if_modified_since, if_unmodified_since;
    CMicrohttpd_text accept_encoding, authorization, user_agent, referer;
} CMicrohttpd_request;

/// What the server calls; from its threads, several at once, but never two for one connection.
typedef struct CMicrohttpd_calls {
    void *context;
    /// Whether a connection is taken: 1 or 0.
    int32_t (*admit)(void *context, const CMicrohttpd_peer *peer);
    /// It was taken. What is returned names it in the other calls.
    void *(*opened)(void *context, int32_t descriptor, const CMicrohttpd_peer *peer);
    /// It ends; the descriptor is still open.
    void (*closed)(void *context, void *client);
    /// Answers a request by CMicrohttpd_queue. 1, or 0: the connection is closed.
    int32_t (*answer)(
        void *context, void *client, struct MHD_Connection *connection, const CMicrohttpd_request *request);
    /// The answer was sent as a whole (`sent` 1), or the connection broke.
    void (*completed)(void *context, void *client, int32_t sent);
    /// A message of the library, mostly about what clients did wrong.
    void (*log)(void *context, const char *text);
} CMicrohttpd_calls;

typedef struct CMicrohttpd_settings {
    uint32_t connections;   // at a time; more are closed
    uint32_t idle_seconds;  // without any progress
    uint32_t memory;        // bytes for the head of a request and of its answer
    const char *certificate;  // PEM chain and key for HTTPS, or null
    const char *key;
} CMicrohttpd_settings;

/// Starts a server with one thread. `calls` is copied. Null on failure.
CMicrohttpd_server *CMicrohttpd_start(const CMicrohttpd_settings *settings, const CMicrohttpd_calls *calls);
/// Accepts one connection of a listening, non-blocking socket and gives it to the server.
/// 1: it will be `opened`; 0: nobody waits; 2: whoever waited is gone, or is not admitted; -1: descriptors or memory are
/// short, errno tells which.
int32_t CMicrohttpd_accept(CMicrohttpd_server *server, int32_t listening);
/// Ends the connections that are left, and the threads. Blocks for a moment.
void CMicrohttpd_stop(CMicrohttpd_server *server);

/// A response with a copy of these bytes; null without memory.
struct MHD_Response *CMicrohttpd_response_bytes(const void *bytes, uint64_t count);
/// A response with a part of a file, sent by sendfile where possible. The descriptor is duplicated.
struct MHD_Response *CMicrohttpd_response_file(int32_t file, uint64_t offset, uint64_t count);
void CMicrohttpd_add_header(struct MHD_Response *response, const char *name, const char *value);
/// Gives up a reference; requests that still send it hold their own.
void CMicrohttpd_release(struct MHD_Response *response);
/// Answers with a response. 1 on success.
int32_t CMicrohttpd_queue(struct MHD_Connection *connection, uint32_t status, struct MHD_Response *response);

/// Ends a connection from another thread: both directions are shut, and its own thread closes it.
void CMicrohttpd_cut(int32_t descriptor);
/// Lets the kernel send at most so many bytes a second over this connection (SO_MAX_PACING_RATE).
void CMicrohttpd_pace(int32_t descriptor, uint64_t rate);
/// Bytes that the other end has acknowledged since the beginning of the connection, or 0.
uint64_t CMicrohttpd_acknowledged(int32_t descriptor);

#endif
