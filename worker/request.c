#include "worker/request.h"

#include "common/base/cleanup.h"
#include "common/ipc/claim.h"
#include "common/protocol/request.h"

static struct request about(int64_t id, const struct catalog_stage *stage, const char *version)
{
    return (struct request){
        .id = id,
        .job = stage->job->spec->name,
        .stage = stage->spec->name,
        .version = version,
        .deadline_ms = stage->spec->tuning.timeout_ms,
    };
}

static struct request_item item_of(
    const struct run *run, const struct catalog_stage *stage, char claim[CLAIM_TEXT_MAX])
{
    return (struct request_item){
        .key = run->key,
        .data = run->data,
        .attempt = run->state.attempts,
        .max_attempts = stage->spec->tuning.max_attempts,
        .checkpoint = run->checkpoint,
        .inputs = run->inputs,
        .claim = claim_format(run->claim, claim),
    };
}

void request_write_call(const struct call *call, const struct catalog_stage *stage, struct buf *out)
{
    struct request request = about(call->id, stage, buf_str(&call->items[0]->version));
    CLEANUP_FREE struct request_item *items = xcalloc(call->len, sizeof(*items));
    CLEANUP_FREE char(*claims)[CLAIM_TEXT_MAX] = xcalloc(call->len, CLAIM_TEXT_MAX);
    for (size_t i = 0; i < call->len; i++)
        items[i] = item_of(&call->items[i]->run, stage, claims[i]);
    if (stage_is_batch(stage->spec))
        request_write_batch(&request, items, call->len, out);
    else
        request_write_run(&request, items, out);
}
