/*
 * esets.h: scanning with esets from any program. Link with -lesets. API version 1.
 *
 * The library talks to esets_daemon over its socket; the scanning itself happens in the daemon's processes.
 *
 * Threads: a handle (esets *) may be used by one thread at a time; different handles by different threads at the
 * same time. A verdict may be read by several threads at the same time.
 *
 * Ownership: `open` and `scan` make objects that the caller gives back with `close` and `free`. Pointers in
 * arguments are read until the call returns and never kept. Texts are UTF-8 with a final NUL.
 *
 * Growth: structures begin with struct_size, which the caller sets to sizeof; members are only appended. Numbers never
 * change their meaning. Unknown kinds of finding must be ignored.
 *
 * A failure is never a verdict: when a call fails, the object was not scanned. ESETS_E_UNAVAILABLE is temporary.
 */
#ifndef ESETS_H
#define ESETS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESETS_API_VERSION 1

/* Results of functions. */
#define ESETS_OK 0
#define ESETS_E_ARGUMENT (-1)    /* a pointer is missing, or a structure is too small */
#define ESETS_E_UNAVAILABLE (-2) /* the daemon or its scanning processes cannot be reached: try again later */
#define ESETS_E_UNREADABLE (-3)  /* the object cannot be read */
#define ESETS_E_REFUSED (-4)     /* the daemon refused the request */
#define ESETS_E_PROTOCOL (-5)    /* the daemon speaks another protocol */
#define ESETS_E_RANGE (-6)       /* there is no element with this index */

struct esets_handle;
struct esets_verdict;
typedef struct esets_handle esets_handle;
typedef struct esets_verdict esets_verdict;

typedef struct esets_configuration {
    uint32_t struct_size;
    uint32_t patience;       /* milliseconds for which an unavailable scanner is tried again; 0 = 30 seconds */
    const char *socket_path; /* daemon_sock_path of esets.cfg; NULL = /tmp/esets.sock */
    const char *agent;       /* name of the caller, for logs; NULL = "libesets" */
    const char *work_dir;    /* where objects above 1 MiB are put on their way; NULL = /tmp */
} esets_configuration;

/* One scanner option by its esets.cfg name, e.g. av_scan_adv_heur. */
typedef struct esets_option {
    const char *name;
    const char *text; /* NULL: the option is a number */
    int64_t number;   /* yes is 1, no is 0 */
} esets_option;

/* What is known about an object beside its content. Every pointer may be NULL. */
typedef struct esets_facts {
    uint32_t struct_size;
    uint32_t option_count;
    const esets_option *options;
    const char *name;             /* for findings and logs: a path, a subject */
    const char *sender;           /* of a message: reverse path without angle brackets, "" for the null sender */
    const char *const *recipients; /* of a message */
    uint32_t recipient_count;
    uint32_t reserved;            /* 0 */
    const char *client_address;   /* address of the SMTP client, e.g. "192.0.2.1" */
    const char *helo;
} esets_facts;

/* Kinds of finding, as in em_module.h. */
#define ESETS_FINDING_INFECTED 1u
#define ESETS_FINDING_HEURISTIC 2u
#define ESETS_FINDING_UNWANTED 3u
#define ESETS_FINDING_UNSAFE 4u
#define ESETS_FINDING_SPAM 5u
#define ESETS_FINDING_NOTSCANNED 6u
#define ESETS_FINDING_NOTE 7u

typedef struct esets_finding {
    uint32_t struct_size; /* set by the caller */
    uint32_t kind;        /* ESETS_FINDING_… */
    const char *name;     /* threat, rule or reason; owned by the verdict */
    const char *source;   /* database or rule set; owned by the verdict; may be "" */
    const char *object;   /* path of the part inside the object, "a.zip/b.exe"; owned by the verdict; "" = the object */
    double score;         /* spam points, or 0..100 for heuristics */
    uint32_t is_threat;   /* 1 when it makes the object infected */
    uint32_t reserved;
} esets_finding;

/* Makes a handle. Connects at the first scan. configuration may be NULL. The caller owns *out. */
int esets_open(const esets_configuration *configuration, esets_handle **out);
/* Gives a handle back; NULL is allowed. Verdicts stay valid. */
void esets_close(esets_handle *handle);
/* Why the last call with this handle failed: what, where, what to do. "" after success. Valid until the next call. */
const char *esets_message(const esets_handle *handle);

/* Scans the first `size` bytes of a regular file, from its beginning; the position of fd does not matter. fd stays the
 * caller's. facts may be NULL. On ESETS_OK the caller owns *out. */
int esets_scan_fd(esets_handle *handle, int fd, uint64_t size, const esets_facts *facts, esets_verdict **out);
/* Scans bytes in memory. */
int esets_scan_buffer(
    esets_handle *handle, const void *bytes, size_t length, const esets_facts *facts, esets_verdict **out);

/* Gives a verdict back; NULL is allowed. */
void esets_verdict_free(esets_verdict *verdict);
/* 1 when a threat was found. */
int esets_verdict_is_infected(const esets_verdict *verdict);
/* 1 when every part was scanned; 0 when something was not: ESETS_FINDING_NOTSCANNED says why. */
int esets_verdict_is_complete(const esets_verdict *verdict);
/* Number of findings. */
uint32_t esets_verdict_finding_count(const esets_verdict *verdict);
/* Fills *out. ESETS_E_RANGE when there is no such finding. */
int esets_verdict_finding(const esets_verdict *verdict, uint32_t index, esets_finding *out);
/* Stores the sum of the spam points and returns 1; returns 0 when the antispam engine did not run. */
int esets_verdict_spam_score(const esets_verdict *verdict, double *score);
/* Version of the signature database that was used; 0 = none. */
uint64_t esets_verdict_database(const esets_verdict *verdict);
/* Number of objects that were looked at, parts included. */
uint32_t esets_verdict_object_count(const esets_verdict *verdict);

#ifdef __cplusplus
}
#endif
#endif
