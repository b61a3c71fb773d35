#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "common/base/clock.h"
#include "common/base/sys.h"
#include "common/base/text.h"

/* The rate is over about this long: quick enough to follow, slow enough to read. */
#define RATE_WINDOW_NS (INT64_C(10) * NS_PER_S)
#define SAMPLE_GAP_NS (RATE_WINDOW_NS / PROGRESS_SAMPLES)
#define MIN_SPAN_NS (NS_PER_S / 2)

void progress_init(struct progress *p, bool is_terminal, bool is_quiet, size_t width)
{
    *p = (struct progress){.is_terminal = is_terminal, .is_quiet = is_quiet, .width = width};
    if (!is_terminal)
        p->drawn_mono_ns = clock_mono_ns(); /* the first line comes after its 10 s, too */
}

void progress_fini(struct progress *p)
{
    if (!p)
        return;
    progress_clear(p);
    free(p->last);
    p->last = NULL;
}

int64_t progress_due_ns(const struct progress *p)
{
    if (p->drawn_mono_ns == 0)
        return 0;
    return p->drawn_mono_ns + (p->is_terminal ? PROGRESS_DRAW_NS : PROGRESS_LINE_NS);
}

static void add_sample(struct progress *p, int64_t now_ns, int64_t done)
{
    p->newest = (struct progress_sample){now_ns, done};
    if (p->samples_len > 0) {
        size_t last = (p->samples_next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
        if (now_ns - p->samples[last].mono_ns < SAMPLE_GAP_NS)
            return;
    }
    p->samples[p->samples_next] = p->newest;
    p->samples_next = (p->samples_next + 1) % PROGRESS_SAMPLES;
    if (p->samples_len < PROGRESS_SAMPLES)
        p->samples_len++;
}

/* Done per second since the oldest sample within the window; −1: too early to say. */
static double rate(const struct progress *p)
{
    const struct progress_sample *oldest = &p->newest;
    for (size_t i = 0; i < p->samples_len; i++) {
        const struct progress_sample *s = &p->samples[i];
        if (p->newest.mono_ns - s->mono_ns <= RATE_WINDOW_NS && s->mono_ns < oldest->mono_ns)
            oldest = s;
    }
    int64_t span = p->newest.mono_ns - oldest->mono_ns;
    if (span < MIN_SPAN_NS)
        return -1;
    return (double)(p->newest.done - oldest->done) * (double)NS_PER_S / (double)span;
}

static void add_rate(struct buf *out, const struct progress_numbers *n)
{
    char text[32];
    if (n->rate_per_s <= 0)
        return;
    if (n->rate_per_s < 10)
        buf_addf(out, " · %.1f/s", n->rate_per_s);
    else
        buf_addf(out, " · %s/s", text_count((int64_t)n->rate_per_s, text, sizeof(text)));
    double left_s = (double)n->rest / n->rate_per_s;
    if (n->is_finding || n->rest == 0 || left_s > 365.0 * 86400)
        return;
    int64_t left_ms = left_s < 1 ? 1000 : (int64_t)left_s * 1000;
    buf_addf(out, " · ~%s left", text_duration(left_ms, text, sizeof(text)));
}

void progress_format(struct buf *out, const struct progress_numbers *n)
{
    char done[32], items[32], number[32];
    buf_addf(out, "%s %s/%s done", n->name, text_count(n->done, done, sizeof(done)),
        text_count(n->items, items, sizeof(items)));
    if (n->is_finding)
        buf_adds(out, " (still finding)");
    buf_addf(out, " · %s running", text_count(n->running, number, sizeof(number)));
    if (n->retrying)
        buf_addf(out, " · %s retry later", text_count(n->retrying, number, sizeof(number)));
    buf_addf(out, " · %s failed", text_count(n->failed, number, sizeof(number)));
    if (n->paused)
        buf_addf(out, " · %s stage%s paused", text_count(n->paused, number, sizeof(number)),
            n->paused == 1 ? "" : "s");
    add_rate(out, n);
}

#define BAR_CELLS 20

static void add_bar(struct buf *out, int64_t pct)
{
    int64_t full = pct * BAR_CELLS / 100;
    buf_addc(out, '[');
    for (int64_t i = 0; i < BAR_CELLS; i++)
        buf_addc(out, i < full ? '=' : i == full ? '>' : ' ');
    buf_adds(out, "] ");
}

void progress_format_adding(struct buf *out, const struct progress_adding *n)
{
    char items[32];
    struct progress_numbers pace = {.rate_per_s = n->rate_per_s};
    buf_addf(out, "%s ", n->name);
    if (n->size_bytes > 0) {
        int64_t done = n->done_bytes < n->size_bytes ? n->done_bytes : n->size_bytes;
        int64_t pct = (int64_t)(100.0 * (double)done / (double)n->size_bytes);
        if (n->has_bar)
            add_bar(out, pct);
        buf_addf(out, "%lld%% · ", (long long)pct);
        if (done > 0)
            pace.rest = (int64_t)((double)(n->size_bytes - done) / (double)done * (double)n->items);
    }
    buf_addf(out, "%s items", text_count(n->items, items, sizeof(items)));
    add_rate(out, &pace);
}

static void sum_up(const struct overview *o, const char *job, struct progress_numbers *n,
    char *name, size_t name_cap)
{
    size_t jobs = 0;
    for (size_t i = 0; i < o->len; i++) {
        const struct job_view *j = &o->jobs[i];
        if (job ? strcmp(job, j->name) != 0 : !j->is_configured && job_moving(j) == 0)
            continue;
        jobs++;
        (void)snprintf(name, name_cap, "%s", j->name);
        n->items += j->items;
        n->done += j->done_items;
        n->running += j->counts[STATUS_IN_PROGRESS];
        n->retrying += j->counts[STATUS_RETRY_LATER];
        n->failed += job_failed(j);
        n->is_finding = n->is_finding || j->is_finding;
        for (size_t k = 0; k < j->stages_len; k++)
            n->paused += j->stages[k].is_paused;
    }
    if (jobs != 1)
        (void)snprintf(name, name_cap, "%zu jobs", jobs);
    n->name = name;
    n->rest = n->items > n->done + n->failed ? n->items - n->done - n->failed : 0;
}

/* Cut to the terminal's width: a line that wraps could not be taken back. The cursor rests at the
 * line's start, so that a message of somebody else overwrites the bar instead of following it. */
static void show(struct progress *p, const char *text)
{
    struct buf out = BUF_INIT;
    if (!p->is_terminal) {
        buf_addf(&out, "%s\n", text);
    } else {
        char *line = text_cut(text, p->width > 20 ? p->width - 1 : 79);
        buf_addf(&out, "\r%s\033[K\r", line);
        free(line);
        p->is_shown = true;
    }
    (void)sys_write_all(STDERR_FILENO, out.data, out.len);
    buf_fini(&out);
}

/* Gives nothing away of line. */
static void put(struct progress *p, const struct buf *line, int64_t now_ns)
{
    p->drawn_mono_ns = now_ns;
    if (p->last && strcmp(p->last, buf_str(line)) == 0 && (!p->is_terminal || p->is_shown))
        return;
    show(p, buf_str(line));
    free(p->last);
    p->last = xstrdup(buf_str(line));
}

void progress_draw(struct progress *p, const struct overview *o, const char *job, int64_t now_ns)
{
    struct progress_numbers n = {.rate_per_s = -1};
    char name[96];
    if (p->is_quiet)
        return;
    sum_up(o, job, &n, name, sizeof(name));
    add_sample(p, now_ns, n.done);
    n.rate_per_s = rate(p);
    struct buf line = BUF_INIT;
    progress_format(&line, &n);
    put(p, &line, now_ns);
    buf_fini(&line);
}

void progress_draw_adding(struct progress *p, const struct progress_adding *n, int64_t now_ns)
{
    if (p->is_quiet)
        return;
    struct progress_adding paced = *n;
    add_sample(p, now_ns, n->items);
    if (now_ns < progress_due_ns(p))
        return;
    paced.rate_per_s = rate(p);
    paced.has_bar = p->is_terminal;
    struct buf line = BUF_INIT;
    progress_format_adding(&line, &paced);
    put(p, &line, now_ns);
    buf_fini(&line);
}

void progress_clear(struct progress *p)
{
    if (!p->is_shown)
        return;
    (void)sys_write_all(STDERR_FILENO, "\r\033[K", 4);
    p->is_shown = false;
}
