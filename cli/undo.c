#include "cli/undo.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

#define LOOK_MAX 10000

/* The words that still mean the same runs when the act has been done. */
static void add_lasting(struct undo *u, const struct filtering *f)
{
    const uint32_t changed = 1u << FILTER_STATUS | 1u << FILTER_ITEM | 1u << FILTER_ERROR |
                             1u << FILTER_ATTEMPTS | 1u << FILTER_INTERRUPTIONS |
                             1u << FILTER_CHANGED;
    filter_without(&f->filter, buf_str(&f->text), changed, &u->text);
    if (u->text.len > 0)
        buf_addc(&u->text, ' ');
}

static enum rc mark(struct undo *u, struct err *err)
{
    struct run_row row;
    enum rc rc = RC_ROW;
    int n = 0;
    if (selection_known_count(u->before) >= 0) {
        size_t len;
        struct select_stage *stages = selection_stages(u->before, &len);
        for (size_t i = 0; i < len; i++)
            stages[i].marked = selection_stage_count(u->before, &stages[i], STATUS_COUNT);
        return RC_OK;
    }
    for (; n < LOOK_MAX && (rc = selection_next(u->before, &row, err)) == RC_ROW; n++)
        row.stage->marked++;
    u->is_unknown = rc == RC_ROW;
    return rc == RC_DONE || rc == RC_ROW ? RC_OK : rc;
}

enum rc undo_look(struct undo *u, struct store *store, const struct filtering *f,
    const struct undo_words *words, struct err *err)
{
    struct buf all CLEANUP(buf_fini) = BUF_INIT;
    struct filter_fault fault = {.at = 0};
    u->words = words;
    add_lasting(u, f);
    buf_addf(&all, "%sstatus:%s", buf_str(&u->text), words->statuses);
    if (filter_parse(buf_str(&all), &u->filter, &fault)) {
        u->is_unknown = true; /* one word too many */
        return RC_OK;
    }
    enum rc rc = selection_open(store, &u->filter, UINT32_MAX, &u->before, err);
    return rc ? rc : mark(u, err);
}

void undo_fini(struct undo *u)
{
    selection_close(u->before);
    u->before = NULL;
    filter_fini(&u->filter);
    buf_fini(&u->text);
}

/* ---- afterwards ---- */

static bool is_acted(struct selection *acted, const char *stage)
{
    size_t len;
    struct select_stage *stages = selection_stages(acted, &len);
    for (size_t i = 0; i < len; i++)
        if (stages[i].marked > 0 && strcmp(stages[i].stage, stage) == 0)
            return true;
    return false;
}

/* Runs that only the undo would take in: of stages that the act was about, of others. */
static void find_others(
    const struct undo *u, struct selection *acted, bool *ret_here, bool *ret_else)
{
    size_t len;
    struct select_stage *stages = selection_stages(u->before, &len);
    *ret_here = *ret_else = false;
    for (size_t i = 0; i < len; i++) {
        if (stages[i].marked == 0)
            continue;
        if (is_acted(acted, stages[i].stage))
            *ret_here = true;
        else
            *ret_else = true;
    }
}

/* "stage:a,b ", each once. */
static void add_stages(struct buf *out, struct selection *acted)
{
    size_t len;
    struct select_stage *stages = selection_stages(acted, &len);
    const char *lead = "stage:";
    for (size_t i = 0; i < len; i++) {
        bool is_said = false;
        for (size_t k = 0; k < i; k++)
            is_said =
                is_said || (stages[k].marked > 0 && strcmp(stages[k].stage, stages[i].stage) == 0);
        if (stages[i].marked == 0 || is_said)
            continue;
        buf_addf(out, "%s%s", lead, stages[i].stage);
        lead = ",";
    }
    buf_addc(out, ' ');
}

void undo_say(const struct undo *u, const struct cli *cli, struct selection *acted)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    bool has_here = true, has_else = false;
    if (!u->is_unknown)
        find_others(u, acted, &has_here, &has_else);
    buf_adds(&text, buf_str(&u->text));
    if (has_else)
        add_stages(&text, acted);
    buf_addf(&text, "status:%s", u->words->statuses);
    text_add_printable(&shown, text.data, text.len);
    /* As it is typed in quotes of the shell. */
    bool is_typed = strcmp(buf_str(&shown), buf_str(&text)) == 0 && !strchr(buf_str(&text), '\'');
    if (!has_here && is_typed)
        cli_say(cli, "%s:  stint %s '%s'", u->words->lead, u->words->command, buf_str(&shown));
    else
        cli_say(cli,
            "no filter means exactly these again%s; each one is in: stint events --event %s",
            has_here ? ", others were like that before" : "", u->words->event);
}
