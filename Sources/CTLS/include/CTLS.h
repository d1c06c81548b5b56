// TLS over memory, on OpenSSL 3: no socket and no other I/O, except reading key and certificate files.
#ifndef CTLS_H
#define CTLS_H
#include <stdint.h>

/// Certificates, keys and policy, shared by many sessions; counted by the sessions that use it.
typedef struct CTLS_context CTLS_context;
/// One end of one connection.
typedef struct CTLS_session CTLS_session;

// What a session call did.
#define CTLS_DONE 0      // done; for reading: the count is set
#define CTLS_WANT (-1)   // more input from the network is needed first
#define CTLS_END (-2)    // the peer said goodbye (close_notify)
#define CTLS_FAILED (-3) // see the text

/// The server's side: PEM files of the certificate chain and the key. Null on failure, with the reason in `error`.
CTLS_context *CTLS_server_context(const char *certificate, const char *key, char *error, uint32_t capacity);
/// The client's side. `authorities`: PEM file or hashed folder; null for the system's. `certificate` and `key`: the
/// client's own, or null.
CTLS_context *CTLS_client_context(
    const char *authorities, const char *certificate, const char *key, char *error, uint32_t capacity);
void CTLS_context_free(CTLS_context *context);

CTLS_session *CTLS_session_server(CTLS_context *context);
/// `name`: sent as SNI when it is a host name, or null; `verify`: the certificate must be valid for `name` (host name
/// or numeric address).
CTLS_session *CTLS_session_client(CTLS_context *context, const char *name, int32_t verify);
void CTLS_session_free(CTLS_session *session);

/// Gives bytes from the network. CTLS_DONE, or CTLS_FAILED when memory is short.
int32_t CTLS_put(CTLS_session *session, const void *bytes, uint32_t count);
/// Bytes waiting to be sent.
uint32_t CTLS_pending(CTLS_session *session);
/// Takes bytes to send; the number.
uint32_t CTLS_take(CTLS_session *session, void *bytes, uint32_t capacity);
int32_t CTLS_handshake(CTLS_session *session, char *error, uint32_t capacity);
int32_t CTLS_read(
    CTLS_session *session, void *bytes, uint32_t capacity, uint32_t *count, char *error, uint32_t error_capacity);
int32_t CTLS_write(CTLS_session *session, const void *bytes, uint32_t count, char *error, uint32_t error_capacity);
/// Queues close_notify.
void CTLS_finish(CTLS_session *session);

/// "TLSv1.3"; static.
const char *CTLS_version(const CTLS_session *session);
/// "TLS_AES_256_GCM_SHA384"; static.
const char *CTLS_cipher(const CTLS_session *session);
/// Bits of the symmetric key.
int32_t CTLS_cipher_bits(const CTLS_session *session);
/// The name that the client asked for (SNI), or null; valid as long as the session.
const char *CTLS_requested_name(const CTLS_session *session);
/// SHA-256 of the peer's certificate into 32 bytes; 1, or 0 when it showed none.
int32_t CTLS_peer_fingerprint(const CTLS_session *session, uint8_t *digest);

#endif
