#include "CKeys.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/// Which of our kinds a key is, or 0.
static int kind_of(const EVP_PKEY *key) {
    char group[32];
    size_t length = 0;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519: return CKEYS_ED25519;
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &length) != 1) return 0;
        return strcmp(group, "prime256v1") == 0 ? CKEYS_ECDSA_P256 : 0;
    case EVP_PKEY_RSA: {
        int bits = EVP_PKEY_get_bits(key);
        return bits >= 2048 && bits <= 8192 ? CKEYS_RSA_PSS : 0;
    }
    default: return 0;
    }
}

static size_t encode(const EVP_PKEY *key, uint8_t *out) {
    int length = i2d_PUBKEY(key, NULL);
    if (length <= 0 || length > CKEYS_DER_SIZE) return 0;
    uint8_t *end = out;
    return i2d_PUBKEY(key, &end) == length ? (size_t)length : 0;
}

/// Reads a block "PUBLIC KEY"; NULL when it is none.
static EVP_PKEY *read_public(const void *bytes, size_t length) {
    if (length > 16384) return NULL;
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long size = 0;
    EVP_PKEY *key = NULL;
    BIO *bio = BIO_new_mem_buf(bytes, (int)length);
    // Not PEM_read_bio_PUBKEY: it would ask the terminal for the passphrase of an encrypted block.
    if (bio != NULL && PEM_read_bio(bio, &name, &header, &data, &size) == 1 && strcmp(name, PEM_STRING_PUBLIC) == 0
        && header[0] == '\0') {
        const unsigned char *begin = data;
        key = d2i_PUBKEY(NULL, &begin, size);
        if (key != NULL && begin != data + size) {
            EVP_PKEY_free(key);
            key = NULL;
        }
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

size_t CKeys_public(int kind, const void *bytes, size_t length, uint8_t *out) {
    if (kind == CKEYS_ED25519) {
        if (length != 32) return 0;
        memcpy(out, bytes, 32);
        return 32;
    }
    EVP_PKEY *key = read_public(bytes, length);
    size_t made = key != NULL && kind_of(key) == kind ? encode(key, out) : 0;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return made;
}

/// Sets what RSASSA-PSS needs.
static int set_padding(EVP_PKEY_CTX *context, int kind, int salt) {
    if (kind != CKEYS_RSA_PSS) return 1;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1
        && EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1;
}

int CKeys_verify(int kind, const uint8_t *key, size_t key_length, const void *bytes, size_t length,
                 const uint8_t *signature, size_t signature_length) {
    if (key_length > CKEYS_DER_SIZE || signature_length > CKEYS_SIGNATURE_SIZE) return 0;
    const unsigned char *begin = key;
    EVP_PKEY *public_key = kind == CKEYS_ED25519
        ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, key_length)
        : d2i_PUBKEY(NULL, &begin, (long)key_length);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    const EVP_MD *digest = kind == CKEYS_ED25519 ? NULL : EVP_sha256();
    int ok = public_key != NULL && context != NULL && kind_of(public_key) == kind
        && EVP_DigestVerifyInit(context, &options, digest, NULL, public_key) == 1
        && set_padding(options, kind, RSA_PSS_SALTLEN_AUTO)
        && EVP_DigestVerify(context, signature, signature_length, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    ERR_clear_error();
    return ok;
}

struct CKeys_private {
    EVP_PKEY *key;
    int kind;
};

static CKeys_private *wrap(EVP_PKEY *key) {
    int kind = key == NULL ? 0 : kind_of(key);
    CKeys_private *wrapped = kind == 0 ? NULL : malloc(sizeof *wrapped);
    ERR_clear_error();
    if (wrapped == NULL) {
        EVP_PKEY_free(key);
        return NULL;
    }
    wrapped->key = key;
    wrapped->kind = kind;
    return wrapped;
}

CKeys_private *CKeys_generate(int kind) {
    switch (kind) {
    case CKEYS_ED25519: return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    case CKEYS_ECDSA_P256: return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
    case CKEYS_RSA_PSS: return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072));
    default: return NULL;
    }
}

/// Hands the passphrase over; without one it fails, so that nobody is asked on a terminal.
static int give_passphrase(char *buffer, int size, int writing, void *passphrase) {
    (void)writing;
    size_t length = passphrase == NULL ? 0 : strlen(passphrase);
    if (length == 0 || length > (size_t)size) return -1;
    memcpy(buffer, passphrase, length);
    return (int)length;
}

CKeys_private *CKeys_private_read(const void *pem, size_t length, const char *passphrase) {
    if (length > INT_MAX) return NULL;
    BIO *bio = BIO_new_mem_buf(pem, (int)length);
    if (bio == NULL) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)passphrase);
    BIO_free(bio);
    return wrap(key);
}

void CKeys_private_free(CKeys_private *key) {
    if (key == NULL) return;
    EVP_PKEY_free(key->key);
    free(key);
}

int CKeys_private_kind(const CKeys_private *key) { return key->kind; }

/// Takes what a memory BIO holds.
static size_t take(BIO *bio, int ok, char *out, size_t capacity) {
    char *data = NULL;
    long size = bio == NULL ? 0 : BIO_get_mem_data(bio, &data);
    size_t made = ok && size > 0 && (size_t)size <= capacity ? (size_t)size : 0;
    if (made > 0) memcpy(out, data, made);
    BIO_free(bio);
    ERR_clear_error();
    return made;
}

size_t CKeys_private_write(const CKeys_private *key, const char *passphrase, char *out, size_t capacity) {
    BIO *bio = BIO_new(BIO_s_secmem());
    int encrypted = passphrase != NULL && passphrase[0] != '\0';
    int ok = bio != NULL
        && PEM_write_bio_PKCS8PrivateKey(bio, key->key, encrypted ? EVP_aes_256_cbc() : NULL, NULL, 0,
                                         encrypted ? give_passphrase : NULL, (void *)passphrase) == 1;
    return take(bio, ok, out, capacity);
}

static size_t write_public(EVP_PKEY *key, int kind, char *out, size_t capacity) {
    if (kind == CKEYS_ED25519) {
        size_t length = 32;
        return capacity >= 32 && EVP_PKEY_get_raw_public_key(key, (unsigned char *)out, &length) == 1 ? length : 0;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    return take(bio, bio != NULL && PEM_write_bio_PUBKEY(bio, key) == 1, out, capacity);
}

size_t CKeys_private_public(const CKeys_private *key, char *out, size_t capacity) {
    return write_public(key->key, key->kind, out, capacity);
}

int CKeys_public_read(const void *pem, size_t length, char *out, size_t capacity, size_t *made) {
    EVP_PKEY *key = read_public(pem, length);
    int kind = key == NULL ? 0 : kind_of(key);
    *made = kind == 0 ? 0 : write_public(key, kind, out, capacity);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return *made == 0 ? 0 : kind;
}

size_t CKeys_private_sign(const CKeys_private *key, const void *bytes, size_t length, uint8_t *out) {
    size_t made = CKEYS_SIGNATURE_SIZE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    const EVP_MD *digest = key->kind == CKEYS_ED25519 ? NULL : EVP_sha256();
    int ok = context != NULL && EVP_DigestSignInit(context, &options, digest, NULL, key->key) == 1
        && set_padding(options, key->kind, RSA_PSS_SALTLEN_DIGEST)
        && EVP_DigestSign(context, out, &made, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return ok ? made : 0;
}
