#include "cli/live_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/ipc/fds.h"

/* Every worker has it; the first that is still there will do. */
static int open_of(const struct cli *cli, int *ret_errnum, struct err *err)
{
    struct buf answer CLEANUP(buf_fini) = BUF_INIT;
    json_t *worker;
    int fd = -1;
    if (cli_ask(cli, "workers", &answer, err))
        return -1;
    const char *rest = buf_str(&answer);
    while (fd < 0 && (worker = pool_next_object(&rest))) {
        char path[64];
        (void)snprintf(path, sizeof(path), "/proc/%lld/fd/%d",
            (long long)json_integer_value(json_object_get(worker, "pid")), FD_LIVE);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
            *ret_errnum = errno;
        json_decref(worker);
    }
    return fd;
}

enum rc live_view_open(const struct cli *cli, struct live_view *ret, struct err *err)
{
    int errnum = 0;
    int fd CLEANUP_FD = -1;
    *ret = (struct live_view){.live = NULL};
    fd = open_of(cli, &errnum, err);
    if (fd < 0 && errnum)
        return err_sys(err, errnum, "cannot look at what the pool's handlers say");
    if (fd < 0)
        return RC_NOTFOUND;
    return live_map(fd, false, &ret->live, err);
}

void live_view_close(struct live_view *view)
{
    live_unmap(view->live);
    view->live = NULL;
}

/* "A\tB\t…": ends the word at *rest and moves behind it; "" when there is none. */
static const char *next_word(char **rest)
{
    char *word = *rest, *tab = strchr(word, '\t');
    *rest = tab ? tab + 1 : word + strlen(word);
    if (tab)
        *tab = '\0';
    return word;
}

static void tell(char *record, live_fn fn, void *ctx)
{
    struct live_lines lines = {.when_wall_ms = strtoll(next_word(&record), NULL, 10)};
    lines.claim = next_word(&record);
    lines.attempt = strtoll(next_word(&record), NULL, 10);
    lines.name = next_word(&record);
    lines.job = next_word(&record);
    lines.stage = next_word(&record);
    lines.key = next_word(&record);
    lines.text = record;
    for (char *p = record; *p; p++)
        if (*p == LIVE_BREAK)
            *p = '\n';
    fn(ctx, &lines);
}

static void tell_all(struct buf *records, live_fn fn, void *ctx)
{
    char *at = records->data, *end = at + records->len;
    for (char *p = at; p && p < end; p++) /* a handler may say NUL */
        if (*p == '\0')
            *p = '\x1a';
    while (at < end) {
        char *line = memchr(at, '\n', (size_t)(end - at));
        if (!line)
            return;
        *line = '\0';
        tell(at, fn, ctx);
        at = line + 1;
    }
}

uint64_t live_view_read(struct live_view *view, live_fn fn, void *ctx)
{
    uint64_t lost = 0;
    view->seen = atomic_load(&view->live->word);
    for (uint32_t slot = 0; slot < view->live->slots_len && slot < LIVE_SLOTS_MAX; slot++) {
        struct buf records CLEANUP(buf_fini) = BUF_INIT;
        bool is_first = view->at[slot] == 0;
        uint64_t missed = live_read(view->live, slot, &view->at[slot], &records);
        lost += is_first ? 0 : missed;
        if (records.len > 0)
            tell_all(&records, fn, ctx);
    }
    return lost;
}

void live_view_wait(const struct live_view *view, int64_t deadline_mono_ns)
{
    sys_futex_wait(&view->live->word, view->seen, deadline_mono_ns);
}
