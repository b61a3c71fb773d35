#include "supervisor/keeper/certificate.h"

#include <string.h>
#include <sys/wait.h>

#include "common/base/json.h"
#include "common/ipc/heartbeat.h"

static const char *verdict_name(uint32_t verdict)
{
    static const char *const names[] = {
        [DEATH_DEAD] = "dead",
        [DEATH_HUNG] = "hung",
        [DEATH_RETIRED] = "retired",
    };
    return verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "unknown";
}

static void add_status(struct json *j, int status)
{
    if (WIFEXITED(status)) {
        json_int(j, "exit", WEXITSTATUS(status));
        json_add_null(j, "signal");
        return;
    }
    json_add_null(j, "exit");
    json_int(j, "signal", WTERMSIG(status));
}

void certificate_write(const struct death_certificate *death, int64_t life, struct buf *out)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_int(&j, "life", life);
    json_int(&j, "slot", death->slot);
    json_int(&j, "pid", death->pid);
    json_str(&j, "verdict", verdict_name(death->verdict));
    json_strn(&j, "reason", death->reason, strnlen(death->reason, sizeof(death->reason)));
    add_status(&j, death->status);
    json_bool(&j, "oom", death->is_oom_proven != 0);
    json_str(&j, "state", worker_state_name(death->state));
    json_int(&j, "user_us", death->user_us);
    json_int(&j, "system_us", death->system_us);
    json_int(&j, "max_rss_kib", death->max_rss_kib);
    json_int(&j, "last_beat_age_ms", death->last_beat_age_ms);
    json_int(&j, "lived_ms", death->lived_ms);
    json_end_object(&j);
}

void certificate_cause(const struct death_certificate *death, struct buf *out)
{
    size_t reason_len = strnlen(death->reason, sizeof(death->reason));
    if (death->verdict == DEATH_HUNG) {
        buf_adds(out, "worker hung");
        if (reason_len > 0)
            buf_addf(out, ": %.*s", (int)reason_len, death->reason);
        return;
    }
    if (WIFEXITED(death->status)) {
        buf_addf(out, "worker exited with %d", WEXITSTATUS(death->status));
        return;
    }
    const char *name = sigabbrev_np(WTERMSIG(death->status));
    buf_addf(out, "worker killed by signal %d", WTERMSIG(death->status));
    if (name != NULL)
        buf_addf(out, " (SIG%s)", name);
    if (death->is_oom_proven)
        buf_adds(out, ": out of memory");
}
