#include "cli/reload_show.h"

#include <stdio.h>
#include <string.h>

#include "cli/orphaned.h"
#include "cli/overruled.h"
#include "cli/show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/config/changes.h"
#include "common/config/finders.h"
#include "common/config/programs.h"

#define VALUE_SHOWN 60

static bool has_state(const json_t *reload, const char *state)
{
    const char *is = json_string_value(json_object_get(reload, "state"));
    return is && strcmp(is, state) == 0;
}

bool reload_is_accepted(const json_t *outcome)
{
    return has_state(outcome, "accepted");
}

void reload_write_json(json_t *outcome)
{
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    (void)json_object_set_new(outcome, "schema", json_string("stint.reload/1"));
    char *text CLEANUP_FREE = json_dumps(outcome, JSON_COMPACT | JSON_SORT_KEYS);
    buf_addf(&out, "%s\n", text ? text : "{}");
    cli_print(&out);
}

/* One a line, indented; how many there are beyond them: problems are in the files, too. */
static void add_lines(const json_t *reload, const char *what, const char *count, struct buf *out)
{
    const json_t *lines = json_object_get(reload, what);
    long long rest = json_integer_value(json_object_get(reload, count));
    const char *where = strcmp(what, "problems") == 0 ? "stint check" : "the pool's log";
    char n[32];
    for (size_t i = 0; i < json_array_size(lines); i++, rest--) {
        const char *line = json_string_value(json_array_get(lines, i));
        buf_adds(out, "  ");
        text_add_printable(out, line ? line : "?", strlen(line ? line : "?"));
        buf_addc(out, '\n');
    }
    if (rest > 0)
        buf_addf(out, "  and %s more; see: %s\n", text_count(rest, n, sizeof(n)), where);
}

static void strip_newline(struct buf *text)
{
    if (text->len > 0 && text->data[text->len - 1] == '\n')
        text->data[--text->len] = '\0';
}

void reload_say(struct cli *cli, const json_t *outcome)
{
    struct buf lines CLEANUP(buf_fini) = BUF_INIT, overruled CLEANUP(buf_fini) = BUF_INIT;
    const json_t *changes = json_object_get(outcome, "changes");
    bool is_accepted = reload_is_accepted(outcome);
    add_lines(outcome, is_accepted ? "changes" : "problems",
        is_accepted ? "change_count" : "problem_count", &lines);
    strip_newline(&lines);
    if (!is_accepted)
        (void)cli_fail(CLI_FAILED,
            "the reload is refused; the configuration accepted before stays in force:\n%s",
            buf_str(&lines));
    else if (lines.len == 0)
        cli_say(cli, "nothing changed: the pool has this configuration already");
    else
        cli_say(cli, "reloaded; %s:\n%s",
            json_is_true(json_object_get(outcome, "retires_workers"))
                ? "workers of the old configuration leave when they are empty"
                : "in force at once",
            buf_str(&lines));
    overruled_add(cli, json_array_size(changes) > 0 ? changes : NULL, &overruled);
    if (is_accepted)
        orphaned_add(cli, cli->config, NULL, changes, &overruled);
    strip_newline(&overruled);
    if (is_accepted && overruled.len > 0)
        cli_say(cli, "%s", buf_str(&overruled));
    buf_reset(&lines);
    add_lines(outcome, "warnings", "warning_count", &lines);
    strip_newline(&lines);
    if (lines.len > 0)
        cli_say(cli,
            "warning: not as it should be; a stage that cannot run is paused, a discovery "
            "fails:\n%s",
            buf_str(&lines));
}

/* ---- -n ---- */

struct telling {
    struct json *j; /* NULL: words */
    struct buf *out;
    unsigned classes; /* only these, by 1 << class; 0: all, each with its effect */
};

static const char *class_name(enum option_class class)
{
    static const char *const names[] = {
        [CLASS_RESTART] = "restart",
        [CLASS_POOL] = "pool",
        [CLASS_SPEC] = "spec",
        [CLASS_TUNING] = "tuning",
    };
    return names[class];
}

static const char *effect(const struct change *c)
{
    static const char *const texts[] = {
        [CLASS_RESTART] = "needs a restart: the reload would be refused",
        [CLASS_POOL] = "at once",
        [CLASS_SPEC] = "workers are replaced when they are empty",
        [CLASS_TUNING] = "at once, in place",
    };
    return c->is_for_next ? "from the next attempt on" : texts[c->class];
}

static const char *act_of(const struct change *c)
{
    return c->old_text == NULL ? "added" : c->new_text == NULL ? "removed" : "changed";
}

static void add_value(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    buf_addc(out, ' ');
    if (len == 0)
        buf_adds(out, "(empty)");
    text_add_printable(out, text, len < VALUE_SHOWN ? len : VALUE_SHOWN);
    if (len > VALUE_SHOWN)
        buf_adds(out, "…");
}

static void tell_in_words(const struct change *c, struct buf *out)
{
    buf_addf(out, "  [%s]", c->section);
    if (c->key)
        buf_addf(out, " %s", c->key);
    if (c->key && c->old_text && c->new_text) {
        buf_adds(out, ":");
        add_value(out, c->old_text);
        buf_adds(out, " →");
        add_value(out, c->new_text);
    } else {
        buf_addf(out, " %s", act_of(c));
    }
}

