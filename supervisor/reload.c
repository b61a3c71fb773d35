#include "supervisor/reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/log.h"
#include "common/config/finders.h"
#include "common/config/parse.h"
#include "common/config/programs.h"
#include "common/config/source.h"
#include "common/config/users.h"
#include "supervisor/buckets.h"
#include "supervisor/pool.h"
#include "supervisor/start.h"

#define LINES_MAX 200

void reload_init(struct reload *reload)
{
    *reload = (struct reload){.in_force = {1, 1}, .newest = {1, 1}};
}

void reload_fini(struct reload *reload)
{
    config_free(reload->config);
    buf_fini(&reload->lines);
    buf_fini(&reload->warnings);
    reload_init(reload);
}

const char *reload_state_name(enum reload_state state)
{
    static const char *const names[] = {
        [RELOAD_NEVER] = "never",
        [RELOAD_PENDING] = "pending",
        [RELOAD_ACCEPTED] = "accepted",
        [RELOAD_REFUSED] = "refused",
    };
    return names[state];
}

uint64_t reload_ask(struct pool *pool)
{
    struct reload *r = &pool->reload;

    if (r->asked == r->begun)
        r->asked++;
    return r->asked;
}

static void enter(struct reload *r, enum reload_state state)
{
    r->state = state;
    r->at_wall_ms = clock_wall_ms();
}

static void end(struct pool *pool, enum reload_state state)
{
    struct reload *r = &pool->reload;

    config_free(TAKE_PTR(r->config));
    enter(r, state);
    r->over = r->begun;
    if (pool->stop.mode == STOP_NOT)
        notify_reloaded(&pool->notify);
    if (r->on_over != NULL)
        r->on_over(r->on_over_arg);
}

static void add_line(struct reload *r, const char *line, size_t len)
{
    if (len == 0 || r->lines_len++ >= LINES_MAX)
        return;
    buf_add(&r->lines, line, len);
    buf_addc(&r->lines, '\n');
}

static void add_lines(struct reload *r, const char *text)
{
    for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        add_line(r, text, len);
    }
}

static void say_instead(struct reload *r, const char *text)
{
    buf_reset(&r->lines);
    r->lines_len = 0;
    add_lines(r, text);
}

static void log_lines(const struct buf *lines, enum log_level level, const char *event)
{
    const char *p = buf_str(lines);

    for (size_t len; *p != '\0'; p += len + 1) {
        len = strcspn(p, "\n");
        log_msg(level, event, "%.*s", (int)len, p);
    }
}

static void refuse(struct pool *pool)
{
    log_lines(&pool->reload.lines, LOG_LEVEL_ERROR, "reload.refused");
    log_msg(LOG_LEVEL_WARN, "reload.refused",
        "%zu problem%s; the configuration accepted before stays in force", pool->reload.lines_len,
        pool->reload.lines_len == 1 ? "" : "s");
    end(pool, RELOAD_REFUSED);
}

/* A handler may come later than its line, so it refuses nothing; but nobody should have to wait for
 * the first paused stage to hear of it. */
static void end_accepted(struct pool *pool)
{
    log_lines(&pool->reload.warnings, LOG_LEVEL_WARN, "reload.warning");
    end(pool, RELOAD_ACCEPTED);
}

/* Many editors empty a file before they write it. */
static void check_cut_off(const struct pool *pool, const struct config *config, struct buf *out)
{
    if (config->jobs_len == 0 && pool->config->jobs_len > 0)
        buf_addf(out,
            "%s: no [job NAME] is left: is the file empty, or cut off? The jobs in force stay; to "
            "take the last one out: stint stop, then stint run\n",
            pool->config_path);
}

static enum rc read_files(struct pool *pool, struct config_sources *sources, struct config **ret)
{
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct err err = {""};
    enum rc rc = config_sources_read(pool->config_path, sources, &err);
    size_t count = 0;

    if (rc != RC_OK)
        buf_adds(&problems, err.text);
    else
        rc = config_parse_counted(sources, ret, &problems, &count);
    if (rc == RC_OK) {
        programs_check_writable(*ret, &problems);
        users_check(*ret, &problems);
        check_cut_off(pool, *ret, &problems);
    }
    if (rc == RC_OK && problems.len > 0) {
        config_free(TAKE_PTR(*ret));
        rc = RC_INVALID;
    }
    add_lines(&pool->reload, buf_str(&problems));
    if (count > pool->reload.lines_len)
        pool->reload.lines_len = count; /* the first ones were told */
    return rc;
}

static void name_change(const struct change *c, struct buf *out)
{
    buf_addf(out, "[%s]", c->section);
    if (c->key != NULL)
        buf_addf(out, " %s", c->key);
    buf_addf(out, " %s",
        c->old_text == NULL   ? "added"
        : c->new_text == NULL ? "removed"
                              : "changed");
    if (c->is_for_next)
        buf_adds(out, " (from the next attempt on)");
}

/* No values: they may be nobody's business. */
static void note_change(void *arg, const struct change *change)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;

    name_change(change, &line);
    add_line(arg, line.data, line.len);
}

struct refusal {
    struct reload *reload;
    const struct config *config; /* what the files say */
};

