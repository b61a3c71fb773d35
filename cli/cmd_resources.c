/* resources: what paces the pool: rates, tokens that are there, who waits for one. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/pool.h"
#include "cli/show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"

static const struct table_column columns[] = {{"RESOURCE", false}, {"RATE", true}, {"BURST", true},
    {"TOKENS", true}, {"NEXT", true}, {"WAITING", true}, {"HELD", true}, {"STAGES", false}};
#define COLUMNS 8

static const char *member(const json_t *resource, const char *name)
{
    return json_string_value(json_object_get(resource, name));
}

static int64_t number(const json_t *resource, const char *name)
{
    return json_integer_value(json_object_get(resource, name));
}

static void add_number(struct json *j, const char *key, double value)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%.3f", value);
    json_raw(j, key, text);
}

static void add_json(struct buf *out, const json_t *resource)
{
    struct json j;
    const json_t *next = json_object_get(resource, "next_token_ms");
    const json_t *list = json_object_get(resource, "stages");
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.resource/1");
    json_str(&j, "name", member(resource, "name"));
    json_str(&j, "rate", member(resource, "rate"));
    json_int(&j, "burst", number(resource, "burst"));
    add_number(&j, "tokens", json_number_value(json_object_get(resource, "tokens")));
    if (json_is_integer(next))
        add_number(&j, "next_token_seconds", (double)json_integer_value(next) / 1000);
    else
        json_add_null(&j, "next_token_seconds");
    json_int(&j, "waiting", number(resource, "waiting"));
    json_str(&j, "held_until", member(resource, "held_until"));
    json_open_array(&j, "stages");
    for (size_t i = 0; i < json_array_size(list); i++)
        json_str(&j, NULL, json_string_value(json_array_get(list, i)));
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(out, '\n');
}

/* When the next token is due: "now", "in 3s". */
static void add_next(struct table *t, const json_t *resource)
{
    char text[64], span[48];
    const json_t *next = json_object_get(resource, "next_token_ms");
    if (!json_is_integer(next)) {
        table_add(t, NULL, TONE_NONE);
        return;
    }
    (void)snprintf(
        text, sizeof(text), "in %s", text_duration(json_integer_value(next), span, sizeof(span)));
    table_add(t, json_integer_value(next) > 0 ? text : "now", TONE_NONE);
}

static void add_held(struct table *t, const json_t *resource)
{
    char text[64], span[48];
    int64_t until = show_parse_time(member(resource, "held_until")), now = clock_wall_ms();
    if (until < 0) {
        table_add(t, NULL, TONE_NONE);
        return;
    }
    (void)snprintf(text, sizeof(text), "for %s",
        text_duration(until > now ? until - now : 0, span, sizeof(span)));
    table_add(t, text, TONE_WARN);
}

static void add_row(struct table *t, const json_t *resource)
{
    struct buf stages CLEANUP(buf_fini) = BUF_INIT;
    const json_t *list = json_object_get(resource, "stages");
    char tokens[64];
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        buf_addf(&stages, "%s%s", i ? " " : "", name ? name : "?");
    }
    (void)snprintf(
        tokens, sizeof(tokens), "%.1f", json_number_value(json_object_get(resource, "tokens")));
    table_add(t, member(resource, "name"), TONE_NONE);
    table_add(t, member(resource, "rate"), TONE_NONE);
    table_add_count(t, number(resource, "burst"), TONE_NONE);
    table_add(t, tokens, TONE_NONE);
    add_next(t, resource);
    table_add_count(t, number(resource, "waiting"), TONE_NONE);
    add_held(t, resource);
    table_add(t, stages.len ? buf_str(&stages) : NULL, TONE_NONE);
}

static enum cli_exit show(
    struct cli *cli, const struct buf *payload, struct table *t, struct buf *out)
{
    const char *rest = buf_str(payload);
    json_t *resource;
    while ((resource = pool_next_object(&rest))) {
        if (cli->is_json)
            add_json(out, resource);
        else
            add_row(t, resource);
        json_decref(resource);
    }
    return pool_end_of_answer(rest);
}

static enum cli_exit run(struct cli *cli)
{
    struct buf payload CLEANUP(buf_fini) = BUF_INIT;
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    struct table t CLEANUP(table_fini);
    struct err err = {""};
    table_init(&t, columns, COLUMNS, cli->width, cli->has_color);
    enum rc rc = cli_ask(cli, "resources", &payload, &err);
    if (rc)
        return pool_fail(cli, rc, &err);
    enum cli_exit code = show(cli, &payload, &t, &out);
    if (code == CLI_OK && !cli->is_json && payload.len > 0)
        table_flush(&t, &out);
    cli_print(&out);
    if (code == CLI_OK && payload.len == 0)
        cli_say(cli,
            "nothing is paced: no [resource NAME] is configured; add one with a rate, name "
            "it in a stage (resource = NAME), then: stint reload");
    return code;
}

const struct command command_resources = {
    .name = "resources",
    .group = GROUP_LOOK,
    .usage = "",
    .help = "what paces the pool, and who waits for it",
    .text =
        "TOKENS: claims that could be made at once; NEXT: when the next token is due; WAITING:\n"
        "idle workers that sleep until a token is due.\n"
        "Exit status 3 if no pool is running.\n",
    .needs = NEED_CONFIG | NEED_POOL,
    .run = run,
};
