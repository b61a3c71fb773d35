#include "worker/trial.h"

#include <jansson.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/ipc/fds.h"
#include "common/store/spawned.h"
#include "worker/cycle.h"
#include "worker/trial_say.h"

#define RUN_MAX_BYTES ((size_t)64 << 20) /* data, checkpoint, all inputs */

static const char *const cause_names[END_CAUSE_COUNT] = {
    [END_DONE] = "done",
    [END_SKIP] = "skip",
    [END_RETRY] = "retry",
    [END_FAIL] = "fail",
    [END_STAGE_PAUSE] = "pause",
    [END_INTERRUPTED] = "interrupted",
    [END_STOPPED] = "stopped",
    [END_CRASHED] = "crashed",
    [END_SNOOZE] = "snooze",
    [END_WAIT] = "wait",
};

/* ---- the run ---- */

static char *copy_member(const char *text, const char *name)
{
    const char *start;
    size_t len;
    if (!json_member(text, name, &start, &len) || strncmp(start, "null", len) == 0)
        return NULL;
    return xstrndup(start, len);
}

static const struct catalog_stage *find_stage(
    const struct catalog *catalog, const char *job, const char *stage)
{
    const struct catalog_job *j = job != NULL ? catalog_job(catalog, job) : NULL;
    for (size_t i = 0; j != NULL && stage != NULL && i < j->spec->stages_len; i++)
        if (strcmp(j->spec->stages[i].name, stage) == 0)
            return &j->stages[i];
    return NULL;
}

/* text: valid JSON, the same as root. */
static void fill(struct worker *w, const json_t *root, const char *text, struct run *ret)
{
    ret->id = ret->item_id = 1;
    (void)life_take_claims(&w->life, 1, &ret->claim);
    ret->state.attempts = (int64_t)json_number_value(json_object_get(root, "attempt"));
    ret->key = xstrdup(json_string_value(json_object_get(root, "key")));
    ret->data = copy_member(text, "data");
    ret->checkpoint = copy_member(text, "checkpoint");
    ret->inputs = copy_member(text, "inputs");
    w->trial->depth = (int64_t)json_number_value(json_object_get(root, "depth"));
}

static enum rc read_run(
    struct worker *w, struct run *ret, const struct catalog_stage **ret_stage, struct err *err)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    enum rc rc = sys_read_fd(FD_TRIAL_RUN, RUN_MAX_BYTES, &text, err);
    if (rc != RC_OK)
        return rc;
    json_t *root = json_loadb(buf_str(&text), text.len, JSON_DECODE_INT_AS_REAL, NULL);
    *ret_stage = find_stage(w->catalog, json_string_value(json_object_get(root, "job")),
        json_string_value(json_object_get(root, "stage")));
    if (*ret_stage != NULL && json_is_string(json_object_get(root, "key")))
        fill(w, root, buf_str(&text), ret);
    else
        rc = err_set(err, RC_INVALID, "not a run of a stage that is configured");
    json_decref(root);
    if (rc == RC_OK)
        ret->stage_id = (*ret_stage)->id;
    return rc;
}

/* ---- its end ---- */

static char *copy_text(const char *text)
{
    return text != NULL ? xstrdup(text) : NULL;
}

/* Items that the pool would refuse, as it would say it. */
static const char *unknown_job(const struct worker *w, const struct outcome *o)
{
    for (size_t i = 0; i < o->items_len; i++)
        if (o->items[i].job != NULL && catalog_job(w->catalog, o->items[i].job) == NULL)
            return o->items[i].job;
    return NULL;
}

/* The pool lets such an attempt fail when it records it. */
static void refuse_spawned(const struct trial *t, struct attempt *a, const char *unknown)
{
    struct err err = {""};
    enum rc rc =
        a->outcome.items_len > 0 ? spawned_check_depth(a->stage->job->spec, t->depth, &err) : RC_OK;
    if (rc == RC_OK && unknown != NULL)
        rc = err_set(&err, RC_INVALID,
            "a spawned item: there is no job \"%s\" in the configuration", unknown);
    if (rc != RC_OK)
        (void)attempt_refuse(a, rc, &err);
}

static void tell_end(struct worker *w, struct attempt *a)
{
    CLEANUP_FREE char *unknown = copy_text(unknown_job(w, &a->outcome));
    refuse_spawned(w->trial, a, unknown);
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    const struct outcome *o = &a->outcome;
    const struct ending ending =
        ending_decide(o->cause, &a->run.state, &a->stage->spec->tuning, o->after_ms, o->random);
    struct json j;
    json_init(&j, &line);
    json_open_object(&j, NULL);
    json_str(&j, "event", "end");
    json_str(&j, "outcome", cause_names[o->cause]);
    json_str(&j, "status", status_name(ending.status));
    json_raw(&j, "result", o->result);
    json_str(&j, "why", o->why);
    json_str(&j, "how", o->how);
    json_int(&j, "attempts", ending.attempts);
    json_num(&j, "retry_in_s", (double)ending.delay_ms / 1000);
    json_num(&j, "elapsed_s", (double)o->elapsed_ms / 1000);
    json_int(&j, "spawned", a->heard.items_written + (int64_t)o->items_len);
    json_str(&j, "unknown_job", unknown);
    json_raw(&j, "handler", o->certificate);
    json_end_object(&j);
    trial_write(w->trial, &line);
}

static void show(void *ctx, const char *name, const char *text, size_t len)
{
    trial_text(ctx, name, text, len);
}

enum rc trial_run(struct worker *w, struct err *err)
{
    struct trial trial = {.fd = FD_TRIAL_OUT};
    struct run run = {0};
    const struct catalog_stage *stage = NULL;
    w->catalog = catalog_number(w->config);
    w->trial = &trial;
    enum rc rc = read_run(w, &run, &stage, err);
    if (rc != RC_OK)
        return rc;
    w->live.show = show;
    w->live.ctx = &trial;
    struct attempt *a = deck_add(&w->deck, &run, stage);
    cycle_run_deck(w);
    if (a->has_outcome)
        tell_end(w, a);
    w->trial = NULL;
    w->live.show = NULL;
    deck_fini(&w->deck);
    resident_fini(&w->resident);
    return RC_OK;
}
