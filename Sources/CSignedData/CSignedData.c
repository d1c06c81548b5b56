#include "CSignedData.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static int read_key(const char *modulus, const char *exponent, BIGNUM **n, BIGNUM **e) {
    return BN_dec2bn(n, modulus) > 0 && BN_dec2bn(e, exponent) > 0;
}

int CSignedData_rsa_recover(const char *modulus, const char *exponent, const uint8_t *signature, size_t length,
                            uint8_t *out, size_t out_length) {
    BIGNUM *n = NULL, *e = NULL, *s = NULL, *m = BN_new();
    BN_CTX *context = BN_CTX_new();
    int good = 0;
    if (length <= INT_MAX && out_length <= INT_MAX && read_key(modulus, exponent, &n, &e) && m != NULL
        && context != NULL) {
        s = BN_bin2bn(signature, (int)length, NULL);
        good = s != NULL && BN_cmp(s, n) < 0 && BN_mod_exp(m, s, e, n, context) == 1
            && BN_bn2binpad(m, out, (int)out_length) == (int)out_length;
    }
    BN_CTX_free(context);
    BN_free(m);
    BN_free(s);
    BN_free(e);
    BN_free(n);
    return good;
}

struct CSignedData_store {
    X509_STORE *store;
};

CSignedData_store *CSignedData_store_new(void) {
    CSignedData_store *store = calloc(1, sizeof *store);
    if (store == NULL) return NULL;
    store->store = X509_STORE_new();
    if (store->store == NULL) {
        free(store);
        return NULL;
    }
    return store;
}

int CSignedData_store_add(CSignedData_store *store, const void *pem, size_t length) {
    BIO *source = length > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)length);
    int count = 0;
    if (source == NULL) return -1;
    for (;;) {
        X509 *certificate = PEM_read_bio_X509(source, NULL, NULL, NULL);
        if (certificate == NULL) {
            unsigned long error = ERR_peek_last_error();
            if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) count = -1;
            break;
        }
        int added = X509_STORE_add_cert(store->store, certificate);
        X509_free(certificate);
        if (added != 1) {
            count = -1;
            break;
        }
        count++;
    }
    BIO_free(source);
    ERR_clear_error();
    return count;
}

void CSignedData_store_free(CSignedData_store *store) {
    if (store == NULL) return;
    X509_STORE_free(store->store);
    free(store);
}

static void copy_reason(char *name, size_t capacity) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (capacity > 0) {
        name[0] = 0;
        strncat(name, reason == NULL ? "the signature is wrong" : reason, capacity - 1);
    }
}

int CSignedData_cms_verify(CSignedData_store *store, const void *der, size_t der_length, const void *bytes,
                           size_t length, char *name, size_t capacity) {
    const unsigned char *start = der;
    int result = -1;
    if (der_length > LONG_MAX || length > INT_MAX) return -1;
    ERR_clear_error();
    CMS_ContentInfo *content = d2i_CMS_ContentInfo(NULL, &start, (long)der_length);
    BIO *data = BIO_new_mem_buf(bytes, (int)length);
    if (content != NULL && data != NULL && OBJ_obj2nid(CMS_get0_type(content)) == NID_pkcs7_signed) {
        result = CMS_verify(content, NULL, store->store, data, NULL, CMS_DETACHED | CMS_BINARY) == 1;
    }
    if (result == 1) {
        STACK_OF(X509) *signers = CMS_get0_signers(content);
        X509 *signer = signers != NULL && sk_X509_num(signers) > 0 ? sk_X509_value(signers, 0) : NULL;
        if (capacity > 0) name[0] = 0;
        if (signer != NULL) {
            int at = X509_NAME_get_index_by_NID(X509_get_subject_name(signer), NID_commonName, -1);
            ASN1_STRING *text =
                at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(signer), at));
            unsigned char *utf8 = NULL;
            int count = text == NULL ? -1 : ASN1_STRING_to_UTF8(&utf8, text);
            if (count >= 0 && capacity > 0) {
                size_t copied = (size_t)count < capacity - 1 ? (size_t)count : capacity - 1;
                memcpy(name, utf8, copied);
                name[copied] = 0;
            }
            OPENSSL_free(utf8);
        }
        sk_X509_free(signers);
    } else {
        copy_reason(name, capacity);
    }
    BIO_free(data);
    CMS_ContentInfo_free(content);
    ERR_clear_error();
    return result;
}