static void tell(void *ctx, const struct change *c)
{
    const struct telling *t = ctx;
    if (t->classes && !(t->classes & (1u << c->class)))
        return;
    if (!t->j) {
        tell_in_words(c, t->out);
        if (!t->classes || c->is_for_next)
            buf_addf(t->out, "  (%s)", effect(c));
        buf_addc(t->out, '\n');
        return;
    }
    json_open_object(t->j, NULL);
    json_str(t->j, "class", class_name(c->class));
    json_str(t->j, "section", c->section);
    json_str(t->j, "key", c->key);
    json_str(t->j, "act", act_of(c));
    json_str(t->j, "was", c->old_text);
    json_str(t->j, "is", c->new_text);
    json_bool(t->j, "from_next_attempt", c->is_for_next);
    json_end_object(t->j);
}

static enum cli_exit write_changes(const struct config *accepted, const struct config *files,
    const char *warnings, struct buf *out)
{
    struct json j;
    struct telling t = {.j = &j};
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.reload/1");
    json_bool(&j, "dry_run", true);
    json_open_array(&j, "warnings");
    for (size_t len; *warnings; warnings += len + 1) {
        len = strcspn(warnings, "\n");
        json_strn(&j, NULL, warnings, len);
    }
    json_end_array(&j);
    json_open_array(&j, "changes");
    struct changes_summary s = config_changes(accepted, files, tell, &t);
    json_end_array(&j);
    json_int(&j, "change_count", (int64_t)s.count);
    json_bool(&j, "retires_workers", s.has_spec);
    json_str(&j, "state", s.has_restart ? "refused" : "accepted");
    json_end_object(&j);
    buf_addc(out, '\n');
    return s.has_restart ? CLI_FAILED : CLI_OK;
}

enum cli_exit reload_say_changes(
    struct cli *cli, const struct config *accepted, const struct config *files)
{
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    struct telling t = {.out = &out};
    struct buf warnings CLEANUP(buf_fini) = BUF_INIT;
    enum cli_exit code = CLI_OK;
    programs_check(files, &warnings);
    finders_check(files, &warnings, &warnings);
    if (cli->is_json) {
        code = write_changes(accepted, files, buf_str(&warnings), &out);
    } else {
        struct changes_summary s = config_changes(accepted, files, tell, &t);
        orphaned_add(cli, files, accepted, NULL, &out);
        if (s.count == 0)
            buf_adds(&out, "nothing would change: the pool has this configuration already\n");
        else if (s.has_restart)
            buf_adds(&out, "The reload would be refused. To change it all: stint stop, then stint "
                           "run. Nothing changed.\n");
        else
            buf_addf(&out, "%zu change%s. Nothing changed yet: stint reload\n", s.count,
                s.count == 1 ? "" : "s");
        code = s.has_restart ? CLI_FAILED : CLI_OK;
        overruled_add(cli, NULL, &out);
        strip_newline(&warnings);
        if (warnings.len > 0)
            cli_say(cli,
                "warning: not as it should be; a stage that cannot run would be paused, a "
                "discovery fail:\n%s",
                buf_str(&warnings));
    }
    cli_print(&out);
    return code;
}

/* ---- config diff ---- */

static void write_diff(const struct config *accepted, const struct config *files, struct buf *out)
{
    struct json j;
    struct telling t = {.j = &j};
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.config.diff/1");
    json_open_array(&j, "changes");
    struct changes_summary s = config_changes(accepted, files, tell, &t);
    json_end_array(&j);
    json_int(&j, "change_count", (int64_t)s.count);
    json_bool(&j, "needs_restart", s.has_restart);
    json_bool(&j, "retires_workers", s.has_spec);
    json_end_object(&j);
    buf_addc(out, '\n');
}

void reload_say_diff(struct cli *cli, const struct config *accepted, const struct config *files)
{
    static const struct {
        const char *title;
        unsigned classes;
    } groups[] = {
        {"needs a restart: stint stop, then stint run", 1u << CLASS_RESTART},
        {"retires workers when they are empty: stint reload", 1u << CLASS_SPEC},
        {"at once: stint reload", 1u << CLASS_POOL | 1u << CLASS_TUNING},
    };
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    if (cli->is_json)
        write_diff(accepted, files, &out);
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && !cli->is_json; i++) {
        struct buf lines CLEANUP(buf_fini) = BUF_INIT;
        struct telling t = {.out = &lines, .classes = groups[i].classes};
        (void)config_changes(accepted, files, tell, &t);
        if (lines.len > 0)
            buf_addf(&out, "%s\n%s", groups[i].title, buf_str(&lines));
    }
    if (!cli->is_json)
        orphaned_add(cli, files, accepted, NULL, &out);
    if (out.len == 0)
        cli_say(cli, "no difference: the pool has this configuration already");
    cli_print(&out);
}

bool reload_is_refused(const struct cli *cli)
{
    return has_state(json_object_get(cli->pool, "reload"), "refused");
}

void reload_add_note(const struct cli *cli, struct buf *out)
{
    const json_t *reload = json_object_get(cli->pool, "reload");
    const char *at = json_string_value(json_object_get(reload, "at"));
    char ago[32];
    if (has_state(reload, "pending"))
        buf_adds(out, "a reload of the configuration is under way\n");
    if (!reload_is_refused(cli))
        return;
    tone_add(out, TONE_BAD, cli->has_color, "reload refused");
    buf_addf(out, " %s ago; the configuration accepted before is in force:\n",
        show_age(show_parse_time(at), clock_wall_ms(), ago, sizeof(ago)));
    add_lines(reload, "problems", "problem_count", out);
}
