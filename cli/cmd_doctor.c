/* doctor: looks at everything that a pool needs, and says how to mend what is not well. */
#include <string.h>

#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"

#define STATE_WIDTH 9
#define ABOUT_WIDTH 15

static enum tone tone_of(enum finding_state state)
{
    switch (state) {
    case FINDING_OK:
        return TONE_GOOD;
    case FINDING_WARNING:
        return TONE_WARN;
    case FINDING_PROBLEM:
        break;
    }
    return TONE_BAD;
}

static void pad(struct buf *out, size_t have, size_t width)
{
    for (; have < width; have++)
        buf_addc(out, ' ');
}

static void write_text(const struct cli *cli, const struct doctor *d, struct buf *out)
{
    for (size_t i = 0; i < d->len; i++) {
        const struct doctor_finding *f = &d->list[i];
        const char *state = finding_state_name(f->state);
        if (cli->is_quiet && f->state == FINDING_OK)
            continue;
        tone_add(out, tone_of(f->state), cli->has_color, state);
        pad(out, strlen(state), STATE_WIDTH);
        buf_adds(out, f->about);
        pad(out, strlen(f->about), ABOUT_WIDTH);
        text_add_printable(out, f->text, strlen(f->text));
        buf_addc(out, '\n');
        if (!f->fix)
            continue;
        pad(out, 0, STATE_WIDTH + ABOUT_WIDTH);
        buf_adds(out, "fix: ");
        text_add_printable(out, f->fix, strlen(f->fix));
        buf_addc(out, '\n');
    }
}

static void write_json(const struct doctor *d, struct buf *out)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.doctor/1");
    json_bool(&j, "ok", doctor_count(d, FINDING_PROBLEM) == 0);
    json_int(&j, "problems", (int64_t)doctor_count(d, FINDING_PROBLEM));
    json_int(&j, "warnings", (int64_t)doctor_count(d, FINDING_WARNING));
    json_open_array(&j, "findings");
    for (size_t i = 0; i < d->len; i++) {
        json_open_object(&j, NULL);
        json_str(&j, "state", finding_state_name(d->list[i].state));
        json_str(&j, "about", d->list[i].about);
        json_str(&j, "text", d->list[i].text);
        json_str(&j, "fix", d->list[i].fix);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(out, '\n');
}

static enum cli_exit run(struct cli *cli)
{
    struct doctor d CLEANUP(doctor_fini) = {.cli = cli};
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    doctor_look_config(&d);
    doctor_look_pool(&d);
    doctor_look_database(&d);
    doctor_look_library(&d);
    doctor_look_system(&d);
    size_t problems = doctor_count(&d, FINDING_PROBLEM);
    size_t warnings = doctor_count(&d, FINDING_WARNING);
    if (cli->is_json)
        write_json(&d, &out);
    else
        write_text(cli, &d, &out);
    cli_print(&out);
    if (!cli->is_json)
        cli_say(cli, "%zu problem%s, %zu warning%s", problems, problems == 1 ? "" : "s", warnings,
            warnings == 1 ? "" : "s");
    return problems ? CLI_FAILED : CLI_OK;
}

const struct command command_doctor = {
    .name = "doctor",
    .group = GROUP_OPERATE,
    .usage = "",
    .help = "look for what is not well, each with its fix",
    .text =
        "Configuration and handlers, pool and what a dead one left, database, disk, SQLite's\n"
        "version, permissions, locks, limits, clock, kernel. Changes nothing, ends nobody; works\n"
        "without a pool and without a database. Exit status 1 if there is any problem; a\n"
        "warning is none. With -q only what is not ok.\n",
    .run = run,
};
