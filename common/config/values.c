#include "common/config/values.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/config/config.h"
#include "common/config/discover_parse.h"
#include "common/config/handler_parse.h"
#include "common/config/resources.h"
#include "common/config/secrets.h"
#include "common/config/users.h"
#include "common/config/value_text.h"
#include "common/config/verdicts.h"

#define VERSION_MAX_BYTES 128
#define STAGES_MAX 256

/* "what; expected FORM": what may be any part of a problem that does not name the form itself.
 * Once is enough. */
static enum rc expected(const struct option *o, struct err *err)
{
    struct err what = *err;
    if (strstr(what.text, "; expected "))
        return RC_INVALID;
    return err_set(err, RC_INVALID, "%.500s; expected %s", what.text, o->form);
}

static enum rc bad(const struct option *o, const char *value, const char *what, struct err *err)
{
    (void)err_set(err, RC_INVALID, "\"%.80s\" %s", value, what);
    return expected(o, err);
}

/* Tells the bound in the key's own unit. */
static enum rc within(const struct option *o, const char *text, int64_t n, struct err *err)
{
    if (n >= o->min && n <= o->max)
        return RC_OK;
    const bool is_small = n < o->min;
    const struct option plain = {
        .type = o->type == OPTION_RANGE       ? OPTION_INT
                : o->type == OPTION_DURATIONS ? OPTION_DURATION
                                              : o->type,
    };
    CLEANUP(buf_fini) struct buf what = BUF_INIT;
    buf_adds(&what, is_small ? "is too small (at least " : "is too big (at most ");
    (void)value_add_text(&plain, NULL, is_small ? &o->min : &o->max, &what);
    buf_addc(&what, ')');
    return bad(o, text, buf_str(&what), err);
}

static void set_text(char **member, char *text)
{
    free(*member);
    *member = text;
}

static enum rc set_version(
    const struct option *o, const char *value, char **member, struct err *err)
{
    size_t len = strlen(value);
    if (len > VERSION_MAX_BYTES)
        return bad(o, value, "is too long", err);
    for (size_t i = 0, n; i < len; i += n) {
        n = text_glyph(value + i, len - i);
        if (n == 0)
            return bad(o, value, "has a control character or is not UTF-8", err);
    }
    set_text(member, xstrdup(value));
    return RC_OK;
}

static enum rc set_int(const struct option *o, const char *value, int64_t *member, struct err *err)
{
    int64_t n;
    if (text_int(value, INT64_MIN, INT64_MAX, &n, err) != RC_OK)
        return expected(o, err);
    enum rc rc = within(o, value, n, err);
    if (rc == RC_OK)
        *member = n;
    return rc;
}

static enum rc set_duration(
    const struct option *o, const char *value, int64_t *member, struct err *err)
{
    int64_t ms;
    enum rc rc = text_duration_ms(value, &ms, err);
    if (rc == RC_OK)
        rc = within(o, value, ms, err);
    if (rc == RC_OK)
        *member = ms;
    return rc;
}

/* "A..B" in two; false: there are no dots, or nothing beside them. */
static bool split_range(const char *value, char **ret_low, char **ret_high)
{
    const char *dots = strstr(value, "..");
    if (!dots || dots == value || !dots[2])
        return false;
    size_t len = (size_t)(dots - value);
    const char *high = dots + 2 + strspn(dots + 2, " ");
    while (len > 0 && value[len - 1] == ' ')
        len--;
    *ret_low = xstrndup(value, len);
    *ret_high = xstrdup(high);
    return true;
}

/* members: the lower and the upper, one behind the other. */
static enum rc set_range(
    const struct option *o, const char *value, int64_t *members, struct err *err)
{
    CLEANUP_FREE char *low_text = NULL, *high_text = NULL;
    bool is_range = split_range(value, &low_text, &high_text);
    int64_t low, high;
    if (text_int(is_range ? low_text : value, INT64_MIN, INT64_MAX, &low, err) != RC_OK)
        return bad(o, value, "is no number and no range", err);
    high = low;
    if (is_range && text_int(high_text, INT64_MIN, INT64_MAX, &high, err) != RC_OK)
        return bad(o, value, "is no number and no range", err);
    if (low > high)
        return bad(o, value, "begins with the bigger number", err);
    enum rc rc = within(o, value, low, err);
    if (rc == RC_OK)
        rc = within(o, value, high, err);
    if (rc == RC_OK) {
        members[0] = low;
        members[1] = high;
    }
    return rc;
}

