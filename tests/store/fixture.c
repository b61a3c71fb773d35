#include "tests/store/fixture.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/parse.h"
#include "common/ipc/claim.h"

struct plain {
    sqlite3 *db;
};

void ok_(struct fixture *f, enum rc rc, const char *what, const char *file, int line)
{
    if (rc == RC_OK)
        return;
    print_error("%s: rc %d: %s\n", what, (int)rc, f->err.text);
    _fail(file, line);
}

struct config *fixture_config(const struct fixture *f, const char *jobs)
{
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    char dir[64], name[] = "stint.conf";
    (void)snprintf(dir, sizeof dir, "%s", f->dir);
    struct config_source source = {
        .name = name, .text = xasprintf("[pool]\ndatabase = stint.db\n%s", jobs)};
    struct config_sources sources = {.directory = dir, .list = &source, .len = 1};
    struct config *config = NULL;
    enum rc rc = config_parse(&sources, &config, &problems);
    free(source.text);
    if (rc)
        fail_msg("configuration: %s", buf_str(&problems));
    return config;
}

void fixture_configure(struct fixture *f, const char *jobs)
{
    struct config *config = fixture_config(f, jobs);
    struct catalog *catalog = NULL;
    ok(f, catalog_sync(f->store, config, &catalog, &f->err));
    catalog_free(f->catalog);
    config_free(f->config);
    f->catalog = catalog;
    f->config = config;
}

void fixture_reopen(struct fixture *f, enum durability durability)
{
    store_close(f->store);
    f->store = NULL;
    struct store_options opts = {.path = f->path, .durability = durability};
    ok(f, store_open(&opts, &f->store, &f->err));
}

int fixture_setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/stint-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->path = xasprintf("%s/stint.db", f->dir);
    fixture_reopen(f, DURABILITY_NORMAL);
    ok(f, store_migrate(f->store, &f->err));
    fixture_configure(f, TWO_STAGES);
    f->plain = xcalloc(1, sizeof *f->plain);
    assert_int_equal(sqlite3_open(f->path, &f->plain->db), SQLITE_OK);
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    (void)sqlite3_close(f->plain->db);
    free(f->plain);
    store_close(f->store);
    catalog_free(f->catalog);
    config_free(f->config);
    (void)nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f->path);
    free(f);
    return 0;
}

static sqlite3_stmt *prepared(struct fixture *f, const char *text)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(f->plain->db, text, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(f->plain->db));
    return s;
}

int64_t sql_int(struct fixture *f, const char *text)
{
    sqlite3_stmt *s = prepared(f, text);
    if (sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: no row: %s", text, sqlite3_errmsg(f->plain->db));
    int64_t value = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    return value;
}

char *sql_text(struct fixture *f, const char *text)
{
    sqlite3_stmt *s = prepared(f, text);
    if (sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: no row: %s", text, sqlite3_errmsg(f->plain->db));
    const char *value = (const char *)sqlite3_column_text(s, 0);
    char *copy = xstrdup(value ? value : "");
    (void)sqlite3_finalize(s);
    return copy;
}

void sql(struct fixture *f, const char *text)
{
    char *why = NULL;
    if (sqlite3_exec(f->plain->db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
}

const char *sql_fails(struct fixture *f, const char *text)
{
    static char kept[256];
    char *why = NULL;
    if (sqlite3_exec(f->plain->db, text, NULL, NULL, &why) == SQLITE_OK)
        fail_msg("must fail: %s", text);
    (void)snprintf(kept, sizeof kept, "%s", why);
    sqlite3_free(why);
    return kept;
}

const struct catalog_job *job(struct fixture *f, const char *name)
{
    const struct catalog_job *found = catalog_job(f->catalog, name);
    assert_non_null(found);
    return found;
}

const struct catalog_stage *stage(struct fixture *f, const char *name)
{
    const struct catalog_job *first = &f->catalog->jobs[0];
    for (size_t i = 0; i < first->spec->stages_len; i++) {
        if (strcmp(first->spec->stages[i].name, name) == 0)
            return &first->stages[i];
    }
    fail_msg("no stage %s", name);
    return NULL;
}

struct add_report add_with(
    struct fixture *f, const char *key, const char *data, const struct add_options *opts)
{
    static const struct add_options plain = {.source = "manual"};
    struct add_item item = {.key = key, .data = data};
    struct add_report report = {0};
    ok(f, store_add(f->store, &f->catalog->jobs[0], &item, 1, opts ? opts : &plain, &report, NULL,
              &f->err));
    return report;
}

void add(struct fixture *f, const char *key)
{
    (void)add_with(f, key, NULL, NULL);
}

void start_pool(struct fixture *f)
{
    struct pool_row row = {0};
    int64_t requeued = 0;
    ok(f, store_pool_start(f->store, f->catalog, "host", 1, &row, &requeued, &f->err));
    f->life = row.first_life;
    f->seq = 0;
}

enum rc trade(struct store *store, const struct outcome *outcome, const struct wish *wish,
    struct traded *ret, struct err *err)
{
    struct exchange x = {&outcome, outcome != NULL, wish, 0, NULL};
    struct exchange_answer answer;
    enum rc rc = store_exchange(store, &x, &answer, err);
    if (rc)
        return rc;
    *ret = (struct traded){.claimable = answer.claimable};
    ret->is_outcome_lost = outcome && answer.is_lost[0];
    if (answer.runs_len) {
        ret->run = answer.runs[0];
        answer.runs[0] = (struct run){.id = 0};
    }
    exchange_answer_fini(&answer);
    return RC_OK;
}

struct run claim(struct fixture *f)
{
    const struct catalog_job *first = &f->catalog->jobs[0];
    int64_t ids[16];
    for (size_t i = 0; i < first->spec->stages_len; i++)
        ids[i] = first->stages[i].id;
    struct wish wish = {.stage_ids = ids,
        .stages_len = first->spec->stages_len,
        .claims_len = 1,
        .claim = claim_make(f->life, ++f->seq)};
    struct traded answer = {0};
    ok(f, trade(f->store, NULL, &wish, &answer, &f->err));
    return answer.run;
}

struct outcome outcome_of(struct fixture *f, const struct run *run, enum end_cause cause)
{
    const struct catalog_stage *stage = catalog_stage(f->catalog, run->stage_id);
    return (struct outcome){
        .run = run,
        .stage = stage,
        .cause = cause,
        .version = stage->spec->version[0] ? stage->spec->version : NULL,
        .result = cause == END_DONE ? "{\"ok\": true}" : NULL,
        .why = cause == END_DONE ? NULL : "reason",
        .how = "exit 1",
        .stderr_tail = "tail",
        .after_ms = -1,
        .elapsed_ms = 5,
        .random = 7,
    };
}

struct traded end(struct fixture *f, const struct run *run, enum end_cause cause)
{
    struct outcome o = outcome_of(f, run, cause);
    struct traded answer = {0};
    ok(f, trade(f->store, &o, NULL, &answer, &f->err));
    return answer;
}

void work_one(struct fixture *f)
{
    struct run run = claim(f);
    assert_int_not_equal(run.id, 0);
    assert_false(end(f, &run, END_DONE).is_outcome_lost);
    run_fini(&run);
}

void verify(struct fixture *f)
{
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    ok(f, store_verify(f->store, &problems, &f->err));
    if (problems.len)
        fail_msg("%s", buf_str(&problems));
}
