// OpenSSL's part in checking who signed a container of signatures: RSA with a known public key, and CMS.
#ifndef CSIGNEDDATA_H
#define CSIGNEDDATA_H
#include <stddef.h>
#include <stdint.h>

/// Raises a signature (big endian) to the public exponent. modulus and exponent are decimal numbers. The result,
/// big endian, goes to the end of out; the bytes before it are zero.
/// Returns 1, or 0 when it does not fit, the signature is not below the modulus, or there is no memory.
int CSignedData_rsa_recover(const char *modulus, const char *exponent, const uint8_t *signature, size_t length,
                            uint8_t *out, size_t out_length);

/// Certificates that are trusted as roots, or as links to one.
typedef struct CSignedData_store CSignedData_store;
CSignedData_store *CSignedData_store_new(void);
/// Adds the certificates of a PEM file. Returns how many, or -1 when one cannot be read.
int CSignedData_store_add(CSignedData_store *store, const void *pem, size_t length);
void CSignedData_store_free(CSignedData_store *store);

/// Checks a detached CMS signature (RFC 5652, DER) over some bytes by a signer whom the store trusts.
/// Returns 1 when it is right, and writes the signer's common name, cut to capacity - 1 bytes and NUL-terminated.
/// Returns 0 when it is wrong, -1 when it is no CMS signature; then the name is a reason.
int CSignedData_cms_verify(CSignedData_store *store, const void *der, size_t der_length, const void *bytes,
                           size_t length, char *name, size_t capacity);
#endif
