/* The half of options.h that writes the commented example file. */
#include <string.h>

#include "common/config/options.h"

static void add_comment(struct buf *out, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        buf_adds(out, "# ");
        buf_add(out, text, len);
        buf_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static void add_section(struct buf *out, enum option_section section)
{
    for (size_t i = 0; i < options_len; i++) {
        const struct option *o = &options[i];
        if (o->section != section)
            continue;
        const char *value = o->preset ? o->preset : o->example;
        buf_addc(out, '\n');
        add_comment(out, o->help);
        const char *name = o->type == OPTION_EXIT ? EXIT_PREFIX "75" : o->name;
        buf_addf(out, "#%s = %s\n", name, value ? value : "");
    }
}

static const char *const titles[SECTION_COUNT] = {
    [SECTION_POOL] = "[pool]",
    [SECTION_RESOURCE] = "#[resource example]",
    [SECTION_JOB] = "#[job example]",
    [SECTION_STAGE] = "#[stage example.fetch]",
    [SECTION_TEMPLATE] = "#[template example]",
};

void options_write_example(struct buf *out)
{
    add_comment(out,
        "stint.conf: the pool, its jobs and their stages. Further files: jobs.d/*.conf.\n"
        "A line that begins with # or ; is a comment; within a line they are part of\n"
        "the value. A value goes on in the next line if that one is indented further.\n"
        "Durations need a unit (ms, s, m, h, d); sizes may have one (K, M, G).\n"
        "Paths are relative to this file's directory. Commented keys show defaults,\n"
        "or an example where there is none. `stint check` tells what is wrong.");
    for (size_t s = 0; s < SECTION_COUNT; s++) {
        buf_addc(out, '\n');
        add_comment(out, option_section_help((enum option_section)s));
        buf_addf(out, "%s\n", titles[s]);
        add_section(out, (enum option_section)s);
    }
}
