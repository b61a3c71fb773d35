#include "worker/discover/list.h"

#include <errno.h>
#include <fcntl.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"

static enum rc choose_format(const struct listing *l, enum record_format *ret, struct err *err)
{
    const char *word = listing_option(l, "format");
    if (!word || records_format(word, ret) == RC_OK)
        return RC_OK;
    return err_set(err, RC_INVALID,
        "[job %s]: discover.format = %s is unknown; use csv, tsv, jsonl or text", l->job->name,
        word);
}

/* From the configuration's directory. A file that is not there is a wrong configuration. */
static enum rc open_list(const struct listing *l, int *ret_fd, struct err *err)
{
    CLEANUP_FREE char *path = sys_path_join(l->config->directory, l->job->discover_arg);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int errnum = errno;
    if (fd < 0) {
        (void)err_sys(err, errnum, "[job %s]: cannot open %s", l->job->name, path);
        return errnum == ENOENT || errnum == ENOTDIR ? RC_INVALID : RC_SYS;
    }
    *ret_fd = fd;
    return RC_OK;
}

static enum rc read_list(
    const struct listing *l, int fd, const struct records_opts *opts, struct err *err)
{
    CLEANUP(records_fini) struct records records;
    records_init(&records, fd, l->job->discover_arg, opts);
    collect_set_source(l->collect, l->job->discover_arg);
    enum rc rc = records_header(&records, err);
    return rc ? rc : listing_take(l, &records, err);
}

enum rc list_strategy(const struct listing *l, struct err *err)
{
    CLEANUP_FD int fd = -1;
    struct records_opts opts = listing_records_opts(l);
    enum rc rc = choose_format(l, &opts.format, err);
    if (rc == RC_OK)
        rc = open_list(l, &fd, err);
    if (rc == RC_OK)
        rc = read_list(l, fd, &opts, err);
    return rc == RC_DONE ? RC_OK : rc;
}
