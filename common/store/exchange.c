#include "common/store/exchange.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/store/grant.h"
#include "common/store/internal.h"
#include "common/store/outcome.h"
#include "common/store/query.h"

void run_fini(struct run *run)
{
    free(run->key);
    free(run->data);
    free(run->checkpoint);
    free(run->inputs);
    *run = (struct run){0};
}

/* An exchange under way. */
struct trade {
    struct exchange *x;
    char **results; /* normal JSON of each outcome; NULL: it has none */
    struct exchange_answer answer;
    struct grants grants;
};

static void trade_fini(struct trade *t)
{
    for (size_t i = 0; i < t->x->outcomes_len; i++)
        free(t->results[i]);
    free(t->results);
    free(t->grants.ids);
    exchange_answer_fini(&t->answer);
}

static void trade_init(struct trade *t, struct exchange *x)
{
    *t = (struct trade){.x = x};
    t->results = xcalloc(x->outcomes_len, sizeof *t->results);
    t->answer.is_lost = xcalloc(x->outcomes_len, sizeof *t->answer.is_lost);
    t->grants.ids = xcalloc(x->wish ? x->wish->claims_len : 0, sizeof *t->grants.ids);
}

void exchange_answer_fini(struct exchange_answer *answer)
{
    for (size_t i = 0; i < answer->runs_len; i++)
        run_fini(&answer->runs[i]);
    free(answer->runs);
    free(answer->is_lost);
    *answer = (struct exchange_answer){.runs = NULL};
}

/* All results are looked at before anything is written: a bad one harms no other. */
static enum rc normalise(struct trade *t, struct err *err)
{
    enum rc rc = RC_OK;
    size_t i;
    for (i = 0; i < t->x->outcomes_len; i++) {
        const struct outcome *o = t->x->outcomes[i];
        if (o->cause == END_DONE)
            rc = json_normal(
                "result", o->result ? o->result : "null", RESULT_MAX_BYTES, &t->results[i], err);
        if (rc)
            break;
    }
    t->x->failed = i;
    return rc;
}

static enum rc execute(struct store *store, struct trade *t, struct err *err)
{
    int64_t now = clock_wall_ms();
    enum rc rc = RC_OK;
    for (size_t i = 0; i < t->x->outcomes_len; i++) {
        struct outcome_effect effect = {0};
        t->x->failed = i;
        const struct outcome_given given = {t->x->outcomes[i], t->results[i], t->x->catalog};
        rc = outcome_apply(store, &given, now, &effect, err);
        if (rc)
            return rc;
        t->answer.is_lost[i] = effect.is_lost;
        t->answer.claimable += effect.claimable;
    }
    t->x->failed = t->x->outcomes_len;
    return t->x->wish ? grant_wish(store, t->x->wish, now, &t->grants, err) : RC_OK;
}

static enum rc transact(struct store *store, struct trade *t, struct err *err)
{
    const bool has_outcome = t->x->outcomes_len > 0;
    enum rc rc = txn_begin(store, TXN_PLAIN, err);
    if (rc)
        return rc;
    rc = execute(store, t, err);
    if (has_outcome)
        CRASH_POINT("outcome.before_commit");
    if (t->grants.new_len)
        CRASH_POINT("claim.before_commit");
    rc = txn_end(store, rc, err);
    if (has_outcome)
        CRASH_POINT("outcome.after_commit");
    if (t->grants.new_len)
        CRASH_POINT("claim.after_commit");
    return rc;
}

enum rc store_exchange(
    struct store *store, struct exchange *x, struct exchange_answer *ret, struct err *err)
{
    bool has_work = x->outcomes_len > 0;
    struct trade t;
    trade_init(&t, x);
    enum rc rc = normalise(&t, err);
    if (rc == RC_OK && !has_work && x->wish)
        rc = grant_is_likely(store, x->wish, &has_work, err);
    if (rc == RC_OK && has_work)
        rc = transact(store, &t, err);
    if (rc == RC_OK && t.grants.len)
        rc = grant_read(store, x->wish, &t.grants, &t.answer, err);
    if (rc == RC_OK) {
        int64_t left = t.answer.claimable - (int64_t)t.grants.new_len;
        t.answer.claimable = left > 0 ? left : 0;
        *ret = t.answer;
        t.answer = (struct exchange_answer){.runs = NULL};
    }
    trade_fini(&t);
    return rc;
}

enum rc store_claim_is_mine(struct store *store, const struct run *run, bool *ret, struct err *err)
{
    QUERY q = query(store, Q_CLAIM_IS_MINE);
    put_int(&q, "id", run->id);
    put_int(&q, "claim", run->claim);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW && rc != RC_NOTFOUND)
        return rc;
    *ret = rc == RC_ROW;
    return RC_OK;
}
