/* doctor: what `stint doctor` finds: a list of findings, each with a state word, what it is about,
 * what was seen and what mends it; and the looks that fill it, a file a subject. Looks only:
 * starts, ends, writes and repairs nothing. */
#ifndef STINT_CLI_DOCTOR_H
#define STINT_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "cli/context.h"

enum finding_state { FINDING_OK, FINDING_WARNING, FINDING_PROBLEM };

struct doctor_finding {
    enum finding_state state;
    const char *about;
    char *text, *fix; /* owned; fix NULL: none is needed */
};

struct doctor {
    struct cli *cli; /* config NULL: it cannot be read; store NULL: none, or it cannot be opened */
    struct doctor_finding *list;
    size_t len;
};

void doctor_fini(struct doctor *d);
const char *finding_state_name(enum finding_state state);
size_t doctor_count(const struct doctor *d, enum finding_state state);

/* Adds one; doctor_fix then says how the newest is mended. */
void doctor_add(struct doctor *d, enum finding_state state, const char *about, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void doctor_fix(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Others may write to it, or (is_private) read it: a finding; false: nothing to say. */
bool doctor_look_mode(
    struct doctor *d, const char *about, const char *path, const struct stat *st, bool is_private);

void doctor_look_config(struct doctor *d); /* doctor_pool.c: reads the files, then asks the pool */
void doctor_look_pool(struct doctor *d);   /* doctor_pool.c */
void doctor_look_database(struct doctor *d); /* doctor_database.c; opens the store */
void doctor_look_library(
    struct doctor *d); /* doctor_database.c: which SQLite, and who else uses it */
void doctor_look_system(struct doctor *d); /* doctor_system.c */

/* doctor_version.c. Pure. The WAL-reset bug of SQLite 3.7.0 to 3.51.2: is this version free of it?
 */
bool sqlite_is_fixed(const char *version);

#endif
