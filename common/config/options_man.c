/* The half of options.h that writes the body of stint.conf(5) for scdoc. */
#include <string.h>

#include "common/config/options.h"

/* A backslash before a sign makes it plain to scdoc. */
static void add_plain(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\*_#[]<>-.~|`", *text))
            buf_addc(out, '\\');
        buf_addc(out, *text);
    }
}

static void add_lines(struct buf *out, const char *text, const char *between)
{
    for (; *text; text++) {
        const char one[] = {*text, '\0'};
        if (*text == '\n')
            buf_adds(out, between);
        else
            add_plain(out, one);
    }
}

static const char *class_text(const struct option *o)
{
    switch (o->class) {
    case CLASS_RESTART:
        return "A change needs a restart of the pool.";
    case CLASS_SPEC:
        return "A reload lets each worker leave when it is empty.";
    case CLASS_POOL:
    case CLASS_TUNING:
        break;
    }
    return o->is_for_next ? "A reload applies it from the next attempt on."
                          : "A reload applies it at once.";
}

static void add_key(struct buf *out, const struct option *o)
{
    buf_addc(out, '*');
    add_plain(out, o->name);
    buf_adds(out, "*\n\t");
    add_lines(out, o->help, "\n\t");
    buf_adds(out, "\n\tForm: ");
    add_plain(out, o->form);
    buf_addc(out, '.');
    if (o->preset || o->example) {
        buf_adds(out, o->preset ? " Default: *" : " Example: *");
        add_plain(out, o->preset ? o->preset : o->example);
        buf_adds(out, "*.");
    }
    buf_addf(out, "\n\t%s\n\n", class_text(o));
}

void options_write_man(struct buf *out)
{
    for (size_t s = 0; s < SECTION_COUNT; s++) {
        const enum option_section section = (enum option_section)s;
        buf_addf(
            out, "## %s\n\n", option_section_form(section)); /* scdoc takes titles as they are */
        add_lines(out, option_section_help(section), "\n");
        buf_adds(out, "\n\n");
        for (size_t i = 0; i < options_len; i++) {
            if (options[i].section == section)
                add_key(out, &options[i]);
        }
    }
}
