#include "worker/request.h"

#include "common/ipc/claim.h"
#include "common/protocol/request.h"

void request_write(const struct run *run, const struct catalog_stage *stage, struct buf *out)
{
    char claim[CLAIM_TEXT_MAX];
    struct request request = {
        .id = run->id,
        .job = stage->job->spec->name,
        .stage = stage->spec->name,
        .version = stage->spec->version,
        .deadline_ms = stage->spec->tuning.timeout_ms,
    };
    struct request_item item = {
        .key = run->key,
        .data = run->data,
        .attempt = run->state.attempts,
        .max_attempts = stage->spec->tuning.max_attempts,
        .checkpoint = run->checkpoint,
        .inputs = run->inputs,
        .claim = claim_format(run->claim, claim),
    };
    request_write_run(&request, &item, out);
}
