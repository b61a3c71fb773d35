/* The half of options.h that names and finds: sections and their keys. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/config/options.h"

static const char *const section_names[SECTION_COUNT] = {
    [SECTION_POOL] = "pool",
    [SECTION_RESOURCE] = "resource",
    [SECTION_JOB] = "job",
    [SECTION_STAGE] = "stage",
    [SECTION_TEMPLATE] = "template",
};

const char *option_section_name(enum option_section section)
{
    return section < SECTION_COUNT ? section_names[section] : "?";
}

static const char *const section_forms[SECTION_COUNT] = {
    [SECTION_POOL] = "[pool]",
    [SECTION_RESOURCE] = "[resource NAME]",
    [SECTION_JOB] = "[job NAME]",
    [SECTION_STAGE] = "[stage JOB.NAME]",
    [SECTION_TEMPLATE] = "[template NAME]",
};

const char *option_section_form(enum option_section section)
{
    return section < SECTION_COUNT ? section_forms[section] : "?";
}

static const char *const section_helps[SECTION_COUNT] = {
    [SECTION_POOL] = "The pool itself. Each key can be overridden by the environment: "
                     "STINT_POOL_WORKERS=4.",
    [SECTION_RESOURCE] = "Something shared that is paced: an API, a host, a disk.",
    [SECTION_JOB] = "A job: how its items are found and what is done with them. Every key of a\n"
                    "stage but handler and version may stand here, too: its stages inherit it.",
    [SECTION_STAGE] = "One stage of a job.",
    [SECTION_TEMPLATE] =
        "Lines that several jobs or stages share: \"use = NAME\" in a job, a stage or another\n"
        "template stands for its lines, before the section's own. So what a stage's section\n"
        "says wins over its template, that over the job's section, and that over the job's\n"
        "template.",
};

const char *option_section_help(enum option_section section)
{
    return section < SECTION_COUNT ? section_helps[section] : "?";
}

void option_variable(const char *key, char *out, size_t cap)
{
    (void)snprintf(out, cap, "STINT_POOL_%s", key);
    for (char *p = out; *p; p++)
        *p = (char)toupper((unsigned char)*p);
}

static bool is_named(const struct option *option, const char *name)
{
    if (option->type == OPTION_ENV)
        return strncmp(name, ENV_PREFIX, strlen(ENV_PREFIX)) == 0;
    if (option->type == OPTION_EXIT)
        return strncmp(name, EXIT_PREFIX, strlen(EXIT_PREFIX)) == 0;
    return strcmp(option->name, name) == 0;
}

const struct option *option_find(enum option_section section, const char *name)
{
    for (size_t i = 0; i < options_len; i++) {
        if (options[i].section == section && is_named(&options[i], name))
            return &options[i];
    }
    return NULL;
}

const struct option *option_in(enum option_section section, const char *name)
{
    if (section != SECTION_JOB && section != SECTION_TEMPLATE)
        return option_find(section, name);
    const struct option *found = option_find(SECTION_JOB, name);
    return found ? found : option_find(SECTION_STAGE, name);
}
