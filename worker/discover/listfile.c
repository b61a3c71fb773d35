#include "worker/discover/listfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"

#define CHUNK_BYTES (64 << 10)

static enum rc fill(struct listfile *f, struct err *err)
{
    char *room = buf_room(&f->lines.in, CHUNK_BYTES);
    ssize_t n;
    do
        n = read(f->fd, room, CHUNK_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(err, errno, "cannot read %s", f->name);
    buf_wrote(&f->lines.in, (size_t)n);
    f->is_end = n == 0;
    return RC_OK;
}

enum rc listfile_open(struct listfile *f, const struct listing *l, struct err *err)
{
    *f = (struct listfile){.listing = l, .name = l->job->discover_arg};
    CLEANUP_FREE char *path = sys_path_join(l->config->directory, f->name);
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    int errnum = errno;
    if (f->fd < 0) {
        (void)err_sys(err, errnum, "[job %s]: cannot open %s", l->job->name, path);
        return errnum == ENOENT || errnum == ENOTDIR ? RC_INVALID : RC_SYS;
    }
    enum rc rc = fill(f, err);
    if (rc == RC_OK && f->lines.in.len >= 3 && memcmp(f->lines.in.data, "\xEF\xBB\xBF", 3) == 0)
        buf_drop(&f->lines.in, 3);
    return rc;
}

void listfile_close(struct listfile *f)
{
    if (!f)
        return;
    cleanup_fd(&f->fd);
    f->fd = -1;
    lines_fini(&f->lines);
}

enum rc listfile_line(struct listfile *f, char **ret, size_t *ret_len, struct err *err)
{
    for (;;) {
        enum rc rc = lines_take(&f->lines, f->is_end, ret, ret_len, err);
        if (rc == RC_LIMIT)
            return err_prefix(err, rc, "%s", f->name);
        if (rc != RC_DONE || f->is_end)
            return rc;
        rc = fill(f, err);
        if (rc != RC_OK)
            return rc;
    }
}
