/* reload_show: what a reload did, or would do, in words and as JSON. Used by cmd_reload.c, and by
 * cmd_status.c for one that was refused. Asks nobody. */
#ifndef STINT_CLI_RELOAD_SHOW_H
#define STINT_CLI_RELOAD_SHOW_H

#include "cli/context.h"

/* outcome: the pool's answer to "reload" (common/ipc/control.h). */
bool reload_is_accepted(const json_t *outcome);
void reload_write_json(json_t *outcome);
void reload_say(struct cli *cli, const json_t *outcome);
/* -n: what differs, and what the pool would make of it. */
enum cli_exit reload_say_changes(
    struct cli *cli, const struct config *accepted, const struct config *files);
/* `config diff`: the same, by what a reload would do with it. */
void reload_say_diff(struct cli *cli, const struct config *accepted, const struct config *files);
bool reload_is_refused(const struct cli *cli); /* the newest, as the pool's status says */
/* Lines for `status`, when the newest reload was refused or is under way; else nothing. */
void reload_add_note(const struct cli *cli, struct buf *out);

#endif
