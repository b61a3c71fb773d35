/* options: the one table of configuration keys. Parser, `stint check`, the example file and (later)
 * `config show` and the man page come from it. A new key is one row here and one struct member. */
#ifndef STINT_CONFIG_OPTIONS_H
#define STINT_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

enum option_section {
    SECTION_POOL,
    SECTION_RESOURCE,
    SECTION_JOB,
    SECTION_STAGE,
    SECTION_TEMPLATE, /* has no keys of its own */
    SECTION_COUNT,
};

enum option_type {
    OPTION_PATH,      /* char *, made absolute */
    OPTION_TEXT,      /* char * */
    OPTION_VERSION,   /* char *, no control characters */
    OPTION_INT,       /* int64_t within min..max */
    OPTION_RANGE,     /* two int64_t: N or MIN..MAX, within min..max */
    OPTION_DURATION,  /* int64_t ms within min..max */
    OPTION_DURATIONS, /* two int64_t ms within min..max: BASE or BASE..MAX */
    OPTION_SIZE,      /* int64_t bytes within min..max */
    OPTION_PERCENT,   /* int64_t */
    OPTION_FACTOR,    /* double within min..max */
    OPTION_USER,      /* char[USER_NAME_MAX]: a user's name; "" is none */
    OPTION_ENUM,      /* int, words in `words` */
    OPTION_HANDLER,   /* struct handler */
    OPTION_DISCOVER,  /* discover = STRATEGY ARGS; two members of job_spec */
    OPTION_LOG,       /* stderr, syslog or file PATH; two members of pool_options */
    OPTION_RATE,      /* two int64_t: N/s as count and period in ms */
    OPTION_RESOURCES, /* resource = a b; two members of stage_tuning */
    OPTION_ENV,       /* env.NAME = VALUE: one entry of struct env; the row stands for all names */
    OPTION_EXIT,      /* exit.N = ACT: one entry of struct exit_rules; for all numbers */
    OPTION_PATTERN,   /* char[PATTERN_MAX]: a regular expression; "" is none */
    OPTION_TEMPLATE,  /* use = NAME; no member */
    OPTION_NAMES,     /* stages = a b c; two members of job_spec */
};

/* What a change of the key means on reload. */
enum option_class { CLASS_RESTART, CLASS_POOL, CLASS_SPEC, CLASS_TUNING };

struct option {
    enum option_section section;
    const char *name;
    enum option_type type;
    enum option_class class;
    bool is_for_next;   /* what runs keeps what it began with: in force from the next attempt on */
    size_t offset;      /* of the (first) member in the struct that the section fills */
    const char *preset; /* default as a person would write it; NULL: none */
    int64_t min, max;
    bool has_none;            /* takes the word none, too: 0 (or "") */
    const char *const *words; /* OPTION_ENUM: NULL-terminated */
    const char *strategy;     /* discover.KEY: the strategies it is for; kept as text in the job */
    const char *form;         /* expected form, for errors: "a duration like 30s or 5m" */
    const char *example;      /* for the example file, when there is no preset */
    const char *help;         /* one sentence */
};

#define ENV_PREFIX "env."
#define EXIT_PREFIX "exit."

extern const struct option options[];
extern const size_t options_len;

const struct option *option_find(enum option_section section, const char *name); /* or NULL */
/* Every key that a section may have: its own, and in [job] those that its stages inherit (the one
 * stage of a job without `stages` takes handler and version from there, too); in [template] those
 * of [job] and [stage]. */
const struct option *option_in(enum option_section section, const char *name); /* or NULL */
/* The variable that overrides a key of [pool]: "STINT_POOL_WORKERS". */
void option_variable(const char *key, char *out, size_t cap);
const char *option_section_name(enum option_section section); /* "job" */
const char *option_section_form(enum option_section section); /* "[job NAME]" */
/* What it is, for people: whole sentences in one or more lines. */
const char *option_section_help(enum option_section section);

/* The commented example file (conf/stint.conf): every key with its help and default. */
void options_write_example(struct buf *out);
/* The body of the man page stint.conf(5) for scdoc: a heading a section, an entry a key. */
void options_write_man(struct buf *out);

#endif
