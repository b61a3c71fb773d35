#include "cli/commands.h"

#include <string.h>

#include "common/base/text.h"

#define LIMIT_MAX 1000000000

static const char *const color_words[] = {"auto", "always", "never", NULL};
static const char *const input_words[] = {"jsonl", "csv", "tsv", "text", NULL};
static const char *const output_words[] = {"table", "ndjson", "csv", NULL};

const char *const group_titles[GROUP_COUNT] = {
    [GROUP_START] = "start",
    [GROUP_WORK] = "work",
    [GROUP_LOOK] = "look",
    [GROUP_OPERATE] = "operate",
};

const struct flag global_flags[] = {
    {.name = "config",
        .letter = 'c',
        .type = FLAG_TEXT,
        .value = "CONF",
        .help = "the configuration (default: ./stint.conf, then /etc/stint/stint.conf)"},
    {.name = "json", .type = FLAG_BOOL, .help = "JSON on standard output; lists as NDJSON"},
    {.name = "quiet", .letter = 'q', .type = FLAG_BOOL, .help = "no talk, only data and errors"},
    {.name = "verbose", .letter = 'v', .type = FLAG_BOOL, .help = "more talk"},
    {.name = "color",
        .type = FLAG_WORD,
        .value = "WHEN",
        .words = color_words,
        .help = "auto, always or never"},
    {.name = "help", .letter = 'h', .type = FLAG_BOOL, .help = "this help"},
    {.name = "version", .type = FLAG_BOOL, .help = "the version"},
    {.name = NULL},
};

static const struct flag run_flags[] = {
    {.name = "drain",
        .type = FLAG_BOOL,
        .help = "end when everything is at rest: 0 if all is done or skipped, else 1"},
    {.name = "workers",
        .type = FLAG_INT,
        .value = "N",
        .min = 1,
        .max = 512,
        .help = "so many workers, whatever [pool] says"},
    {.name = NULL},
};

static const struct flag add_flags[] = {
    {.name = "data",
        .type = FLAG_TEXT,
        .value = "JSON|@FILE|-",
        .help = "the data of every KEY given; - reads it from standard input"},
    {.name = "priority",
        .type = FLAG_INT,
        .value = "N",
        .min = -PRIORITY_MAX,
        .max = PRIORITY_MAX,
        .help = "higher goes first (default: the job's)"},
    {.name = "retry", .type = FLAG_BOOL, .help = "reopen what is failed, exhausted or cancelled"},
    {.name = "from", .type = FLAG_TEXT, .value = "FILE|-", .help = "items from a file or stream"},
    {.name = "format",
        .type = FLAG_WORD,
        .value = "WORD",
        .words = input_words,
        .help = "jsonl, csv, tsv or text (default: by the file's ending, else by its first byte)"},
    {.name = "dry-run",
        .letter = 'n',
        .type = FLAG_BOOL,
        .help = "say what would change, change nothing"},
    {.name = NULL},
};

static const struct flag discover_flags[] = {
    {.name = "dry-run",
        .letter = 'n',
        .type = FLAG_BOOL,
        .help = "say what would be added, add nothing"},
    {.name = "limit",
        .type = FLAG_INT,
        .value = "N",
        .min = 1,
        .max = LIMIT_MAX,
        .help = "stop after N items found"},
    {.name = NULL},
};

static const struct flag wait_flags[] = {
    {.name = "timeout",
        .type = FLAG_DURATION,
        .value = "DURATION",
        .help = "give up after so long, with exit status 1"},
    {.name = NULL},
};

static const struct flag results_flags[] = {
    {.name = "format",
        .type = FLAG_WORD,
        .value = "WORD",
        .words = output_words,
        .help = "table, ndjson or csv"},
    {.name = NULL},
};

static const struct flag events_flags[] = {
    {.name = "event",
        .type = FLAG_TEXT,
        .value = "NAME",
        .help = "only this kind, e.g. attempt.failed"},
    {.name = "limit",
        .type = FLAG_INT,
        .value = "N",
        .min = 1,
        .max = LIMIT_MAX,
        .help = "the newest N (default 50)"},
    {.name = "follow", .letter = 'f', .type = FLAG_BOOL, .help = "go on as events come"},
    {.name = NULL},
};

