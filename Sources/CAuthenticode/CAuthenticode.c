#include "CAuthenticode.h"

#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define CERTIFICATE_LIMIT 64
#define KEY_LIMIT 1024 // bytes of a modulus: longer ones only cost time

struct CAuthenticode {
    PKCS7 *message;
    X509 *certificates[CERTIFICATE_LIMIT]; // owned by message
    int count;
    const uint8_t *content; // of the SEQUENCE that is signed, owned by message
    long content_length;
    EVP_MD_CTX *digest;
    uint8_t expected[EVP_MAX_MD_SIZE];
    size_t expected_length;
};

// The RSA modulus of a certificate, or NULL.
static BIGNUM *modulus_of(X509 *certificate) {
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    BIGNUM *modulus = NULL;
    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return NULL;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1) return NULL;
    if (BN_num_bytes(modulus) > KEY_LIMIT) {
        BN_free(modulus);
        return NULL;
    }
    return modulus;
}

// The content of a constructed or primitive DER value: without tag and length.
static const uint8_t *content_of(const uint8_t *der, long length, long *content_length) {
    int tag, class;
    const uint8_t *at = der;
    int kind = ASN1_get_object(&at, content_length, &tag, &class, length);
    if ((kind & 0x80) != 0 || *content_length > length - (at - der)) return NULL;
    return at;
}

// Finds what is signed: SpcIndirectDataContent, an object of a type of its own.
static int find_content(CAuthenticode *signature) {
    PKCS7 *inner = signature->message->d.sign->contents;
    if (inner == NULL || inner->d.other == NULL || inner->d.other->type != V_ASN1_SEQUENCE) return 0;
    const ASN1_STRING *sequence = inner->d.other->value.sequence;
    signature->content = content_of(ASN1_STRING_get0_data(sequence), ASN1_STRING_length(sequence),
                                    &signature->content_length);
    return signature->content != NULL;
}

CAuthenticode *CAuthenticode_new(const void *der, size_t length) {
    CAuthenticode *signature = calloc(1, sizeof *signature);
    if (signature == NULL) return NULL;
    const uint8_t *at = der;
    if (length <= 0x1000000) signature->message = d2i_PKCS7(NULL, &at, (long)length);
    if (signature->message == NULL || !PKCS7_type_is_signed(signature->message)
        || signature->message->d.sign == NULL) {
        CAuthenticode_free(signature);
        ERR_clear_error();
        return NULL;
    }
    find_content(signature);
    STACK_OF(X509) *list = signature->message->d.sign->cert;
    for (int i = 0; i < sk_X509_num(list) && signature->count < CERTIFICATE_LIMIT; i++) {
        BIGNUM *modulus = modulus_of(sk_X509_value(list, i));
        if (modulus == NULL) continue;
        BN_free(modulus);
        signature->certificates[signature->count++] = sk_X509_value(list, i);
    }
    ERR_clear_error();
    return signature;
}

void CAuthenticode_free(CAuthenticode *signature) {
    if (signature == NULL) return;
    PKCS7_free(signature->message);
    EVP_MD_CTX_free(signature->digest);
    free(signature);
}

int CAuthenticode_count(const CAuthenticode *signature) { return signature->count; }

static int digest_name(const X509_NAME *name, uint8_t *out) {
    const unsigned char *der;
    size_t length;
    long content_length;
    if (X509_NAME_get0_der(name, &der, &length) != 1) return 0;
    const uint8_t *content = content_of(der, (long)length, &content_length);
    return content != NULL && EVP_Digest(content, (size_t)content_length, out, NULL, EVP_sha1(), NULL) == 1;
}

static int digest_serial(const X509 *certificate, uint8_t *out) {
    unsigned char *der = NULL;
    long content_length;
    int length = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &der);
    if (length <= 0) return 0;
    const uint8_t *content = content_of(der, length, &content_length);
    int done = content != NULL && EVP_Digest(content, (size_t)content_length, out, NULL, EVP_sha1(), NULL) == 1;
    OPENSSL_free(der);
    return done;
}

static int digest_key(X509 *certificate, uint8_t *out) {
    uint8_t bytes[KEY_LIMIT];
    BIGNUM *modulus = modulus_of(certificate);
    if (modulus == NULL) return 0;
    int length = BN_bn2bin(modulus, bytes);
    BN_free(modulus);
    return EVP_Digest(bytes, (size_t)length, out, NULL, EVP_sha256(), NULL) == 1;
}

// What the extensions allow: without extended usage any signing of programs and times, without usage certificates.
static uint32_t usage_of(X509 *certificate) {
    uint32_t flags = X509_get_extension_flags(certificate);
    uint32_t usage = 0;
    if ((flags & EXFLAG_XKUSAGE) == 0) {
        usage |= CAUTHENTICODE_CODE | CAUTHENTICODE_TIME;
    } else {
        uint32_t extended = X509_get_extended_key_usage(certificate);
        if (extended & XKU_CODE_SIGN) usage |= CAUTHENTICODE_CODE;
        if (extended & XKU_TIMESTAMP) usage |= CAUTHENTICODE_TIME;
    }
    if ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0) {
        usage |= CAUTHENTICODE_CERT;
    }
    if ((flags & EXFLAG_BCONS) != 0 && (flags & EXFLAG_CA) == 0) usage &= ~CAUTHENTICODE_CERT;
    return usage;
}

static int64_t seconds(const ASN1_TIME *time) {
    int days = 0, rest = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int done = epoch != NULL && ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    return done ? (int64_t)days * 86400 + rest : INT64_MIN;
}

