#include "CCrypto.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

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

CCrypto_hash *CCrypto_hash_new(int algorithm) {
    const EVP_MD *md = algorithm_named(algorithm);
    EVP_MD_CTX *context = md == NULL ? NULL : EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestInit_ex(context, md, NULL) == 1) return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

int CCrypto_hash_update(CCrypto_hash *hash, const void *bytes, size_t length) {
    return EVP_DigestUpdate(hash, bytes, length) == 1;
}

int CCrypto_hash_final(CCrypto_hash *hash, uint8_t *out) {
    // The algorithm stays: naming it again would make the library look it up.
    return EVP_DigestFinal_ex(hash, out, NULL) == 1 && EVP_DigestInit_ex(hash, NULL, NULL) == 1;
}

void CCrypto_hash_free(CCrypto_hash *hash) { EVP_MD_CTX_free(hash); }

static int aes(const EVP_CIPHER *cipher, int encrypt, const uint8_t *key, const uint8_t *iv, const void *in,
               size_t length, uint8_t *out) {
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

static const EVP_CIPHER *cbc(size_t key_length) {
    return key_length == 16 ? EVP_aes_128_cbc() : key_length == 24 ? EVP_aes_192_cbc()
        : key_length == 32  ? EVP_aes_256_cbc() : NULL;
}

static const EVP_CIPHER *ecb(size_t key_length) {
    return key_length == 16 ? EVP_aes_128_ecb() : key_length == 24 ? EVP_aes_192_ecb()
        : key_length == 32  ? EVP_aes_256_ecb() : NULL;
}

int CCrypto_aes_cbc_decrypt(const uint8_t *key, size_t key_length, const uint8_t *iv, const void *in, size_t length,
                            uint8_t *out) {
    return aes(cbc(key_length), 0, key, iv, in, length, out);
}

int CCrypto_aes_cbc_encrypt(const uint8_t *key, size_t key_length, const uint8_t *iv, const void *in, size_t length,
                            uint8_t *out) {
    return aes(cbc(key_length), 1, key, iv, in, length, out);
}

int CCrypto_aes_ecb_decrypt(const uint8_t *key, size_t key_length, const void *in, size_t length, uint8_t *out) {
    return aes(ecb(key_length), 0, key, NULL, in, length, out);
}

int CCrypto_aes_ecb_encrypt(const uint8_t *key, size_t key_length, const void *in, size_t length, uint8_t *out) {
    return aes(ecb(key_length), 1, key, NULL, in, length, out);
}

int CCrypto_aes_counter(const uint8_t *key, size_t key_length, uint64_t first, const void *in, size_t length,
                        uint8_t *out) {
    uint8_t blocks[256 * 16], stream[256 * 16];
    const uint8_t *from = in;
    while (length > 0) {
        size_t step = length < sizeof blocks ? length : sizeof blocks, count = (step + 15) / 16;
        memset(blocks, 0, sizeof blocks);
        for (size_t i = 0; i < count; i++, first++)
            for (int byte = 0; byte < 8; byte++) blocks[16 * i + byte] = (uint8_t)(first >> (8 * byte));
        if (!CCrypto_aes_ecb_encrypt(key, key_length, blocks, 16 * count, stream)) return 0;
        for (size_t i = 0; i < step; i++) out[i] = from[i] ^ stream[i];
        from += step;
        out += step;
        length -= step;
    }
    return 1;
}

int CCrypto_pbkdf2(int algorithm, const void *password, size_t password_length, const void *salt, size_t salt_length,
                   uint32_t rounds, uint8_t *out, size_t length) {
    const EVP_MD *type = algorithm_named(algorithm);
    if (type == NULL || rounds > INT32_MAX || password_length > INT32_MAX || salt_length > INT32_MAX) return 0;
    return PKCS5_PBKDF2_HMAC(password, (int)password_length, salt, (int)salt_length, (int)rounds, type, (int)length, out)
        == 1;
}

int CCrypto_spin(int algorithm, uint32_t rounds, uint8_t *bytes) {
    const EVP_MD *type = algorithm_named(algorithm);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int done = type != NULL && context != NULL;
    for (uint32_t round = 0; done && round < rounds; round++) {
        uint8_t counter[4] = {(uint8_t)round, (uint8_t)(round >> 8), (uint8_t)(round >> 16), (uint8_t)(round >> 24)};
        done = EVP_DigestInit_ex(context, round == 0 ? type : NULL, NULL) == 1
            && EVP_DigestUpdate(context, counter, 4) == 1
            && EVP_DigestUpdate(context, bytes, (size_t)EVP_MD_get_size(type)) == 1
            && EVP_DigestFinal_ex(context, bytes, NULL) == 1;
    }
    EVP_MD_CTX_free(context);
    return done;
}

int CCrypto_counted(int algorithm, const void *prefix, size_t length, uint32_t repetitions, uint8_t *out) {
    const EVP_MD *type = algorithm_named(algorithm);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t buffer[8192];
    size_t unit = length + 8, used = 0;
    int done = type != NULL && context != NULL && unit <= sizeof buffer && EVP_DigestInit_ex(context, type, NULL) == 1;
    for (uint32_t number = 0; done && number < repetitions; number++) {
        if (used + unit > sizeof buffer) {
            done = EVP_DigestUpdate(context, buffer, used) == 1;
            used = 0;
        }
        memcpy(buffer + used, prefix, length);
        for (int byte = 0; byte < 8; byte++) buffer[used + length + byte] = (uint8_t)((uint64_t)number >> (8 * byte));
        used += unit;
    }
    done = done && EVP_DigestUpdate(context, buffer, used) == 1 && EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

int CCrypto_counted_tail(const void *prefix, size_t length, uint32_t repetitions, uint8_t *out, uint8_t *tail) {
    EVP_MD_CTX *context = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
    uint8_t buffer[8192], digest[20];
    size_t unit = length + 3, used = 0;
    uint32_t part = repetitions / 16;
    int done = context != NULL && copy != NULL && part > 0 && unit <= sizeof buffer
        && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1;
    for (uint32_t number = 0; done && number < repetitions; number++) {
        if (used + unit > sizeof buffer) {
            done = EVP_DigestUpdate(context, buffer, used) == 1;
            used = 0;
        }
        memcpy(buffer + used, prefix, length);
        for (int byte = 0; byte < 3; byte++) buffer[used + length + byte] = (uint8_t)(number >> (8 * byte));
        used += unit;
        if (number % part == 0 && number / part < 16) {
            done = done && EVP_DigestUpdate(context, buffer, used) == 1 && EVP_MD_CTX_copy_ex(copy, context) == 1
                && EVP_DigestFinal_ex(copy, digest, NULL) == 1;
            used = 0;
            tail[number / part] = digest[19];
        }
    }
    done = done && EVP_DigestUpdate(context, buffer, used) == 1 && EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    EVP_MD_CTX_free(copy);
    return done;
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
