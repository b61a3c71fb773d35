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
        buf_addf(out, "#%s = %s\n", o->name, value ? value : "");
    }
}

void options_write_example(struct buf *out)
{
    add_comment(out,
        "stint.conf: the pool, its jobs and their stages. Further files: jobs.d/*.conf.\n"
        "A line that begins with # or ; is a comment; within a line they are part of\n"
        "the value. A value goes on in the next line if that one is indented further.\n"
        "Durations need a unit (ms, s, m, h, d); sizes may have one (K, M, G).\n"
        "Paths are relative to this file's directory. Commented keys show defaults,\n"
        "or an example where there is none. `stint check` tells what is wrong.");
    buf_adds(out, "\n[pool]\n");
    add_comment(out, "Each of these can be overridden by the environment: STINT_POOL_WORKERS=4.");
    add_section(out, SECTION_POOL);
    buf_addc(out, '\n');
    add_comment(out, "Something shared that is paced: an API, a host, a disk.");
    buf_adds(out, "#[resource example]\n");
    add_section(out, SECTION_RESOURCE);
    buf_addc(out, '\n');
    add_comment(out, "A job: how its items are found and what is done with them. Every key of a\n"
                     "stage but handler and version may stand here, too: its stages inherit it.");
    buf_adds(out, "#[job example]\n");
    add_section(out, SECTION_JOB);
    buf_addc(out, '\n');
    add_comment(out, "One stage of a job.");
    buf_adds(out, "#[stage example.fetch]\n");
    add_section(out, SECTION_STAGE);
}