int CAuthenticode_certificate_at(const CAuthenticode *signature, int index, CAuthenticode_certificate *out) {
    if (index < 0 || index >= signature->count) return 0;
    X509 *certificate = signature->certificates[index];
    memset(out, 0, sizeof *out);
    int done = digest_name(X509_get_subject_name(certificate), out->subject)
               && digest_name(X509_get_issuer_name(certificate), out->issuer)
               && digest_serial(certificate, out->serial) && digest_key(certificate, out->key);
    out->usage = usage_of(certificate);
    out->not_before = seconds(X509_get0_notBefore(certificate));
    ERR_clear_error();
    return done;
}

// Whether the signed attributes hold the digest of the content.
static int attributes_fit(const CAuthenticode *signature, PKCS7_SIGNER_INFO *info, const EVP_MD *algorithm) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    ASN1_TYPE *attribute = PKCS7_get_signed_attribute(info, NID_pkcs9_messageDigest);
    if (attribute == NULL || attribute->type != V_ASN1_OCTET_STRING || signature->content == NULL) return 0;
    const ASN1_STRING *expected = attribute->value.octet_string;
    if (EVP_Digest(signature->content, (size_t)signature->content_length, digest, &length, algorithm, NULL) != 1) {
        return 0;
    }
    return (unsigned int)ASN1_STRING_length(expected) == length
           && memcmp(ASN1_STRING_get0_data(expected), digest, length) == 0;
}

int CAuthenticode_signer(const CAuthenticode *signature) {
    STACK_OF(PKCS7_SIGNER_INFO) *infos = PKCS7_get_signer_info(signature->message);
    int result = -1;
    if (sk_PKCS7_SIGNER_INFO_num(infos) != 1) return -1;
    PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(infos, 0);
    const EVP_MD *algorithm = EVP_get_digestbyobj(info->digest_alg->algorithm);
    X509 *certificate = PKCS7_cert_from_signer_info(signature->message, info);
    if (algorithm == NULL || certificate == NULL || !attributes_fit(signature, info, algorithm)) goto done;
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0) goto done;
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0) goto done;
    unsigned char *attributes = NULL;
    int length = ASN1_item_i2d((const ASN1_VALUE *)info->auth_attr, &attributes, ASN1_ITEM_rptr(PKCS7_ATTR_VERIFY));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (length > 0 && context != NULL
        && EVP_DigestVerifyInit(context, NULL, algorithm, NULL, X509_get0_pubkey(certificate)) == 1
        && EVP_DigestVerify(context, ASN1_STRING_get0_data(info->enc_digest),
                            (size_t)ASN1_STRING_length(info->enc_digest), attributes, (size_t)length)
               == 1) {
        for (int i = 0; i < signature->count; i++) {
            if (signature->certificates[i] == certificate) result = i;
        }
    }
    EVP_MD_CTX_free(context);
    OPENSSL_free(attributes);
done:
    ERR_clear_error();
    return result;
}

int CAuthenticode_issued(const CAuthenticode *signature, int parent, int child) {
    if (parent < 0 || child < 0 || parent >= signature->count || child >= signature->count) return 0;
    X509 *issuer = signature->certificates[parent], *subject = signature->certificates[child];
    int done = X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(subject)) == 0
               && X509_verify(subject, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    return done;
}

int CAuthenticode_issued_by_key(const CAuthenticode *signature, const void *modulus, size_t length, int child) {
    int done = 0;
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = NULL;
    if (child < 0 || child >= signature->count || length > KEY_LIMIT) return 0;
    BIGNUM *n = BN_bin2bn(modulus, (int)length, NULL), *e = BN_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (n != NULL && e != NULL && builder != NULL && context != NULL && BN_set_word(e, 65537)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e)
        && (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL && EVP_PKEY_fromdata_init(context) == 1
        && EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1) {
        done = X509_verify(signature->certificates[child], key) == 1;
    }
    EVP_PKEY_free(key);
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_BLD_free(builder);
    BN_free(e);
    BN_free(n);
    ERR_clear_error();
    return done;
}

int CAuthenticode_digest_begin(CAuthenticode *signature) {
    long length;
    if (signature->content == NULL) return 0;
    const uint8_t *end = signature->content + signature->content_length;
    // SpcAttributeTypeAndOptionalValue, then DigestInfo.
    const uint8_t *first = content_of(signature->content, signature->content_length, &length);
    if (first == NULL) return 0;
    const uint8_t *at = first + length;
    X509_SIG *info = d2i_X509_SIG(NULL, &at, (long)(end - at));
    if (info == NULL) {
        ERR_clear_error();
        return 0;
    }
    const X509_ALGOR *algorithm;
    const ASN1_OCTET_STRING *digest;
    const ASN1_OBJECT *object;
    X509_SIG_get0(info, &algorithm, &digest);
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    const EVP_MD *type = EVP_get_digestbyobj(object);
    int done = 0;
    if (type != NULL && ASN1_STRING_length(digest) <= EVP_MAX_MD_SIZE) {
        signature->expected_length = (size_t)ASN1_STRING_length(digest);
        memcpy(signature->expected, ASN1_STRING_get0_data(digest), signature->expected_length);
        EVP_MD_CTX_free(signature->digest);
        signature->digest = EVP_MD_CTX_new();
        done = signature->digest != NULL && EVP_DigestInit_ex(signature->digest, type, NULL) == 1;
    }
    X509_SIG_free(info);
    ERR_clear_error();
    return done;
}

int CAuthenticode_digest_update(CAuthenticode *signature, const void *bytes, size_t length) {
    return signature->digest != NULL && EVP_DigestUpdate(signature->digest, bytes, length) == 1;
}

int CAuthenticode_digest_matches(CAuthenticode *signature) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    return signature->digest != NULL && EVP_DigestFinal_ex(signature->digest, digest, &length) == 1
           && length == signature->expected_length && memcmp(digest, signature->expected, length) == 0;
}
