/* The half of doctor.h about the database: its file, its disk, its library. */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/locks.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/store/look.h"
#include "common/store/place.h"

#define ABOUT "database"
#define MIB ((int64_t)1 << 20)
#define FREE_LOW_BYTES (64 * MIB)
#define FREE_WARN_BYTES (1024 * MIB)
#define FREE_WARN_PCT 5
#define WAL_LARGE_BYTES (256 * MIB) /* checkpoints come every few MiB */
#define CLOCK_SLACK_MS 60000

static void look_files(struct doctor *d, const char *database, const char *cure)
{
    static const char *const names[] = {"", "-wal", "-shm"};
    struct stat st;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path CLEANUP_FREE = xasprintf("%s%s", database, names[i]);
        if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        (void)doctor_look_mode(d, ABOUT, path, &st, true);
        if ((st.st_mode & (S_IRUSR | S_IWUSR)) != (S_IRUSR | S_IWUSR)) {
            doctor_add(
                d, FINDING_PROBLEM, ABOUT, "%s may not be read and written by its owner", path);
            doctor_fix(d, "chmod u+rw %s", path);
        }
        if (i > 0 && geteuid() == 0 && !cure) {
            struct stat main;
            if (lstat(database, &main) == 0 && main.st_uid != st.st_uid) {
                doctor_add(d, FINDING_PROBLEM, ABOUT, "%s belongs to user %u, the database to %u",
                    path, (unsigned)st.st_uid, (unsigned)main.st_uid);
                doctor_fix(d, "chown %u %s", (unsigned)main.st_uid, path);
            }
        }
    }
}

static void look_disk(struct doctor *d, const char *directory)
{
    struct statvfs fs;
    char size[32];
    if (statvfs(directory, &fs) < 0)
        return;
    if (fs.f_flag & ST_RDONLY) {
        doctor_add(d, FINDING_PROBLEM, "disk",
            "the file system of %s is mounted for reading only: nothing can be added or run",
            directory);
        doctor_fix(d, "see why: dmesg; then: mount -o remount,rw \"$(stat -c %%m %s)\"", directory);
    }
    int64_t left = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    int64_t all = (int64_t)fs.f_blocks * (int64_t)fs.f_frsize;
    int pct = all > 0 ? (int)(left * 100 / all) : 100;
    enum finding_state state = left < FREE_LOW_BYTES                           ? FINDING_PROBLEM
                               : left < FREE_WARN_BYTES || pct < FREE_WARN_PCT ? FINDING_WARNING
                                                                               : FINDING_OK;
    doctor_add(d, state, "disk", "%s free (%d %%) where the database lies, %s",
        text_size(left, size, sizeof(size)), pct, directory);
    if (state != FINDING_OK)
        doctor_fix(d, "make room there, or move the database: database = PATH in [pool]; when the "
                      "disk is full the pool waits, and loses nothing");
}

static void look_sizes_of(struct doctor *d, const char *database)
{
    char size[2][32];
    int64_t db_bytes, wal_bytes;
    look_sizes(database, &db_bytes, &wal_bytes);
    bool is_large = wal_bytes > WAL_LARGE_BYTES;
    doctor_add(d, is_large ? FINDING_WARNING : FINDING_OK, ABOUT, "%s: %s, its log %s", database,
        text_size(db_bytes, size[0], sizeof(size[0])),
        text_size(wal_bytes, size[1], sizeof(size[1])));
    if (is_large)
        doctor_fix(d, d->cli->presence == POOL_RUNNING
                          ? "some program keeps a read transaction open; end it, and the log is "
                            "used again from its start"
                          : "start a pool, its keeper empties the log: stint run");
}

static void look_content(struct doctor *d)
{
    struct buf problems CLEANUP(buf_fini) = BUF_INIT;
    struct health_row health = {0};
    struct err err = {""};
    enum rc rc = store_check_schema(d->cli->store, &err);
    if (rc == RC_OK)
        rc = store_verify_quick(d->cli->store, &problems, &err);
    if (rc == RC_OK)
        rc = look_health(d->cli->store, &health, &err);
    if (rc) {
        doctor_add(d, FINDING_PROBLEM, ABOUT, "%s", err.text);
        doctor_fix(d, rc == RC_NOTFOUND
                          ? "what to type stands in the line above; if it had work in "
                            "it once, put a backup in its place first"
                          : "stint db check says more");
    } else if (problems.len > 0) {
        doctor_add(d, FINDING_PROBLEM, ABOUT, "damaged: %.*s",
            (int)strcspn(buf_str(&problems), "\n"), buf_str(&problems));
        doctor_fix(d, "stint db check");
    } else {
        doctor_add(d, FINDING_OK, ABOUT, "sound by a quick look (all of it: stint db check)");
    }
    if (health.newest_event_wall_ms > clock_wall_ms() + CLOCK_SLACK_MS) {
        char text[32];
        doctor_add(d, FINDING_WARNING, "time",
            "the clock went back: the newest event lies %s in the future",
            text_duration(health.newest_event_wall_ms - clock_wall_ms(), text, sizeof(text)));
        doctor_fix(d, "set the clock; retries and pauses wait for the times that were written");
    }
}

/* A program that writes for a moment is nothing to tell of; ours do so all the time. While nobody
 * of the pool waits for it, nobody knows for how long it is held. */
