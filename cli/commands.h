/* commands: the one table of commands: name, usage, help, flags, function, needs. It is the truth
 * for dispatch and help now, for completion and man pages later. Each command is one file
 * cmd_NAME.c with one function; main.c makes ready what the row needs and calls it. */
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
};

enum command_group { GROUP_START, GROUP_WORK, GROUP_LOOK, GROUP_OPERATE, GROUP_COUNT };

struct command {
    const char *name;
    enum command_group group;
    const char *usage;        /* the arguments; a second form after \n */
    const char *help;         /* one line */
    const char *text;         /* more for --help: what to know, examples; NULL */
    const struct flag *flags; /* NULL: none of its own */
    size_t words_min, words_max;
    unsigned needs; /* enum command_need */
    enum cli_exit (*run)(struct cli *cli);
};

#define WORDS_ANY ((size_t)-1)

extern const struct command commands[];
extern const size_t commands_len;
extern const struct flag global_flags[];
extern const char *const group_titles[GROUP_COUNT];

const struct command *command_find(const char *name); /* or NULL */
const char *command_nearest(const char *name);        /* or NULL */

enum cli_exit cmd_init(struct cli *cli);
enum cli_exit cmd_check(struct cli *cli);
enum cli_exit cmd_run(struct cli *cli);
enum cli_exit cmd_add(struct cli *cli);
enum cli_exit cmd_discover(struct cli *cli);
enum cli_exit cmd_wait(struct cli *cli);
enum cli_exit cmd_status(struct cli *cli);
enum cli_exit cmd_results(struct cli *cli);
enum cli_exit cmd_events(struct cli *cli);
enum cli_exit cmd_workers(struct cli *cli);
enum cli_exit cmd_stop(struct cli *cli);
enum cli_exit cmd_help(struct cli *cli);
enum cli_exit cmd_version(struct cli *cli);

/* The help of one command, or of all (NULL); cmd_help.c. */
void help_write(struct buf *out, const struct command *command);

#endif
