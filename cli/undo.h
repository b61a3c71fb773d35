/* undo: which command takes back exactly what retry or cancel did, if one does. It looks before the
 * act: an undo by status is exact where nothing of that status was there. Used by acting.c. */
#ifndef STINT_CLI_UNDO_H
#define STINT_CLI_UNDO_H

#include "cli/filtering.h"
#include "common/store/select.h"

struct undo_words {
    const char *lead, *command;
    const char *statuses; /* that the act leads to, as in a filter */
    const char *event;    /* that tells of each one */
};

struct undo {
    const struct undo_words *words;
    struct buf text;          /* the filter, but for its words about what the act changes */
    struct filter filter;     /* and with the statuses */
    struct selection *before; /* marked: there were some */
    bool is_unknown;          /* too many to look at */
};
#define UNDO_INIT                                                                                  \
    {                                                                                              \
        .text = BUF_INIT, .filter = FILTER_INIT                                                    \
    }

/* Before the act. Finish by undo_fini in any case. */
MUST_CHECK enum rc undo_look(struct undo *u, struct store *store, const struct filtering *f,
    const struct undo_words *words, struct err *err);
void undo_fini(struct undo *u);
/* After it: the command, or that there is none. `acted`: what was marked by the act. */
void undo_say(const struct undo *u, const struct cli *cli, struct selection *acted);

#endif
