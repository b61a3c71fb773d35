#include "worker/certificate.h"

#include <sys/wait.h>

#include "common/base/json.h"

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)(t->tv_usec / 1000) / 1000;
}

void certificate_write(const struct attempt *a, struct buf *out)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_int(&j, "pid", a->pid);
    if (WIFSIGNALED(a->status))
        json_int(&j, "signal", WTERMSIG(a->status));
    else
        json_int(&j, "exit", WEXITSTATUS(a->status));
    if (a->is_oom)
        json_bool(&j, "oom", true);
    json_num(&j, "user_s", seconds(&a->usage.ru_utime));
    json_num(&j, "system_s", seconds(&a->usage.ru_stime));
    json_int(&j, "max_rss_kib", a->usage.ru_maxrss);
    if (a->heard.progress.len > 0)
        json_raw(&j, "progress", buf_str(&a->heard.progress));
    json_end_object(&j);
}
