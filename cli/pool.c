#include "cli/pool.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/locks.h"
#include "common/base/sys.h"
#include "common/config/parse.h"
#include "common/config/places.h"
#include "common/config/same_file.h"
#include "common/ipc/control.h"
#include "common/ipc/control_name.h"
#include "common/ipc/home.h"

/* The pool that we mean: the one that answered, else the one of the configuration. */
static const char *database_of(const struct cli *cli)
{
    const char *theirs = pool_text(cli, "database");
    return theirs || !cli->config ? theirs : cli->config->pool.database;
}

static bool has_database(const char *name, const char *database)
{
    struct buf answer CLEANUP(buf_fini) = BUF_INIT;
    if (control_ask(name, "file", POOL_TIMEOUT_MS, &answer, NULL))
        return false;
    const char *line = strchr(buf_str(&answer), '\n');
    size_t len = strlen(database);
    return line && strncmp(line + 1, database, len) == 0 && line[1 + len] == '\n';
}

/* Its name, while its socket is not at its path; NULL: it has none. Caller frees. */
static char *name_of_pool(const struct cli *cli, const char *database)
{
    char *directory CLEANUP_FREE = sys_dirname(database);
    char *names[CONTROL_NAMES_MAX], *found = NULL;
    size_t len = control_names(cli->conf, directory, names);
    for (size_t i = 0; i < len; i++) {
        if (!found && has_database(names[i], database))
            found = TAKE_PTR(names[i]);
        free(names[i]);
    }
    return found;
}

static bool is_missing(const char *socket)
{
    struct stat st;
    return *socket != '@' && lstat(socket, &st) < 0 && errno == ENOENT;
}

enum rc pool_ask(const struct cli *cli, const char *socket, const struct pool_question *question,
    struct buf *payload, struct err *err)
{
    int64_t ms = question->timeout_ms ? question->timeout_ms : POOL_TIMEOUT_MS;
    enum rc rc = control_ask(socket, question->text, ms, payload, err);
    const char *database = database_of(cli);
    if (rc != RC_NOTFOUND || !database || !is_missing(socket))
        return rc;
    char *name CLEANUP_FREE = name_of_pool(cli, database);
    return name ? control_ask(name, question->text, ms, payload, err) : rc;
}

enum rc pool_ask_status(struct cli *cli, const char *socket, struct err *err)
{
    struct buf payload CLEANUP(buf_fini) = BUF_INIT;
    enum rc rc = pool_ask(cli, socket, &(struct pool_question){.text = "status"}, &payload, err);
    json_decref(cli->pool);
    cli->pool = rc ? NULL : json_loadb(buf_str(&payload), payload.len, 0, NULL);
    cli->presence = rc == RC_NOTFOUND ? POOL_ABSENT : cli->pool ? POOL_RUNNING : POOL_SILENT;
    if (!rc && !cli->pool)
        return err_set(err, RC_PROTO, "its answer cannot be read");
    const char *file = pool_text(cli, "database_file");
    (void)snprintf(cli->pool_file, sizeof(cli->pool_file), "%s", file ? file : "");
    return rc;
}

/* Its first line says which file it has open; the sources follow. */
static enum rc read_config(struct cli *cli, const struct buf *answer,
    struct config_sources *ret_sources, struct config **ret_config)
{
    const char *text = buf_str(answer), *end = memchr(text, '\n', answer->len);
    size_t len = end ? (size_t)(end - text) : 0;
    if (!end || len >= sizeof(cli->pool_file) ||
        config_sources_unpack(end + 1, answer->len - len - 1, ret_sources, NULL) ||
        config_parse(ret_sources, ret_config, NULL))
        return RC_PROTO;
    memcpy(cli->pool_file, text, len);
    cli->pool_file[len] = '\0';
    return RC_OK;
}

enum rc pool_ask_config(struct cli *cli, const char *socket, struct config_sources *ret_sources,
    struct config **ret_config, struct err *err)
{
    struct buf answer CLEANUP(buf_fini) = BUF_INIT;
    enum rc rc = pool_ask(cli, socket, &(struct pool_question){.text = "config"}, &answer, err);
    if (rc || read_config(cli, &answer, ret_sources, ret_config) == RC_OK)
        return rc;
    return err_set(err, RC_PROTO,
        "the pool on %s has a configuration this stint cannot read; is it of another version?",
        socket);
}

