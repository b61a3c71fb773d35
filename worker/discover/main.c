/* stint-discover: lists what there is to do for one job and adds it. Run by a worker as the handler
 * of the hidden job @discover, and by `stint discover`. One JSON report on standard output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/config/discover_parse.h"
#include "common/config/parse.h"
#include "common/ipc/fds.h"
#include "worker/discover/collect.h"
#include "worker/discover/strategy.h"

/* For a worker, 1 means "try again" and 78 would pause the discoveries of all jobs: what a person
 * must correct for this one job is 65 there, a failure for good. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct arguments {
    const char *job;
    int64_t limit;
    bool is_dry_run;
};

/* All that has to be ended, in reverse order of its making. */
struct session {
    struct config *config;
    struct store *store;
    struct catalog *catalog;
    struct collect *collect;
};

static void end_session(struct session *s)
{
    collect_free(s->collect);
    catalog_free(s->catalog);
    store_close(s->store);
    config_free(s->config);
}

static void complain(const char *text)
{
    fprintf(stderr, "stint-discover: %s\n", text);
}

static bool is_handler(void)
{
    return sys_getenv("STINT_CLAIM") != NULL;
}

static int exit_code(enum rc rc)
{
    if (rc == RC_INVALID)
        return is_handler() ? EX_DATAERR : EX_CONFIG;
    return rc == RC_OK ? EXIT_OK : EXIT_FAILED;
}

static int usage(const char *why)
{
    complain(why);
    fputs("usage: stint-discover [-n] [--limit N] JOB    (normally: stint discover JOB)\n", stderr);
    return EXIT_USAGE;
}

static bool read_arguments(int argc, char **argv, struct arguments *ret, struct err *why)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") == 0) {
            ret->is_dry_run = true;
        } else if (strcmp(argv[i], "--limit") == 0) {
            if (i + 1 == argc || text_int(argv[++i], 1, INT64_MAX, &ret->limit, NULL) != RC_OK)
                return err_set(why, RC_INVALID, "--limit takes a number from 1 on"), false;
        } else if (argv[i][0] == '-' || ret->job) {
            return err_set(why, RC_INVALID, "unknown argument: %s", argv[i]), false;
        } else {
            ret->job = argv[i];
        }
    }
    return ret->job != NULL || (err_set(why, RC_INVALID, "which job?"), false);
}

static int unknown_job(const struct config *config, const char *name)
{
    const char **names = xcalloc(config->jobs_len + 1, sizeof(*names));
    for (size_t i = 0; i < config->jobs_len; i++)
        names[i] = config->jobs[i].name;
    const char *near = text_nearest(name, names, config->jobs_len);
    struct err why;
    err_set(&why, RC_NOTFOUND, "the configuration in %s has no job %s%s%s%s", config->directory,
        name, near ? "; did you mean " : "; add a section [job NAME]", near ? near : "",
        near ? "?" : "");
    free(names);
    complain(why.text);
    return EXIT_USAGE;
}

/* The database as it should be for writing. Whoever started us has normally synced it already. */
static enum rc open_for_adding(struct session *s, struct err *err)
{
    enum rc rc = store_migrate(s->store, err);
    if (rc == RC_OK)
        rc = catalog_load(s->store, s->config, &s->catalog, err);
    if (rc == RC_NOTFOUND)
        rc = catalog_sync(s->store, s->config, &s->catalog, err);
    return rc;
}

/* -n writes nothing: where the database does not know the job, all of it would be new. */
static enum rc open_for_counting(struct session *s, struct err *err)
{
    enum rc rc = store_check_schema(s->store, err);
    if (rc == RC_OK)
        rc = catalog_load(s->store, s->config, &s->catalog, err);
    if (rc != RC_NOTFOUND)
        return rc;
    store_close(TAKE_PTR(s->store));
    return RC_OK;
}

static enum rc open_store(struct session *s, bool is_dry_run, struct err *err)
{
    const char *path = s->config->pool.database;
    if (is_dry_run && access(path, F_OK) != 0 && errno == ENOENT)
        return RC_OK;
    struct store_options options = {.path = path, .durability = s->config->pool.durability};
    enum rc rc = store_open(&options, &s->store, err);
    if (rc != RC_OK)
        return rc;
    return is_dry_run ? open_for_counting(s, err) : open_for_adding(s, err);
}

