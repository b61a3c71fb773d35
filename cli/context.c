#include "cli/context.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/accepted.h"
#include "cli/loop.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/config/parse.h"
#include "common/store/look.h"

#define NAMES_MAX 256
#define ASK_GAP_NS (50 * NS_PER_MS)
#define PAGE_BYTES 4096
#define PROBLEMS_FIRST 8

/* As the words of --color in commands.c. */
enum color_word { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

static bool wants_color(int64_t word, int fd)
{
    const char *no_color = sys_getenv("NO_COLOR");
    const char *term = sys_getenv("TERM");
    if (word != COLOR_AUTO)
        return word == COLOR_ALWAYS;
    if (no_color && *no_color)
        return false;
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

static size_t terminal_width(int fd)
{
    struct winsize size;
    if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col ? size.ws_col : 80;
}

void cli_init(struct cli *cli, const struct args *args)
{
    int64_t color = args_number(args, "color", COLOR_AUTO);
    const char *term = sys_getenv("TERM");
    *cli = (struct cli){.args = args};
    cli->conf = args_text(args, "config");
    if (!cli->conf)
        cli->conf = config_default_path();
    cli->has_own_conf = args_has(args, "config");
    if (strncmp(cli->conf, "./", 2) == 0 && cli->conf[2])
        cli->conf += 2; /* as people say it */
    cli->is_json = args_has(args, "json");
    cli->is_quiet = args_has(args, "quiet");
    cli->is_verbose = args_has(args, "verbose");
    cli->has_color = wants_color(color, STDOUT_FILENO);
    cli->has_err_color = wants_color(color, STDERR_FILENO);
    cli->is_terminal = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
    cli->width = terminal_width(STDOUT_FILENO);
    cli->err_width = terminal_width(STDERR_FILENO);
}

static void forget_config(struct cli *cli)
{
    config_free(cli->config);
    cli->config = NULL;
    config_sources_fini(&cli->sources);
    cli->sources = (struct config_sources){0};
}

void cli_fini(struct cli *cli)
{
    if (!cli)
        return;
    catalog_free(cli->catalog);
    store_close(cli->store);
    json_decref(cli->pool);
    cli->catalog = NULL;
    cli->store = NULL;
    cli->pool = NULL;
    forget_config(cli);
}

__attribute__((format(printf, 2, 0))) static void talk(
    const char *prefix, const char *fmt, va_list ap)
{
    struct buf text = BUF_INIT, line = BUF_INIT;
    buf_addv(&text, fmt, ap);
    buf_adds(&line, prefix);
    for (const char *at = buf_str(&text);; at++) {
        size_t len = strcspn(at, "\n");
        text_add_printable(&line, at, len);
        buf_addc(&line, '\n');
        at += len;
        if (!*at)
            break;
    }
    (void)sys_write_all(STDERR_FILENO, line.data, line.len);
    buf_fini(&line);
    buf_fini(&text);
}

enum cli_exit cli_fail(enum cli_exit code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    talk("stint: ", fmt, ap);
    va_end(ap);
    return code;
}

void cli_say(const struct cli *cli, const char *fmt, ...)
{
    if (cli->is_quiet)
        return;
    va_list ap;
    va_start(ap, fmt);
    talk("", fmt, ap);
    va_end(ap);
}

enum cli_exit cli_fail_rc(enum rc rc, const struct err *err)
{
    return cli_fail(rc == RC_BUSY ? CLI_BUSY : CLI_FAILED, "%s", err->text);
}

void cli_print(const struct buf *text)
{
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    if (text->len == 0)
        return;
    /* Texts for people are printable by now. */
    if (isatty(STDOUT_FILENO)) {
        text_add_json_printable(&shown, text->data, text->len);
        text = &shown;
    }
    (void)fwrite(text->data, 1, text->len, stdout);
}

void cli_parse_files(struct cli *cli, struct buf *problems)
{
    struct err err = {""};
    if (config_sources_read(cli->conf, &cli->sources, &err)) {
        cli->sources = (struct config_sources){0};
        buf_addf(problems, "%s\n", err.text);
        cli->problems_len = 1;
        return;
    }
    cli->sources.is_lenient = true; /* a credential is given to the service, not to its operator */
    if (config_parse_counted(&cli->sources, &cli->config, problems, &cli->problems_len)) {
        cli->config = NULL;
        config_add_rest(problems, cli->problems_len);
        if (problems->len == 0)
            buf_addf(problems, "%s: cannot be read as a configuration\n", cli->conf);
    }
}

enum cli_exit cli_say_problems(const struct cli *cli, const struct buf *problems)
{
    if (!*cli->conf)
        return cli_fail(CLI_USAGE, "--config is empty; name a file: stint -c FILE");
    if (access(cli->conf, F_OK) < 0 && errno == ENOENT)
        return cli_fail(CLI_BAD_CONFIG,
            "no configuration: %s%s; write a small working one: stint "
            "init DIR%s",
            cli->has_own_conf ? cli->conf : "there is neither ./stint.conf nor ",
            cli->has_own_conf ? " does not exist" : cli->conf,
            cli->has_own_conf && cli->args->is_word
                ? ". A word of the filter that begins with -c stands behind --"
                : "");
    if (cli->sources.len == 0) /* not read at all: there is no FILE:LINE in front of it */
        (void)sys_write_all(STDERR_FILENO, "stint: ", strlen("stint: "));
    (void)sys_write_all(STDERR_FILENO, problems->data, problems->len);
    return CLI_BAD_CONFIG;
}

enum cli_exit cli_read_files(struct cli *cli)
{
    struct buf problems CLEANUP(buf_fini) = BUF_INIT;
    cli_parse_files(cli, &problems);
    return cli->config ? CLI_OK : cli_say_problems(cli, &problems);
}

/* Takes over the configuration that the pool on this socket accepted. */
static enum rc take_pool(struct cli *cli, const char *socket, struct err *err)
{
    struct config_sources sources = {0};
    struct config *config = NULL;
    enum rc rc = pool_ask_config(cli, socket, &sources, &config, err);
    if (rc) {
        config_sources_fini(&sources);
        return rc;
    }
    forget_config(cli);
    cli->sources = sources;
    cli->config = config;
    return RC_OK;
}

enum rc cli_take_pool(struct cli *cli, const char *socket, struct err *err)
{
    enum rc rc = pool_ask_status(cli, socket, err);
    return rc ? rc : take_pool(cli, socket, err);
}

/* The first ones: who asks for something else must not look for its answer below a hundred lines.
 */
static void say_first(const struct cli *cli, const struct buf *problems)
{
    const char *end = buf_str(problems);
    size_t n = 0;
    char rest[32];
    for (; n < PROBLEMS_FIRST && *end; n++)
        end += strcspn(end, "\n") + 1;
    (void)sys_write_all(STDERR_FILENO, problems->data, (size_t)(end - problems->data));
    if (cli->problems_len > n)
        cli_say(cli, "… and %s more; see: stint check",
            text_count((int64_t)(cli->problems_len - n), rest, sizeof(rest)));
}

/* The files are bad, but a pool may run from an earlier, good state of them: operators need it then
 * more than ever. */
static enum cli_exit find_pool_of_file(struct cli *cli, const struct buf *problems)
{
    char *socket CLEANUP_FREE = NULL;
    if (pool_ask_of_file(cli, &socket, NULL) || take_pool(cli, socket, NULL)) {
        enum cli_exit code = cli_say_problems(cli, problems);
        pool_mention_other(cli);
        return code;
    }
    say_first(cli, problems);
    cli_say(
        cli, "stint: %s has problems (above); going by what the running pool accepted", cli->conf);
    return CLI_OK;
}

enum cli_exit cli_find_config(struct cli *cli)
{
    struct buf problems CLEANUP(buf_fini) = BUF_INIT;
    char *socket CLEANUP_FREE = NULL;
    struct err err = {""};
    cli_parse_files(cli, &problems);
    if (!cli->config)
        return find_pool_of_file(cli, &problems);
    if (cli->is_brief && take_pool(cli, cli->config->pool.socket, NULL) == RC_OK) {
        cli->presence = POOL_RUNNING;
        return CLI_OK;
    }
    enum rc rc = accepted_find_pool(cli, &socket, &err);
    if (!rc)
        rc = take_pool(cli, socket, &err);
    if (rc && rc != RC_NOTFOUND)
        cli_say(cli, "stint: a pool holds %s but does not answer (%s); going by the files",
            cli->config->pool.socket, err.text);
    return CLI_OK;
}

static struct store_options store_options(struct cli *cli, bool is_read_only)
{
    struct store_options opts = {.path = cli->config->pool.database,
        .durability = cli->config->pool.durability,
        .is_read_only = is_read_only,
        .is_beside_pool = cli->presence == POOL_RUNNING && !pool_is_starting(cli)};
    store_talk_hook(&cli->talk, cli, &opts.hooks);
    return opts;
}

/* Of a pool that has not migrated yet there is nothing to read so far. */
enum cli_exit cli_open_read(struct cli *cli)
{
    struct err err = {""};
    struct store_options opts = store_options(cli, true);
    if (pool_check_file(cli, NULL))
        return CLI_FAILED;
    enum rc rc = store_open(&opts, &cli->store, &err);
    if (rc == RC_NOTFOUND) {
        cli->store = NULL;
        return CLI_OK;
    }
    if (!rc)
        rc = store_check_schema(cli->store, &err);
    if (rc && cli->store && pool_is_starting(cli)) {
        store_close(cli->store);
        cli->store = NULL;
        return CLI_OK;
    }
    return rc ? cli_fail_rc(rc, &err) : CLI_OK;
}

/* It has nothing to wait on until it runs, so it is asked again and again. */
enum cli_exit cli_await_store(struct cli *cli, int64_t deadline_mono_ns)
{
    while (pool_is_starting(cli)) {
        int64_t next = clock_mono_ns() + ASK_GAP_NS;
        if (next >= deadline_mono_ns)
            return cli_fail(CLI_FAILED, "the pool is still starting: the time is up");
        (void)loop_wait(NULL, 0, next);
        (void)pool_ask_status(cli, cli->config->pool.socket, NULL);
    }
    enum cli_exit code = cli->store ? CLI_OK : cli_open_read(cli);
    if (code == CLI_OK && !cli->store)
        return cli_fail(CLI_NO_POOL, "there is no database yet: start a pool with stint run");
    return code;
}

static enum rc make_ready(struct cli *cli, struct err *err)
{
    enum rc rc = store_migrate(cli->store, err);
    if (rc)
        return rc;
    return catalog_sync(cli->store, cli->config, &cli->catalog, err);
}

enum cli_exit cli_open_write(struct cli *cli)
{
    struct err err = {""};
    struct store_options opts = store_options(cli, false);
    if (pool_check_file(cli, NULL))
        return CLI_FAILED;
    enum rc rc = store_open(&opts, &cli->store, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    if (cli->presence == POOL_ABSENT)
        rc = make_ready(cli, &err);
    else if (store_check_schema(cli->store, NULL) ||
             catalog_load(cli->store, cli->config, &cli->catalog, &err))
        rc = make_ready(
            cli, &err); /* it has only just started: the same work, from the same words */
    return rc ? cli_fail_rc(rc, &err) : CLI_OK;
}

const struct job_spec *cli_job(const struct cli *cli, const char *name)
{
    const struct job_spec *job = config_job(cli->config, name);
    if (job)
        return job;
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (; n < cli->config->jobs_len && n < NAMES_MAX; n++)
        names[n] = cli->config->jobs[n].name;
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    text_add_printable(&shown, name, strlen(name));
    const char *near = text_nearest(name, names, n);
    if (n == 0)
        (void)cli_fail(
            CLI_USAGE, "no job \"%s\": no job is configured in %s", buf_str(&shown), cli->conf);
    else if (near)
        (void)cli_fail(CLI_USAGE, "no job \"%s\"; did you mean \"%s\"?", buf_str(&shown), near);
    else
        (void)cli_fail(
            CLI_USAGE, "no job \"%s\"; see what there is: stint status", buf_str(&shown));
    return NULL;
}

void cli_checkpoint(struct cli *cli)
{
    int64_t db_bytes, wal_bytes;
    uint32_t left;
    struct err err;
    if (cli->presence != POOL_ABSENT || !cli->store)
        return;
    look_sizes(cli->config->pool.database, &db_bytes, &wal_bytes);
    if (store_wal_pages(cli->store) > STORE_CHECKPOINT_PAGES ||
        wal_bytes / PAGE_BYTES > STORE_CHECKPOINT_PAGES)
        if (store_checkpoint(cli->store, &left, &err))
            cli_say(cli, "stint: no checkpoint this time: %s", err.text);
}
