#include "worker/trade.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/log.h"
#include "common/ipc/claim.h"
#include "worker/rooms.h"

#define STORE_PATIENCE_NS (60 * NS_PER_S)
#define RETRY_MIN_NS (20 * NS_PER_MS)
#define RETRY_MAX_NS NS_PER_S

/* How long the database has been failing, and the next pause. */
struct patience {
    int64_t failing_since, wait_ns;
};

/* RC_OK: waited, try again; else it has failed for too long. */
static enum rc be_patient(struct worker *w, struct patience *p, enum rc rc, const struct err *err)
{
    int64_t now = clock_mono_ns();
    if (rc == RC_CORRUPT)
        return rc;
    if (p->failing_since == 0) {
        *p = (struct patience){now, RETRY_MIN_NS};
        log_msg(LOG_LEVEL_ERROR, "worker.database", "%s; trying again", err->text);
    } else if (rc != RC_BUSY && now - p->failing_since > STORE_PATIENCE_NS) {
        return rc;
    }
    life_wait(&w->life, p->wait_ns);
    p->wait_ns = p->wait_ns * 2 < RETRY_MAX_NS ? p->wait_ns * 2 : RETRY_MAX_NS;
    return RC_OK;
}

/* ---- what is handed over ---- */

/* Attempts whose outcomes one exchange hands over. */
struct bundle {
    struct attempt **attempts;
    const struct outcome **outcomes;
    size_t len;
};

static void bundle_fini(struct bundle *b)
{
    free(b->attempts);
    free(b->outcomes);
}

/* What made an exchange fail goes alone, after the others. */
static void collect(struct worker *w, struct bundle *b)
{
    struct deck *d = &w->deck;
    size_t held_back = 0;
    for (size_t i = 0; i < d->len; i++)
        held_back += d->list[i]->state == ATTEMPT_CONCLUDED && d->list[i]->is_held_back;
    bool is_all_held_back = held_back == d->counts[ATTEMPT_CONCLUDED];
    b->len = 0;
    for (size_t i = 0; i < d->len; i++) {
        struct attempt *a = d->list[i];
        if (a->state != ATTEMPT_CONCLUDED || (a->is_held_back && !is_all_held_back))
            continue;
        if (is_all_held_back && b->len == 1)
            break;
        a->outcome.slot = w->life.sent.slot;
        a->outcome.pid = getpid();
        b->attempts[b->len] = a;
        b->outcomes[b->len++] = &a->outcome;
    }
}

/* The exchange failed at one outcome among several: these must not wait for it. */
static bool is_set_aside(const struct bundle *b, const struct exchange *x, enum rc rc)
{
    if (rc == RC_BUSY || b->len < 2 || x->failed >= b->len)
        return false;
    b->attempts[x->failed]->is_held_back = true;
    return true;
}

/* Repeats the exchange until the database answers. What it did before it failed is not known; the
 * claims' numbers and the outcomes' claims tell it when it is asked again. */
static enum rc exchange(struct worker *w, struct bundle *b, struct wish *wish,
    struct exchange_answer *answer, struct err *err)
{
    struct patience p = {0};
    for (;;) {
        collect(w, b);
        struct exchange x = {b->outcomes, b->len, wish, 0, w->catalog};
        enum rc rc = store_exchange(w->store, &x, answer, err);
        if (rc == RC_OK)
            return RC_OK;
        if (x.failed < b->len && attempt_refuse(b->attempts[x.failed], rc, err))
            continue;
        if (wish != NULL)
            wish->is_repeat = true;
        if (is_set_aside(b, &x, rc))
            continue;
        rc = be_patient(w, &p, rc, err);
        if (rc != RC_OK)
            return rc;
    }
}

/* ---- what is wished for ---- */

static size_t renew_tokens(void *ctx, int64_t *ret_started_wall_ms)
{
    struct worker *w = ctx;
    size_t sets = tokens_renew(&w->tokens, &w->life);
    if (sets > 0)
        *ret_started_wall_ms = clock_wall_ms_at(w->tokens.at_mono_ns);
    return sets;
}

/* Which lanes have work and their tokens; what is taken here is settled after the exchange.
 * *ret_is_open: a wish makes sense. */
static enum rc take_tokens(
    struct worker *w, struct wish *wish, bool has_outcome, bool *ret_is_open, struct err *err)
{
    struct tokens *t = &w->tokens;
    struct patience p = {0};
    enum rc rc;
    while ((rc = store_look_lanes(w->store, w->stage_ids, t->len, t->heads, err)) != RC_OK) {
        rc = be_patient(w, &p, rc, err);
        if (rc != RC_OK)
            return rc;
    }
    bool has_work = tokens_take(t, &w->life, w->rooms, wish->favoured);
    wish->stage_ids = t->covered;
    wish->rooms = t->covered_rooms;
    wish->stages_len = t->covered_len;
    if (t->held_len > 0) {
        wish->started_wall_ms = clock_wall_ms_at(t->at_mono_ns);
        wish->renew = renew_tokens;
        wish->renew_ctx = w;
    }
    /* An outcome may open lanes that take no token: asking costs nothing then. */
    *ret_is_open = has_work || (has_outcome && t->covered_len > 0);
    return RC_OK;
}

static size_t largest(const uint32_t *rooms, size_t len)
{
    size_t most = 0;
    for (size_t i = 0; i < len; i++)
        most = rooms[i] > most ? rooms[i] : most;
    return most < EXCHANGE_RUNS_MAX ? most : EXCHANGE_RUNS_MAX;
}

