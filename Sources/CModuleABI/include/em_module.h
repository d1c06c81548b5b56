/*
 * em_module.h: the interface between esets and its modules. Version 1.0.
 *
 * This is a public standard. A module is a shared object with exactly one exported symbol; a host
 * loads it, asks it for the interfaces it offers, and gives it the services it needs. Nothing but C11
 * with fixed-width integers crosses the boundary. docs/module-abi.md explains it with examples.
 *
 * Compatibility rules
 *  1. A released layout, meaning or number never changes.
 *  2. Growth happens in two ways only: a new interface or service id ("em.scan/2" beside "em.scan/1"),
 *     or a member appended to a structure whose first member is struct_size. Whoever reads an
 *     appended member first checks that struct_size covers it. Whoever owns the memory of a structure sets its
 *     struct_size to the size that he was compiled with, also of one that the other side fills in. In an array,
 *     the elements lie as far apart as the struct_size of the first says, all have the same, and it is a
 *     multiple of 8. Tables without struct_size never grow: they get a new id.
 *  3. Both sides ignore what they do not know: unknown flags, ids, kinds of finding. A lookup of an
 *     unknown id returns NULL and has no other effect.
 *  4. A set of values that flows into a module never gains members within a revision of an id.
 *  5. Host and module must agree on the major version. A module names the lowest minor version of
 *     the host that it can live with; a host refuses others and says both numbers.
 *
 * Threads: every function carries one of these tags.
 *  [control]   never two calls at once for one instance, though not always from the same thread.
 *  [session]   the thread that runs one scan. Calls for one scan never overlap, but the thread may
 *              change between two calls, so thread-local data is of no use. Different scans run at the
 *              same time.
 *  [any]       any thread, at any time, also at the same time.
 *
 * Ownership: whoever allocates frees. A pointer without another remark is borrowed until the call
 * returns. A module keeps no pointer of the host longer than said, and none of its memory is used
 * by the host after the call in which it was passed, unless said otherwise.
 *
 * A module starts no threads, installs no signal handlers, registers no atexit or thread-exit
 * functions, opens no files or sockets, and keeps no state outside its instance. It must be possible
 * to unload it after `deinit`.
 *
 * A failure never means clean: when a call fails or a limit is met, the verdict says "not scanned".
 */
#ifndef EM_MODULE_H
#define EM_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EM_ABI_MAJOR 1
#define EM_ABI_MINOR 0
#define EM_MODULE_MAGIC 0x444f4d45u /* "EMOD" in the file */

/* Bytes that somebody else owns. ptr may be NULL when len is 0. Text is UTF-8 without a final NUL. */
typedef struct em_slice {
    const uint8_t *ptr;
    uint64_t len;
} em_slice;

/* 0 or positive: it went well. Negative: it failed; nothing else was changed. */
typedef int32_t em_status;
#define EM_OK 0
#define EM_END 1              /* an enumeration has no more elements */
#define EM_SUSPENDED 2        /* answers are missing: return EM_SUSPENDED to the caller, be called again */
#define EM_E_MEMORY (-1)      /* no memory, or none left in the scan's budget */
#define EM_E_ARGUMENT (-2)    /* the caller broke a rule of this header */
#define EM_E_STATE (-3)       /* not allowed now */
#define EM_E_UNSUPPORTED (-4) /* this kind of object, request or value is not supported */
#define EM_E_LIMIT (-5)       /* a limit of the scan was met: stop producing, finish normally */
#define EM_E_CANCELLED (-6)   /* the scan was cancelled or its time is over: return at once */
#define EM_E_DATA (-7)        /* a data module is missing, damaged or of another format version */
#define EM_E_INTERNAL (-8)    /* an error inside the module */

struct em_instance;      /* owned by the module: one per loaded module */
struct em_host_context;  /* owned by the host */
struct em_scan;          /* owned by the host: one scan of one root object; valid until the scan's close */
typedef struct em_instance em_instance;
typedef struct em_scan em_scan;

/* What a host is to a module. Valid from `init` until `deinit` returns. */
typedef struct em_host {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    const struct em_host_context *ctx;
    /* [any] The table of a service by id, e.g. "em.host.log/1"; NULL when the host has none.
     * Tables are valid as long as the em_host is. */
    const void *(*service)(const struct em_host *host, const char *id);
} em_host;

