#include "common/config/options.h"

#include "common/config/config.h"

/* One row a key. Read as a table: section, name, type, class, member, then what it may be. */
#define POOL(member) .section = SECTION_POOL, .offset = offsetof(struct pool_options, member)
#define RESOURCE(member)                                                                           \
    .section = SECTION_RESOURCE, .offset = offsetof(struct resource_spec, member)
#define JOB(member) .section = SECTION_JOB, .offset = offsetof(struct job_spec, member)
#define STAGE(member) .section = SECTION_STAGE, .offset = offsetof(struct stage_spec, member)
#define SECONDS(n) ((n)*INT64_C(1000))
#define HOURS(n) ((n)*INT64_C(3600000))
#define DAYS(n) ((n)*INT64_C(86400000))

static const char *const durability_words[] = {"full", "normal", NULL};
static const char *const merge_words[] = {"overwrite", "keep", NULL};
static const char *const on_change_words[] = {"keep", "rerun", NULL};
static const char *const on_death_words[] = {"requeue", "fail", NULL};
static const char *const retryable_words[] = {"yes", "no", NULL};
static const char *const format_words[] = {"csv", "tsv", "jsonl", "text", NULL};

/* clang-format off */
const struct option options[] = {
    {POOL(database), .name = "database", .type = OPTION_PATH, .class = CLASS_RESTART,
     .preset = "stint.db", .form = "a path",
     .help = "The SQLite file that holds all state. Not on a network file system."},
    {POOL(socket), .name = "socket", .type = OPTION_PATH, .class = CLASS_RESTART,
     .form = "a path", .example = "stint.sock",
     .help = "The control socket; by default stint.sock beside the database."},
    {POOL(pid_file), .name = "pid_file", .type = OPTION_PATH, .class = CLASS_RESTART,
     .form = "a path", .example = "stint.pid",
     .help = "Where the supervisor writes its pid; by default stint.pid beside the database."},
    {POOL(workers_min), .name = "workers", .type = OPTION_RANGE, .class = CLASS_POOL,
     .preset = "2", .min = 1, .max = 512, .form = "a number like 4, or a range like 2..16",
     .help = "How many worker processes: N, or MIN..MAX to follow the backlog."},
    {POOL(durability), .name = "durability", .type = OPTION_ENUM, .class = CLASS_RESTART,
     .preset = "full", .words = durability_words, .form = "full or normal",
     .help = "full: every commit is on disk. normal: accepted items are; the newest outcomes\n"
             "may be redone after a power cut."},
    {POOL(heartbeat_interval_ms), .name = "heartbeat_interval", .type = OPTION_DURATION,
     .class = CLASS_RESTART, .preset = "1s", .min = 10, .max = HOURS(1),
     .form = "a duration like 1s or 500ms",
     .help = "How often each worker says that it lives."},
    {POOL(heartbeat_timeout_ms), .name = "heartbeat_timeout", .type = OPTION_DURATION,
     .class = CLASS_RESTART, .preset = "10s", .min = 20, .max = HOURS(24),
     .form = "a duration like 10s",
     .help = "A worker that is silent for so long is killed; at least twice heartbeat_interval."},
    {POOL(shutdown_timeout_ms), .name = "shutdown_timeout", .type = OPTION_DURATION,
     .class = CLASS_POOL, .preset = "25s", .min = 0, .max = DAYS(7),
     .form = "a duration like 25s",
     .help = "What runs when the pool stops may take so long to end; then it is given back."},
    {POOL(write_timeout_ms), .name = "write_timeout", .type = OPTION_DURATION,
     .class = CLASS_POOL, .preset = "2s", .min = 100, .max = HOURS(1),
     .form = "a duration like 2s",
     .help = "A worker that holds the write lock for so long while others wait is killed."},
    {POOL(log), .name = "log", .type = OPTION_LOG, .class = CLASS_RESTART, .preset = "stderr",
     .form = "stderr, syslog or file PATH",
     .help = "Where log lines go. A file is opened anew on SIGUSR1."},

    {RESOURCE(rate_count), .name = "rate", .type = OPTION_RATE, .class = CLASS_TUNING,
     .min = 1, .max = 1000000000, .form = "N/s, N/m, N/h or N/d, like 10/s or 5000/h",
     .example = "5000/h",
     .help = "So many attempts may start in a second, minute, hour or day, evenly spread; whoever\n"
             "is killed or restarted, it is never exceeded."},
    {RESOURCE(burst), .name = "burst", .type = OPTION_INT, .class = CLASS_TUNING,
     .min = 1, .max = 1000000000, .form = "a whole number of at least 1", .example = "100",
     .help = "So many may start at once after a quiet time. By default one second's worth of the\n"
             "rate, at least 1."},

    {JOB(name), .name = "use", .type = OPTION_TEMPLATE, .class = CLASS_SPEC,
     .form = "the name of a [template] section", .example = "example",
     .help = "The template whose lines stand before the section's own."},
    {JOB(discover), .name = "discover", .type = OPTION_DISCOVER, .class = CLASS_SPEC,
     .preset = "manual", .form = "list FILE, glob PATTERN, exec COMMAND or manual",
     .help = "How items are found: list FILE, glob PATTERN, exec COMMAND (prints JSON lines), or\n"
             "manual (only by stint add)."},
    {JOB(discover_options), .name = "discover.format", .type = OPTION_ENUM, .class = CLASS_SPEC,
     .words = format_words, .strategy = "list", .form = "csv, tsv, jsonl or text",
     .example = "csv",
     .help = "list: the format of FILE; by default its name's ending says it."},
    {JOB(discover_options), .name = "discover.key", .type = OPTION_TEXT, .class = CLASS_SPEC,
     .strategy = "list exec", .form = "the name of a column", .example = "id",
     .help = "list, exec: the column (csv, tsv) or member (jsonl, exec) that is the item's key."},
    {JOB(stages), .name = "stages", .type = OPTION_NAMES, .class = CLASS_SPEC,
     .form = "names divided by blanks, like: fetch parse store", .example = "fetch",
     .help = "The stages in order; each has a section [stage JOB.NAME]. A job without this key\n"
             "has one stage, named after the job, whose handler may stand in the job's section."},
    {JOB(priority), .name = "priority", .type = OPTION_INT, .class = CLASS_TUNING,
     .preset = "0", .min = -1000000, .max = 1000000,
     .form = "a whole number from -1000000 to 1000000",
     .help = "Priority of the job's items; higher comes first."},
    {JOB(ageing_ms), .name = "ageing", .type = OPTION_DURATION, .class = CLASS_TUNING,
     .preset = "1h", .min = 0, .max = DAYS(7), .form = "a duration like 1h",
     .help = "So much waiting is worth one point of priority."},
    {JOB(max_depth), .name = "max_depth", .type = OPTION_INT, .class = CLASS_TUNING,
     .preset = "32", .min = 0, .max = 1000000, .form = "a whole number like 32",
     .help = "How far spawning may go: items added by stint add have depth 0, what they spawn has\n"
             "1, and so on. An attempt that spawns deeper fails. 0: nothing is spawned."},
    {JOB(max_spawn), .name = "max_spawn", .type = OPTION_INT, .class = CLASS_TUNING,
     .preset = "100000", .min = 0, .max = 1000000000, .form = "a whole number like 100000",
     .help = "So many items may one attempt spawn; an attempt that spawns more fails."},
    {JOB(merge), .name = "merge", .type = OPTION_ENUM, .class = CLASS_TUNING,
     .preset = "overwrite", .words = merge_words, .form = "overwrite or keep",
     .help = "What becomes of an item's data when it is added again."},
    {JOB(on_change), .name = "on_change", .type = OPTION_ENUM, .class = CLASS_TUNING,
     .preset = "keep", .words = on_change_words, .form = "keep or rerun",
     .help = "Whether an item that is done runs again when an add changes its data."},

    {STAGE(name), .name = "use", .type = OPTION_TEMPLATE, .class = CLASS_SPEC,
     .form = "the name of a [template] section", .example = "example",
     .help = "The template whose lines stand before the section's own."},
    {STAGE(handler), .name = "handler", .type = OPTION_HANDLER, .class = CLASS_SPEC,
     .form = "exec PROGRAM ARGS, resident PROGRAM ARGS, plugin FILE.so, shell COMMAND, or builtin "
             "noop, sleep DURATION or fail TEXT",
     .example = "exec ./fetch.sh",
     .help = "The program that does the work: exec PROGRAM ARGS (a process an attempt), resident\n"
             "PROGRAM ARGS (one process that serves many), plugin FILE.so (a C shared object, in\n"
             "a process of its own), shell COMMAND, or builtin noop, sleep DURATION or fail TEXT.\n"
             "It starts in this file's directory; docs/handlers.md is what it is told and says."},
    {STAGE(version), .name = "version", .type = OPTION_VERSION, .class = CLASS_SPEC,
     .form = "a text of at most 128 characters", .example = "1",
     .help = "The handler's version; results remember the one that made them."},
    {STAGE(env), .name = "env.NAME", .type = OPTION_ENV, .class = CLASS_TUNING,
     .is_for_next = true,
     .form = "a text, or a secret: @file:PATH or @cred:NAME", .example = "@file:keys/api",
     .help = "A variable of the handler's environment. @file:PATH is read from a file that only\n"
             "its owner may read, @cred:NAME from systemd's credentials; neither is ever shown.\n"
             "Any other text that begins with @ is written with two: @@NAME. What a handler\n"
             "itself prints is kept and shown as it is, in results, errors and the tail of its\n"
             "stderr: it must not print its secrets."},
    {STAGE(tuning.resources), .name = "resource", .type = OPTION_RESOURCES,
     .class = CLASS_TUNING, .form = "names of [resource] sections divided by blanks, or none",
     .example = "example",
     .help = "What paces its attempts: each takes a token of every resource named, of at most 8.\n"
             "none: of no resource, whatever the job says."},
    {STAGE(tuning.timeout_ms), .name = "timeout", .type = OPTION_DURATION, .class = CLASS_TUNING,
     .is_for_next = true, .preset = "30m", .min = 1, .max = DAYS(365),
     .form = "a duration like 30s or 5m",
     .help = "An attempt is ended after so long."},
    {STAGE(tuning.grace_ms), .name = "grace", .type = OPTION_DURATION, .class = CLASS_TUNING,
     .is_for_next = true, .preset = "5s", .min = 0, .max = HOURS(1),
     .form = "a duration like 5s",
     .help = "The time between SIGTERM and SIGKILL."},
    {STAGE(tuning.max_attempts), .name = "max_attempts", .type = OPTION_INT,
     .class = CLASS_TUNING, .preset = "5", .min = 1, .max = 1000000,
     .form = "a whole number of at least 1",
     .help = "After so many failed attempts an item is exhausted."},
    {STAGE(tuning.backoff_base_ms), .name = "backoff", .type = OPTION_DURATIONS,
     .class = CLASS_TUNING, .preset = "60s..1h", .min = 0, .max = DAYS(365),
     .form = "BASE or BASE..MAX, like 60s or 60s..1h",
     .help = "The wait before the second attempt, and the longest one (1h if only BASE is given)."},
    {STAGE(tuning.backoff_factor), .name = "backoff_factor", .type = OPTION_FACTOR,
     .class = CLASS_TUNING, .preset = "2", .min = 1, .max = 100,
     .form = "a number from 1 to 100, like 2 or 1.5",
     .help = "Each further wait is so many times longer."},
    {STAGE(tuning.jitter_pct), .name = "jitter", .type = OPTION_PERCENT, .class = CLASS_TUNING,
     .preset = "30%", .form = "a percentage like 30%",
     .help = "Up to so much is added to each wait at random."},
    {STAGE(tuning.stderr_tail_bytes), .name = "stderr_tail", .type = OPTION_SIZE,
     .class = CLASS_TUNING, .is_for_next = true,
     .preset = "4K", .min = 0, .max = 65536,
     .form = "a size of at most 64K, like 4K",
     .help = "So much of the end of stderr, and of stdout, is kept with a failed attempt."},
    {STAGE(tuning.output_size_bytes), .name = "output_size", .type = OPTION_SIZE,
     .class = CLASS_TUNING, .is_for_next = true,
     .preset = "1M", .min = 1, .max = INT64_C(64) << 20,
     .form = "a size of at most 64M, like 1M",
     .help = "The longest result that a handler may write to stdout."},
    {STAGE(tuning.cpu_ms), .name = "cpu", .type = OPTION_DURATION, .class = CLASS_TUNING,
     .is_for_next = true, .has_none = true, .preset = "none", .min = 1000, .max = DAYS(365),
     .form = "a duration of at least 1s, like 10s, or none",
     .help = "The processor time that a process of the handler may use, in whole seconds: then it\n"
             "gets SIGXCPU, and SIGKILL a little later. The attempt is retried."},
    {STAGE(tuning.memory_bytes), .name = "memory", .type = OPTION_SIZE, .class = CLASS_TUNING,
     .is_for_next = true, .has_none = true, .preset = "none",
     .min = INT64_C(1) << 20, .max = INT64_C(1) << 42, .form = "a size like 512M, or none",
     .help = "What the handler and all it starts may use together, where the pool has a control\n"
             "group of its own with the memory controller; else the address space of each process\n"
             "(RLIMIT_AS). stint doctor says which holds."},
    {STAGE(tuning.open_files), .name = "open_files", .type = OPTION_INT, .class = CLASS_TUNING,
     .is_for_next = true, .has_none = true, .preset = "none", .min = 8, .max = 1048576,
     .form = "a whole number of at least 8, or none",
     .help = "So many descriptors may a process of the handler have open."},
    {STAGE(tuning.file_size_bytes), .name = "file_size", .type = OPTION_SIZE,
     .class = CLASS_TUNING, .is_for_next = true, .has_none = true, .preset = "none",
     .min = 1, .max = INT64_C(1) << 50, .form = "a size like 100M, or none",
     .help = "The largest file that a process of the handler may write: then it gets SIGXFSZ."},
    {STAGE(tuning.nice), .name = "nice", .type = OPTION_INT, .class = CLASS_TUNING,
     .is_for_next = true, .preset = "0", .min = 0, .max = 19,
     .form = "a whole number from 0 to 19",
     .help = "The handler gets so much less of a busy processor: is added to the pool's own nice."},
    {STAGE(tuning.user), .name = "user", .type = OPTION_USER, .class = CLASS_TUNING,
     .is_for_next = true, .has_none = true, .preset = "none",
     .form = "the name of a user, or none",
     .help = "Whose rights the handler has, with its groups; only where the pool runs as root.\n"
             "The user must not be able to open the database."},
    {STAGE(tuning.on_worker_death), .name = "on_worker_death", .type = OPTION_ENUM,
     .class = CLASS_TUNING, .preset = "requeue", .words = on_death_words,
     .form = "requeue or fail",
     .help = "What becomes of an item whose worker died while it ran."},
    {STAGE(tuning.exits), .name = "exit.N", .type = OPTION_EXIT, .class = CLASS_TUNING,
     .form = "done, retry, snooze and a duration, fail, skip or pause",
     .example = "snooze 10m",
     .help = "What exit status N (0 to 255) of an exec handler means, instead of the table in\n"
             "docs/handlers.md: done, retry, snooze 10m (again after so long, no attempt is\n"
             "counted), fail, skip, or pause (of the stage)."},
    {STAGE(tuning.permanent), .name = "permanent", .type = OPTION_PATTERN,
     .class = CLASS_TUNING, .has_none = true, .preset = "none",
     .form = "an extended regular expression, or none",
     .help = "An error whose text it matches is for good: the attempt fails, whatever the handler\n"
             "says. Wins over transient."},
    {STAGE(tuning.transient), .name = "transient", .type = OPTION_PATTERN,
     .class = CLASS_TUNING, .has_none = true, .preset = "none",
     .form = "an extended regular expression, or none",
     .help = "An error whose text it matches will pass: the attempt is retried, whatever the\n"
             "handler says."},
    {STAGE(tuning.retryable), .name = "retryable", .type = OPTION_ENUM, .class = CLASS_TUNING,
     .preset = "yes", .words = retryable_words, .form = "yes or no",
     .help = "no: what would be retried (also after a timeout or a signal) has failed, for work\n"
             "that must not be begun twice."},
    {STAGE(tuning.concurrency), .name = "concurrency", .type = OPTION_INT, .class = CLASS_TUNING,
     .preset = "1", .min = 1, .max = RUNS_MAX, .form = "a whole number from 1 to 1000",
     .help = "resident, plugin: so many calls one process of it has in flight, answered in any\n"
             "order."},
    {STAGE(tuning.batch), .name = "batch", .type = OPTION_INT, .class = CLASS_TUNING,
     .preset = "1", .min = 1, .max = RUNS_MAX, .form = "a whole number from 1 to 1000",
     .help = "All but builtin: so many items come in one request (from 2 on, as its \"items\"),\n"
             "each with an outcome message of its own: what exec prints is no result then.\n"
             "concurrency times batch is at most 1000."},
    {STAGE(tuning.max_claim), .name = "max_claim", .type = OPTION_INT, .class = CLASS_TUNING,
     .has_none = true, .preset = "none", .min = 1, .max = RUNS_MAX,
     .form = "a whole number from 1 to 1000, or none",
     .help = "So many runs does a worker claim at once. It bounds a batch, and what is claimed\n"
             "ahead of the work; calls in flight are filled up by several claims. 1: nothing is\n"
             "claimed ahead. none: as many as have a place, and of what is quick so many that\n"
             "they share a commit: at most what is done within 50 ms."},
    {STAGE(tuning.start_timeout_ms), .name = "start_timeout", .type = OPTION_DURATION,
     .class = CLASS_TUNING, .preset = "30s", .min = 1, .max = HOURS(1),
     .form = "a duration like 30s",
     .help = "A resident must have said hello after so long, else the stage is paused."},
    {STAGE(tuning.resident_idle_ms), .name = "resident_idle", .type = OPTION_DURATION,
     .class = CLASS_TUNING, .preset = "5m", .min = 0, .max = DAYS(365),
     .form = "a duration like 5m",
     .help = "A resident that had nothing to do for so long is ended."},
    {STAGE(tuning.max_requests), .name = "max_requests", .type = OPTION_INT,
     .class = CLASS_TUNING, .preset = "0", .min = 0, .max = INT64_C(1) << 53,
     .form = "a whole number; 0: no bound",
     .help = "A resident is replaced after so many requests; 0: never."},
    {STAGE(tuning.max_memory_bytes), .name = "max_memory", .type = OPTION_SIZE,
     .class = CLASS_TUNING, .preset = "0", .min = 0, .max = INT64_C(1) << 50,
     .form = "a size like 512M; 0: no bound",
     .help = "A resident whose processes take more memory is replaced when it has nothing in\n"
             "flight; 0: never. It is no limit, but a cure for leaks."},
};
/* clang-format on */

const size_t options_len = sizeof(options) / sizeof(options[0]);
