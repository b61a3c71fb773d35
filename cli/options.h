/* options: reads a command line by tables of flags. Knows no command by name: the tables come from
 * commands.c, and are the truth for parser, --help, completion and man pages. Used by
 * main.c once; commands then ask for values by name. Pure, writes nothing. */
#ifndef STINT_CLI_OPTIONS_H
#define STINT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum flag_type { FLAG_BOOL, FLAG_TEXT, FLAG_INT, FLAG_DURATION, FLAG_WORD };

/* What an argument, or an option's value, is: for completion only. */
enum word_kind {
    WORD_TEXT, /* nothing to offer */
    WORD_JOB,
    WORD_JOB_STAGE, /* JOB or JOB.STAGE */
    WORD_STAGE,     /* a stage of the job in the first word */
    WORD_FILTER,
    WORD_FILE,
    WORD_DIR,
    WORD_COMMAND,
    WORD_SHELL,
};

struct flag {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 0: none */
    enum flag_type type;
    const char *value; /* how help calls the value: "N", "FILE|-"; NULL: takes none */
    const char *help;
    int64_t min, max;         /* FLAG_INT */
    const char *const *words; /* FLAG_WORD: NULL-terminated */
    enum word_kind kind;      /* of a FLAG_TEXT's value */
};

#define ARGS_GIVEN_MAX 64
#define ARGS_SETS_MAX 4

/* What was given. Texts and tables are borrowed from argv and the caller. */
struct args {
    struct {
        const struct flag *flag;
        const char *text; /* NULL for FLAG_BOOL */
        int64_t number;   /* FLAG_INT, FLAG_DURATION (ms), FLAG_WORD (index) */
    } given[ARGS_GIVEN_MAX];
    size_t given_len;
    char **words; /* the arguments that are no options, in order; owned */
    size_t words_len;
    const struct flag *const *sets;
    size_t sets_len;
    /* Of an argument that begins with one dash: is it a word all the same? NULL: never. Set before
     * args_parse. */
    bool (*is_word)(const char *arg);
};

/* Index of the first argument that is neither an option nor an option's value (argc when there is
 * none); `sets` are all tables there are, because the command is not known yet. */
int args_first_word(int argc, char **argv, const struct flag *const *sets, size_t sets_len);

/* Does this argument, an option, take the next one as its value? */
bool args_takes_next(const char *arg, const struct flag *const *sets, size_t sets_len);
/* By its name without the dashes; NULL: none. */
const struct flag *args_find(
    const struct flag *const *sets, size_t sets_len, const char *name, size_t len);

/* Reads argv[1..], from which the command itself was taken out. RC_INVALID: err says what is wrong
 * and what is near. Finish *ret by args_fini in any case. */
MUST_CHECK enum rc args_parse(int argc, char **argv, const struct flag *const *sets,
    size_t sets_len, struct args *ret, struct err *err);
#define ARGS_INIT                                                                                  \
    {                                                                                              \
        .given_len = 0, .words = NULL, .words_len = 0, .sets = NULL, .sets_len = 0,                \
        .is_word = NULL                                                                            \
    }
void args_fini(struct args *args);

/* A flag given twice: the last one counts. Names that are in no table are our own bug (assert). */
bool args_has(const struct args *args, const char *name);
const char *args_text(const struct args *args, const char *name); /* NULL: not given */
int64_t args_number(const struct args *args, const char *name, int64_t preset);

#endif
