/* store_talk: what a command says on standard error about its store while it works: that another
 * program holds the write lock and who it is, and that root made the database for somebody else. It
 * stands between the store and the hooks that the command itself has (cli->hooks). One a process.
 */
#ifndef STINT_CLI_STORE_TALK_H
#define STINT_CLI_STORE_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/store.h"

struct cli;

struct store_talk {
    const struct cli *cli;
    int64_t since_mono_ns; /* waits; 0: it does not */
    bool has_told;
};

/* The hooks to open a store with; the talk lives as long as the store. */
void store_talk_hook(struct store_talk *talk, const struct cli *cli, struct store_hooks *ret);

#endif
