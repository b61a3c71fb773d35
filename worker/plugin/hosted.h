/* hosted: one run as the plugin sees it: the members of its request, and the functions of struct
 * stint_host, each of which says a message. Used by main.c. What a plugin says wrongly ends its run
 * as failed, with the reason, and never breaks the protocol.
 */
#ifndef STINT_PLUGIN_HOSTED_H
#define STINT_PLUGIN_HOSTED_H

#include <stdbool.h>

#include "include/stint-plugin.h"
#include "worker/plugin/wire.h"

struct hosted {
    struct stint_run shown; /* first: what the plugin has a pointer to */
    struct wire *wire;
    int64_t id;
    bool is_batch, has_outcome;
    char *item;  /* its members; those that it has not are the request's */
    char **kept; /* texts that live as long as the run */
    size_t kept_len, kept_cap;
};

/* item: the text of an element of a batch; NULL: the request is about one. Borrows the request. */
void hosted_init(struct hosted *h, struct wire *wire, const struct ask *ask, const char *item);
void hosted_fini(struct hosted *h);
/* {"type":"hello"…}; RC_PROTO: the version cannot be said. */
MUST_CHECK enum rc hosted_hello(struct wire *wire, const char *version, struct err *err);

#endif