static enum rc ask_of_file(struct cli *cli, const char *socket, struct err *err)
{
    enum rc rc = pool_ask_status(cli, socket, err);
    const char *theirs = rc == RC_OK ? pool_text(cli, "config") : NULL;
    if (rc || (theirs && config_is_same_file(cli->conf, theirs)))
        return rc;
    json_decref(cli->pool);
    cli->pool = NULL;
    cli->presence = POOL_ABSENT;
    return err_set(err, RC_NOTFOUND, "the pool on %s has another configuration file", socket);
}

/* Where [pool] has it (as far as it can be read), beside the file. */
static enum rc ask_by_place(struct cli *cli, const char *named, char **ret_socket, struct err *err)
{
    char *directory CLEANUP_FREE = sys_dirname(cli->conf);
    char *beside CLEANUP_FREE = sys_path_join(directory, "stint.sock");
    enum rc rc = named && !cli->config ? ask_of_file(cli, named, err) : RC_NOTFOUND;
    if (rc == RC_OK) {
        *ret_socket = xstrdup(named);
        return RC_OK;
    }
    rc = ask_of_file(cli, beside, err);
    if (rc == RC_OK)
        *ret_socket = TAKE_PTR(beside);
    return rc;
}

/* Wherever it lies, if it belongs to somebody whom we believe. */
static enum rc ask_by_name(struct cli *cli, const char *named, char **ret_socket, struct err *err)
{
    char *directory CLEANUP_FREE = named ? sys_dirname(named) : NULL;
    char *names[CONTROL_NAMES_MAX];
    size_t len = control_names(cli->conf, directory, names);
    enum rc rc = RC_NOTFOUND;
    for (size_t i = 0; i < len; i++) {
        if (rc == RC_NOTFOUND && (rc = ask_of_file(cli, names[i], err)) == RC_OK)
            *ret_socket = TAKE_PTR(names[i]);
        free(names[i]);
    }
    return rc;
}

enum rc pool_ask_of_file(struct cli *cli, char **ret_socket, struct err *err)
{
    char *named CLEANUP_FREE = NULL;
    if (cli->config)
        named = xstrdup(cli->config->pool.socket);
    else if (cli->sources.len > 0)
        named = config_named_socket(&cli->sources);
    enum rc rc = ask_by_place(cli, named, ret_socket, err);
    if (rc == RC_NOTFOUND && !(cli->config && places_by_environment(cli->config)))
        rc = ask_by_name(cli, named, ret_socket, err);
    return rc;
}

void pool_mention_other(const struct cli *cli)
{
    uid_t uid;
    if (!control_name_other(cli->conf, &uid))
        return;
    const struct passwd *user = getpwuid(uid);
    if (user)
        cli_say(cli,
            "but user %s seems to run a pool of %s, with another database; ask it as that user: "
            "runuser -u %s -- stint -c %s status",
            user->pw_name, cli->conf, user->pw_name, cli->conf);
}

/* A path as people would type it: relative when it lies in the current directory. */
static const char *short_path(const char *path)
{
    char here[4096];
    size_t len = getcwd(here, sizeof(here)) ? strlen(here) : 0;
    if (len > 0 && strncmp(path, here, len) == 0 && path[len] == '/')
        return path + len + 1;
    return path;
}

/* By the lock that every pool has on its database's directory; 0: none lives. */
static pid_t find_living(const struct cli *cli)
{
    char name[32];
    pid_t pid = locks_find(cli->config->pool.directory, "FLOCK", 0);
    if (pid <= 0 || sys_proc_state(pid) == 0)
        return 0;
    locks_read_name(pid, name, sizeof(name));
    return strcmp(name, "stintd") == 0 ? pid : 0;
}

static enum cli_exit fail_untold(const struct cli *cli, pid_t pid)
{
    return cli_fail(CLI_FAILED,
        "a pool runs in %s (pid %d), but nobody answers on %s: it cannot be told. Try again, or, "
        "to end it: kill -TERM %d   (at once: kill -QUIT %d)",
        cli->config->pool.directory, (int)pid, cli->config->pool.socket, (int)pid, (int)pid);
}

/* It is another user's, or hangs. */
static enum cli_exit fail_silent(const struct cli *cli)
{
    const struct pool_options *pool = &cli->config->pool;
    struct stat st;
    if (*pool->socket != '@' && lstat(pool->socket, &st) == 0 && geteuid() != 0 &&
        st.st_uid != geteuid())
        return cli_fail(CLI_FAILED,
            "the pool that holds %s is user %u's, and this is user %u: it does not answer you; ask "
            "it as that user, or as root: sudo -u '#%u' …",
            short_path(pool->database), (unsigned)st.st_uid, (unsigned)geteuid(),
            (unsigned)st.st_uid);
    return cli_fail(CLI_FAILED,
        "the pool that holds %s does not answer you; try again as its user, or as root",
        short_path(pool->database));
}

