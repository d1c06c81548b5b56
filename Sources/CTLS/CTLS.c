#include "CTLS.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// The public types are OpenSSL's own under our names: only pointers to them are ever used.
static SSL_CTX *context_of(CTLS_context *context) { return (SSL_CTX *)context; }
static SSL *session_of(const CTLS_session *session) { return (SSL *)(uintptr_t)session; }

/// The oldest error of this thread's queue, which is the cause, as text; empties the queue.
static void explain(char *text, uint32_t capacity, const char *otherwise) {
    const char *data = NULL;
    int flags = 0;
    unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (code && ERR_SYSTEM_ERROR(code)) reason = strerror(ERR_GET_REASON(code));
    if (!reason) reason = otherwise;
    if (data && (flags & ERR_TXT_STRING) && *data) {
        snprintf(text, capacity, "%s (%s)", reason, data);
    } else {
        snprintf(text, capacity, "%s", reason);
    }
    ERR_clear_error();
}

/// A key with a passphrase fails to load instead of asking for it on a terminal.
static int no_passphrase(char *buffer, int size, int writing, void *data) {
    (void)buffer, (void)size, (void)writing, (void)data;
    return 0;
}

static SSL_CTX *new_context(const SSL_METHOD *method) {
    SSL_CTX *context = SSL_CTX_new(method);
    if (!context) return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(
        context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    return context;
}

static int load_identity(SSL_CTX *context, const char *certificate, const char *key) {
    return SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
           SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(context) == 1;
}

CTLS_context *CTLS_server_context(const char *certificate, const char *key, char *error, uint32_t capacity) {
    ERR_clear_error();
    SSL_CTX *context = new_context(TLS_server_method());
    if (context && load_identity(context, certificate, key)) {
        // Clients ask for what they can do; which of it is best, the server knows.
        SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
        SSL_CTX_set_dh_auto(context, 1);
        static const unsigned char id[] = "esets";
        SSL_CTX_set_session_id_context(context, id, sizeof id - 1);
        // Tickets carry the state: nothing is kept per client.
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        return (CTLS_context *)context;
    }
    explain(error, capacity, "cannot load certificate and key");
    SSL_CTX_free(context);
    return NULL;
}

CTLS_context *CTLS_client_context(
    const char *authorities, const char *certificate, const char *key, char *error, uint32_t capacity) {
    ERR_clear_error();
    SSL_CTX *context = new_context(TLS_client_method());
    int ok = context != NULL;
    if (ok && authorities) {
        struct stat status;
        if (stat(authorities, &status) == 0 && S_ISDIR(status.st_mode)) {
            ok = SSL_CTX_load_verify_dir(context, authorities) == 1;
        } else {
            ok = SSL_CTX_load_verify_file(context, authorities) == 1;
        }
    } else if (ok) {
        ok = SSL_CTX_set_default_verify_paths(context) == 1;
    }
    if (ok && certificate) ok = load_identity(context, certificate, key ? key : certificate);
    if (ok) return (CTLS_context *)context;
    explain(error, capacity, "cannot load certificates");
    SSL_CTX_free(context);
    return NULL;
}

void CTLS_context_free(CTLS_context *context) { SSL_CTX_free(context_of(context)); }

static SSL *new_session(CTLS_context *context) {
    SSL *session = SSL_new(context_of(context));
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    if (!session || !in || !out) {
        SSL_free(session);
        BIO_free(in);
        BIO_free(out);
        return NULL;
    }
    // An empty buffer means "not yet", never "end of file".
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(session, in, out);
    return session;
}

CTLS_session *CTLS_session_server(CTLS_context *context) {
    SSL *session = new_session(context);
    if (session) SSL_set_accept_state(session);
    return (CTLS_session *)session;
}

/// Whether the text is a numeric IPv4 or IPv6 address.
static int is_address(const char *name) {
    ASN1_OCTET_STRING *octets = a2i_IPADDRESS(name);
    ASN1_OCTET_STRING_free(octets);
    ERR_clear_error();
    return octets != NULL;
}

CTLS_session *CTLS_session_client(CTLS_context *context, const char *name, int32_t verify) {
    SSL *session = new_session(context);
    if (!session) return NULL;
    SSL_set_connect_state(session);
    int ok = 1;
    int numeric = name && is_address(name);
    // RFC 6066 section 3: literal addresses are not permitted in SNI.
    if (name && !numeric) ok = SSL_set_tlsext_host_name(session, name) == 1;
    if (ok && verify) {
        SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (!name) {
            ok = 0;
        } else if (numeric) {
            ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) == 1;
        } else {
            ok = SSL_set1_host(session, name) == 1;
        }
        SSL_set_verify(session, SSL_VERIFY_PEER, NULL);
    } else {
        SSL_set_verify(session, SSL_VERIFY_NONE, NULL);
    }
    if (ok) return (CTLS_session *)session;
    SSL_free(session);
    return NULL;
}