/* What a module is to a host: static, constant, valid until the module is unloaded. */
typedef struct em_module {
    uint32_t magic;       /* EM_MODULE_MAGIC */
    uint32_t struct_size; /* sizeof(em_module) when the module was compiled */
    uint16_t abi_major, abi_minor;
    uint16_t min_host_minor;
    uint16_t flags; /* 0 */
    const char *id;      /* the same as in the manifest note, e.g. "em001.scanner" */
    const char *version; /* e.g. "1.0.0" */
    /* Services without which `init` must not be called; NULL ends the list. The host checks it. */
    const char *const *requires_services;
    /* [control] Makes an instance. config: `key = value` lines, borrowed; may be empty.
     * *out belongs to the module. On failure *out is not read and `deinit` is not called. */
    em_status (*init)(const em_host *host, em_slice config, em_instance **out);
    /* [control] No scan uses the instance any more. Everything it owns is freed. */
    void (*deinit)(em_instance *instance);
    /* [any] The table of an interface by id, e.g. "em.scan/1"; NULL when the module has none.
     * Valid until deinit. */
    const void *(*interface)(em_instance *instance, const char *id);
} em_module;

/* The only exported symbol of a code module. Pure: no allocation, no side effect.
 * Data modules export `em_module_data` instead; see em_database.h. */
const em_module *em_module_entry(void);

/* ------------------------------------------------------------------ objects and findings */

/* What an object is. Identified by content first, by name and declared type second. */
#define EM_TYPE_UNKNOWN 0u
#define EM_TYPE_MAIL 1u   /* RFC 5322 message */
#define EM_TYPE_TEXT 2u   /* text without markup, any character set */
#define EM_TYPE_HTML 3u
#define EM_TYPE_PE 4u     /* Windows executable, MZ included */
#define EM_TYPE_ELF 5u
#define EM_TYPE_MACHO 6u
#define EM_TYPE_OLE2 7u   /* compound file: .doc .xls .msg … */
#define EM_TYPE_ZIP 8u    /* any zip based format, OOXML and jar included */
#define EM_TYPE_GZIP 9u
#define EM_TYPE_TAR 10u
#define EM_TYPE_PDF 11u
#define EM_TYPE_RTF 12u
#define EM_TYPE_GRAPHICS 13u
#define EM_TYPE_FLASH 14u
#define EM_TYPE_JAVA 15u  /* class file */
#define EM_TYPE_SCRIPT 16u
#define EM_TYPE_ARCHIVE 17u /* another archive: see `format` */
#define EM_TYPE_LNK 18u   /* Windows shortcut */

/* Flags of an object: what its content is. They never say that a module failed. */
#define EM_OBJECT_IN_PLACE 0x01u   /* `data` lies unencoded inside the parent's data, at `offset` */
#define EM_OBJECT_ENCRYPTED 0x02u  /* cannot be opened without a password */
#define EM_OBJECT_TRUNCATED 0x04u  /* ends before it should */
#define EM_OBJECT_MALFORMED 0x08u  /* breaks its format; what could be read was read */
#define EM_OBJECT_OVER_LIMIT 0x10u /* part of its content was left out because of a limit */
#define EM_OBJECT_MACROS 0x20u     /* has macros */
#define EM_OBJECT_UNSUPPORTED 0x40u /* recognised, but this variant cannot be opened (yet) */

#define EM_OFFSET_UNKNOWN 0xffffffffffffffffull

#define EM_STATED_CRC32 0x01u /* the container has a CRC-32 of the object */

/* One node of the object tree. */
typedef struct em_object {
    uint32_t struct_size;
    uint32_t type;   /* EM_TYPE_…: a hint from who submits it; the scanner identifies it again */
    uint64_t id;     /* given by the host; 1 is the root */
    uint64_t parent; /* id of the object it came out of; 0 for the root */
    em_slice data;   /* valid while the object is open, see em.container/1 */
    em_slice name;   /* file name, UTF-8 as far as known; may be empty; may hold any byte */
    em_slice declared; /* media type that the container declares, lower case; may be empty */
    em_slice format; /* how it lay in its parent: "MIME", "ZIP", … : shown in object paths */
    uint64_t offset; /* where it begins in the parent's data, in bytes, or EM_OFFSET_UNKNOWN */
    uint64_t extent; /* bytes it occupies in the parent's data (packed, encoded) */
    uint32_t flags;  /* EM_OBJECT_… */
    uint32_t depth;  /* 0 for the root; given by the host */
    /* Appended: what the container states about it. 0 when it states nothing, and for the root. */
    uint64_t packed_size; /* bytes that its content takes in the container */
    uint64_t stated_size; /* bytes that it has when it is unpacked */
    uint32_t position;    /* its number in the container, from 1 */
    uint32_t crc32;       /* of its content, when `stated` says so */
    uint32_t stated;      /* EM_STATED_… */
    uint32_t reserved;    /* 0 */
} em_object;