#define BACKOFF_MAX_MS INT64_C(3600000)

static enum rc set_durations(
    const struct option *o, const char *value, int64_t *members, struct err *err)
{
    CLEANUP_FREE char *low_text = NULL, *high_text = NULL;
    bool is_range = split_range(value, &low_text, &high_text);
    int64_t low, high;
    enum rc rc = set_duration(o, is_range ? low_text : value, &low, err);
    if (rc != RC_OK)
        return rc;
    high = low > BACKOFF_MAX_MS ? low : BACKOFF_MAX_MS;
    if (is_range)
        rc = set_duration(o, high_text, &high, err);
    if (rc == RC_OK && low > high)
        return bad(o, value, "begins with the longer wait", err);
    if (rc == RC_OK) {
        members[0] = low;
        members[1] = high;
    }
    return rc;
}

static enum rc set_size(const struct option *o, const char *value, int64_t *member, struct err *err)
{
    int64_t bytes;
    enum rc rc = text_size_bytes(value, &bytes, err);
    if (rc == RC_OK)
        rc = within(o, value, bytes, err);
    if (rc == RC_OK)
        *member = bytes;
    return rc;
}

/* Not strtod: that reads what the locale says. */
static enum rc set_factor(
    const struct option *o, const char *value, double *member, struct err *err)
{
    const char *p = value;
    double n = 0, weight = 1;
    for (; isdigit((unsigned char)*p); p++)
        n = n * 10 + (*p - '0');
    if (p > value && *p == '.' && isdigit((unsigned char)p[1])) {
        for (p++; isdigit((unsigned char)*p); p++)
            n += (weight /= 10) * (*p - '0');
    }
    if (p == value || *p)
        return bad(o, value, "is no number", err);
    if (n < (double)o->min || n > (double)o->max)
        return bad(o, value, n < (double)o->min ? "is too small" : "is too big", err);
    *member = n;
    return RC_OK;
}

static enum rc set_enum(const struct option *o, const char *value, int *member, struct err *err)
{
    for (int i = 0; o->words[i]; i++) {
        if (strcmp(value, o->words[i]) == 0) {
            *member = i;
            return RC_OK;
        }
    }
    return bad(o, value, "is not known", err);
}

static enum rc set_handler(
    const struct option *o, const char *value, struct handler *member, struct err *err)
{
    struct handler handler;
    if (handler_parse(value, &handler, err) != RC_OK)
        return expected(o, err);
    handler_fini(member);
    *member = handler;
    return RC_OK;
}

static bool has_stage(const struct stage_spec *stages, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(stages[i].name, name) == 0)
            return true;
    }
    return false;
}

static enum rc check_stage_name(const struct option *o, const struct stage_spec *stages, size_t n,
    const char *name, struct err *err)
{
    if (!text_is_name(name))
        return bad(o, name, "is no name (letters, digits, _ and -, at most 64)", err);
    if (has_stage(stages, n, name))
        return bad(o, name, "is there twice", err);
    return n == STAGES_MAX ? bad(o, name, "is one stage too many (256)", err) : RC_OK;
}

static void free_stages(struct stage_spec *stages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(stages[i].name);
    free(stages);
}

/* Gives the job stages that have only a name. */
static enum rc set_stages(
    const struct option *o, const char *value, struct job_spec *job, struct err *err)
{
    static const char blanks[] = " \t\n";
    struct stage_spec *stages = NULL;
    size_t n = 0;
    enum rc rc = RC_OK;
    for (const char *p = value; *p && rc == RC_OK; p += strspn(p, blanks)) {
        size_t len = strcspn(p, blanks);
        CLEANUP_FREE char *name = xstrndup(p, len);
        rc = check_stage_name(o, stages, n, name, err);
        if (rc == RC_OK) {
            stages = xrealloc(stages, (n + 1) * sizeof(*stages));
            stages[n++] = (struct stage_spec){.name = TAKE_PTR(name)};
        }
        p += len;
    }
    if (rc == RC_OK && n > 0) {
        free_stages(job->stages, job->stages_len); /* of the template */
        job->stages = stages;
        job->stages_len = n;
        return RC_OK;
    }
    free_stages(stages, n);
    return rc;
}

static enum rc set_discover(
    const struct option *o, const char *value, struct job_spec *job, struct err *err)
{
    return discover_parse(value, job, err) == RC_OK ? RC_OK : expected(o, err);
}

