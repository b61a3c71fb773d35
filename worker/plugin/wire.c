#include "worker/plugin/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/json_scan.h"
#include "common/base/sys.h"
#include "worker/plugin/path.h"

/* Above what programs number by habit. */
#define FD_FIRST 64
#define CHUNK_BYTES ((size_t)64 * 1024)

static enum rc move(int *ret_in, int *ret_out, struct err *err)
{
    CLEANUP_FD int in = fcntl(0, F_DUPFD_CLOEXEC, FD_FIRST);
    CLEANUP_FD int out = fcntl(1, F_DUPFD_CLOEXEC, FD_FIRST);
    CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (in < 0 || out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0)
        return err_sys(err, errno, "cannot move the protocol's descriptors");
    *ret_in = TAKE_FD(in);
    *ret_out = TAKE_FD(out);
    return RC_OK;
}

enum rc wire_open(struct wire *w, struct err *err)
{
    *w = (struct wire){.in_fd = -1, .out_fd = -1};
    w->last = &w->first;
    enum rc rc = move(&w->in_fd, &w->out_fd, err);
    if (rc == RC_OK && (fstat(w->out_fd, &w->out_is) != 0 || fstat(2, &w->stderr_is) != 0))
        return err_sys(err, errno, "cannot look at the protocol's descriptors");
    return rc;
}

static void ask_free(struct ask *ask)
{
    if (ask)
        free(ask->line);
    free(ask);
}

void wire_close(struct wire *w)
{
    while (w->first) {
        struct ask *next = w->first->next;
        ask_free(w->first);
        w->first = next;
    }
    ask_free(TAKE_PTR(w->current));
    buf_fini(&w->in);
    w->last = &w->first;
}

static void cancel(struct wire *w, int64_t id)
{
    if (w->current && w->current->id == id)
        w->current->is_cancelled = true;
    for (struct ask *ask = w->first; ask; ask = ask->next)
        ask->is_cancelled = ask->is_cancelled || ask->id == id;
}

static void take_line(struct wire *w, const char *line, size_t len)
{
    CLEANUP(buf_fini) struct buf request = BUF_INIT;
    if (!json_minify(line, len, &request)) {
        fprintf(stderr, "stint-plugin: a request that is not JSON: dropped\n");
        return;
    }
    CLEANUP_FREE char *type = path_text(buf_str(&request), "type");
    int64_t id = path_int(buf_str(&request), "id");
    if (type && strcmp(type, "cancel") == 0)
        cancel(w, id);
    if (!type || strcmp(type, "run") != 0)
        return;
    struct ask *ask = xcalloc(1, sizeof(*ask));
    ask->line = buf_take(&request);
    ask->id = id;
    *w->last = ask;
    w->last = &ask->next;
}

static void take_lines(struct wire *w)
{
    size_t start = 0;
    char *end;
    while (w->in.len > start && (end = memchr(w->in.data + start, '\n', w->in.len - start))) {
        *end = '\0';
        take_line(w, w->in.data + start, (size_t)(end - w->in.data) - start);
        start = (size_t)(end - w->in.data) + 1;
    }
    buf_drop(&w->in, start);
}

/* Whatever has come in; waits for something if is_patient. */
static void take_in(struct wire *w, bool is_patient)
{
    struct pollfd fd = {.fd = w->in_fd, .events = POLLIN};
    while (!w->is_ended && poll(&fd, 1, is_patient ? -1 : 0) > 0) {
        ssize_t n = read(w->in_fd, buf_room(&w->in, CHUNK_BYTES), CHUNK_BYTES);
        if (n > 0)
            buf_wrote(&w->in, (size_t)n);
        else if (n == 0 || errno != EINTR)
            w->is_ended = true;
        is_patient = false;
    }
    take_lines(w);
}

struct ask *wire_next(struct wire *w)
{
    ask_free(TAKE_PTR(w->current));
    while (!w->first && !w->is_ended)
        take_in(w, true);
    w->current = w->first;
    if (w->first)
        w->first = w->first->next;
    if (!w->first)
        w->last = &w->first;
    return w->current;
}

bool wire_is_cancelled(struct wire *w)
{
    take_in(w, false);
    return w->current && w->current->is_cancelled;
}

static bool is_still(int fd, const struct stat *was)
{
    struct stat now;
    return fstat(fd, &now) == 0 && now.st_dev == was->st_dev && now.st_ino == was->st_ino;
}

bool wire_may_complain(const struct wire *w)
{
    return is_still(2, &w->stderr_is);
}

enum rc wire_say(struct wire *w, const char *line, size_t len, struct err *err)
{
    if (!is_still(w->out_fd, &w->out_is))
        return err_set(err, RC_SYS, "the plugin has closed descriptors that are not its own");
    enum rc rc = sys_write_all(w->out_fd, line, len);
    return rc ? err_sys(err, errno, "cannot write to standard output") : RC_OK;
}
