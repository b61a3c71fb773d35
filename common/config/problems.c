#include "common/config/problems.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/options.h"

static void add_place(struct buf *out, const struct place *at)
{
    if (!at->variable) {
        buf_addf(out, "%s:%zu: ", at->file, at->line);
        return;
    }
    char variable[96];
    option_variable(at->variable, variable, sizeof(variable));
    buf_addf(out, "%s: ", variable);
}

void problem_add(struct problems *problems, const struct place *at, const char *fmt, ...)
{
    problems->count++;
    if (!problems->out || problems->count > PROBLEMS_SHOWN_MAX)
        return;
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    add_place(&line, at);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&line, fmt, ap);
    va_end(ap);
    text_add_printable(problems->out, buf_str(&line), line.len);
    buf_addc(problems->out, '\n');
}

void problem_add_text(struct problems *problems, const char *text)
{
    problems->count++;
    if (!problems->out || problems->count > PROBLEMS_SHOWN_MAX)
        return;
    text_add_printable(problems->out, text, strlen(text));
    buf_addc(problems->out, '\n');
}

bool problems_are_full(const struct problems *problems)
{
    return !problems->out || problems->count >= PROBLEMS_SHOWN_MAX;
}

void problems_end(const struct problems *problems)
{
    if (problems->out && problems->count > PROBLEMS_SHOWN_MAX)
        buf_addf(problems->out, "… and %zu more problems\n", problems->count - PROBLEMS_SHOWN_MAX);
}
