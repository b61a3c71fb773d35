/* reload: from SIGHUP, or the request `reload`, to a configuration in force or a refusal that is
 * remembered. Whole or not at all: read, parse, compare; write it into the half of the box that is
 * not in force; have the keeper make it the database's; only then is it the pool's. One at a time;
 * whatever is asked for meanwhile is one more. In stintd only; allocates while a reload is under
 * way.
 *
 *   asked ──► begun ─┬─ bad, or needs a restart ─────────► refused
 *                    ├─ nothing differs ─────────────────► accepted
 *                    └─ pending (ordered, repeated) ─┬─ the keeper says no ──► refused
 *                                                    └─ committed ───────────► accepted */
#ifndef STINT_SUPERVISOR_RELOAD_H
#define STINT_SUPERVISOR_RELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/config/changes.h"
#include "common/config/config.h"
#include "common/ipc/config_box.h"

enum reload_state { RELOAD_NEVER, RELOAD_PENDING, RELOAD_ACCEPTED, RELOAD_REFUSED };

struct reload {
    enum reload_state state; /* of the newest that was begun */
    int64_t at_wall_ms;      /* since when */
    /* Numbers of reloads: asked > begun: one is to come; begun > over: one is under way. */
    uint64_t asked, begun, over;
    struct config *config; /* what is proposed, while it is pending; else NULL */
    struct config_stamp in_force, proposed;
    struct config_stamp newest; /* ever given to a proposal: refused ones are not used again */
    struct changes_summary changes;
    struct buf lines; /* refused: its problems; else its changes; one a line */
    size_t lines_len;
    struct buf
        warnings; /* of the newest that was accepted: handlers that cannot be run; one a line */
    void (*on_over)(void *arg); /* for those who wait; may be NULL */
    void *on_over_arg;
};

struct pool;
struct order;

void reload_init(struct reload *reload);
void reload_fini(struct reload *reload);
/* Asks for one that begins after this call; returns its number. */
uint64_t reload_ask(struct pool *pool);
static inline bool reload_is_over(const struct reload *reload, uint64_t number)
{
    return reload->over >= number;
}
const char *reload_state_name(enum reload_state state);
/* With each review: begins what was asked for, when its time has come. */
void reload_review(struct pool *pool);
/* The keeper's answer: committed, or why not. Of another proposal: dropped. */
void reload_answered(struct pool *pool, const struct order *order);

#endif
