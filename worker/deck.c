#include "worker/deck.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

void deck_fini(struct deck *d)
{
    for (size_t i = 0; i < d->len; i++) {
        attempt_fini(d->list[i]);
        free(d->list[i]);
    }
    free(d->list);
    *d = (struct deck){.list = NULL};
}

struct attempt *deck_add(struct deck *d, struct run *run, const struct catalog_stage *stage)
{
    if (d->len == d->cap) {
        d->cap = d->cap > 0 ? d->cap * 2 : 8;
        d->list = xrealloc(d->list, d->cap * sizeof(struct attempt *));
    }
    struct attempt *a = xcalloc(1, sizeof(*a));
    attempt_init(a, run, stage);
    d->list[d->len++] = a;
    d->counts[ATTEMPT_CLAIMED]++;
    return a;
}

static void step(struct deck *d, struct attempt *a, enum attempt_state to)
{
    assert(to > a->state);
    d->counts[a->state]--;
    d->counts[to]++;
    a->state = to;
    if (to == ATTEMPT_CONCLUDED && d->concluded_mono_ns == 0)
        d->concluded_mono_ns = clock_mono_ns();
}

void deck_start(struct deck *d, struct attempt *a)
{
    a->started_mono_ns = clock_mono_ns();
    step(d, a, ATTEMPT_RUNNING);
}

struct attempt **deck_start_call(struct deck *d, size_t max, size_t *ret_len)
{
    struct attempt **items = xcalloc(max, sizeof(struct attempt *));
    struct attempt *a;
    bool is_alone = false;
    size_t n = 0;
    while (!is_alone && n < max && (a = deck_first(d, ATTEMPT_CLAIMED)) != NULL) {
        is_alone = a->run.state.is_suspect;
        if (n > 0 && is_alone)
            break;
        deck_start(d, a);
        items[n++] = a;
    }
    *ret_len = n;
    return items;
}

void deck_conclude(struct deck *d, struct attempt *a, enum end_cause cause)
{
    attempt_conclude(a, cause);
    step(d, a, ATTEMPT_CONCLUDED);
}

void deck_concluded(struct deck *d, struct attempt *a)
{
    assert(a->has_outcome);
    step(d, a, ATTEMPT_CONCLUDED);
}

struct attempt *deck_first(const struct deck *d, enum attempt_state state)
{
    for (size_t i = 0; d->counts[state] > 0 && i < d->len; i++)
        if (d->list[i]->state == state)
            return d->list[i];
    return NULL;
}

void deck_give_back(struct deck *d)
{
    struct attempt *a;
    while ((a = deck_first(d, ATTEMPT_CLAIMED)) != NULL)
        deck_conclude(d, a, END_STOPPED);
}

void deck_drop_handed_over(struct deck *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->len; i++) {
        struct attempt *a = d->list[i];
        if (a->state != ATTEMPT_CONCLUDED || a->is_held_back) {
            d->list[kept++] = a;
            continue;
        }
        d->counts[ATTEMPT_CONCLUDED]--;
        attempt_fini(a);
        free(a);
    }
    d->len = kept;
    d->concluded_mono_ns = d->counts[ATTEMPT_CONCLUDED] > 0 ? clock_mono_ns() : 0;
}
