/* pool: talking with the running pool over its control socket: is there one, what does it say, wake
 * it. Used by context.c and the commands; what its answers hold stands in common/ipc/control.h.
 * Starts no pool. */
#ifndef STINT_CLI_POOL_H
#define STINT_CLI_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/context.h"

#define POOL_TIMEOUT_MS 3000

struct pool_question {
    const char *text;   /* a request of control.h */
    int64_t timeout_ms; /* 0: POOL_TIMEOUT_MS */
};

/* Whatever this program asks a pool, it asks here. While the socket is not there (somebody removed
 * it; the supervisor makes it again), by the name that the pool has of its file: the pool that
 * answered before, or the one with the database of cli->config. RC_NOTFOUND: nobody answers. */
MUST_CHECK enum rc pool_ask(const struct cli *cli, const char *socket,
    const struct pool_question *question, struct buf *payload, struct err *err);
/* Fills cli->presence, cli->pool and cli->pool_file. RC_NOTFOUND: nobody answers on this socket. */
MUST_CHECK enum rc pool_ask_status(struct cli *cli, const char *socket, struct err *err);
/* The configuration that it accepted, and cli->pool_file. The caller frees both, sources on an
 * error too. RC_PROTO: it cannot be read. */
MUST_CHECK enum rc pool_ask_config(struct cli *cli, const char *socket,
    struct config_sources *ret_sources, struct config **ret_config, struct err *err);
/* As pool_ask_status, of the pool that was started from this very file (cli->conf): where [pool]
 * puts its socket, even if the files are bad by now; by the socket beside the file, which may name
 * another by now; by the name that it has of its file. Caller frees *ret_socket. */
MUST_CHECK enum rc pool_ask_of_file(struct cli *cli, char **ret_socket, struct err *err);
/* Of this file runs a pool of a user whom we do not believe as we are: says so, and what to type.
 */
void pool_mention_other(const struct cli *cli);
/* CLI_OK unless a running pool has another file open than the one at the database's path now (it
 * was removed or replaced under it): says so. ret_text, if not NULL, gets it instead. */
enum cli_exit pool_check_file(struct cli *cli, struct err *ret_text);
bool pool_is_starting(const struct cli *cli); /* its last answer said so */
/* CLI_OK when one runs; else says so and returns CLI_NO_POOL, or CLI_FAILED when it does not answer
 * this user, or lives and cannot be reached. */
enum cli_exit cli_need_pool(struct cli *cli);
/* What a question to a pool that answered before came to, in words: it may have ended meanwhile. */
enum cli_exit pool_fail(struct cli *cli, enum rc rc, const struct err *err);

/* A member of the pool's answer; NULL or fallback when it is not there. */
const char *pool_text(const struct cli *cli, const char *member);
int64_t pool_number(const struct cli *cli, const char *member, int64_t fallback);

/* Asks the pool; RC_NOTFOUND: none. */
MUST_CHECK enum rc cli_ask(
    const struct cli *cli, const char *request, struct buf *payload, struct err *err);
/* The next object of an answer that has one a line; *rest moves behind it. NULL: there is none, or,
 * if **rest is not NUL, what stands there is none. Caller drops its reference. */
json_t *pool_next_object(const char **rest);
/* Exit status of an answer that ended so, after saying what is wrong with it. */
enum cli_exit pool_end_of_answer(const char *rest);
/* Work was added: wakes up to n idle workers, if a pool runs. */
void cli_wake(const struct cli *cli, int64_t n);
/* "no pool is running: start one with stint run", when that is so. */
void cli_mention_no_pool(const struct cli *cli);

#endif
