/* db: the database file as a whole: is it sound, and a copy of it while the pool runs. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/store/backup.h"

static enum cli_exit need_store(const struct cli *cli)
{
    if (cli->store)
        return CLI_OK;
    return cli_fail(CLI_FAILED,
        "there is no database yet at %s: it comes with the first stint add "
        "or stint run",
        cli->config->pool.database);
}

/* ---- check ---- */

static size_t count_lines(const struct buf *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->len; i++)
        n += text->data[i] == '\n';
    return n;
}

static void check_json(const struct cli *cli, const struct buf *problems)
{
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    json_init(&j, &out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.db.check/1");
    json_str(&j, "database", cli->config->pool.database);
    json_bool(&j, "ok", problems->len == 0);
    json_open_array(&j, "problems");
    for (const char *at = buf_str(problems); *at;) {
        size_t len = strcspn(at, "\n");
        json_strn(&j, NULL, at, len);
        at += len + (at[len] == '\n');
    }
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(&out, '\n');
    cli_print(&out);
}

static void say_cure(const struct cli *cli)
{
    const char *db = cli->config->pool.database;
    cli_say(cli,
        "The file is not to be trusted any more. What to do:\n"
        "  1. stop the pool, so that nothing more is written:     stint stop\n"
        "  2. keep what there is, with its log:                   cp -p %s* SAFE_PLACE/\n"
        "  3. put a backup in its place (and remove the old log): rm -f %s-wal %s-shm; cp BACKUP "
        "%s\n"
        "  or, without a backup, save what can be read:           sqlite3 %s .recover\n"
        "  4. look for the cause: disk, memory, file system, programs that write to it:  stint "
        "doctor",
        db, db, db, db, db);
}

/* Opens it here: a file that cannot even be opened is what this is for. */
static enum rc verify(struct cli *cli, struct buf *problems, struct err *err)
{
    struct store_options opts = {.path = cli->config->pool.database,
        .durability = cli->config->pool.durability,
        .is_read_only = true};
    enum rc rc = store_open(&opts, &cli->store, err);
    if (rc == RC_OK)
        rc = store_check_schema(cli->store, err);
    if (rc == RC_OK)
        rc = store_verify(cli->store, problems, err);
    if (rc != RC_STORE && rc != RC_CORRUPT)
        return rc;
    buf_addf(problems, "%s\n", err->text); /* it could not be read to the end */
    return RC_OK;
}

static enum cli_exit check(struct cli *cli)
{
    struct buf problems CLEANUP(buf_fini) = BUF_INIT;
    struct err err = {""};
    if (pool_check_file(cli, NULL))
        return CLI_FAILED;
    enum rc rc = verify(cli, &problems, &err);
    if (rc == RC_NOTFOUND)
        return need_store(cli);
    if (rc)
        return cli_fail_rc(rc, &err);
    if (cli->is_json)
        check_json(cli, &problems);
    else if (problems.len == 0 && !cli->is_quiet)
        printf("%s is sound: its pages, its references, and what stint expects of it\n",
            cli->config->pool.database);
    else
        cli_print(&problems);
    if (problems.len == 0)
        return CLI_OK;
    (void)cli_fail(CLI_FAILED, "%s has %zu problem%s", cli->config->pool.database,
        count_lines(&problems), count_lines(&problems) == 1 ? "" : "s");
    say_cure(cli);
    return CLI_FAILED;
}

/* ---- backup ---- */

struct backing {
    const struct cli *cli;
    int64_t said_mono_ns; /* the last word on how far it is */
    bool is_shown;        /* there is a line on the terminal */
    int signal;           /* that came; 0: none */
};

static void show(struct backing *b, int64_t done, int64_t pages)
{
    int64_t now = clock_mono_ns();
    int64_t gap = b->cli->is_terminal ? PROGRESS_DRAW_NS : PROGRESS_LINE_NS;
    if (b->cli->is_quiet || pages <= 0 || now - b->said_mono_ns < gap)
        return;
    b->said_mono_ns = now;
    b->is_shown = b->cli->is_terminal;
    char text[64];
    int n = snprintf(text, sizeof(text), "%sbacking up: %" PRId64 " %%%s", b->is_shown ? "\r" : "",
        done * 100 / pages, b->is_shown ? "" : "\n");
    (void)sys_write_all(STDERR_FILENO, text, (size_t)n);
}

/* Signals that end us are held back and looked for here, so that no half copy stays behind. */
static bool goes_on(void *ctx, int64_t pages_done, int64_t pages)
{
    struct backing *b = ctx;
    const struct timespec none = {0, 0};
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    int signum = sigtimedwait(&set, NULL, &none);
    if (signum > 0)
        b->signal = signum;
    else
        show(b, pages_done, pages);
    return b->signal == 0;
}

static void hold_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static void report(const struct cli *cli, const char *path, int64_t bytes, int64_t ms)
{
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    char size[32], took[32];
    if (cli->is_json) {
        struct json j;
        json_init(&j, &out);
        json_open_object(&j, NULL);
        json_str(&j, "schema", "stint.db.backup/1");
        json_str(&j, "file", path);
        json_int(&j, "bytes", bytes);
        json_num(&j, "seconds", (double)ms / 1000);
        json_end_object(&j);
        buf_addc(&out, '\n');
    } else if (!cli->is_quiet) {
        buf_addf(&out, "%s: %s, checked, in %s\n", path, text_size(bytes, size, sizeof(size)),
            text_duration(ms, took, sizeof(took)));
    }
    cli_print(&out);
}

static enum cli_exit backup(struct cli *cli)
{
    struct backing b = {.cli = cli, .said_mono_ns = clock_mono_ns()};
    struct backup_options opts = {.path = cli->args->words[0],
        .may_replace = args_has(cli->args, "force"),
        .goes_on = goes_on,
        .ctx = &b};
    struct err err = {""};
    int64_t bytes = 0, began = clock_mono_ns();
    enum cli_exit code = need_store(cli);
    if (code)
        return code;
    hold_signals();
    enum rc rc = store_backup(cli->store, &opts, &bytes, &err);
    if (b.is_shown)
        (void)sys_write_all(STDERR_FILENO, "\r\033[K", 4);
    if (rc == RC_AGAIN && b.signal)
        return cli_fail(CLI_FAILED, "ended by %s; no backup was made", strsignal(b.signal));
    if (rc)
        return cli_fail_rc(rc, &err);
    report(cli, opts.path, bytes, (clock_mono_ns() - began) / NS_PER_MS);
    return CLI_OK;
}

static const struct flag backup_flags[] = {
    {.name = "force",
        .letter = 'f',
        .type = FLAG_BOOL,
        .help = "replace FILE if it exists, once the new backup is checked"},
    {.name = NULL},
};

static const struct command subs[] = {
    {
        .name = "db check",
        .group = GROUP_OPERATE,
        .usage = "",
        .help = "is the database sound?",
        .text = "Reads all of it: pages, references, and what stint expects of its own tables. "
                "Exit status 1\nif there is any problem, with what to do. May run beside a pool.\n",
        .needs = NEED_CONFIG,
        .run = check,
    },
    {
        .name = "db backup",
        .group = GROUP_OPERATE,
        .usage = "FILE [--force]",
        .help = "copy the database while the pool runs",
        .text =
            "The copy is one state of the database, checked before it gets its name. To go back "
            "to it:\nstop the pool, remove the database with its -wal and -shm, and put the copy "
            "in its place.\n\n"
            "  stint db backup /backup/stint-$(date +%F).db\n",
        .flags = backup_flags,
        .words = {WORD_FILE},
        .words_min = 1,
        .words_max = 1,
        .needs = NEED_CONFIG | NEED_READ,
        .run = backup,
    },
};

const struct command command_db = {
    .name = "db",
    .group = GROUP_OPERATE,
    .usage = "check\nbackup FILE [--force]",
    .help = "check the database, or make a backup of it",
    .subs = subs,
    .subs_len = sizeof(subs) / sizeof(subs[0]),
};