static const struct flag stop_flags[] = {
    {.name = "now",
        .type = FLAG_BOOL,
        .help = "end what runs at once; it runs again at the next start"},
    {.name = NULL},
};

const struct command commands[] = {
    {"init", GROUP_START, "DIR", "write a small working pipeline to begin with",
        "Writes stint.conf, items.csv and handler.sh, each explained in its own comments.\n"
        "Existing files are never touched.\n\n"
        "  stint init demo && cd demo && stint run\n",
        NULL, 1, 1, 0, cmd_init},
    {"check", GROUP_START, "", "look through the configuration and name all its problems",
        "Reads the files, even when a pool runs, and looks for the programs and lists they name.\n"
        "Exit status 78 if there is any problem; a warning is none.\n",
        NULL, 0, 0, 0, cmd_check},
    {"run", GROUP_START, "[--drain] [--workers N]", "run the pool in the foreground",
        "Ctrl-C stops it when what runs is finished; twice: at once. What was interrupted runs\n"
        "again at the next start.\n\n"
        "  stint run             until stopped\n"
        "  stint run --drain     until all work is at rest\n",
        run_flags, 0, 0, NEED_FILES, cmd_run},
    {"add", GROUP_WORK, "JOB KEY… [--data JSON|@FILE|-]\nJOB --from FILE|-",
        "add items to a job, or bring what is there up to date",
        "Lines of JSON are objects with key, data and priority; without data, all other members\n"
        "are the data. CSV and TSV have a header; its column \"key\" is the key, the others are "
        "the\n"
        "data, as texts. Text has a key a line.\n\n"
        "  stint add news https://example.com/a/9\n"
        "  stint add news --from urls.txt\n"
        "  stint results news --json | jq -c '{key, data: .result}' | stint add prices --from -\n",
        add_flags, 1, WORDS_ANY, NEED_CONFIG, cmd_add},
    {"discover", GROUP_WORK, "JOB [-n] [--limit N]", "find a job's items now", NULL, discover_flags,
        1, 1, NEED_CONFIG, cmd_discover},
    {"results", GROUP_WORK, "JOB [STAGE] [--format table|ndjson|csv]",
        "the results of a job, or of one stage of it",
        "In csv a result that is a JSON string is given as plain text, any other as JSON.\n"
        "Exit status 5 if there is none.\n\n"
        "  stint results demo --format csv > out.csv\n",
        results_flags, 1, 2, NEED_CONFIG | NEED_READ, cmd_results},
    {"wait", GROUP_WORK, "[JOB] [--timeout DURATION]", "wait until a job, or all, is at rest",
        "Exit status 0 when all is done or skipped, 1 if anything rests undone.\n", wait_flags, 0,
        1, NEED_CONFIG | NEED_READ, cmd_wait},
    {"status", GROUP_LOOK, "[JOB]", "how far everything is", "Works without a pool as well.\n",
        NULL, 0, 1, NEED_CONFIG | NEED_READ, cmd_status},
    {"events", GROUP_LOOK, "[--event NAME] [--limit N] [-f]", "what happened, newest last", NULL,
        events_flags, 0, 0, NEED_CONFIG | NEED_READ, cmd_events},
    {"workers", GROUP_LOOK, "", "who works on what", "Exit status 3 if no pool is running.\n", NULL,
        0, 0, NEED_CONFIG | NEED_POOL | NEED_READ, cmd_workers},
    {"stop", GROUP_OPERATE, "[--now]", "stop the pool and wait until it is gone",
        "What runs is finished first; --now gives it back. Exit status 3 if no pool is running.\n",
        stop_flags, 0, 0, NEED_CONFIG | NEED_POOL, cmd_stop},
    {"help", GROUP_OPERATE, "[COMMAND]", "this help, or that of a command", NULL, NULL, 0, 1, 0,
        cmd_help},
    {"version", GROUP_OPERATE, "", "the version", NULL, NULL, 0, 0, 0, cmd_version},
};
const size_t commands_len = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < commands_len; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const char *command_nearest(const char *name)
{
    const char *names[sizeof(commands) / sizeof(commands[0])];
    for (size_t i = 0; i < commands_len; i++)
        names[i] = commands[i].name;
    return text_nearest(name, names, commands_len);
}
