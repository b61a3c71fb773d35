/* stint-plugin.h: a stage's handler as a C shared object: `handler = plugin ./count.so DATA`.
 *
 *   #include <stint-plugin.h>
 *
 *   static void count(struct stint_run *run, void *state)
 *   {
 *       FILE *f = fopen(run->key, "r");
 *       if (!f) {
 *           stint_fail(run, "cannot read the file");
 *           return;
 *       }
 *       …
 *       stint_done(run, "{\"words\":12}");
 *   }
 *
 *   const struct stint_plugin stint_plugin = {STINT_PLUGIN_HEAD, .version = "1", .run = count};
 *
 *   cc -shared -fPIC -o count.so count.c
 *
 * The object is hosted by the program stint-plugin, in a process of its own, which serves run after
 * run and speaks the protocol of docs/handlers.md for it. Everything is called from one thread. A
 * crash, exit() or endless loop ends that process and nobody else: the run under way is treated as
 * that of any handler that died. Standard input is empty; standard output goes to standard error.
 *
 * All texts are UTF-8 and end in NUL; JSON is text, too. What a call is given it copies; what it
 * returns lives until run() returns. The ABI only grows at the ends of its structs: `size` says how
 * much of one is there. */
#ifndef STINT_PLUGIN_H
#define STINT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STINT_PLUGIN_ABI 1

struct stint_run;

/* What the object exports, under the name stint_plugin. */
struct stint_plugin {
    uint32_t abi;        /* STINT_PLUGIN_ABI */
    uint32_t size;       /* of this struct */
    const char *version; /* of the handler; NULL: none */
    /* Before the first run; may be NULL. data: the DATA of the configuration, JSON; NULL without.
     * Whatever is put into *state is given to each run. Not 0: this handler cannot work here; say
     * why on standard error. */
    int (*open)(const char *data, void **state);
    /* One item. Says exactly one outcome before it returns; else the run is tried again. */
    void (*run)(struct stint_run *run, void *state);
    void (*close)(void *state); /* before the process ends in order; may be NULL */
};

#define STINT_PLUGIN_HEAD .abi = STINT_PLUGIN_ABI, .size = (uint32_t)sizeof(struct stint_plugin)

/* An item that stint_spawn and stint_wait name. */
struct stint_item {
    const char *job; /* NULL: the run's own */
    const char *key;
    const char *data; /* JSON; NULL: none */
    int64_t priority; /* 0: the job's */
};

/* What the host does for a run; called through the functions below. */
struct stint_host {
    uint32_t abi;
    uint32_t size; /* of this struct */
    void (*progress)(struct stint_run *run, int64_t done, int64_t failed, int64_t total);
    void (*checkpoint)(struct stint_run *run, const char *json);
    void (*cost)(struct stint_run *run, double usd, int64_t tokens, const char *of);
    void (*limit)(struct stint_run *run, const char *resource, const char *key, double after_s);
    void (*spawn)(struct stint_run *run, const struct stint_item *items, size_t len);
    void (*log)(struct stint_run *run, const char *level, const char *text);
    void (*done)(struct stint_run *run, const char *json);
    void (*end)(struct stint_run *run, const char *outcome, const char *why, double after_s);
    void (*wait)(
        struct stint_run *run, const struct stint_item *items, size_t len, const char *on_failure);
    int (*is_cancelled)(struct stint_run *run);
    const char *(*get)(struct stint_run *run, const char *path, int is_json);
};

/* One attempt. Read only; the host has more behind it. */
struct stint_run {
    uint32_t abi;
    uint32_t size; /* of what is declared here */
    const struct stint_host *host;
    const char *job, *stage;
    const char *key;
    const char *data;       /* JSON */
    const char *checkpoint; /* JSON, as said last; NULL: none */
    const char *inputs;     /* JSON object: results by stage */
    const char *claim;
    int64_t attempt, max_attempts;
    int64_t deadline_ms; /* so long from its beginning */
    const char *request; /* all of the item's request, JSON */
};

/* ---- messages; any number of each ---- */

/* −1: not said. */
static inline void stint_progress(
    struct stint_run *run, int64_t done, int64_t failed, int64_t total)
{
    run->host->progress(run, done, failed, total);
}

static inline void stint_checkpoint(struct stint_run *run, const char *json)
{
    run->host->checkpoint(run, json);
}

/* Amounts add up. usd, tokens: −1: not said, but one of them must be. of: a label; NULL: none. */
static inline void stint_cost(struct stint_run *run, double usd, int64_t tokens, const char *of)
{
    run->host->cost(run, usd, tokens, of);
}

/* Nobody uses the resource (NULL: the stage's only one), or that key of it (NULL: all), for so many
 * seconds. */
static inline void stint_limit(
    struct stint_run *run, const char *resource, const char *key, double after_s)
{
    run->host->limit(run, resource, key, after_s);
}

/* Added together with the outcome. */
static inline void stint_spawn(struct stint_run *run, const struct stint_item *items, size_t len)
{
    run->host->spawn(run, items, len);
}

/* level: debug, info, warn, error. */
static inline void stint_log(struct stint_run *run, const char *level, const char *text)
{
    run->host->log(run, level, text);
}

/* ---- outcomes; the first one counts ---- */

/* json: the result; NULL: null. */
static inline void stint_done(struct stint_run *run, const char *json)
{
    run->host->done(run, json);
}

static inline void stint_skip(struct stint_run *run, const char *why)
{
    run->host->end(run, "skip", why, -1);
}

static inline void stint_fail(struct stint_run *run, const char *why)
{
    run->host->end(run, "fail", why, -1);
}

/* after_s: at the earliest; −1: as the stage's backoff has it. Counts as an attempt. */
static inline void stint_retry(struct stint_run *run, const char *why, double after_s)
{
    run->host->end(run, "retry", why, after_s);
}

/* Does not count. */
static inline void stint_snooze(struct stint_run *run, const char *why, double after_s)
{
    run->host->end(run, "snooze", why, after_s);
}

/* on_failure: "fail", "continue"; NULL: fail. */
static inline void stint_wait(
    struct stint_run *run, const struct stint_item *items, size_t len, const char *on_failure)
{
    run->host->wait(run, items, len, on_failure);
}

/* ---- questions ---- */

/* Somebody asked to give this run up: then say an outcome (which one does not matter) and return.
 * Cheap enough for every turn of a loop. */
static inline int stint_is_cancelled(struct stint_run *run)
{
    return run->host->is_cancelled(run);
}

/* A member of the request by its path, like "data.depth" or "inputs.fetch.0.title", as text; NULL:
 * it is not there, or null. What is no string is JSON. */
static inline const char *stint_get(struct stint_run *run, const char *path)
{
    return run->host->get(run, path, 0);
}

/* The same as JSON. */
static inline const char *stint_json(struct stint_run *run, const char *path)
{
    return run->host->get(run, path, 1);
}

/* Where run() is looked for. */
extern const struct stint_plugin stint_plugin;

#ifdef __cplusplus
}
#endif

#endif
