#pragma once

// SHA-256 without an allocation: OpenSSL 3 keeps these functions and calls them deprecated, as its EVP interface takes two
// objects from the heap for a hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>

// One block through the compression function (FIPS 180-4, section 6.2.2), which reads and writes the eight words alone.
static inline void usher_sha256_block(uint32_t words[8], const void *block) {
    SHA256_CTX context;
    memcpy(context.h, words, sizeof context.h);
    SHA256_Transform(&context, (const unsigned char *)block);
    memcpy(words, context.h, sizeof context.h);
}

// Reading keys is written in C: OpenSSL keeps the addresses of names and values between calls, which a call from Swift lends
// for its own length alone. Each gives NULL for what is no such key.

static inline EVP_PKEY *usher_public_key(const char *kind, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (context && EVP_PKEY_fromdata_init(context) == 1) EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
    EVP_PKEY_CTX_free(context);
    return key;
}

// A point of P-256, uncompressed (SEC 1, section 2.3.3).
static inline EVP_PKEY *usher_p256_key(const unsigned char *point, size_t count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, count),
        OSSL_PARAM_construct_end(),
    };
    return usher_public_key("EC", parameters);
}

// RSA's two numbers, big-endian.
static inline EVP_PKEY *usher_rsa_key(
    const unsigned char *modulus, int modulusCount, const unsigned char *exponent, int exponentCount
) {
    EVP_PKEY *key = NULL;
    BIGNUM *n = BN_bin2bn(modulus, modulusCount, NULL);
    BIGNUM *e = BN_bin2bn(exponent, exponentCount, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e)) {
        OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
        if (parameters) key = usher_public_key("RSA", parameters);
        OSSL_PARAM_free(parameters);
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

static inline EVP_PKEY *usher_pem_key(const unsigned char *text, size_t count) {
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context = OSSL_DECODER_CTX_new_for_pkey(&key, "PEM", NULL, NULL, EVP_PKEY_PUBLIC_KEY, NULL, NULL);
    if (context && OSSL_DECODER_from_data(context, &text, &count) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    OSSL_DECODER_CTX_free(context);
    return key;
}
