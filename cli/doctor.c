#include "cli/doctor.h"

#include <stdarg.h>
#include <stdlib.h>

void doctor_fini(struct doctor *d)
{
    for (size_t i = 0; d && i < d->len; i++) {
        free(d->list[i].text);
        free(d->list[i].fix);
    }
    if (!d)
        return;
    free(d->list);
    d->list = NULL;
    d->len = 0;
}

const char *finding_state_name(enum finding_state state)
{
    switch (state) {
    case FINDING_OK:
        return "ok";
    case FINDING_WARNING:
        return "warning";
    case FINDING_PROBLEM:
        break;
    }
    return "problem";
}

size_t doctor_count(const struct doctor *d, enum finding_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < d->len; i++)
        n += d->list[i].state == state;
    return n;
}

void doctor_add(struct doctor *d, enum finding_state state, const char *about, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&text, fmt, ap);
    va_end(ap);
    d->list = xrealloc(d->list, (d->len + 1) * sizeof(d->list[0]));
    d->list[d->len++] =
        (struct doctor_finding){.state = state, .about = about, .text = buf_take(&text)};
}

void doctor_fix(struct doctor *d, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&text, fmt, ap);
    va_end(ap);
    free(d->list[d->len - 1].fix);
    d->list[d->len - 1].fix = buf_take(&text);
}

/* Typed by root, chmod of the wrong thing breaks a system: a directory need not be ours alone. */
static void fix_mode(struct doctor *d, const char *mode, const char *path, const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        doctor_fix(d,
            "chmod %s %s if it is the pool's alone, else move what lies there: see [pool]", mode,
            path);
    else
        doctor_fix(d, "chmod %s %s", mode, path);
}

/* A sticky directory that all may write to (as /tmp) protects names, but not against new ones. */
bool doctor_look_mode(
    struct doctor *d, const char *about, const char *path, const struct stat *st, bool is_private)
{
    bool is_sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);
    const char *what = S_ISDIR(st->st_mode) ? "directory " : "";
    if (st->st_mode & S_IWOTH) {
        doctor_add(d, is_sticky ? FINDING_WARNING : FINDING_PROBLEM, about,
            "%s%s may be written by everybody", what, path);
        if (is_sticky)
            doctor_fix(d, "move it to a directory of its own");
        else
            fix_mode(d, "o-w", path, st);
        return true;
    }
    if (st->st_mode & S_IWGRP) {
        doctor_add(d, FINDING_WARNING, about, "%s%s may be written by its group (%u)", what, path,
            (unsigned)st->st_gid);
        fix_mode(d, "g-w", path, st);
        return true;
    }
    if (is_private && st->st_mode & (S_IROTH | S_IRGRP)) {
        doctor_add(d, FINDING_WARNING, about, "%s may be read by others", path);
        fix_mode(d, "600", path, st);
        return true;
    }
    return false;
}
