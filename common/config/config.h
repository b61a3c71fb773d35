/* config: the accepted configuration as structs: the pool's options and the jobs with their stages.
 * Built by config_parse (parse.h) from sources (source.h); every key comes from the one option
 * table (options.h). Read-only after parsing. Every process has one; nobody changes it. */
#ifndef STINT_CONFIG_CONFIG_H
#define STINT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/log_target.h"

enum durability { DURABILITY_FULL, DURABILITY_NORMAL };
enum merge_rule { MERGE_OVERWRITE, MERGE_KEEP };
enum on_change { ON_CHANGE_KEEP, ON_CHANGE_RERUN };
enum on_worker_death { ON_DEATH_REQUEUE, ON_DEATH_FAIL };
enum handler_kind {
    HANDLER_EXEC,
    HANDLER_SHELL,
    HANDLER_RESIDENT,
    HANDLER_PLUGIN, /* a resident whose program is stint-plugin */
    HANDLER_BUILTIN,
};
enum builtin { BUILTIN_NOOP, BUILTIN_SLEEP, BUILTIN_FAIL, BUILTIN_DISCOVER };
enum discover_kind {
    DISCOVER_MANUAL,
    DISCOVER_LIST,
    DISCOVER_GLOB,
    DISCOVER_EXEC,
};

/* Where the value of a key comes from. */
struct origin {
    const char *key;  /* static, or owned by who has the origin */
    const char *file; /* as people should see it, or "environment" */
    size_t line;
    char *template; /* the template that the line stands in; NULL: none */
};

/* Of the keys that are given somewhere; all others have their defaults. */
struct origins {
    struct origin *list;
    size_t len;
};

/* env.NAME = VALUE: one variable of the environment of handlers. */
struct env_var {
    char *entry;     /* "NAME=value", as execve takes it */
    char *key;       /* "env.NAME" */
    char *reference; /* of a secret: where its value was read, "@file:PATH" or "@cred:NAME" */
    bool is_unknown; /* a secret that cannot be read here, but where the pool runs */
    struct origin origin;
};

struct env {
    struct env_var *list;
    size_t len;
};

struct pool_options {
    char *database;  /* absolute */
    char *directory; /* absolute; where the database lies: flock, socket, pid file */
    char *socket;    /* absolute */
    char *pid_file;  /* absolute */
    int64_t workers_min, workers_max; /* equal for `workers = N` */
    enum durability durability;
    int64_t heartbeat_interval_ms, heartbeat_timeout_ms;
    int64_t shutdown_timeout_ms, write_timeout_ms;
    enum log_target log;
    char *log_file; /* absolute; LOG_TARGET_FILE only, else NULL */
    struct origins origins;
};

#define PATTERN_MAX 256   /* a regular expression, with its end */
#define EXIT_RULES_MAX 32 /* exit.N of a stage */

enum exit_act { EXIT_DONE, EXIT_RETRY, EXIT_FAIL, EXIT_SKIP, EXIT_PAUSE, EXIT_SNOOZE };
enum retryable { RETRYABLE_YES, RETRYABLE_NO };

/* exit.N = ACT: what this exit status of a handler means. */
struct exit_rule {
    uint8_t status;
    enum exit_act act;
    int64_t snooze_ms;
    char text[32];    /* as written */
    const char *file; /* where; borrowed of the configuration */
    size_t line;
};

struct exit_rules {
    struct exit_rule list[EXIT_RULES_MAX];
    size_t len;
};

#define RESOURCES_MAX 64      /* of a configuration */
#define STAGE_RESOURCES_MAX 8 /* of one stage */
#define USER_NAME_MAX 33      /* with its end, as useradd(8) has it */

/* Something shared that is paced: [resource NAME]. */
struct resource_spec {
    char *name;
    int64_t rate_count, rate_per_ms; /* rate = COUNT/PERIOD; at least a microsecond a token */
    int64_t burst;                   /* by default one second's worth of the rate, at least 1 */
    struct origins origins;
};

/* Retry, limits and pacing of a stage: JobTuning, applied at once. A [job] section may set each;
 * its stages inherit it; a [stage] section overrides it. Holds no memory: may be copied. */
