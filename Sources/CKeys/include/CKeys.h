// Keys that sign lists of files: Ed25519, ECDSA on P-256 and RSASSA-PSS, by OpenSSL's libcrypto.
#ifndef CKEYS_H
#define CKEYS_H
#include <stddef.h>
#include <stdint.h>

#define CKEYS_ED25519 1
/// ECDSA on the curve P-256 with SHA-256; signatures in DER.
#define CKEYS_ECDSA_P256 2
/// RSASSA-PSS with SHA-256 and MGF1 of SHA-256, keys of 2048 to 8192 bits; any length of salt is accepted.
#define CKEYS_RSA_PSS 3

/// Room for the DER form of every public key that is accepted.
#define CKEYS_DER_SIZE 2048
/// Room for every signature.
#define CKEYS_SIGNATURE_SIZE 1024

/// Reads a public key: PEM ("PUBLIC KEY") for ECDSA and RSA, 32 bytes for Ed25519. Writes its one DER form (Ed25519:
/// the 32 bytes), so that equal keys have equal bytes, to out, which has room for CKEYS_DER_SIZE.
/// Returns the number of bytes, or 0 when it is no such key.
size_t CKeys_public(int kind, const void *bytes, size_t length, uint8_t *out);

/// Reads the public key of any kind out of PEM ("PUBLIC KEY") and writes what CKeys_private_public writes; its length goes
/// to made. Returns the kind, or 0 when it is no such key.
int CKeys_public_read(const void *pem, size_t length, char *out, size_t capacity, size_t *made);

/// Checks a signature with a key in the form that CKeys_public made. Returns 1 when it is right, 0 otherwise.
int CKeys_verify(int kind, const uint8_t *key, size_t key_length, const void *bytes, size_t length,
                 const uint8_t *signature, size_t signature_length);

/// A private key; free it with CKeys_private_free.
typedef struct CKeys_private CKeys_private;
/// Makes a key (RSA: 3072 bits). NULL on failure.
CKeys_private *CKeys_generate(int kind);
/// Reads PEM; passphrase may be NULL. NULL when it cannot be read, or is a key of another kind.
CKeys_private *CKeys_private_read(const void *pem, size_t length, const char *passphrase);
void CKeys_private_free(CKeys_private *key);
/// CKEYS_ED25519 and so on.
int CKeys_private_kind(const CKeys_private *key);
/// Writes PKCS #8 PEM, encrypted with AES-256 when there is a passphrase. Returns the number of bytes, or 0 on failure
/// or without room.
size_t CKeys_private_write(const CKeys_private *key, const char *passphrase, char *out, size_t capacity);
/// Writes the public half: PEM, or 32 bytes for Ed25519. Returns the number of bytes, or 0.
size_t CKeys_private_public(const CKeys_private *key, char *out, size_t capacity);
/// Signs. Returns the length of the signature (at most CKEYS_SIGNATURE_SIZE), or 0.
size_t CKeys_private_sign(const CKeys_private *key, const void *bytes, size_t length, uint8_t *out);
#endif