/* Kinds of finding. */
#define EM_FINDING_INFECTED 1u   /* a signature or an exact method: malware */
#define EM_FINDING_HEURISTIC 2u  /* a heuristic says malware: `score` of 100 and above blocks alone */
#define EM_FINDING_UNWANTED 3u   /* potentially unwanted application */
#define EM_FINDING_UNSAFE 4u     /* potentially unsafe application */
#define EM_FINDING_SPAM 5u       /* antispam: `score` points for rule `name`; points add up */
#define EM_FINDING_NOTSCANNED 6u /* the object, or a part of it, was not scanned; `name` says why */
#define EM_FINDING_NOTE 7u       /* for the log only */

/* Reported once for each fact found. Copied by the host. */
typedef struct em_finding {
    uint32_t struct_size;
    uint32_t kind;    /* EM_FINDING_… */
    uint64_t object;  /* id */
    em_slice name;    /* threat, rule or reason */
    em_slice source;  /* database or rule set that it came from; may be empty */
    uint64_t offset;  /* in the object's data, or EM_OFFSET_UNKNOWN */
    int32_t score;    /* points times 1000 for spam; 0..100 for heuristics */
    uint32_t reserved; /* 0 */
} em_finding;

/* ------------------------------------------------------------------ services of the host */

#define EM_LOG_ERROR 0u
#define EM_LOG_WARNING 1u
#define EM_LOG_INFO 2u
#define EM_LOG_DEBUG 3u

/* "em.host.log/1" */
typedef struct em_host_log_v1 {
    void (*write)(const em_host *host, uint32_t level, em_slice text); /* [any] one line, no newline */
} em_host_log_v1;

/* "em.host.memory/1": the scan's arena. Given back as a whole; counted against the memory limit. */
typedef struct em_host_memory_v1 {
    /* [session] size bytes, zeroed, aligned to 16; NULL when the budget has not that much left. */
    void *(*alloc)(em_scan *scan, uint64_t size);
    /* [session] Makes the newest allocation larger or smaller in place; it never moves. EM_E_MEMORY
     * when there is no room, EM_E_ARGUMENT when ptr is not the newest allocation. */
    em_status (*resize)(em_scan *scan, void *ptr, uint64_t size);
    /* [session] A mark, to which `release` goes back: everything allocated later is gone. Only the
     * scanner (em.scan/1) marks and releases. A container's memory from `open` lives until its
     * `close`, memory from `next` until the following `next`; analysers use their own heap. */
    uint64_t (*mark)(em_scan *scan);
    void (*release)(em_scan *scan, uint64_t mark);
} em_host_memory_v1;

/* "em.host.budget/1" */
#define EM_BUDGET_TIME 1u     /* nanoseconds */
#define EM_BUDGET_MEMORY 2u   /* bytes of the arena */
#define EM_BUDGET_OBJECTS 3u  /* child objects */
#define EM_BUDGET_DEPTH 4u    /* levels below the object given */
#define EM_BUDGET_SIZE 5u     /* bytes of one object */
#define EM_BUDGET_TOTAL 6u    /* bytes of all child objects together */
typedef struct em_host_budget_v1 {
    /* [session] EM_OK, or EM_E_CANCELLED when the scan must end now. Cheap; call it at least once for
     * each 64 KiB that is looked at and each element that is walked over. */
    em_status (*check)(em_scan *scan);
    /* [session] What is left of a budget; UINT64_MAX when it is unlimited or unknown. object: whose children
     * the depth is asked for; may be NULL, which means the root, here and below. */
    uint64_t (*left)(em_scan *scan, const em_object *object, uint32_t kind);
    /* [session] Tells that a limit stopped the caller: the object is "not scanned: limit …". */
    void (*exceeded)(em_scan *scan, const em_object *object, uint32_t kind);
} em_host_budget_v1;