static void make_collect(
    struct session *s, const struct job_spec *job, const struct arguments *args)
{
    struct collect_opts opts = {
        .store = s->store,
        .job = s->catalog ? catalog_job(s->catalog, job->name) : NULL,
        .is_merge_keep = job->merge == MERGE_KEEP,
        .is_dry_run = args->is_dry_run,
        .limit = args->limit,
        .socket = s->config->pool.socket,
    };
    s->collect = collect_new(&opts);
}

static enum rc write_report(const struct job_spec *job, const struct strategy *strategy,
    const struct collect_totals *totals)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    struct json j;
    json_init(&j, &out);
    json_open_object(&j, NULL);
    json_str(&j, "job", job->name);
    json_str(&j, "strategy", discover_kind_name(strategy->kind));
    json_int(&j, "found", totals->found);
    json_int(&j, "new", totals->added.new_items);
    json_int(&j, "merged", totals->added.merged);
    json_int(&j, "reopened", totals->added.reopened);
    json_int(&j, "unchanged", totals->added.unchanged);
    json_int(&j, "refused", totals->refused);
    json_open_array(&j, "examples");
    for (size_t i = 0; i < totals->examples_len; i++)
        json_str(&j, NULL, totals->examples[i]);
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(&out, '\n');
    return sys_write_all(STDOUT_FILENO, out.data, out.len);
}

/* What was listed before an error is added all the same: adding is idempotent, and so is the next
 * try. */
static enum rc list_and_add(const struct session *s, const struct strategy *strategy,
    const struct job_spec *job, struct err *err)
{
    struct listing listing = {.config = s->config, .job = job, .collect = s->collect};
    struct err flush_err;
    enum rc rc = strategy->list(&listing, err);
    enum rc flushed = collect_flush(s->collect, &flush_err);
    if (rc == RC_OK && flushed != RC_OK)
        return err_set(err, flushed, "%s", flush_err.text);
    return rc;
}

static int discover(struct session *s, const struct job_spec *job, const struct arguments *args)
{
    struct err err;
    const struct strategy *strategy = strategy_of(job->discover);
    enum rc rc = strategy_check(strategy, job, &err);
    if (rc != RC_OK)
        return complain(err.text), exit_code(rc);
    rc = open_store(s, args->is_dry_run, &err);
    if (rc != RC_OK)
        return complain(err.text), EXIT_FAILED;
    make_collect(s, job, args);
    rc = list_and_add(s, strategy, job, &err);
    if (rc != RC_OK)
        complain(err.text);
    const struct collect_totals *totals = collect_totals(s->collect);
    if (totals->refused > 0)
        fprintf(stderr,
            "stint-discover: entries refused: %lld; correct them and discover again: "
            "what is there already stays as it is\n",
            (long long)totals->refused);
    if (write_report(job, strategy, totals) != RC_OK)
        return EXIT_FAILED;
    if (rc == RC_OK && totals->refused > 0)
        return is_handler() ? EX_DATAERR : EXIT_FAILED;
    return exit_code(rc);
}

int main(int argc, char **argv)
{
    struct arguments args = {0};
    struct err err;
    CLEANUP(end_session) struct session s = {0};
    if (!read_arguments(argc, argv, &args, &err))
        return usage(err.text);
    if (config_from_fd(FD_DISCOVER_CONFIG, &s.config, &err) != RC_OK)
        return complain(err.text), EX_CONFIG;
    const struct job_spec *job = config_job(s.config, args.job);
    if (!job)
        return unknown_job(s.config, args.job);
    if (job->discover != DISCOVER_MANUAL)
        return discover(&s, job, &args);
    err_set(&err, RC_INVALID,
        "[job %s] has discover = manual: there is nothing to list; add items "
        "by: stint add %s KEY",
        job->name, job->name);
    return complain(err.text), EXIT_USAGE;
}
