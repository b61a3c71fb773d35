/* context: what every command needs, made ready by main.c as the command's row asks for it: the
 * configuration (the running pool's, else the files'), the pool's answer to "status", the store and
 * the catalog; and the one way to say something. One a process. Starts no program and adds no item.
 */
#ifndef STINT_CLI_CONTEXT_H
#define STINT_CLI_CONTEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "cli/store_talk.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/config/config.h"
#include "common/config/source.h"
#include "common/ipc/home.h"
#include "common/store/catalog.h"
#include "common/store/store.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NO_POOL = 3,
    CLI_NO_MATCH = 5,
    CLI_BUSY = 75,
    CLI_BAD_CONFIG = 78,
};

enum pool_presence {
    POOL_ABSENT,  /* nobody answers on its socket */
    POOL_RUNNING, /* it answered: `pool` is what it said */
    POOL_SILENT,  /* somebody holds the socket, but does not answer */
};

struct cli {
    const struct args *args;
    const char *conf;
    bool has_own_conf; /* named by -c */
    bool is_json, is_quiet, is_verbose;
    bool has_color, has_err_color; /* on standard output, standard error */
    bool is_terminal;              /* standard error is one */
    size_t width;                  /* of standard output, 0: no terminal */
    size_t err_width;

    bool is_brief;       /* asks the pool for its configuration only, which saves a round trip */
    size_t problems_len; /* how many there are in the files, be they told or not */
    struct config_sources sources;
    struct config *config;
    enum pool_presence presence;
    json_t *pool; /* the answer to "status"; NULL unless POOL_RUNNING, or with is_brief */
    /* Which file the pool has open (common/ipc/home.h); "": it did not say. */
    char pool_file[HOME_TEXT_MAX];
    struct store_hooks hooks; /* the command's own; told of all that happens in the store */
    struct store_talk talk;
    struct store *store;
    struct catalog *catalog;
};

void cli_init(struct cli *cli, const struct args *args);
void cli_fini(struct cli *cli);

/* Reads and parses the files; what is wrong goes to problems, a line each (config is NULL then). */
void cli_parse_files(struct cli *cli, struct buf *problems);
enum cli_exit cli_say_problems(const struct cli *cli, const struct buf *problems);

/* Asks who answers on this socket, and takes over the configuration that it accepted. */
MUST_CHECK enum rc cli_take_pool(struct cli *cli, const char *socket, struct err *err);

/* Each returns CLI_OK, or says what is wrong and returns the exit code. */
enum cli_exit cli_read_files(struct cli *cli);  /* sources and config from the files */
enum cli_exit cli_find_config(struct cli *cli); /* the pool's if one runs, else the files' */
/* Opens for reading if there is a database; store stays NULL if not. */
enum cli_exit cli_open_read(struct cli *cli);
/* For those who follow: waits while the pool is starting, opens then; no database is an error. */
enum cli_exit cli_await_store(struct cli *cli, int64_t deadline_mono_ns);
/* Opens for writing with the catalog; without a pool: creates, migrates and syncs first. */
enum cli_exit cli_open_write(struct cli *cli);

/* Talk, on standard error: cli_fail ("stint: …") returns code; cli_say is silent with -q. */
enum cli_exit cli_fail(enum cli_exit code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cli_say(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The exit code for a failed call, after saying err's text. */
enum cli_exit cli_fail_rc(enum rc rc, const struct err *err);

/* The job of this name in the configuration; NULL: said why not, and what is near. */
const struct job_spec *cli_job(const struct cli *cli, const char *name);

/* Without a pool nobody else checkpoints: when the WAL has grown, do it here. */
void cli_checkpoint(struct cli *cli);

/* Data, on standard output; what a terminal would obey or hide in JSON is escaped for it. */
void cli_print(const struct buf *text);

#endif