static void look_lock(struct doctor *d, const char *database)
{
    char name[32] = "", text[32];
    const json_t *holder = json_object_get(d->cli->pool, "lock_holder");
    pid_t pid = locks_find_writer(database);
    locks_read_name(pid, name, sizeof(name));
    if (strncmp(name, "stint", 5) == 0 && !holder)
        return;
    if (holder) {
        const char *program = json_string_value(json_object_get(holder, "program"));
        int64_t for_ms = json_integer_value(json_object_get(holder, "for_ms"));
        pid = (pid_t)json_integer_value(json_object_get(holder, "pid"));
        doctor_add(d, FINDING_PROBLEM, "lock",
            "%s (pid %d) holds the write lock; the pool has waited %s for it",
            program ? program : "?", (int)pid, text_duration(for_ms, text, sizeof(text)));
    } else if (pid > 0) {
        doctor_add(
            d, FINDING_WARNING, "lock", "%s (pid %d) holds the write lock now", name, (int)pid);
    }
    if (pid > 0)
        doctor_fix(
            d, "end its transaction (COMMIT or ROLLBACK), or the program: kill %d", (int)pid);
}

void doctor_look_database(struct doctor *d)
{
    struct cli *cli = d->cli;
    struct err err = {""};
    struct stat st;
    if (!cli->config)
        return;
    const struct pool_options *pool = &cli->config->pool;
    struct store_options opts = {
        .path = pool->database, .durability = pool->durability, .is_read_only = true};
    if (stat(pool->directory, &st) < 0) {
        doctor_add(d, FINDING_PROBLEM, ABOUT, "its directory %s is not there", pool->directory);
        doctor_fix(d, "mkdir -m 700 %s", pool->directory);
        return;
    }
    (void)doctor_look_mode(d, "directory", pool->directory, &st, false);
    look_disk(d, pool->directory);
    if (pool_check_file(cli, &err)) {
        doctor_add(d, FINDING_PROBLEM, ABOUT, "%s", err.text);
        doctor_fix(d, "see the pool's log: database.replaced; then look again: stint doctor");
        return;
    }
    char *cure CLEANUP_FREE = place_cure(pool->database);
    enum rc rc = store_open(&opts, &cli->store, &err);
    if (rc == RC_NOTFOUND) {
        doctor_add(
            d, FINDING_OK, ABOUT, "none yet; it comes with the first stint add or stint run");
        return;
    }
    if (rc == RC_OK) /* else it may be anything, and is not ours to change */
        look_files(d, pool->database, cure);
    look_sizes_of(d, pool->database);
    look_lock(d, pool->database);
    if (cure) {
        doctor_add(d, FINDING_PROBLEM, ABOUT,
            "the owner of its directory, user %u, cannot open it: a file of it belongs to another "
            "user",
            (unsigned)st.st_uid);
        doctor_fix(d, "as root, while no pool runs: %s", cure);
    }
    if (rc == RC_OK) {
        look_content(d);
    } else if (!cure) {
        char *find CLEANUP_FREE = place_find_names(pool->database);
        doctor_add(d, FINDING_PROBLEM, ABOUT, "it cannot be opened: %s", err.text);
        if (find)
            doctor_fix(d, "%s; then remove the names that are not %s", find, pool->database);
        else
            doctor_fix(d, rc == RC_STORE ? "stint db check says what to do about a damaged file"
                                         : "what to type stands in the line above");
    }
}

/* ---- the library ---- */

static bool has_open(int pid, const struct stat *database)
{
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    bool is_found = false;
    for (struct dirent *e; dir && !is_found && (e = readdir(dir));) {
        char fd[PATH_MAX];
        (void)snprintf(fd, sizeof(fd), "%s/%s", path, e->d_name);
        is_found = e->d_name[0] != '.' && stat(fd, &st) == 0 && st.st_dev == database->st_dev &&
                   st.st_ino == database->st_ino;
    }
    if (dir)
        (void)closedir(dir);
    return is_found;
}

/* Programs that are not ours and have the database open now. */
static void find_others(const char *database, struct buf *out)
{
    struct stat st;
    DIR *proc = stat(database, &st) == 0 ? opendir("/proc") : NULL;
    for (struct dirent *e; proc && (e = readdir(proc));) {
        char name[32];
        int pid = atoi(e->d_name);
        if (pid <= 0 || pid == (int)getpid())
            continue;
        locks_read_name(pid, name, sizeof(name));
        if (strncmp(name, "stint", 5) != 0 && has_open(pid, &st))
            buf_addf(out, "%s%s (pid %d)", out->len ? ", " : "", name, pid);
    }
    if (proc)
        (void)closedir(proc);
}

void doctor_look_library(struct doctor *d)
{
    const char *version = store_library_version();
    struct buf others CLEANUP(buf_fini) = BUF_INIT;
    struct health_row health = {0};
    if (sqlite_is_fixed(version)) {
        doctor_add(d, FINDING_OK, "sqlite", "%s, without the WAL-reset bug", version);
        return;
    }
    if (d->cli->config)
        find_others(d->cli->config->pool.database, &others);
    if (d->cli->store && look_health(d->cli->store, &health, NULL))
        health.submitted = 0;
    if (others.len == 0 && health.submitted == 0) {
        doctor_add(d, FINDING_OK, "sqlite",
            "%s has the WAL-reset bug (3.7.0 to 3.51.2); mitigated: stint's own programs "
            "checkpoint "
            "under the write lock",
            version);
        return;
    }
    doctor_add(d, FINDING_WARNING, "sqlite",
        "%s has the WAL-reset bug (3.7.0 to 3.51.2); exposed: programs that write beside stint "
        "checkpoint by their own defaults: %s",
        version, others.len ? buf_str(&others) : "some have submitted items by plain SQL");
    doctor_fix(d, "in those programs set wal_autocheckpoint to 0, and keep the connection open "
                  "while the pool runs; or install SQLite 3.51.3 or newer");
}
