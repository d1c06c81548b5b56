#include "CCurl.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct CCurl {
    CURL *easy;
};

static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
    const CCurl_request *request = context;
    return request->header(request->context, (const uint8_t *)bytes, size * count) ? size * count : 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    const CCurl_request *request = context;
    // 0 would mean success for an empty piece.
    if (size * count == 0) return 0;
    return request->body(request->context, (const uint8_t *)bytes, size * count) ? size * count : 0;
}

static int tick(void *context, curl_off_t down, curl_off_t done, curl_off_t up, curl_off_t sent) {
    const CCurl_request *request = context;
    (void)down, (void)done, (void)up, (void)sent;
    return request->tick(request->context) ? 0 : 1;
}

CCurl *CCurl_new(void) {
    static int is_ready;
    if (!is_ready) {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return NULL;
        is_ready = 1;
    }
    CCurl *handle = calloc(1, sizeof *handle);
    if (!handle) return NULL;
    handle->easy = curl_easy_init();
    if (handle->easy) return handle;
    free(handle);
    return NULL;
}

void CCurl_free(CCurl *handle) {
    if (!handle) return;
    curl_easy_cleanup(handle->easy);
    free(handle);
}

void CCurl_perform(CCurl *handle, const CCurl_request *request, CCurl_result *result) {
    CURL *easy = handle->easy;
    memset(result, 0, sizeof *result);
    // Options go, open connections stay.
    curl_easy_reset(easy);
    char error[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    int is_complete = 1;
    for (size_t i = 0; i < request->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(headers, request->headers[i]);
        if (!longer) is_complete = 0;
        else headers = longer;
    }
#define SET(option, value) (is_complete = is_complete && curl_easy_setopt(easy, option, value) == CURLE_OK)
    SET(CURLOPT_ERRORBUFFER, error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PROTOCOLS_STR, request->protocols);
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, 5L);
    SET(CURLOPT_REDIR_PROTOCOLS_STR, request->redirect_protocols);
    SET(CURLOPT_PROXY, request->proxy ? request->proxy : "");
    if (request->proxy && request->proxy_user) {
        SET(CURLOPT_PROXYUSERNAME, request->proxy_user);
        SET(CURLOPT_PROXYPASSWORD, request->proxy_password ? request->proxy_password : "");
        SET(CURLOPT_PROXYAUTH, CURLAUTH_ANY);
    }
    if (request->user) {
        SET(CURLOPT_USERNAME, request->user);
        SET(CURLOPT_PASSWORD, request->password ? request->password : "");
        SET(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    }
    SET(CURLOPT_USERAGENT, request->agent);
    if (request->authorities) SET(CURLOPT_CAINFO, request->authorities);
    if (headers) SET(CURLOPT_HTTPHEADER, headers);
    if (request->head_only) SET(CURLOPT_NOBODY, 1L);
    if (request->connect_time) SET(CURLOPT_CONNECTTIMEOUT, request->connect_time);
    if (request->stalled_time) {
        SET(CURLOPT_LOW_SPEED_TIME, request->stalled_time);
        SET(CURLOPT_LOW_SPEED_LIMIT, request->stalled_speed);
    }
    if (request->total_time) SET(CURLOPT_TIMEOUT, request->total_time);
    if (request->rate) {
        SET(CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)request->rate);
        // libcurl reads a hundred times before it looks at the speed.
        const int64_t piece = request->rate / 400;
        SET(CURLOPT_BUFFERSIZE, (long)(piece < 1024 ? 1024 : piece > 16384 ? 16384 : piece));
    }
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, (void *)request);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, (void *)request);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, tick);
    SET(CURLOPT_XFERINFODATA, (void *)request);
#undef SET
    CURLcode code = is_complete ? curl_easy_perform(easy) : CURLE_OUT_OF_MEMORY;
    result->code = (int)code;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result->status);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION: result->is_unreachable = 1; break;
    default: break;
    }
    if (code != CURLE_OK) {
        const char *text = error[0] ? error : curl_easy_strerror(code);
        strncpy(result->text, text, sizeof result->text - 1);
    }
    curl_slist_free_all(headers);
    // Nothing may point to what belongs to the caller.
    curl_easy_reset(easy);
}
