#include "worker/request.h"

#include "common/base/json.h"
#include "common/ipc/claim.h"

void request_write(const struct run *run, const struct catalog_stage *stage, struct buf *out)
{
    char claim[CLAIM_TEXT_MAX];
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "type", "run");
    json_int(&j, "id", run->id);
    json_str(&j, "job", stage->job->spec->name);
    json_str(&j, "stage", stage->spec->name);
    json_str(&j, "key", run->key);
    json_raw(&j, "data", run->data);
    json_int(&j, "attempt", run->state.attempts);
    json_int(&j, "max_attempts", stage->spec->tuning.max_attempts);
    json_raw(&j, "checkpoint", run->checkpoint);
    json_raw(&j, "inputs", run->inputs != NULL ? run->inputs : "{}");
    json_open_array(&j, "waited");
    json_end_array(&j);
    json_str(&j, "claim", claim_format(run->claim, claim));
    json_int(&j, "deadline_ms", stage->spec->tuning.timeout_ms);
    json_str(&j, "version", stage->spec->version);
    json_end_object(&j);
    buf_addc(out, '\n');
}
