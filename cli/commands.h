/* commands: the one table of commands: name, usage, help, flags, words, function, needs. It is the
 * truth for dispatch, help, completion and the man page. Each command is one file cmd_NAME.c with
 * its row and one function; main.c makes ready what the row needs and calls it. To add one: write
 * its file, declare its row here, name it in commands.c. */
#ifndef STINT_CLI_COMMANDS_H
#define STINT_CLI_COMMANDS_H

#include <stddef.h>

#include "cli/context.h"
#include "cli/options.h"

/* What is made ready before the function is called. */
enum command_need {
    NEED_FILES = 1,  /* the configuration files, whatever a pool accepted */
    NEED_CONFIG = 2, /* the accepted configuration: the pool's, else the files' */
    NEED_POOL = 4,   /* a running pool, else exit 3 */
    NEED_READ = 8,   /* the store, if there is one */
    NEED_WRITE = 16, /* the store and the catalog, created when missing */
    NEED_BRIEF = 32, /* with NEED_CONFIG: what the pool says of itself is of no interest */
};

enum command_group {
    GROUP_START,
    GROUP_WORK,
    GROUP_LOOK,
    GROUP_ACT,
    GROUP_OPERATE,
    GROUP_COUNT,
};

#define COMMAND_WORDS 2

struct command {
    const char *name; /* of a sub-command with its command: "db check" */
    enum command_group group;
    const char *usage;        /* the arguments; a second form after \n; "": none */
    const char *help;         /* one line */
    const char *text;         /* more for --help and the man page: paragraphs, examples; or NULL */
    const struct flag *flags; /* NULL: none of its own */
    enum word_kind words[COMMAND_WORDS]; /* of the arguments, for completion; the second repeats */
    size_t words_min, words_max;
    unsigned needs; /* enum command_need */
    enum cli_exit (*run)(struct cli *cli);
    const char *alias;          /* another name; or NULL */
    const struct command *subs; /* sub-commands: then it has no run of its own */
    size_t subs_len;
};

#define WORDS_ANY ((size_t)-1)

/* Flags that several commands have, alike. */
#define FLAG_DRY_RUN                                                                               \
    {                                                                                              \
        .name = "dry-run", .letter = 'n', .type = FLAG_BOOL,                                       \
        .help = "say what would change, change nothing"                                            \
    }
#define FLAG_YES                                                                                   \
    {                                                                                              \
        .name = "yes", .letter = 'y', .type = FLAG_BOOL, .help = "do not ask"                      \
    }
#define LIMIT_MAX 1000000000 /* of every --limit */

extern const struct command *const commands[];
extern const size_t commands_len;
extern const struct flag global_flags[];
extern const char *const group_titles[GROUP_COUNT];

const struct command *command_find(const char *name);     /* or NULL */
bool command_takes_filter(const struct command *command); /* NULL: no */
const char *command_nearest(const char *name);            /* or NULL */
/* A sub-command by its own word; of its word alone ("check" of "db check"). */
const struct command *command_sub(const struct command *command, const char *word); /* or NULL */
const char *command_sub_nearest(const struct command *command, const char *word);   /* or NULL */
const char *command_word(const struct command *sub);

extern const struct command command_init;
extern const struct command command_check;
extern const struct command command_handler_check;
extern const struct command command_try;
extern const struct command command_run;
extern const struct command command_add;
extern const struct command command_discover;
extern const struct command command_results;
extern const struct command command_wait;
extern const struct command command_status;
extern const struct command command_ls;
extern const struct command command_show;
extern const struct command command_events;
extern const struct command command_logs;
extern const struct command command_workers;
extern const struct command command_resources;
extern const struct command command_retry;
extern const struct command command_cancel;
extern const struct command command_pause;
extern const struct command command_resume;
extern const struct command command_reload;
extern const struct command command_stop;
extern const struct command command_doctor;
extern const struct command command_db;
extern const struct command command_config;
extern const struct command command_reload, command_stop, command_help, command_version;
extern const struct command command_completion;
extern const struct command command_help;
extern const struct command command_version;

/* The help of one command, or of all (NULL); cmd_help.c. */
void help_write(struct buf *out, const struct command *command);

#endif
