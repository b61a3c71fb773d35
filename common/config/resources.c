#include "common/config/resources.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/apply.h"

#define BLANKS " \t\n"
#define COUNT_MAX INT64_C(1000000000)
#define TOKENS_A_MS_MAX 1000 /* a token a microsecond */

static const struct {
    char unit;
    int64_t ms;
} periods[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
#define PERIODS_LEN (sizeof(periods) / sizeof(periods[0]))

/* The period behind the slash; 0: none that we know. */
static int64_t period_ms(const char *unit)
{
    for (size_t i = 0; i < PERIODS_LEN; i++) {
        if (unit[0] == periods[i].unit && !unit[1])
            return periods[i].ms;
    }
    return 0;
}

#define DECIMALS_MAX 6

/* "0.5" as 5 and 10. False: it is no such number. */
static bool read_decimal(const char *text, int64_t *ret_count, int64_t *ret_parts)
{
    const char *point = strchr(text, '.');
    size_t decimals = point ? strlen(point + 1) : 0;
    int64_t count = 0, parts = 1;
    if (decimals == 0 || decimals > DECIMALS_MAX || point - text > 9)
        return false;
    for (const char *p = text; *p; p++) {
        if (p == point)
            continue;
        if (*p < '0' || *p > '9')
            return false;
        count = count * 10 + (*p - '0');
        parts *= p > point ? 10 : 1;
    }
    *ret_count = count;
    *ret_parts = parts;
    return count > 0;
}

/* No part of a token: 0.5/s is 30/m, by the shortest period that makes it whole. */
static enum rc no_whole_number(const char *text, const char *number, int64_t ms, struct err *err)
{
    int64_t count, parts;
    bool is_decimal = ms > 0 && read_decimal(number, &count, &parts);
    for (size_t i = 0; i < PERIODS_LEN && is_decimal; i++) {
        if (periods[i].ms >= ms && count * (periods[i].ms / ms) % parts == 0)
            return err_set(err, RC_INVALID, "\"%.80s\" is no whole number; did you mean %lld/%c?",
                text, (long long)(count * (periods[i].ms / ms) / parts), periods[i].unit);
    }
    return err_set(err, RC_INVALID, "\"%.80s\" does not begin with a whole number", text);
}

enum rc rate_parse(const char *text, int64_t ret[2], struct err *err)
{
    const char *slash = strchr(text, '/');
    if (!slash)
        return err_set(err, RC_INVALID, "\"%.80s\" has no unit", text);
    size_t len = (size_t)(slash - text);
    while (len > 0 && text[len - 1] == ' ')
        len--;
    CLEANUP_FREE char *number = xstrndup(text, len);
    int64_t count, ms = period_ms(slash + 1 + strspn(slash + 1, " "));
    if (text_int(number, 0, COUNT_MAX, &count, err) != RC_OK)
        return no_whole_number(text, number, ms, err);
    if (ms == 0)
        return err_set(err, RC_INVALID, "\"%.80s\" has no unit that is known", text);
    if (count == 0)
        return err_set(err, RC_INVALID, "\"%.80s\" would never let anything start", text);
    if (count > ms * TOKENS_A_MS_MAX)
        return err_set(err, RC_INVALID, "\"%.80s\" is more than 1000000/s", text);
    ret[0] = count;
    ret[1] = ms;
    return RC_OK;
}

static enum rc unknown_resource(const char *name, const struct config *config, struct err *err)
{
    CLEANUP_FREE const char **names = xcalloc(config->resources_len + 1, sizeof(*names));
    for (size_t i = 0; i < config->resources_len; i++)
        names[i] = config->resources[i].name;
    const char *near = text_nearest(name, names, config->resources_len);
    if (near)
        return err_set(
            err, RC_INVALID, "there is no resource \"%.64s\"; did you mean \"%s\"?", name, near);
    return err_set(err, RC_INVALID,
        "there is no resource \"%.64s\"; add a section [resource %.64s] with a rate", name, name);
}

static enum rc add_named(
    const char *name, const struct config *config, struct stage_tuning *tuning, struct err *err)
{
    const struct resource_spec *found = config_resource(config, name);
    if (!found)
        return unknown_resource(name, config, err);
    size_t place = (size_t)(found - config->resources);
    for (size_t i = 0; i < tuning->resources_len; i++) {
        if (tuning->resources[i] == place)
            return err_set(err, RC_INVALID, "\"%s\" is there twice", name);
    }
    if (tuning->resources_len == STAGE_RESOURCES_MAX)
        return err_set(err, RC_INVALID, "\"%s\" is one too many; a stage has at most %d", name,
            STAGE_RESOURCES_MAX);
    tuning->resources[tuning->resources_len++] = place;
    return RC_OK;
}

enum rc resource_list_parse(
    const char *text, const struct config *config, struct stage_tuning *ret, struct err *err)
{
    struct stage_tuning tuning = *ret;
    enum rc rc = RC_OK;
    tuning.resources_len = 0;
    if (strcmp(text, RESOURCE_NONE) == 0)
        text = "";
    for (const char *p = text; *p && rc == RC_OK; p += strspn(p, BLANKS)) {
        size_t len = strcspn(p, BLANKS);
        CLEANUP_FREE char *name = xstrndup(p, len);
        rc = add_named(name, config, &tuning, err);
        p += len;
    }
    if (rc == RC_OK)
        *ret = tuning;
    return rc;
}

/* One second's worth. */
static int64_t default_burst(const struct resource_spec *resource)
{
    int64_t n = resource->rate_count * 1000 / resource->rate_per_ms;
    return n > 0 ? n : 1;
}

static void build_resource(const struct section_list *sections, const struct section *section,
    struct resource_spec *resource)
{
    struct given given = {.section = NULL};
    struct target target = {.resource = resource};
    *resource = (struct resource_spec){.name = xstrdup(section->name)};
    section_apply(sections, section, &target, &given);
    origins_record(&resource->origins, &given, SECTION_RESOURCE);
    if (strcmp(resource->name, RESOURCE_NONE) == 0)
        problem_add(sections->problems, &section->at,
            "a resource cannot be named none: \"resource = none\" means that there is none");
    if (!given_has(&given, "rate"))
        problem_add(sections->problems, &section->at,
            "resource %s has no rate; add a line like \"rate = 10/s\"", resource->name);
    else if (!given_has(&given, "burst") && resource->rate_per_ms > 0)
        resource->burst = default_burst(resource);
}

void resources_build(const struct section_list *sections, struct config *config)
{
    config->resources = xcalloc(sections->len + 1, sizeof(*config->resources));
    for (size_t i = 0; i < sections->len; i++) {
        const struct section *section = &sections->list[i];
        if (section->kind != SECTION_RESOURCE)
            continue;
        if (config->resources_len == RESOURCES_MAX)
            problem_add(sections->problems, &section->at,
                "[resource %s] is one too many; a configuration has at most %d resources",
                section->name, RESOURCES_MAX);
        build_resource(sections, section, &config->resources[config->resources_len++]);
    }
}
