#include "common/config/value_text.h"

#include <inttypes.h>

#include "common/config/discover_parse.h"

struct unit {
    int64_t size;
    const char *name;
};

/* In the biggest unit that divides n; the last one divides all. */
static void add_in_units(struct buf *out, int64_t n, const struct unit *units)
{
    while (units[1].name && (n == 0 || n % units->size != 0))
        units++;
    buf_addf(out, "%" PRId64 "%s", n / units->size, units->name);
}

static void add_duration(struct buf *out, int64_t ms)
{
    static const struct unit units[] = {
        {86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}, {0, NULL}};
    if (ms == 0)
        buf_adds(out, "0s");
    else
        add_in_units(out, ms, units);
}

static void add_size(struct buf *out, int64_t bytes)
{
    static const struct unit units[] = {
        {INT64_C(1) << 30, "G"}, {1 << 20, "M"}, {1 << 10, "K"}, {1, ""}, {0, NULL}};
    add_in_units(out, bytes, units);
}

static void add_rate(struct buf *out, const int64_t *rate)
{
    const int64_t ms = rate[1];
    buf_addf(out, "%" PRId64 "/%s", rate[0],
        ms >= 86400000  ? "d"
        : ms >= 3600000 ? "h"
        : ms >= 60000   ? "m"
                        : "s");
}

static bool add_text(struct buf *out, const char *text)
{
    if (!text || !*text)
        return false;
    buf_adds(out, text);
    return true;
}

static bool add_range(struct buf *out, const int64_t *members)
{
    buf_addf(out, "%" PRId64, members[0]);
    if (members[1] != members[0])
        buf_addf(out, "..%" PRId64, members[1]);
    return true;
}

static bool add_resources(
    struct buf *out, const struct config *config, const struct stage_tuning *tuning)
{
    for (size_t i = 0; i < tuning->resources_len; i++)
        buf_addf(out, "%s%s", i ? " " : "", config->resources[tuning->resources[i]].name);
    return tuning->resources_len > 0;
}

/* A job without a list has one stage of its own name. */
static bool add_stages(struct buf *out, const struct job_spec *job)
{
    if (job->has_own_stage)
        return false;
    for (size_t i = 0; i < job->stages_len; i++)
        buf_addf(out, "%s%s", i ? " " : "", job->stages[i].name);
    return true;
}

static bool add_discover(struct buf *out, const struct job_spec *job)
{
    const bool has_arg = job->discover_arg && *job->discover_arg;
    buf_addf(out, "%s%s%s", discover_kind_name(job->discover), has_arg ? " " : "",
        has_arg ? job->discover_arg : "");
    return true;
}

static bool add_log(struct buf *out, const struct pool_options *pool)
{
    switch (pool->log) {
    case LOG_TARGET_STDERR:
        buf_adds(out, "stderr");
        return true;
    case LOG_TARGET_SYSLOG:
        buf_adds(out, "syslog");
        return true;
    case LOG_TARGET_FILE:
        break;
    }
    buf_addf(out, "file %s", pool->log_file);
    return true;
}

/* Members of more than one word, and those that need more than their own. */
static bool add_compound(const struct option *o, const struct config *config, const void *base,
    const void *member, struct buf *out)
{
    if (o->type == OPTION_LOG)
        return add_log(out, base);
    if (o->type == OPTION_DISCOVER)
        return add_discover(out, base);
    if (o->type == OPTION_NAMES)
        return add_stages(out, base);
    if (o->type == OPTION_RESOURCES)
        return add_resources(out, config, &((const struct stage_spec *)base)->tuning);
    if (o->type == OPTION_HANDLER)
        return add_text(out, ((const struct handler *)member)->text);
    if (o->type == OPTION_DURATIONS) {
        add_duration(out, ((const int64_t *)member)[0]);
        buf_adds(out, "..");
        add_duration(out, ((const int64_t *)member)[1]);
    }
    return o->type == OPTION_DURATIONS;
}

bool value_is_letters(const struct option *o)
{
    return o->type == OPTION_USER || o->type == OPTION_PATTERN;
}

bool value_add_text(
    const struct option *o, const struct config *config, const void *base, struct buf *out)
{
    const void *member = (const char *)base + o->offset;
    const int64_t *number = member;
    if (o->has_none && (value_is_letters(o) ? *(const char *)member == '\0' : *number == 0))
        return add_text(out, "none");
    switch (o->type) {
    case OPTION_PATH:
    case OPTION_TEXT:
    case OPTION_VERSION:
        return add_text(out, *(char *const *)member);
    case OPTION_USER:
    case OPTION_PATTERN:
        return add_text(out, member);
    case OPTION_INT:
        buf_addf(out, "%" PRId64, *number);
        return true;
    case OPTION_PERCENT:
        buf_addf(out, "%" PRId64 "%%", *number);
        return true;
    case OPTION_RANGE:
        return add_range(out, number);
    case OPTION_DURATION:
        add_duration(out, *number);
        return true;
    case OPTION_SIZE:
        add_size(out, *number);
        return true;
    case OPTION_FACTOR:
        buf_addf(out, "%.12g", *(const double *)member);
        return true;
    case OPTION_ENUM:
        buf_adds(out, o->words[*(const int *)member]);
        return true;
    case OPTION_RATE:
        add_rate(out, number);
        return true;
    case OPTION_EXIT:
    case OPTION_ENV: /* one row, any number of keys: settings.c */
    case OPTION_TEMPLATE:
        return false;
    case OPTION_LOG:
    case OPTION_DURATIONS:
    case OPTION_HANDLER:
    case OPTION_DISCOVER:
    case OPTION_RESOURCES:
    case OPTION_NAMES:
        return add_compound(o, config, base, member, out);
    }
    return false;
}
