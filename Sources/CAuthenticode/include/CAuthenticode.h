// OpenSSL's part in reading Authenticode: the PKCS #7 signature inside a Windows program, and who signed it.
#ifndef CAUTHENTICODE_H
#define CAUTHENTICODE_H
#include <stddef.h>
#include <stdint.h>

/// A signature and the certificates that came with it. Not for two threads at once.
typedef struct CAuthenticode CAuthenticode;

#define CAUTHENTICODE_CODE 1u /* may sign programs */
#define CAUTHENTICODE_TIME 2u /* may sign the time */
#define CAUTHENTICODE_CERT 4u /* may sign certificates */

/// What is known of a certificate. Digests are SHA-1 of the DER content (without tag and length) of the fields.
typedef struct CAuthenticode_certificate {
    uint8_t subject[20];
    uint8_t issuer[20];
    uint8_t serial[20];
    uint8_t key[32];    // SHA-256 of the RSA modulus, big endian without leading zeros
    uint32_t usage;     // CAUTHENTICODE_…
    int64_t not_before; // seconds since 1970
} CAuthenticode_certificate;

/// Reads a DER PKCS #7 signature of a program (more bytes may follow). NULL when it is none. Free it.
CAuthenticode *CAuthenticode_new(const void *der, size_t length);
void CAuthenticode_free(CAuthenticode *signature);

/// How many certificates with an RSA key came with it, at most 64.
int CAuthenticode_count(const CAuthenticode *signature);
/// Returns 1, or 0 when there is no such certificate.
int CAuthenticode_certificate_at(const CAuthenticode *signature, int index, CAuthenticode_certificate *out);

/// The certificate whose key made the signature over what the signature says that it signs, or -1 when none did or
/// that certificate is not valid today.
int CAuthenticode_signer(const CAuthenticode *signature);
/// Whether the key of one certificate signed another one, and is that of its issuer.
int CAuthenticode_issued(const CAuthenticode *signature, int parent, int child);
/// Whether an RSA key (modulus, big endian; exponent 65537) signed a certificate.
int CAuthenticode_issued_by_key(const CAuthenticode *signature, const void *modulus, size_t length, int child);

/// Begins the digest of the program that the signature names. Returns 1, or 0 when it names none that is known.
int CAuthenticode_digest_begin(CAuthenticode *signature);
int CAuthenticode_digest_update(CAuthenticode *signature, const void *bytes, size_t length);
/// Returns 1 when the digest is the one in the signature.
int CAuthenticode_digest_matches(CAuthenticode *signature);
#endif