/* "em.host.submit/1": child objects. Only the host counts depth, number, sizes, ratio and time. */
typedef struct em_host_submit_v1 {
    /* [session] Offers a child of `parent`. id, parent and depth of *child are filled in by the host;
     * name, declared and format are copied, data is not. EM_E_LIMIT: a limit refuses this child (the
     * host has noted it), later ones may still pass; EM_E_CANCELLED: stop. */
    em_status (*submit)(em_scan *scan, const em_object *parent, em_object *child);
    /* [session] For the scanner: takes the oldest child that was submitted and not yet taken.
     * EM_END when there is none. */
    em_status (*take)(em_scan *scan, em_object *out);
} em_host_submit_v1;

/* "em.host.report/1" */
typedef struct em_host_report_v1 {
    em_status (*finding)(em_scan *scan, const em_finding *finding); /* [session] copied */
    /* [session] Adds EM_OBJECT_… flags and sets the type (when not EM_TYPE_UNKNOWN) of an object. */
    em_status (*object)(em_scan *scan, uint64_t id, uint32_t type, uint32_t flags);
} em_host_report_v1;

/* "em.host.option/1": options of this scan by their esets.cfg name, and envelope facts
 * ("mail.sender", "mail.recipients" (one a line), "mail.client", "mail.helo", "agent"). */
typedef struct em_host_option_v1 {
    int64_t (*number)(em_scan *scan, const char *name, int64_t otherwise); /* [session] yes is 1, no is 0 */
    em_slice (*text)(em_scan *scan, const char *name); /* [session] valid until the scan's end; empty if unset */
} em_host_option_v1;

/* "em.host.module/1": interfaces of other modules of the same generation. */
typedef struct em_provider {
    uint32_t struct_size;
    const char *module_id;
    em_instance *instance;
    const void *table; /* valid until deinit of the asking module */
} em_provider;
typedef struct em_host_module_v1 {
    /* [any] The index-th module that offers the interface, in load order; EM_END after the last.
     * All modules are initialised before the first scan, none is during `init` of another. */
    em_status (*provider)(const em_host *host, const char *interface_id, uint32_t index, em_provider *out);
} em_host_module_v1;

/* "em.host.data/1": the generation's data modules. */
typedef struct em_host_data_v1 {
    /* [any] The data of a module, from `em_module_data` to its end, e.g. for "em002". Read-only, valid
     * until deinit. EM_E_DATA when the generation has none. Readers check every offset they follow. */
    em_status (*find)(const em_host *host, const char *file_id, em_slice *out);
} em_host_data_v1;

/* "em.host.ask/1": questions that only the network can answer. */
#define EM_ASK_DNS_A 1u    /* answer: dotted addresses, one a line */
#define EM_ASK_DNS_TXT 2u  /* answer: one record a line */
#define EM_ASK_DNS_MX 3u   /* answer: host names, one a line */
#define EM_ASK_DNS_PTR 4u
#define EM_ASK_REPUTATION 16u /* key: any; answer as the provider of the reputation defines it */
typedef struct em_question {
    uint32_t struct_size;
    uint32_t kind;  /* EM_ASK_… */
    em_slice key;   /* copied */
} em_question;
#define EM_ANSWER_FOUND 0u
#define EM_ANSWER_NONE 1u     /* it certainly does not exist */
#define EM_ANSWER_FAILED 2u   /* nobody knows: time-out, no resolver */
typedef struct em_answer {
    uint32_t struct_size;
    uint32_t result; /* EM_ANSWER_… */
    em_slice text;   /* valid until the scan's end */
} em_answer;
typedef struct em_host_ask_v1 {
    /* [session] Asks. EM_OK when every question has its answer already. EM_SUSPENDED otherwise: the
     * caller returns EM_SUSPENDED, is called again when the answers are there (perhaps on another
     * thread), and asks the same again. Answered questions cost nothing the second time. */
    em_status (*ask)(em_scan *scan, const em_question *questions, uint32_t count);
    /* [session] The answer to a question that `ask` returned EM_OK for; EM_E_STATE if there is none. */
    em_status (*answer)(em_scan *scan, const em_question *question, em_answer *out);
} em_host_ask_v1;

