/* message: what a handler may say: one JSON object a line, told apart by "type" (the protocol is in
 * docs/handlers.md). Text in, struct or error out: the one grammar for workers, stint-plugin,
 * `stint try` and `stint handler-check`. Pure; never decides what a message does.
 */
#ifndef STINT_PROTOCOL_MESSAGE_H
#define STINT_PROTOCOL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define PROTOCOL_VERSION 1
#define MESSAGE_MAX_BYTES ((size_t)1024 * 1024)
#define MESSAGE_ITEMS_MAX 10000 /* of one spawn or wait; say several for more */
#define MESSAGE_LABEL_MAX 64    /* bytes of `of`, of a resource's name, of a version */

#define MESSAGE_TYPES(X)                                                                           \
    X(HELLO, hello)                                                                                \
    X(PROGRESS, progress)                                                                          \
    X(CHECKPOINT, checkpoint)                                                                      \
    X(COST, cost)                                                                                  \
    X(LIMIT, limit)                                                                                \
    X(SPAWN, spawn)                                                                                \
    X(LOG, log)                                                                                    \
    X(DONE, done)                                                                                  \
    X(SKIP, skip)                                                                                  \
    X(RETRY, retry)                                                                                \
    X(SNOOZE, snooze)                                                                              \
    X(FAIL, fail)                                                                                  \
    X(WAIT, wait)

enum message_type {
    MESSAGE_UNKNOWN, /* a type that we do not know: ignored */
#define MESSAGE_ENUM(upper, lower) MESSAGE_##upper,
    MESSAGE_TYPES(MESSAGE_ENUM)
#undef MESSAGE_ENUM
        MESSAGE_TYPE_COUNT,
};

enum message_level { MESSAGE_DEBUG, MESSAGE_INFO, MESSAGE_WARN, MESSAGE_ERROR };

/* An item that spawn or wait names. */
struct message_item {
    char *job; /* NULL: the job of the run that says so */
    char *key;
    char *data; /* JSON text as it was written; NULL: none */
    int64_t priority;
    bool has_priority;
};

struct message {
    enum message_type type;
    bool has_id, has_key;
    bool is_key_null; /* it was said, and is nothing */
    int64_t id;       /* of the request that it is about */
    struct buf key;   /* batch: the item of the request; limit: one value of the resource's `per` */

    struct buf json; /* checkpoint: its data; done: the result; progress: the counts as an object */
    struct buf text; /* why of an outcome, text of log, of of cost, resource of limit, version */
    int64_t after_ms;         /* retry, snooze: after; limit: retry_after; −1: not said */
    int64_t protocol;         /* hello */
    double cost_usd;          /* cost, ≥ 0 */
    int64_t tokens;           /* cost, ≥ 0 */
    bool continues;           /* wait: on_failure is continue */
    enum message_level level; /* log */
    struct message_item *items;
    size_t items_len, items_cap;
};

#define MESSAGE_INIT                                                                               \
    {                                                                                              \
        .type = MESSAGE_UNKNOWN                                                                    \
    }

void message_fini(struct message *m);
/* The type's word in the protocol; "unknown". */
const char *message_type_name(enum message_type type);
bool message_is_outcome(enum message_type type); /* done … wait */

/* line: NUL-terminated at len. *m is overwritten; its room is used again, so that one struct serves
 * a whole stream. RC_PROTO: the line breaks the protocol: no JSON object, no type, or a member of
 * the wrong type; *ret_column (may be NULL) is the place in the line, counted in bytes from 1; 0:
 * the line as a whole. Unknown types and members are no error. The error does not quote the line.
 */
MUST_CHECK enum rc message_parse(
    const char *line, size_t len, struct message *m, size_t *ret_column, struct err *err);

#endif
