#include "CResolver.h"
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

long CResolver_text(const char *name, char *text, size_t capacity) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -1;
    unsigned char answer[NS_MAXMSG > 65535 ? 65535 : NS_MAXMSG];
    state.options |= RES_USE_EDNS0;
    int length = res_nquery(&state, name, ns_c_in, ns_t_txt, answer, sizeof answer);
    // An answer without a record is one too.
    int is_empty = length < 0 && (state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA);
    res_nclose(&state);
    if (length < 0) return is_empty ? 0 : -1;
    ns_msg message;
    if (ns_initparse(answer, length > (int)sizeof answer ? (int)sizeof answer : length, &message) != 0) return -1;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) return -1;
        if (ns_rr_type(record) != ns_t_txt) continue;
        const unsigned char *at = ns_rr_rdata(record), *end = at + ns_rr_rdlen(record);
        size_t count = 0;
        while (at < end) {
            size_t part = *at++;
            if (part > (size_t)(end - at) || count + part >= capacity) return -1;
            memcpy(text + count, at, part);
            count += part;
            at += part;
        }
        text[count] = 0;
        return (long)count;
    }
    return 0;
}