/* "em.host.tempfile/1": content too large for the arena; anonymous, counted against the total. What is not
 * closed is closed after the scan's session, so a mapping may serve as the data of an object until then. */
struct em_tempfile;
typedef struct em_tempfile em_tempfile;
typedef struct em_host_tempfile_v1 {
    em_status (*create)(em_scan *scan, em_tempfile **out);                      /* [session] */
    em_status (*append)(em_scan *scan, em_tempfile *file, em_slice bytes);      /* [session] */
    em_status (*map)(em_scan *scan, em_tempfile *file, em_slice *out);          /* [session] read-only, until close; no append after it */
    void (*close)(em_scan *scan, em_tempfile *file);                            /* [session] */
} em_host_tempfile_v1;

/* "em.host.metrics/1" */
typedef struct em_host_metrics_v1 {
    void (*add)(const em_host *host, const char *name, uint64_t amount); /* [any] name is a literal */
} em_host_metrics_v1;

/* ------------------------------------------------------------------ interfaces of modules */

/* "em.selftest/1": run by the canary before a generation is accepted. */
typedef struct em_selftest_v1 {
    /* [control] EM_OK when the module works. Otherwise a sentence in buffer (capacity bytes, the
     * module writes at most so many and stores the length in *length) and a negative status. */
    em_status (*run)(em_instance *instance, uint8_t *buffer, uint64_t capacity, uint64_t *length);
} em_selftest_v1;

/* "em.loader/1": em000. Verifies and orders the modules of a generation. */
#define EM_FILE_CODE 1u
#define EM_FILE_DATA 2u
typedef struct em_file {
    uint32_t struct_size;
    uint32_t kind;      /* out: EM_FILE_… */
    em_slice name;      /* in: file name, for messages */
    em_slice bytes;     /* in: the whole file; valid until `plan` returns */
    uint32_t thorough;  /* in: 1 = verify every byte (signature, hashes); 0 = structure only */
    uint32_t order;     /* out: position in which it is loaded, from 0 */
    em_slice id;        /* out: module id from the manifest; points into bytes */
    em_slice version;   /* out: likewise */
} em_file;
typedef struct em_loader_v1 {
    /* [control] keys: 32-byte Ed25519 public keys that may sign code, one after another. The first file
     * that fails ends it: EM_E_DATA and a sentence "NAME: check: reason" in buffer. */
    em_status (*plan)(em_instance *instance, em_slice keys, em_file *files, uint32_t count,
                      uint8_t *buffer, uint64_t capacity, uint64_t *length);
} em_loader_v1;

/* "em.scan/1": em001. Walks the object tree of one root object. */
struct em_session;
typedef struct em_session em_session;
typedef struct em_scan_v1 {
    /* [session] root: valid until close, its data too. */
    em_status (*open)(em_instance *instance, em_scan *scan, const em_object *root, em_session **out);
    /* [session] Goes on until the tree is done (EM_OK), answers are missing (EM_SUSPENDED: call again when
     * they are there) or it failed (negative: the root is "not scanned"). Then only `close` follows. */
    em_status (*run)(em_session *session);
    /* [session] Also for a session that is not done. */
    void (*close)(em_session *session);
} em_scan_v1;

/* "em.container/1": whatever has objects inside. Several modules may offer it. */
struct em_cursor;
typedef struct em_cursor em_cursor;
typedef struct em_container_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* NULL-terminated list of the formats it opens, for people: "MIME", "ZIP" … */
    const char *const *formats;
    /* [session] How sure the module is that it can open the object: 0 = not at all, 100 = its magic
     * and structure fit. The surest module opens it. *type: what the object is, or EM_TYPE_UNKNOWN. */
    uint32_t (*identify)(em_instance *instance, em_scan *scan, const em_object *object, uint32_t *type);
    /* [session] object, and its data, stay valid until close. */
    em_status (*open)(em_instance *instance, em_scan *scan, const em_object *object, em_cursor **out);
    /* [session] Submits the next child, or a few. EM_OK: call again when they are done; EM_END: there are no
     * more. Their data stays valid until the next call with this cursor. Other cursors of deeper
     * objects are opened, used and closed between two calls. EM_SUSPENDED: called again when the answers
     * are there; children that it submitted before are walked first, and memory that it took from the
     * arena in this call is gone then. Negative: the object is "not scanned", and only `close` follows. */
    em_status (*next)(em_cursor *cursor);
    void (*close)(em_cursor *cursor); /* [session] */
} em_container_v1;