static enum rc set_log(const struct option *o, const char *value, const struct config *config,
    struct pool_options *pool, struct err *err)
{
    static const char *const plain[] = {"stderr", "syslog"};
    const size_t len = strcspn(value, " \t");
    const char *path = value + len + strspn(value + len, " \t");
    for (int i = 0; i < 2; i++) {
        if (strcmp(value, plain[i]) != 0)
            continue;
        pool->log = (enum log_target)i;
        set_text(&pool->log_file, NULL);
        return RC_OK;
    }
    if (len != 4 || strncmp(value, "file", len) != 0)
        return bad(o, value, "is not known", err);
    if (!*path)
        return bad(o, value, "needs a path", err);
    pool->log = LOG_TARGET_FILE;
    set_text(&pool->log_file, sys_path_join(config->directory, path));
    return RC_OK;
}

/* Only a shell command keeps its line breaks; everywhere else they are blanks. */
static char *unfolded(const struct option *o, const char *value)
{
    char *flat = xstrdup(value);
    if (o->type == OPTION_HANDLER && strncmp(value, "shell", 5) == 0)
        return flat;
    for (char *p = flat; *p; p++) {
        if (*p == '\n')
            *p = ' ';
    }
    return flat;
}

static enum rc set_typed(const struct option *o, const char *value, const struct config *config,
    void *base, struct err *err)
{
    void *member = (char *)base + o->offset;
    if (o->has_none && strcmp(value, "none") == 0) {
        memset(member, 0, value_is_letters(o) ? 1 : sizeof(int64_t));
        return RC_OK;
    }
    switch (o->type) {
    case OPTION_PATH:
        set_text(member, sys_path_join(config->directory, value));
        return RC_OK;
    case OPTION_TEXT:
        set_text(member, xstrdup(value));
        return RC_OK;
    case OPTION_VERSION:
        return set_version(o, value, member, err);
    case OPTION_INT:
        return set_int(o, value, member, err);
    case OPTION_RANGE:
        return set_range(o, value, member, err);
    case OPTION_DURATION:
        return set_duration(o, value, member, err);
    case OPTION_DURATIONS:
        return set_durations(o, value, member, err);
    case OPTION_SIZE:
        return set_size(o, value, member, err);
    case OPTION_PERCENT:
        return text_percent(value, member, err);
    case OPTION_USER:
        return user_parse(value, member, err) == RC_OK ? RC_OK : expected(o, err);
    case OPTION_FACTOR:
        return set_factor(o, value, member, err);
    case OPTION_ENUM:
        return set_enum(o, value, member, err);
    case OPTION_HANDLER:
        return set_handler(o, value, member, err);
    case OPTION_DISCOVER:
        return set_discover(o, value, base, err);
    case OPTION_PATTERN:
        return pattern_parse(value, member, err);
    case OPTION_ENV:
    case OPTION_EXIT:
    case OPTION_TEMPLATE:
        return err_set(err, RC_BUG, "a key without a member");
    case OPTION_LOG:
        return set_log(o, value, config, base, err);
    case OPTION_RATE:
        return rate_parse(value, member, err) == RC_OK ? RC_OK : expected(o, err);
    case OPTION_RESOURCES:
        return resource_list_parse(value, config, &((struct stage_spec *)base)->tuning, err);
    case OPTION_NAMES:
        return set_stages(o, value, base, err);
    }
    return err_set(err, RC_BUG, "a key of unknown type");
}

enum rc value_set(const struct option *option, const char *value, const struct config *config,
    void *base, struct err *err)
{
    struct err local;
    if (!err)
        err = &local;
    if (!*value)
        return err_set(err, RC_INVALID, "has no value; expected %s", option->form);
    if (secret_is_reference(value))
        return err_set(err, RC_INVALID,
            "a secret cannot stand here; only env.NAME takes one, and gives it to the handler");
    CLEANUP_FREE char *flat = unfolded(option, value);
    return set_typed(option, flat, config, base, err);
}

enum rc value_check(const struct option *option, const char *value, struct err *err)
{
    /* Big enough for any type that a strategy's key has: text, enum, duration. */
    union {
        char *text;
        int word;
        int64_t number;
    } scratch = {.text = NULL};
    struct option local = *option;
    local.offset = 0;
    enum rc rc = value_set(&local, value, NULL, &scratch, err);
    if (rc == RC_OK && option->type == OPTION_TEXT)
        free(scratch.text);
    return rc;
}