struct stage_tuning {
    size_t resources[STAGE_RESOURCES_MAX]; /* places in config->resources */
    size_t resources_len;
    int64_t timeout_ms, grace_ms;
    int64_t max_attempts;
    int64_t backoff_base_ms, backoff_max_ms; /* backoff = BASE..MAX or BASE */
    double backoff_factor;
    int64_t jitter_pct;
    int64_t stderr_tail_bytes, output_size_bytes;
    /* Limits that the kernel keeps; 0: none. */
    int64_t cpu_ms, memory_bytes, open_files, file_size_bytes;
    int64_t nice;             /* is added to the pool's own */
    char user[USER_NAME_MAX]; /* whose rights the handler has; "": the pool's */
    enum on_worker_death on_worker_death;
    struct exit_rules exits;
    char permanent[PATTERN_MAX], transient[PATTERN_MAX]; /* of an error's text; "": none */
    enum retryable retryable;
    int64_t concurrency; /* calls in flight in a resident */
    int64_t batch;       /* runs of a call */
    int64_t max_claim;   /* runs that one exchange claims; 0: no bound of its own */
    int64_t start_timeout_ms, resident_idle_ms;
    int64_t max_requests, max_memory_bytes; /* a resident is replaced after them; 0: never */
};

#define RUNS_MAX 1000 /* concurrency × batch */

struct handler {
    enum handler_kind kind;
    char *text;  /* as written, for people */
    char **argv; /* exec, resident: program and arguments; shell: {"/bin/sh","-c",TEXT}; plugin:
                    {"stint-plugin",FILE,…}; NULL-terminated */
    enum builtin builtin;
    char *builtin_arg;  /* fail TEXT */
    int64_t builtin_ms; /* sleep DURATION */
};

struct stage_spec {
    char *name;
    char *version; /* "" when not configured */
    struct handler handler;
    struct stage_tuning tuning;
    struct env env; /* tuning, too: of the next attempt */
    struct origins origins;
};

struct discover_option {
    char *key, *value; /* discover.KEY = VALUE */
};

struct job_spec {
    char *name;
    enum discover_kind discover;
    char *discover_arg; /* "" for manual */
    struct discover_option *discover_options;
    size_t discover_options_len;
    int64_t priority;
    int64_t ageing_ms; /* milliseconds of waiting that one point of priority is worth */
    int64_t max_depth; /* of the items that its items spawn */
    int64_t max_spawn; /* items that one attempt may spawn */
    enum merge_rule merge;
    enum on_change on_change;
    struct stage_spec *stages; /* in order; at least one */
    size_t stages_len;
    bool has_own_stage; /* without `stages`: the only one is named after the job */
    struct env env;     /* what the job says for all stages; its discovery has it, too */
    struct origins origins;
};

struct config {
    char *directory; /* absolute; of stint.conf: handlers start here, relative paths begin here */
    struct pool_options pool;
    struct resource_spec *resources; /* in file order */
    size_t resources_len;
    struct job_spec *jobs; /* in file order, without @discover */
    size_t jobs_len;
    char **files; /* names of the sources, for the origins */
    size_t files_len;
};

void config_free(struct config *config);
/* One process serves many runs. */
static inline bool handler_is_resident(const struct handler *handler)
{
    return handler->kind == HANDLER_RESIDENT || handler->kind == HANDLER_PLUGIN;
}
/* What a job says for all its stages is nothing to those that it cannot be for. */
static inline int64_t stage_batch(const struct stage_spec *stage)
{
    return stage->handler.kind == HANDLER_BUILTIN ? 1 : stage->tuning.batch;
}
/* Its requests have "items". */
static inline bool stage_is_batch(const struct stage_spec *stage)
{
    return stage_batch(stage) > 1;
}
/* So many runs of the stage may one worker have at once. */
static inline int64_t stage_room(const struct stage_spec *stage)
{
    const int64_t calls = handler_is_resident(&stage->handler) ? stage->tuning.concurrency : 1;
    return calls * stage_batch(stage);
}
const struct job_spec *config_job(const struct config *config, const char *name); /* or NULL */
const struct resource_spec *config_resource(
    const struct config *config, const char *name);                               /* or NULL */
const struct stage_spec *job_stage(const struct job_spec *job, const char *name); /* or NULL */

const struct origin *origin_find(const struct origins *origins, const char *key); /* or NULL */
void origins_fini(struct origins *origins);

/* The hidden job whose items are the discoveries (job @discover, one stage "discover", handler
 * builtin discover). The same in every process; never freed. */
const struct job_spec *config_discover_job(void);
#define DISCOVER_JOB "@discover"

#endif
