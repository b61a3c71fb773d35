#include "worker/cycle.h"

#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/log.h"
#include "common/ipc/claim.h"
#include "worker/accepted.h"
#include "worker/attempt.h"
#include "worker/handler_builtin.h"
#include "worker/handler_exec.h"

#define LOOK_INTERVAL_NS (30 * NS_PER_S) /* nobody should need it: every change is woken */
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

/* Repeats the exchange until the database answers. What it did before it failed is not known; the
 * claim's number and the outcome's claim tell it when it is asked again. */
static enum rc exchange(struct worker *w, struct attempt *a, struct wish *wish,
    struct exchange_answer *answer, struct err *err)
{
    struct patience p = {0};
    for (;;) {
        const struct outcome *outcome = &a->outcome;
        struct exchange x = {&outcome, a->has_outcome ? 1 : 0, wish, 0, w->catalog};
        a->outcome.slot = w->life.sent.slot;
        a->outcome.pid = getpid();
        enum rc rc = store_exchange(w->store, &x, answer, err);
        if (rc == RC_OK)
            return RC_OK;
        if (attempt_refuse(a, rc, err))
            continue;
        if (wish != NULL)
            wish->is_repeat = true;
        rc = be_patient(w, &p, rc, err);
        if (rc != RC_OK)
            return rc;
    }
}

static size_t renew_tokens(void *ctx, int64_t *ret_started_wall_ms)
{
    struct worker *w = ctx;
    bool is_open = tokens_renew(&w->tokens, &w->life);
    if (is_open)
        *ret_started_wall_ms = clock_wall_ms_at(w->tokens.at_mono_ns);
    return is_open;
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
    bool has_work = tokens_take(t, &w->life);
    wish->stage_ids = t->covered;
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

/* *ret_has: there is something to wish for now. */
static enum rc make_wish(
    struct worker *w, struct wish *wish, bool has_outcome, bool *ret_has, struct err *err)
{
    bool is_open = life_may_claim(&w->life);
    enum rc rc = RC_OK;
    if (w->tokens.is_paced && is_open)
        rc = take_tokens(w, wish, has_outcome, &is_open, err);
    else if (w->tokens.is_paced)
        tokens_forget(&w->tokens, &w->life);
    *ret_has = is_open && life_take_claim(&w->life, &wish->claim);
    return rc;
}

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

/* Hands over the outcome in *a, if there is one, and leaves the next run there, if there is one. */
static enum rc trade(struct worker *w, struct attempt *a, bool *ret_is_open, struct err *err)
{
    struct wish wish = {
        .stage_ids = w->stage_ids,
        .stages_len = w->stages_len,
        .claims_len = 1,
        .fence = &w->life.mem->spec_generation,
        .fence_value = w->life.spec_generation,
    };
    CLEANUP(exchange_answer_fini) struct exchange_answer answer = {.runs = NULL};
    bool has_wish = false, is_in_vain = false;
    enum rc rc = make_wish(w, &wish, a->has_outcome, &has_wish, err);
    if (rc != RC_OK || (!a->has_outcome && !has_wish))
        return rc;
    life_enter(&w->life, WORKER_DATABASE, a->run.claim, 0);
    rc = exchange(w, a, has_wish ? &wish : NULL, &answer, err);
    if (rc != RC_OK)
        return rc;
    if (w->tokens.is_paced)
        is_in_vain =
            tokens_settle(&w->tokens, &w->life, answer.runs_len > 0 ? answer.runs[0].stage_id : 0);
    if (a->has_outcome)
        CRASH_POINT("worker.outcome_committed");
    if (a->has_outcome && answer.is_lost[0])
        log_lost(a);
    attempt_fini(a);
    *ret_is_open = answer.runs_len == 0 && ((has_wish && wish.is_repeat) || is_in_vain);
    if (answer.runs_len > 0)
        attempt_init(a, &answer.runs[0], catalog_stage(w->catalog, answer.runs[0].stage_id));
    if (answer.claimable > 0)
        pool_wake(w->life.mem,
            answer.claimable < POOL_SLOTS_MAX ? (int)answer.claimable : POOL_SLOTS_MAX);
    return RC_OK;
}

static void run_attempt(struct worker *w, struct attempt *a)
{
    const struct handler *handler = a->stage != NULL ? &a->stage->spec->handler : NULL;
    struct command command = {.umask = w->handler_umask, .config_fd = -1};
    CRASH_POINT("worker.claimed");
    life_mark(&w->life, WORKER_RUNNING, a->run.claim);
    if (handler == NULL || life_is_told_to_leave(&w->life)) {
        attempt_conclude(a, END_STOPPED); /* looked at again before it starts: given back */
    } else if (handler->kind == HANDLER_BUILTIN) {
        handler_builtin_run(w, a);
    } else {
        command.path = handler->argv[0];
        command.argv = handler->argv;
        handler_exec_run(w, a, &command);
    }
    CRASH_POINT("worker.handler_ended");
}

/* Until somebody says that there may be work, or a token that work waits for is due. A beat between
 * costs no look at the database. */
static void idle(struct worker *w, uint32_t seen)
{
    int64_t look = clock_mono_ns() + LOOK_INTERVAL_NS;
    life_enter(&w->life, WORKER_IDLE, 0, 0);
    while (atomic_load(&w->life.mem->wake) == seen && clock_mono_ns() < look &&
           !tokens_are_due(&w->tokens)) {
        if (w->tokens.is_paced)
            tokens_sleep(&w->tokens, &w->life, seen, look);
        else
            life_sleep(&w->life, seen, look);
    }
}

enum rc cycle_run(struct worker *w, struct err *err)
{
    struct attempt a = ATTEMPT_INIT;
    enum rc rc;
    for (;;) {
        uint32_t seen = atomic_load(&w->life.mem->wake); /* before the look that may find nothing */
        bool is_open = false;
        accepted_renew(w, &a);
        rc = trade(w, &a, &is_open, err);
        if (rc != RC_OK)
            break;
        life_ready(&w->life);
        if (a.run.id != 0)
            run_attempt(w, &a);
        else if (life_is_leaving(&w->life))
            break;
        else if (!is_open) /* else wish anew: a repeated wish that got nothing was no look, and work
                            * for which we had tokens went to another */
            idle(w, seen);
    }
    attempt_fini(&a);
    return rc;
}
