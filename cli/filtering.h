/* filtering: the FILTER of a command line: reads it, shows what is wrong in it with a caret under
 * the spot, and says why nothing matches. Used by ls, retry, cancel. Reads no store by itself. */
#ifndef STINT_CLI_FILTERING_H
#define STINT_CLI_FILTERING_H

#include "cli/context.h"
#include "common/filter/filter.h"

/* For the help of every command that takes one. */
#define FILTER_HELP                                                                                \
    "FILTER: words that must all hold, in quotes of the shell: 'job:news status:failed age>1h'.\n" \
    "  job: stage: key: source:    exactly this; != not this; ~ contains, as in key~example.com\n" \
    "  status:      of the stage run: blocked, pending, in_progress, retry_later, held, done,\n"   \
    "               skipped, failed, exhausted, cancelled\n"                                       \
    "  item:        of its item as a whole: failed, cancelled, done, in_progress, pending\n"       \
    "  error:       contains this text; error= is exactly this\n"                                  \
    "  ~ and error: take A-Z and a-z as alike; key: and key= do not\n"                             \
    "  attempts interruptions priority    compared by : = != > >= < <=, as in attempts>=3\n"       \
    "  age changed  time since the item was added, since the stage run last changed: age>1h\n"     \
    "  a,b is a or b; -word negates; \"a b\" holds blanks; a word alone is the key of an item.\n"  \
    "  -status:done may stand first; -KEY goes behind two dashes: -- -a.txt\n"

struct filtering {
    struct buf text; /* the words of the command line, joined by blanks */
    struct filter filter;
};
#define FILTERING_INIT                                                                             \
    {                                                                                              \
        .text = BUF_INIT, .filter = FILTER_INIT                                                    \
    }

/* CLI_OK, or says what is wrong and returns CLI_USAGE. Finish *ret in any case. */
enum cli_exit filtering_read(const struct cli *cli, struct filtering *ret);
void filtering_fini(struct filtering *f);

/* 'job:news key:a' as typed in a shell: the filter that means this item; job NULL: of any job. */
void filtering_add_item(struct buf *out, const char *job, const char *key);

/* Why nothing was found; returns CLI_NO_MATCH. The empty states are told apart. */
enum cli_exit filtering_say_nothing(const struct cli *cli, const struct filtering *f);

#endif
