#include "CCrypto.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

static const EVP_MD *algorithm_named(int algorithm) {
    switch (algorithm) {
    case CCRYPTO_MD5: return EVP_md5();
    case CCRYPTO_SHA1: return EVP_sha1();
    case CCRYPTO_SHA256: return EVP_sha256();
    case CCRYPTO_SHA384: return EVP_sha384();
    case CCRYPTO_SHA512: return EVP_sha512();
    default: return NULL;
    }
}

int CCrypto_digest(int algorithm, const void *bytes, size_t length, uint8_t *out) {
    const EVP_MD *md = algorithm_named(algorithm);
    return md != NULL && EVP_Digest(bytes, length, out, NULL, md, NULL) == 1;
}

struct CCrypto_hash {
    EVP_MD_CTX *context;
    const EVP_MD *md;
};

CCrypto_hash *CCrypto_hash_new(int algorithm) {
    const EVP_MD *md = algorithm_named(algorithm);
    CCrypto_hash *hash = md == NULL ? NULL : calloc(1, sizeof *hash);
    if (hash == NULL) return NULL;
    hash->md = md;
    hash->context = EVP_MD_CTX_new();
    if (hash->context == NULL || EVP_DigestInit_ex(hash->context, md, NULL) != 1) {
        CCrypto_hash_free(hash);
        return NULL;
    }
    return hash;
}

int CCrypto_hash_update(CCrypto_hash *hash, const void *bytes, size_t length) {
    return EVP_DigestUpdate(hash->context, bytes, length) == 1;
}

int CCrypto_hash_final(CCrypto_hash *hash, uint8_t *out) {
    return EVP_DigestFinal_ex(hash->context, out, NULL) == 1
        && EVP_DigestInit_ex(hash->context, hash->md, NULL) == 1;
}

void CCrypto_hash_free(CCrypto_hash *hash) {
    if (hash == NULL) return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

static int aes_cbc(int encrypt, const uint8_t *key, size_t key_length, const uint8_t *iv, const void *in, size_t length,
                   uint8_t *out) {
    const EVP_CIPHER *cipher = key_length == 16 ? EVP_aes_128_cbc() : key_length == 32 ? EVP_aes_256_cbc() : NULL;
    if (cipher == NULL || length % 16 != 0) return 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context == NULL) return 0;
    int done = EVP_CipherInit_ex(context, cipher, NULL, key, iv, encrypt) == 1
        && EVP_CIPHER_CTX_set_padding(context, 0) == 1;
    // The library counts in int.
    while (done && length > 0) {
        int step = length > (1 << 30) ? 1 << 30 : (int)length, made = 0;
        done = EVP_CipherUpdate(context, out, &made, in, step) == 1 && made == step;
        in = (const uint8_t *)in + step;
        out += step;
        length -= (size_t)step;
    }
    EVP_CIPHER_CTX_free(context);
    return done;
}

int CCrypto_aes_cbc_decrypt(const uint8_t *key, size_t key_length, const uint8_t *iv, const void *in, size_t length,
                            uint8_t *out) {
    return aes_cbc(0, key, key_length, iv, in, length, out);
}

int CCrypto_aes_cbc_encrypt(const uint8_t *key, size_t key_length, const uint8_t *iv, const void *in, size_t length,
                            uint8_t *out) {
    return aes_cbc(1, key, key_length, iv, in, length, out);
}

int CCrypto_ed25519_generate(uint8_t *seed, uint8_t *public_key) {
    return RAND_priv_bytes(seed, 32) == 1 && CCrypto_ed25519_public(seed, public_key);
}

int CCrypto_ed25519_public(const uint8_t *seed, uint8_t *public_key) {
    size_t length = 32;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    int ok = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &length) == 1;
    EVP_PKEY_free(key);
    return ok;
}

int CCrypto_ed25519_sign(const uint8_t *seed, const void *bytes, size_t length, uint8_t *signature) {
    size_t size = 64;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = key != NULL && context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1
        && EVP_DigestSign(context, signature, &size, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

int CCrypto_ed25519_verify(const uint8_t *public_key, const void *bytes, size_t length, const uint8_t *signature) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1
        && EVP_DigestVerify(context, signature, 64, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

int CCrypto_random(void *out, size_t length) {
    return RAND_bytes(out, (int)length) == 1;
}
