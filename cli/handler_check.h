/* handler_check: is this program a good handler? Asks it as a worker would, judges what it says by
 * the worker's grammar, and keeps what it does wrong. Used by cmd_handler_check.c, which shows
 * that. handler_check_exec.c and handler_check_resident.c are its two halves.
 */
#ifndef STINT_CLI_HANDLER_CHECK_H
#define STINT_CLI_HANDLER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/handler_talk.h"
#include "common/protocol/message.h"

struct finding {
    bool is_fault; /* else only worth knowing */
    char *text;
    char *said;    /* the line that it is about; NULL: none */
    size_t column; /* in said, from 1; 0: as a whole */
    char *fix;     /* NULL: the text says it */
};

#define CHECK_ITEMS 2 /* of a batch */

struct handler_check {
    char *const *argv;
    const char *key, *data; /* of the item that it is asked about; data is JSON */
    int64_t timeout_ms;     /* for a hello, for an answer, for an end after the end of file */
    bool is_resident;
    bool is_batch; /* asks about several items at once */
    void (*listener)(void *ctx, char direction, const char *line, size_t len); /* or NULL */
    void *listener_ctx;

    struct handler_talk talk;
    struct message m;    /* said last */
    size_t messages_len; /* that were messages */
    struct finding *findings;
    size_t findings_len, findings_cap;
    struct buf outcome; /* of the first request, in words */
};

void handler_check_fini(struct handler_check *c);
/* Both as exec and, if it turns out to be one (or is_resident says so), as resident. RC_INVALID:
 * data is not JSON; RC_SYS: it cannot be tried at all. */
MUST_CHECK enum rc handler_check_run(struct handler_check *c, struct err *err);
size_t handler_check_faults(const struct handler_check *c);

/* ---- for its two halves ---- */

#define CHECK_ID 1 /* of the first request */

/* Adds one; said may be NULL. The format is of the text. */
struct finding *finding_add(struct handler_check *c, bool is_fault, const char *said,
    size_t said_len, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void check_request(const struct handler_check *c, int64_t id, struct buf *out);
/* Reads a line into c->m; false: it is none, and that was noted. */
bool check_line(struct handler_check *c, const char *line, size_t len);
/* Keeps in words what the outcome c->m is, unless there is one. */
void check_keep_outcome(struct handler_check *c);
/* Whose of a batch the message c->m is, and whether it may be said; marks who has an outcome. True:
 * all have one. */
bool check_item(
    struct handler_check *c, bool is_answered[CHECK_ITEMS], const char *line, size_t len);
const char *check_key(const struct handler_check *c, size_t i); /* of that item of a batch */
void check_cannot_start(struct handler_check *c, enum rc rc, int errnum, const struct err *err);
/* ": " and the last line of standard error; nothing if there is none. */
void check_last_words(const struct handler_check *c, struct buf *out);
int64_t check_deadline(const struct handler_check *c);

/* *ret_is_resident: it said hello on standard output, as only a resident does. */
MUST_CHECK enum rc handler_check_exec(
    struct handler_check *c, bool *ret_is_resident, struct err *err);
MUST_CHECK enum rc handler_check_resident(struct handler_check *c, struct err *err);

#endif
