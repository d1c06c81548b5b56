// The few operations of OpenSSL's libcrypto that esets needs, without its objects in sight.
#ifndef CCRYPTO_H
#define CCRYPTO_H
#include <stddef.h>
#include <stdint.h>

#define CCRYPTO_MD5 1
#define CCRYPTO_SHA1 2
#define CCRYPTO_SHA256 3
#define CCRYPTO_SHA384 4
#define CCRYPTO_SHA512 5

/// Writes the digest of length bytes to out (16, 20, 32, 48 or 64 bytes). Returns 1, or 0 on failure.
int CCrypto_digest(int algorithm, const void *bytes, size_t length, uint8_t *out);

/// An incremental digest; free it with CCrypto_hash_free. NULL on failure.
typedef struct evp_md_ctx_st CCrypto_hash;
CCrypto_hash *CCrypto_hash_new(int algorithm);
int CCrypto_hash_update(CCrypto_hash *hash, const void *bytes, size_t length);
/// Writes the digest and makes the object ready for the next one.
int CCrypto_hash_final(CCrypto_hash *hash, uint8_t *out);
void CCrypto_hash_free(CCrypto_hash *hash);

/// A new Ed25519 key pair: 32 bytes seed, 32 bytes public key. Returns 1, or 0 on failure.
int CCrypto_ed25519_generate(uint8_t *seed, uint8_t *public_key);
/// The public key (32 bytes) of a seed.
int CCrypto_ed25519_public(const uint8_t *seed, uint8_t *public_key);
/// Signs: 64 bytes to signature.
int CCrypto_ed25519_sign(const uint8_t *seed, const void *bytes, size_t length, uint8_t *signature);
/// Returns 1 when the signature is right, 0 otherwise.
int CCrypto_ed25519_verify(const uint8_t *public_key, const void *bytes, size_t length, const uint8_t *signature);

/// AES in CBC mode without padding: length is a multiple of 16, the key has 16, 24 or 32 bytes, the IV 16. Returns 1, or 0
/// on failure.
int CCrypto_aes_cbc_decrypt(const uint8_t *key, size_t key_length, const uint8_t *iv, const void *in, size_t length,
                            uint8_t *out);
int CCrypto_aes_cbc_encrypt(const uint8_t *key, size_t key_length, const uint8_t *iv, const void *in, size_t length,
                            uint8_t *out);

/// AES of blocks one by one (ECB): length is a multiple of 16. Returns 1, or 0 on failure.
int CCrypto_aes_ecb_decrypt(const uint8_t *key, size_t key_length, const void *in, size_t length, uint8_t *out);
int CCrypto_aes_ecb_encrypt(const uint8_t *key, size_t key_length, const void *in, size_t length, uint8_t *out);
/// AES in counter mode with a little-endian counter, which is first for the first block. Returns 1, or 0 on failure.
int CCrypto_aes_counter(const uint8_t *key, size_t key_length, uint64_t first, const void *in, size_t length,
                        uint8_t *out);

/// PBKDF2 (RFC 8018) with HMAC of a digest. Returns 1, or 0 on failure.
int CCrypto_pbkdf2(int algorithm, const void *password, size_t password_length, const void *salt, size_t salt_length,
                   uint32_t rounds, uint8_t *out, size_t length);
/// Replaces a digest by the digest of (a counter of four bytes, little-endian, and itself), so many times, the counter
/// from 0 on. Returns 1, or 0 on failure.
int CCrypto_spin(int algorithm, uint32_t rounds, uint8_t *digest);
/// The digest of so many repetitions of (prefix, a counter of eight bytes, little-endian), the counter from 0 on.
/// Returns 1, or 0 on failure.
int CCrypto_counted(int algorithm, const void *prefix, size_t length, uint32_t repetitions, uint8_t *out);
/// SHA-1 of so many repetitions of (prefix, a counter of three bytes, little-endian), the counter from 0 on: its digest
/// (20 bytes) to out, and the last byte of the digest so far after the first repetition of each sixteenth part to tail (16
/// bytes). Returns 1, or 0 on failure.
int CCrypto_counted_tail(const void *prefix, size_t length, uint32_t repetitions, uint8_t *out, uint8_t *tail);

/// Random bytes of the system. Returns 1, or 0 on failure.
int CCrypto_random(void *out, size_t length);
#endif
