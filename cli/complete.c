#include "cli/complete.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "common/filter/fields.h"
#include "common/filter/filter.h"

/* What the complete words before the cursor have said. */
struct typed {
    const struct command *command; /* NULL: none yet */
    const char *first;             /* the first argument; NULL: none yet */
    size_t words;                  /* arguments so far */
    bool is_rest;                  /* after "--" */
    bool is_lost;                  /* a word that no command has: nothing can follow */
    const struct flag *open;       /* the option whose value is next; NULL: none */
    const char *current, *config;
};

static size_t sets_of(const struct command *command, const struct flag *sets[2])
{
    sets[0] = global_flags;
    sets[1] = command ? command->flags : NULL;
    return 2;
}

/* Which flag is it that takes the next word? */
static const struct flag *open_flag(const struct typed *t, const char *arg)
{
    const struct flag *sets[2];
    size_t n = sets_of(t->command, sets);
    if (strchr(arg, '=') || !args_takes_next(arg, sets, n))
        return NULL;
    if (arg[1] == '-')
        return args_find(sets, n, arg + 2, strlen(arg + 2));
    for (size_t i = 0; i < n; i++)
        for (const struct flag *f = sets[i]; f && f->name; f++)
            if (f->letter == arg[strlen(arg) - 1])
                return f;
    return NULL;
}

static void take_word(struct typed *t, const char *word)
{
    if (!t->command) {
        t->command = command_find(word);
        t->is_lost = !t->command;
        return;
    }
    const struct command *sub = t->command->subs ? command_sub(t->command, word) : NULL;
    if (sub) {
        t->command = sub;
        return;
    }
    t->is_lost = t->is_lost || t->command->subs;
    if (t->words++ == 0)
        t->first = word;
}

/* The value of a field may still be missing. */
static bool is_filter_word(const struct typed *t, const char *word)
{
    return command_takes_filter(t->command) && filter_is_negated(word);
}

static struct typed read_typed(char *const *words, size_t len)
{
    struct typed t = {.current = len ? words[len - 1] : ""};
    for (size_t i = 0; i + 1 < len; i++) {
        const char *word = words[i];
        if (t.open) {
            if (t.open->letter == 'c' && strcmp(t.open->name, "config") == 0)
                t.config = word;
            t.open = NULL;
        } else if (!t.is_rest && strcmp(word, "--") == 0) {
            t.is_rest = true;
        } else if (!t.is_rest && word[0] == '-' && word[1] && !is_filter_word(&t, word)) {
            t.open = open_flag(&t, word);
            if (strncmp(word, "--config=", 9) == 0)
                t.config = word + 9;
        } else {
            take_word(&t, word);
        }
    }
    return t;
}

/* ---- candidates ---- */

struct offer {
    struct buf *out;
    const char *typed;  /* what a candidate must begin with */
    const char *prefix; /* stands before each: "--color=" */
};

static void offer(const struct offer *o, const char *word, const char *help)
{
    if (strncmp(word, o->typed, strlen(o->typed)) != 0)
        return;
    buf_addf(o->out, "%s%s\t%s\n", o->prefix, word, help ? help : "");
}

static void offer_jobs(const struct offer *o, const struct config *config)
{
    for (size_t i = 0; config && i < config->jobs_len; i++)
        offer(o, config->jobs[i].name, "job");
}

static void offer_job_stages(const struct offer *o, const struct config *config)
{
    offer_jobs(o, config);
    for (size_t i = 0; config && i < config->jobs_len; i++)
        for (size_t k = 0; k < config->jobs[i].stages_len; k++) {
            char *name = xasprintf("%s.%s", config->jobs[i].name, config->jobs[i].stages[k].name);
            offer(o, name, "stage");
            free(name);
        }
}

/* job NULL: of all jobs. */
static void offer_stages(const struct offer *o, const struct config *config, const char *job)
{
    for (size_t i = 0; config && i < config->jobs_len; i++)
        for (size_t k = 0; k < config->jobs[i].stages_len; k++)
            if (!job || strcmp(job, config->jobs[i].name) == 0)
                offer(o, config->jobs[i].stages[k].name, "stage");
}

static void offer_commands(const struct offer *o, const struct command *of)
{
    for (size_t i = 0; of && i < of->subs_len; i++)
        offer(o, command_word(&of->subs[i]), of->subs[i].help);
    for (size_t i = 0; !of && i < commands_len; i++) {
        offer(o, commands[i]->name, commands[i]->help);
        if (commands[i]->alias)
            offer(o, commands[i]->alias, commands[i]->help);
    }
}

