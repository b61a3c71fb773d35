/* fixture: a store on a real file in a directory of its own, with a configuration and its catalog;
 * and a plain connection beside it, as the stock sqlite3 shell has. Used by the tests of
 * common/store. Every failure ends the test. */
#ifndef STINT_TESTS_STORE_FIXTURE_H
#define STINT_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/store/add.h"
#include "common/store/exchange.h"
#include "common/store/settle.h"

struct plain; /* a plain connection */

struct fixture {
    char dir[64];
    char *path;
    struct config *config;
    struct store *store;
    struct catalog *catalog;
    struct plain *plain;
    struct err err;
    int64_t life;
    uint32_t seq;
};

#define TWO_STAGES                                                                                 \
    "[job j]\nstages = a b\n[stage j.a]\nhandler = builtin noop\n"                                 \
    "[stage j.b]\nhandler = builtin noop\n"

/* setup and teardown of cmocka; *state is a struct fixture with TWO_STAGES. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Another configuration from now on: parsed, synced. */
void fixture_configure(struct fixture *f, const char *jobs);
void fixture_reopen(struct fixture *f, enum durability durability);
struct config *fixture_config(const struct fixture *f, const char *jobs);

#define ok(f, call) ok_((f), (call), #call, __FILE__, __LINE__)
void ok_(struct fixture *f, enum rc rc, const char *what, const char *file, int line);

/* By the plain connection. */
int64_t sql_int(struct fixture *f, const char *sql);
char *sql_text(struct fixture *f, const char *sql); /* "" for null; caller frees */
void sql(struct fixture *f, const char *sql);
/* The error text of what must fail; until the next call. */
const char *sql_fails(struct fixture *f, const char *sql);

const struct catalog_job *job(struct fixture *f, const char *name);
const struct catalog_stage *stage(struct fixture *f, const char *name); /* of the first job */
void add(struct fixture *f, const char *key);
struct add_report add_with(
    struct fixture *f, const char *key, const char *data, const struct add_options *opts);
/* A new pool, its first life. */
void start_pool(struct fixture *f);
/* Claims under the next number of this life, out of all lanes of the first job; run.id may be 0.
 * Fini it. */
struct run claim(struct fixture *f);
/* What an exchange of one outcome and one wish, each may be NULL, brings; fini the run. */
struct traded {
    struct run run; /* id 0: none */
    bool is_outcome_lost;
    int64_t claimable;
};
enum rc trade(struct store *store, const struct outcome *outcome, const struct wish *wish,
    struct traded *ret, struct err *err);
/* Ends it, claims nothing; returns the answer (nothing to fini). */
struct traded end(struct fixture *f, const struct run *run, enum end_cause cause);
struct outcome outcome_of(struct fixture *f, const struct run *run, enum end_cause cause);
/* claim, done, fini; fails when nothing was claimable. */
void work_one(struct fixture *f);
/* store_verify finds nothing. */
void verify(struct fixture *f);

#endif
