#include "tests/unit/worker_cycle_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/sys.h"
#include "common/ipc/claim.h"
#include "common/ipc/fds.h"
#include "worker/accepted.h"
#include "worker/cycle.h"

struct worker w;
static const struct step *script;
static size_t script_len, script_at;
bool is_spec_changed;

static char name[] = "n", empty[] = "";
struct stage_spec stage_spec = {
    .name = name,
    .version = empty,
    .handler = {.kind = HANDLER_BUILTIN, .builtin = BUILTIN_NOOP},
    .tuning = {.timeout_ms = 60000, .grace_ms = 1000, .max_attempts = 5},
};
static struct job_spec job_spec = {.name = name, .stages = &stage_spec, .stages_len = 1};
static struct catalog_stage stage = {.id = 4, .spec = &stage_spec};
struct catalog_job job = {.id = 1, .spec = &job_spec, .stages = &stage};
static int64_t stage_ids[] = {4};
static const struct catalog_stage *stages[] = {&stage};
static uint32_t rooms[1];
struct pace paces[1];

const struct catalog_stage *catalog_stage(const struct catalog *c, int64_t stage_id)
{
    (void)c;
    assert_int_equal(stage_id, 4);
    return &stage;
}

void accepted_renew(struct worker *worker)
{
    if (is_spec_changed)
        worker->life.is_outdated = true;
}

static struct lane_head head = {.id = 5, .rank = 1};

enum rc store_look_lanes(
    struct store *store, const int64_t *ids, size_t len, struct lane_head *ret, struct err *err)
{
    (void)store;
    (void)err;
    assert_int_equal(len, 1);
    assert_int_equal(ids[0], 4);
    ret[0] = head;
    return RC_OK;
}

enum rc store_claim_is_mine(struct store *store, const struct run *run, bool *ret, struct err *err)
{
    (void)store;
    (void)run;
    (void)err;
    *ret = true;
    return RC_OK;
}

void run_fini(struct run *run)
{
    free(run->key);
    *run = (struct run){0};
}

void exchange_answer_fini(struct exchange_answer *answer)
{
    for (size_t i = 0; i < answer->runs_len; i++)
        run_fini(&answer->runs[i]);
    free(answer->runs);
    free(answer->is_lost);
}

enum rc store_exchange(
    struct store *store, struct exchange *x, struct exchange_answer *ret, struct err *err)
{
    const struct outcome *outcome = x->outcomes_len > 0 ? x->outcomes[0] : NULL;
    const struct wish *wish = x->wish;
    (void)store;
    if (script_at >= script_len)
        fail_msg("an exchange too many");
    const struct step *step = &script[script_at++];
    assert_int_equal(outcome != NULL ? (int)outcome->cause : -1, step->cause);
    assert_int_equal(wish != NULL, step->has_wish);
    assert_int_equal(x->outcomes_len, (step->cause >= 0) + step->done + step->stopped);
    for (size_t i = 1; i < x->outcomes_len; i++)
        assert_int_equal(x->outcomes[i]->cause, i <= step->done ? END_DONE : END_STOPPED);
    if (wish != NULL) {
        assert_int_equal(wish->claim, claim_make(12, step->claim_seq));
        assert_int_equal(wish->is_repeat, step->is_repeat);
        assert_int_equal(wish->stages_len, 1);
    }
    atomic_fetch_or(&w.life.mem->flags, step->flags);
    if (step->is_spec_changed) {
        is_spec_changed = true;
        atomic_store(&w.life.mem->spec_generation, 2);
    }
    if (step->flags != 0) /* as the supervisor does with each change */
        atomic_fetch_add(&w.life.mem->wake, 1);
    atomic_store(&w.life.slot->order, step->order);
    if (step->rc != RC_OK)
        return err_set(err, step->rc, "as scripted");
    *ret = (struct exchange_answer){.runs = xcalloc(1 + step->more, sizeof(struct run)),
        .runs_len = (step->run_id != 0) + step->more,
        .is_lost = xcalloc(1 + x->outcomes_len, sizeof(bool)),
        .claimable = step->claimable};
    if (ret->runs_len > 0)
        assert_true(wish->claims_len >= ret->runs_len);
    for (size_t i = 0; i < ret->runs_len; i++)
        ret->runs[i] = (struct run){.id = step->run_id + (int64_t)i,
            .stage_id = 4,
            .claim = wish->claim + (int64_t)i,
            .key = xstrdup("k")};
    return RC_OK;
}

int setup(void **state)
{
    int fds[2], mem_fd;
    struct pool_mem *mem = NULL;
    (void)state;
    stage.job = &job;
    assert_int_equal(pool_mem_new(1, "1-2-test", &mem_fd, &mem, NULL), RC_OK);
    (void)close(mem_fd);
    for (int fd = 3; fd < 10; fd++) /* so that pipes do not lie where the numbers go */
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(sys_pipe(fds, true, NULL), RC_OK);
    assert_int_equal(dup2(fds[1], FD_HEARTBEAT), FD_HEARTBEAT);
    assert_int_equal(sys_pipe(fds, true, NULL), RC_OK);
    assert_int_equal(dup2(fds[0], FD_LIFELINE), FD_LIFELINE);
    is_spec_changed = false;
    paces[0] = (struct pace){0};
    w = (struct worker){
        .stage_ids = stage_ids, .stages = stages, .rooms = rooms, .paces = paces, .stages_len = 1};
    resident_init(&w.resident);
    life_init(&w.life, mem, 0, 12, 10);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    tokens_fini(&w.tokens);
    pool_mem_unmap(w.life.mem);
    return 0;
}

void play(const struct step *steps, size_t len)
{
    struct err err;
    script = steps;
    script_len = len;
    script_at = 0;
    assert_int_equal(cycle_run(&w, &err), RC_OK);
    assert_int_equal(script_at, len);
}
