#include "common/store/watch.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"

/* Adding a watch that is there already changes nothing; when the WAL is missing, the watch of the
 * directory tells of its birth. */
static void watch_wal(const struct watch *watch)
{
    (void)inotify_add_watch(watch->fd, watch->wal_path, IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF);
}

enum rc watch_open(const char *database, struct watch *ret, struct err *err)
{
    CLEANUP_FREE char *dir = sys_dirname(database);
    struct watch watch = {.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    int errnum = errno;
    if (watch.fd < 0)
        return err_sys(err, errnum, "inotify (see fs.inotify.max_user_instances)");
    watch.wal_path = xasprintf("%s-wal", database);
    if (inotify_add_watch(watch.fd, dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        errnum = errno;
        watch_close(&watch);
        return err_sys(err, errnum, "cannot watch %s (see fs.inotify.max_user_watches)", dir);
    }
    watch_wal(&watch);
    *ret = watch;
    return RC_OK;
}

void watch_drain(struct watch *watch)
{
    alignas(struct inotify_event) char events[4096];
    bool is_changed = false;
    ssize_t n;
    while ((n = read(watch->fd, events, sizeof events)) > 0 || (n < 0 && errno == EINTR)) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(events + at);
            is_changed = is_changed || !(e->mask & IN_MODIFY);
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
    if (is_changed)
        watch_wal(watch);
}

void watch_close(struct watch *watch)
{
    if (!watch)
        return;
    if (watch->wal_path && watch->fd >= 0)
        (void)close(watch->fd);
    free(watch->wal_path);
    *watch = (struct watch){.fd = -1};
}