/* "em.analyse/1": heuristics, antispam. Sees each object twice, before and after its children. */
#define EM_PHASE_ENTER 0u
#define EM_PHASE_LEAVE 1u
struct em_analysis;
typedef struct em_analysis em_analysis;
typedef struct em_analyse_v1 {
    /* [session] EM_OK with *out, or EM_E_UNSUPPORTED when there is nothing to do for this scan. Any other
     * failure makes the root "not scanned"; `end` is not called then. */
    em_status (*begin)(em_instance *instance, em_scan *scan, em_analysis **out);
    /* [session] parent is NULL for the root. EM_SUSPENDED: called again with the same values, perhaps at
     * other addresses. */
    em_status (*object)(em_analysis *analysis, const em_object *object, const em_object *parent, uint32_t phase);
    void (*end)(em_analysis *analysis); /* [session] always called after `begin`, also when `object` failed */
} em_analyse_v1;

/*
 * "em.function/1": functions that rules of signature databases may call, as `module.name(…)` after
 * `import "module"`. The type string has the result and the parameters: i int64_t, b int64_t that is 0 or
 * not, f double, s em_slice. A function of type "i(sf)" is
 *
 *     em_status name(const em_function_call *call, int64_t *result, const em_slice *text, double number);
 *
 * EM_OK: the result is there. Anything else, such as EM_E_UNSUPPORTED: the value is undefined for this object.
 * A text as the result is copied when the function returns.
 */
typedef struct em_function_call {
    uint32_t struct_size;
    uint32_t reserved;
    em_instance *instance;   /* of the module that offers the function */
    em_scan *scan;           /* NULL outside of a scan */
    const em_object *object; /* NULL outside of a scan */
    em_slice data;           /* the object's bytes */
} em_function_call;
typedef struct em_function {
    const char *name; /* "acme.score": what rules call */
    const char *type; /* "i(sf)"; at most eight parameters */
    void *address;    /* [session] the function */
} em_function;
typedef struct em_function_v1 {
    uint32_t struct_size;
    uint32_t count;
    const em_function *functions;
} em_function_v1;

/* ------------------------------------------------------------------ notes in the file */

/*
 * Two ELF notes, owner "ESETS", found through PT_NOTE, so that they can be read before any code runs.
 *
 * Manifest: `key=value` lines. Known keys: id, file (em001), version, kind (code or data), abi (1.0),
 * needs and offers (ids separated by spaces), description.
 *
 * Signature: 8 bytes key id (the first of SHA-256 of the public key), 64 bytes Ed25519 signature over
 * "esets module v1\n" and the SHA-256 of the whole file in which these 72 bytes are zero.
 */
#define EM_NOTE_MANIFEST 1u
#define EM_NOTE_SIGNATURE 2u
#define EM_NOTE_OWNER "ESETS"
#define EM_SIGNATURE_SIZE 72u
#define EM_SIGNATURE_CONTEXT "esets module v1\n"

/* Puts both notes into a module: EM_MANIFEST("id=em100.example\n" "version=1.0\n" …) once, at file scope of a C file. */
#define EM_MANIFEST(text)                                                                              \
    __attribute__((used, retain, aligned(4), section(".note.esets.manifest"))) static const struct {     \
        uint32_t namesz, descsz, type;                                                                   \
        char name[8];                                                                                    \
        char desc[(sizeof(text) + 3) & ~3u];                                                             \
    } em_manifest_note = {6, sizeof(text), EM_NOTE_MANIFEST, EM_NOTE_OWNER, text};                       \
    __attribute__((used, retain, aligned(4), section(".note.esets.signature"))) static const struct {    \
        uint32_t namesz, descsz, type;                                                                   \
        char name[8];                                                                                    \
        uint8_t desc[EM_SIGNATURE_SIZE];                                                                 \
    } em_signature_note = {6, EM_SIGNATURE_SIZE, EM_NOTE_SIGNATURE, EM_NOTE_OWNER, {0}}

#ifdef __cplusplus
}
#endif
#endif
