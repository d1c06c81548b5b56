// libcurl, as far as updates need it: one transfer at a time, every option named. Its variadic functions
// cannot be called from Swift.
#ifndef CCURL_H
#define CCURL_H
#include <stddef.h>
#include <stdint.h>

/// One connection cache. NULL without memory.
typedef struct CCurl CCurl;
CCurl *CCurl_new(void);
void CCurl_free(CCurl *handle);

typedef struct CCurl_request {
    const char *url;
    /// Schemes that the URL may have, and those that a redirect may lead to: "http,https".
    const char *protocols;
    const char *redirect_protocols;
    /// NULL: none. Credentials go to the URL's host only, never to one that a redirect leads to.
    const char *user;
    const char *password;
    /// "http://host:port"; NULL: a direct connection, whatever the environment says.
    const char *proxy;
    const char *proxy_user;
    const char *proxy_password;
    const char *agent;
    /// A file of certificates in place of the system's; NULL: the system's.
    const char *authorities;
    /// Whole header lines.
    const char *const *headers;
    size_t header_count;
    /// HEAD in place of GET.
    int head_only;
    /// Seconds; 0: none. `stalled_time`: how long fewer than `stalled_speed` bytes a second may come.
    long connect_time;
    long stalled_time;
    long stalled_speed;
    long total_time;
    /// Bytes a second at most; 0: any.
    int64_t rate;
    void *context;
    /// Returns 0 to stop the transfer. A header line comes with its end.
    int (*header)(void *context, const uint8_t *bytes, size_t count);
    int (*body)(void *context, const uint8_t *bytes, size_t count);
    /// Called about once a second, also while nothing comes.
    int (*tick)(void *context);
} CCurl_request;

typedef struct CCurl_result {
    /// 0: a whole answer came, whatever its status.
    int code;
    /// The transfer could not even begin: name, connection, TLS.
    int is_unreachable;
    /// The HTTP status; 0 without an answer.
    long status;
    /// What went wrong; "" when nothing did.
    char text[256];
} CCurl_result;

void CCurl_perform(CCurl *handle, const CCurl_request *request, CCurl_result *result);
#endif
