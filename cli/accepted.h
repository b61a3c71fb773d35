/* accepted: the configuration that the running pool accepted, beside what the files say now. Used
 * by `reload -n` and `config diff`. Changes nothing. */
#ifndef STINT_CLI_ACCEPTED_H
#define STINT_CLI_ACCEPTED_H

#include "cli/context.h"

/* Where the pool answers: by the files; should they be bad, or name another database by now than
 * the pool has, as pool_ask_of_file. cli->config may be NULL. Caller frees *ret_socket, on success
 * only. */
MUST_CHECK enum rc accepted_find_pool(struct cli *cli, char **ret_socket, struct err *err);

/* Both parsed, the files with the overrides of the pool's environment, not of this shell's. CLI_OK,
 * or says what is wrong. Caller frees both by config_free. */
enum cli_exit accepted_read(
    struct cli *cli, const char *socket, struct config **ret_accepted, struct config **ret_files);

#endif