/* *ret_has: there is something to wish for now. */
static enum rc make_wish(
    struct worker *w, struct wish *wish, bool has_outcome, bool *ret_has, struct err *err)
{
    bool is_open = life_may_claim(&w->life) && rooms_decide(w);
    enum rc rc = RC_OK;
    wish->favoured = w->resident.stage_id;
    if (w->tokens.is_paced && is_open)
        rc = take_tokens(w, wish, has_outcome, &is_open, err);
    else if (w->tokens.is_paced)
        tokens_forget(&w->tokens, &w->life);
    if (is_open)
        wish->claims_len =
            life_take_claims(&w->life, largest(wish->rooms, wish->stages_len), &wish->claim);
    /* The first that is to begin counts from the start: one that kills its worker must not do so
     * for ever. */
    if (wish->claims_len > 0 && deck_open(&w->deck) == 0)
        life_reach(&w->life, wish->claim);
    *ret_has = wish->claims_len > 0;
    return rc;
}

/* ---- both ---- */

static void log_lost(const struct attempt *a)
{
    char claim[CLAIM_TEXT_MAX];
    struct logline l;
    log_begin(&l, LOG_LEVEL_WARN, "claim.lost");
    log_str(&l, "claim", claim_format(a->run.claim, claim));
    log_str(&l, "key", a->run.key);
    log_str(&l, "msg", "somebody else decided about this run; its outcome is dropped");
    log_end(&l);
}

static void take_over(struct worker *w, const struct wish *wish, struct exchange_answer *answer)
{
    if (wish->claims_len > 1 && !wish->is_repeat)
        life_return_claims(&w->life, wish->claim, answer->runs_len);
    for (size_t i = 0; i < answer->runs_len; i++) {
        struct run *run = &answer->runs[i];
        (void)deck_add(&w->deck, run, catalog_stage(w->catalog, run->stage_id));
    }
}

static bool is_cut_short(const struct worker *w, const struct exchange_answer *answer)
{
    const struct catalog_stage *stage =
        answer->runs_len > 0 ? catalog_stage(w->catalog, answer->runs[0].stage_id) : NULL;
    return stage != NULL && answer->runs_len == (size_t)stage->spec->tuning.max_claim;
}

static void hand_over(struct worker *w, struct bundle *b, const struct exchange_answer *answer)
{
    if (b->len > 0)
        CRASH_POINT("worker.outcome_committed");
    for (size_t i = 0; i < b->len; i++) {
        b->attempts[i]->is_held_back = false;
        if (answer->is_lost[i])
            log_lost(b->attempts[i]);
    }
    deck_drop_handed_over(&w->deck);
}

static enum rc trade_bundle(struct worker *w, struct bundle *b, bool *ret_is_open, struct err *err)
{
    struct wish wish = {
        .stage_ids = w->stage_ids,
        .rooms = w->rooms,
        .stages_len = w->stages_len,
        .fence = &w->life.mem->spec_generation,
        .fence_value = w->life.spec_generation,
        .catalog = w->catalog,
        .sharers = pool_lives(w->life.mem),
    };
    CLEANUP(exchange_answer_fini) struct exchange_answer answer = {.runs = NULL};
    const bool has_outcome = w->deck.counts[ATTEMPT_CONCLUDED] > 0;
    bool has_wish = false, is_in_vain = false;
    w->has_more = false;
    enum rc rc = make_wish(w, &wish, has_outcome, &has_wish, err);
    if (rc != RC_OK || (!has_outcome && !has_wish))
        return rc;
    life_enter(&w->life, WORKER_DATABASE, w->life.claim, 0);
    const int64_t began = clock_mono_ns();
    rc = exchange(w, b, has_wish ? &wish : NULL, &answer, err);
    rooms_measure_exchange(w, clock_mono_ns() - began);
    if (rc != RC_OK)
        return rc;
    if (w->tokens.is_paced)
        is_in_vain = tokens_settle(&w->tokens, &w->life,
            answer.runs_len > 0 ? answer.runs[0].stage_id : 0, answer.runs_len);
    hand_over(w, b, &answer);
    w->has_more = is_cut_short(w, &answer);
    *ret_is_open = answer.runs_len == 0 && ((has_wish && wish.is_repeat) || is_in_vain);
    if (has_wish)
        take_over(w, &wish, &answer);
    life_wake_others(&w->life, answer.claimable); /* what waits is told */
    return RC_OK;
}

enum rc trade(struct worker *w, bool *ret_is_open, struct err *err)
{
    const size_t n = w->deck.counts[ATTEMPT_CONCLUDED];
    CLEANUP(bundle_fini)
    struct bundle b = {.attempts = xcalloc(n, sizeof(struct attempt *)),
        .outcomes = xcalloc(n, sizeof(struct outcome *))};
    return trade_bundle(w, &b, ret_is_open, err);
}

void trade_hand_over(struct worker *w)
{
    const size_t n = w->deck.counts[ATTEMPT_CONCLUDED];
    CLEANUP(bundle_fini)
    struct bundle b = {.attempts = xcalloc(n, sizeof(struct attempt *)),
        .outcomes = xcalloc(n, sizeof(struct outcome *))};
    CLEANUP(exchange_answer_fini) struct exchange_answer answer = {.runs = NULL};
    struct err err = {""};
    if (n == 0)
        return;
    life_enter(&w->life, WORKER_DATABASE, w->life.claim, 0);
    collect(w, &b);
    struct exchange x = {b.outcomes, b.len, NULL, 0, w->catalog};
    if (store_exchange(w->store, &x, &answer, &err) == RC_OK) {
        hand_over(w, &b, &answer);
        life_wake_others(&w->life, answer.claimable);
    } else {
        log_msg(LOG_LEVEL_WARN, "worker.database", "%s; handed over later", err.text);
        w->deck.concluded_mono_ns = clock_mono_ns();
    }
}
