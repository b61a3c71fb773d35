#include "worker/discover/glob.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"

/* A path that is no UTF-8 cannot be a key; it is refused before its data matters. */
static enum rc add_path(const struct listing *l, const char *path, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "path", path);
    json_end_object(&j);
    struct listed listed = {.key = path, .key_len = strlen(path), .data = buf_str(&data)};
    return collect_item(l->collect, &listed, err);
}

static enum rc match(const struct listing *l, glob_t *found, struct err *err)
{
    const char *pattern = l->job->discover_arg;
    if (chdir(l->config->directory) != 0)
        return err_sys(err, errno, "cannot enter %s", l->config->directory);
    int status = glob(pattern, GLOB_BRACE | GLOB_TILDE, NULL, found);
    if (status == 0 || status == GLOB_NOMATCH)
        return RC_OK;
    return err_set(err, status == GLOB_NOSPACE ? RC_NOMEM : RC_SYS,
        "[job %s]: glob %s failed; is the pattern too wide?", l->job->name, pattern);
}

enum rc glob_strategy(const struct listing *l, struct err *err)
{
    CLEANUP(globfree) glob_t found = {0};
    collect_set_source(l->collect, l->job->discover_arg);
    enum rc rc = match(l, &found, err);
    for (size_t i = 0; rc == RC_OK && i < found.gl_pathc; i++)
        rc = add_path(l, found.gl_pathv[i], err);
    return rc == RC_DONE ? RC_OK : rc;
}