/* Of the class that no running pool can follow: all of these are keys of [pool]. */
static void note_restart(void *arg, const struct change *change)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    const struct refusal *refusal = arg;
    const struct origin *from = NULL;

    if (change->class != CLASS_RESTART)
        return;
    if (change->key != NULL)
        from = origin_find(&refusal->config->pool.origins, change->key);
    if (from != NULL && strcmp(from->file, CONFIG_ENVIRONMENT) != 0)
        buf_addf(&line, "%s:%zu: ", from->file, from->line);
    buf_addf(&line,
        "[%s] %s cannot change while the pool runs (in force: %s): restart needed: "
        "stint stop, then stint run",
        change->section, change->key != NULL ? change->key : "itself",
        change->old_text != NULL ? change->old_text : "the default");
    add_line(refusal->reload, line.data, line.len);
}

/* RC_OK: there is something to propose; RC_DONE: nothing differs; RC_INVALID: it needs a restart.
 */
static enum rc compare(struct pool *pool, const struct config *config)
{
    struct reload *r = &pool->reload;
    CLEANUP(buf_fini) struct buf line = BUF_INIT;

    r->changes = config_changes(pool->config, config, NULL, NULL);
    if (strcmp(pool->config->directory, config->directory) != 0) {
        buf_addf(&line,
            "the configuration lies in %s now, and was in %s: restart needed: stint "
            "stop, then stint run",
            config->directory, pool->config->directory);
        add_line(r, line.data, line.len);
        return RC_INVALID;
    }
    if (r->changes.has_restart) {
        struct refusal refusal = {r, config};

        (void)config_changes(pool->config, config, note_restart, &refusal);
        return RC_INVALID;
    }
    (void)config_changes(pool->config, config, note_change, r);
    return r->changes.count > 0 ? RC_OK : RC_DONE;
}

/* What the configuration needs and does not find; it may come yet. */
static void add_warnings(struct reload *r, const struct config *config)
{
    programs_check(config, &r->warnings);
    finders_check(config, &r->warnings, &r->warnings);
}

/* From here on the keeper decides. */
static void propose(struct pool *pool, const struct config_sources *sources, struct config *config)
{
    struct reload *r = &pool->reload;
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    struct err err;

    r->newest.generation++;
    r->newest.spec_generation += r->changes.has_spec ? 1 : 0;
    r->proposed = (struct config_stamp){.generation = r->newest.generation,
        .spec_generation =
            r->changes.has_spec ? r->newest.spec_generation : r->in_force.spec_generation};
    config_sources_pack(sources, &packed);
    if (config_box_propose(pool->box, pool->config_fd, &r->proposed, &packed, &err) != RC_OK) {
        say_instead(r, err.text);
        config_free(config);
        refuse(pool);
        return;
    }
    add_warnings(r, config);
    r->config = config;
    CRASH_POINT("reload.before_order");
    pool->link.reload = (struct wanted_order){.is_wanted = true};
}

static void begin(struct pool *pool)
{
    struct reload *r = &pool->reload;
    CLEANUP(config_sources_fini) struct config_sources sources = {0};
    struct config *config = NULL;
    enum rc rc;

    r->begun = r->asked;
    enter(r, RELOAD_PENDING);
    notify_reloading(&pool->notify);
    say_instead(r, "");
    buf_reset(&r->warnings);
    r->changes = (struct changes_summary){0};
    rc = read_files(pool, &sources, &config);
    if (rc == RC_OK)
        rc = compare(pool, config);
    if (rc == RC_OK) {
        propose(pool, &sources, config);
        return;
    }
    if (rc == RC_DONE)
        add_warnings(r, config);
    config_free(config);
    if (rc != RC_DONE) {
        refuse(pool);
        return;
    }
    log_msg(LOG_LEVEL_INFO, "reload.accepted", "nothing changed");
    end_accepted(pool);
}

static void begin_to_refuse(struct pool *pool, const char *why)
{
    struct reload *r = &pool->reload;

    r->begun = r->asked;
    say_instead(r, why);
    refuse(pool);
}

void reload_review(struct pool *pool)
{
    struct reload *r = &pool->reload;

    if (r->asked == r->begun || r->begun != r->over)
        return;
    if (pool->stop.mode != STOP_NOT)
        begin_to_refuse(pool, "the pool is stopping");
    else if (pool->link.is_started)
        begin(pool);
}

/* The old configuration may go: nobody in this process keeps a pointer into it. */
static void put_in_force(struct pool *pool)
{
    struct reload *r = &pool->reload;
    struct config *old = pool->config;

    buckets_apply(pool->mem, r->config); /* first: whoever reads it finds its buckets */
    config_box_accept(pool->box, r->proposed.generation);
    pool->config = TAKE_PTR(r->config);
    r->in_force = r->proposed;
    start_take_options(pool, old);
    config_free(old);
}

void reload_answered(struct pool *pool, const struct order *order)
{
    struct reload *r = &pool->reload;

    if (r->config == NULL || order->generation != r->proposed.generation)
        return; /* the answer to a repetition */
    pool->link.reload = (struct wanted_order){0};
    if (order->kind == ORDER_NOT_RELOADED) {
        say_instead(r, order->text);
        refuse(pool);
    } else {
        CRASH_POINT("reload.before_accept");
        put_in_force(pool);
        CRASH_POINT("reload.accepted");
        log_lines(&r->lines, LOG_LEVEL_INFO, "reload.accepted");
        log_msg(LOG_LEVEL_INFO, "reload.accepted", "%zu change%s; %s", r->changes.count,
            r->changes.count == 1 ? "" : "s",
            r->changes.has_spec ? "workers of the old configuration leave when they are empty"
                                : "in force at once");
        end_accepted(pool);
    }
    pool_notify(pool); /* whoever found the word raised, and slept on it, looks again */
}