void CTLS_session_free(CTLS_session *session) { SSL_free(session_of(session)); }

int32_t CTLS_put(CTLS_session *session, const void *bytes, uint32_t count) {
    if (count == 0) return CTLS_DONE;
    if (count > INT32_MAX) return CTLS_FAILED;
    // A memory BIO grows as needed and takes all or nothing.
    return BIO_write(SSL_get_rbio(session_of(session)), bytes, (int)count) == (int)count ? CTLS_DONE : CTLS_FAILED;
}

uint32_t CTLS_pending(CTLS_session *session) { return (uint32_t)BIO_ctrl_pending(SSL_get_wbio(session_of(session))); }

uint32_t CTLS_take(CTLS_session *session, void *bytes, uint32_t capacity) {
    if (capacity > INT32_MAX) capacity = INT32_MAX;
    int count = BIO_read(SSL_get_wbio(session_of(session)), bytes, (int)capacity);
    return count > 0 ? (uint32_t)count : 0;
}

static int32_t outcome(SSL *session, int result, char *error, uint32_t capacity) {
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return CTLS_WANT;
    case SSL_ERROR_ZERO_RETURN:
        return CTLS_END;
    default: {
        long verification = SSL_get_verify_result(session);
        if (verification != X509_V_OK && SSL_get_verify_mode(session) == SSL_VERIFY_PEER) {
            snprintf(error, capacity, "certificate not accepted: %s", X509_verify_cert_error_string(verification));
            ERR_clear_error();
        } else {
            explain(error, capacity, "protocol error");
        }
        return CTLS_FAILED;
    }
    }
}

int32_t CTLS_handshake(CTLS_session *session, char *error, uint32_t capacity) {
    ERR_clear_error();
    int result = SSL_do_handshake(session_of(session));
    return result == 1 ? CTLS_DONE : outcome(session_of(session), result, error, capacity);
}

int32_t CTLS_read(
    CTLS_session *session, void *bytes, uint32_t capacity, uint32_t *count, char *error, uint32_t error_capacity) {
    ERR_clear_error();
    size_t got = 0;
    int result = SSL_read_ex(session_of(session), bytes, capacity, &got);
    *count = (uint32_t)got;
    return result == 1 ? CTLS_DONE : outcome(session_of(session), result, error, error_capacity);
}

int32_t CTLS_write(CTLS_session *session, const void *bytes, uint32_t count, char *error, uint32_t error_capacity) {
    ERR_clear_error();
    uint32_t done = 0;
    while (done < count) {
        size_t written = 0;
        int result = SSL_write_ex(session_of(session), (const uint8_t *)bytes + done, count - done, &written);
        if (result != 1) {
            int32_t status = outcome(session_of(session), result, error, error_capacity);
            // Output never blocks, and with renegotiation off a write never waits for input.
            if (status != CTLS_FAILED) snprintf(error, error_capacity, "cannot write now");
            return CTLS_FAILED;
        }
        done += (uint32_t)written;
    }
    return CTLS_DONE;
}

void CTLS_finish(CTLS_session *session) {
    ERR_clear_error();
    // Not during a handshake or after a fatal error: OpenSSL forbids it there.
    if (SSL_is_init_finished(session_of(session))) SSL_shutdown(session_of(session));
    ERR_clear_error();
}

const char *CTLS_version(const CTLS_session *session) { return SSL_get_version(session_of(session)); }

const char *CTLS_cipher(const CTLS_session *session) { return SSL_get_cipher_name(session_of(session)); }

int32_t CTLS_cipher_bits(const CTLS_session *session) { return SSL_get_cipher_bits(session_of(session), NULL); }

const char *CTLS_requested_name(const CTLS_session *session) {
    return SSL_get_servername(session_of(session), TLSEXT_NAMETYPE_host_name);
}

int32_t CTLS_peer_fingerprint(const CTLS_session *session, uint8_t *digest) {
    X509 *certificate = SSL_get1_peer_certificate(session_of(session));
    if (!certificate) return 0;
    unsigned int length = 0;
    uint8_t full[EVP_MAX_MD_SIZE];
    int ok = X509_digest(certificate, EVP_sha256(), full, &length);
    X509_free(certificate);
    if (!ok || length != 32) return 0;
    memcpy(digest, full, 32);
    return 1;
}
