/* adding: items on their way into a job, in bites: each bite is one transaction, so memory stays
 * constant and what was said to be added is. Used by cmd_add.c (keys) and add_stream.c (files). A
 * bite is as large as the time allows for which it may hold the write lock: short beside a pool,
 * whose workers need it, longer without. Reads nothing. */
#ifndef STINT_CLI_ADDING_H
#define STINT_CLI_ADDING_H

#include "cli/context.h"
#include "cli/interrupt.h"
#include "common/records/records.h"
#include "common/store/add.h"

/* Items that wait to be added together. Their texts lie in one buffer, by offset: it may move. */
struct bite {
    struct buf texts;
    struct bite_item *items;
    struct add_item *adds; /* the same, as the store takes them */
    size_t len, cap;
    size_t limit; /* so many are enough */
};

struct adding {
    struct cli *cli;
    const struct catalog_job *job;
    struct add_options opts;
    struct add_report report;
    int64_t last_line;  /* of the newest item that was added */
    const char *source; /* "items.csv", for errors; NULL: keys of the command line */
    struct bite bite;
    /* By the store's hooks: since when the write lock is held, how long the newest bite held it,
     * and whether somebody else wants it too. */
    int64_t locked_mono_ns, held_ns;
    bool has_waited; /* for the newest bite */
    bool is_shared;  /* others write as well */
    void *ctx;
    void (*on_busy)(void *ctx); /* while it waits for the write lock; or NULL */
};

void adding_fini(struct adding *a);
/* Must be called before the store is opened: cli->hooks. */
void adding_watch_lock(struct adding *a);

/* Puts a copy of the record (and of --priority) into the bite. */
void adding_put(struct adding *a, const struct record *record);
bool adding_is_full(const struct adding *a);
/* Adds the bite, all of it or nothing, and wakes workers. *ret_bad: the item that is wrong, if one
 * is. */
MUST_CHECK enum rc adding_swallow(struct adding *a, size_t *ret_bad, struct err *err);
/* Says why adding_swallow failed. */
enum cli_exit adding_fail(const struct adding *a, enum rc rc, size_t bad, const struct err *err);
/* A signal ends it between two bites: says how far it came, and ends by that signal. */
_Noreturn void adding_stop(const struct adding *a, struct interrupt *i, int signum);
/* Items so far. */
int64_t adding_count(const struct adding *a);

#endif