/* "job:", "-job:", then what may follow it. */
static void offer_filter(const struct offer *o, const struct config *config)
{
    const char *colon = strchr(o->typed, ':');
    const char *minus = o->typed[0] == '-' ? "-" : "";
    for (int i = 0; i < FILTER_FIELDS; i++) {
        const struct filter_about *about = filter_about_field((enum filter_field)i);
        char *name = xasprintf("%s%s:", minus, about->name);
        struct offer after = {o->out, colon ? colon + 1 : "", name};
        bool is_this = colon && strncmp(o->typed, name, strlen(name)) == 0;
        if (!colon && about->ops & 1u << FILTER_IS)
            offer(o, name, about->example);
        else if (is_this && i == FILTER_JOB)
            offer_jobs(&after, config);
        else if (is_this && i == FILTER_STAGE)
            offer_stages(&after, config, NULL);
        for (size_t k = 0; is_this && about->words && about->words[k]; k++)
            offer(&after, about->words[k], about->what);
        free(name);
    }
}

static void offer_kind(
    const struct offer *o, enum word_kind kind, const struct typed *t, const struct config *config)
{
    switch (kind) {
    case WORD_TEXT:
        return;
    case WORD_JOB:
        offer_jobs(o, config);
        return;
    case WORD_JOB_STAGE:
        offer_job_stages(o, config);
        return;
    case WORD_STAGE:
        offer_stages(o, config, t->first);
        return;
    case WORD_FILTER:
        offer_filter(o, config);
        return;
    case WORD_FILE:
        buf_adds(o->out, ":file\n");
        return;
    case WORD_DIR:
        buf_adds(o->out, ":dir\n");
        return;
    case WORD_COMMAND:
        offer_commands(o, t->first ? command_find(t->first) : NULL);
        if (!t->first)
            offer(o, "filter", "what FILTER means");
        return;
    case WORD_SHELL:
        offer(o, "bash", NULL);
        offer(o, "fish", NULL);
        offer(o, "zsh", NULL);
        return;
    }
}

static void offer_value(const struct offer *o, const struct flag *flag, const struct typed *t,
    const struct config *config)
{
    for (size_t i = 0; flag->type == FLAG_WORD && flag->words[i]; i++)
        offer(o, flag->words[i], NULL);
    if (flag->type == FLAG_TEXT)
        offer_kind(o, flag->kind, t, config);
}

static void offer_flags(const struct offer *o, const struct typed *t, const struct config *config)
{
    const struct flag *sets[2];
    size_t n = sets_of(t->command, sets);
    const char *equals = strchr(t->current, '=');
    if (equals) {
        const struct flag *f =
            args_find(sets, n, t->current + 2, (size_t)(equals - t->current) - 2);
        char *prefix = xasprintf("%.*s", (int)(equals + 1 - t->current), t->current);
        struct offer value = {o->out, equals + 1, prefix};
        if (f && f->value)
            offer_value(&value, f, t, config);
        free(prefix);
        return;
    }
    for (size_t i = n; i > 0; i--)
        for (const struct flag *f = sets[i - 1]; f && f->name; f++) {
            char *name = xasprintf("--%s", f->name);
            offer(o, name, f->help);
            free(name);
        }
}

static void offer_word(const struct offer *o, const struct typed *t, const struct config *config)
{
    const struct command *command = t->command;
    if (!command || command->subs)
        offer_commands(o, command);
    else if (t->words < command->words_max)
        offer_kind(
            o, command->words[t->words < COMMAND_WORDS ? t->words : COMMAND_WORDS - 1], t, config);
}

void complete_words(char *const *words, size_t len, const struct config *config, struct buf *out)
{
    struct typed t = read_typed(words, len);
    struct offer o = {out, t.current, ""};
    if (t.is_lost)
        return;
    bool has_flags = !t.is_rest && t.current[0] == '-' && (!t.current[1] || t.current[1] == '-');
    if (t.open) {
        offer_value(&o, t.open, &t, config);
        return;
    }
    if (has_flags)
        offer_flags(&o, &t, config);
    if (!has_flags || command_takes_filter(t.command))
        offer_word(&o, &t, config);
}

const char *complete_config(char *const *words, size_t len)
{
    return read_typed(words, len).config;
}