enum cli_exit pool_fail(struct cli *cli, enum rc rc, const struct err *err)
{
    if (rc != RC_NOTFOUND)
        return cli_fail_rc(rc, err);
    cli->presence = POOL_ABSENT; /* by now */
    return cli_need_pool(cli);
}

enum cli_exit cli_need_pool(struct cli *cli)
{
    if (cli->presence == POOL_RUNNING)
        return CLI_OK;
    const struct pool_options *pool = &cli->config->pool;
    pid_t living = cli->presence == POOL_ABSENT ? find_living(cli) : 0;
    if (living > 0)
        return fail_untold(cli, living);
    if (cli->presence == POOL_SILENT)
        return fail_silent(cli);
    (void)cli_fail(CLI_NO_POOL, "no pool is running for %s (no answer on %s)",
        short_path(pool->database), short_path(pool->socket));
    pool_mention_other(cli);
    cli_say(cli, "Start one:  stint run      or  systemctl start stint");
    return CLI_NO_POOL;
}

/* As the pool names its own file in `status`. */
static bool is_file_of_pool(const char *database, const char *file)
{
    char here[HOME_TEXT_MAX];
    struct stat st;
    return lstat(database, &st) == 0 && strcmp(home_format(st.st_dev, st.st_ino, here), file) == 0;
}

enum cli_exit pool_check_file(struct cli *cli, struct err *ret_text)
{
    const char *database = cli->config->pool.database;
    struct err err = {""};
    if (cli->presence != POOL_RUNNING || !*cli->pool_file ||
        is_file_of_pool(database, cli->pool_file))
        return CLI_OK;
    if (!cli->pool && pool_ask_status(cli, cli->config->pool.socket, NULL)) /* for its pid */
        return CLI_OK;
    (void)err_set(&err, RC_GONE,
        "the pool (pid %lld) has another file open than what is at %s now: the database was %s "
        "while it ran, and nothing is done here. The pool ends by itself; its log says what to do "
        "(database.replaced). See whether it has ended: stint doctor",
        (long long)pool_number(cli, "pid", 0), database,
        access(database, F_OK) == 0 ? "replaced" : "removed");
    if (!ret_text)
        return cli_fail_rc(RC_GONE, &err);
    *ret_text = err;
    return CLI_FAILED;
}

bool pool_is_starting(const struct cli *cli)
{
    const char *state = pool_text(cli, "state");
    return state && strcmp(state, "starting") == 0;
}

const char *pool_text(const struct cli *cli, const char *member)
{
    return json_string_value(json_object_get(cli->pool, member));
}

int64_t pool_number(const struct cli *cli, const char *member, int64_t fallback)
{
    const json_t *value = json_object_get(cli->pool, member);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

enum rc cli_ask(const struct cli *cli, const char *request, struct buf *payload, struct err *err)
{
    return pool_ask(
        cli, cli->config->pool.socket, &(struct pool_question){.text = request}, payload, err);
}

json_t *pool_next_object(const char **rest)
{
    const char *line = *rest + strspn(*rest, "\n");
    size_t len = strcspn(line, "\n");
    json_t *object = len ? json_loadb(line, len, 0, NULL) : NULL;
    *rest = line;
    if (!json_is_object(object)) {
        json_decref(object);
        return NULL;
    }
    *rest = line + len;
    return object;
}

enum cli_exit pool_end_of_answer(const char *rest)
{
    if (!*rest)
        return CLI_OK;
    return cli_fail(CLI_FAILED,
        "the pool's answer cannot be read; is it of another version? See: stint status");
}

void cli_wake(const struct cli *cli, int64_t n)
{
    char request[64];
    if (n <= 0 || cli->presence != POOL_RUNNING)
        return;
    (void)snprintf(request, sizeof(request), "wake %lld", (long long)n);
    /* Only a hint: the keeper sees the commit as well. */
    if (cli_ask(cli, request, NULL, NULL))
        return;
}

void cli_mention_no_pool(const struct cli *cli)
{
    if (cli->presence == POOL_ABSENT)
        cli_say(cli, "no pool is running: start one with stint run");
}
