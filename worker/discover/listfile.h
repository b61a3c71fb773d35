/* listfile: the file behind `discover = list FILE`, read line by line in constant memory; a byte
 * order mark is skipped. In stint-discover only. */
#ifndef STINT_DISCOVER_LISTFILE_H
#define STINT_DISCOVER_LISTFILE_H

#include "worker/discover/lines.h"
#include "worker/discover/listing.h"

struct listfile {
    const struct listing *listing; /* borrowed */
    const char *name;              /* as configured, for errors; borrowed */
    int fd;
    bool is_end;
    struct lines lines; /* lines.number: of the newest line */
};

/* Opens it from the configuration's directory. */
MUST_CHECK enum rc listfile_open(struct listfile *f, const struct listing *l, struct err *err);
void listfile_close(struct listfile *f);
/* RC_ROW: *ret until the next call; RC_DONE; an error. */
MUST_CHECK enum rc listfile_line(struct listfile *f, char **ret, size_t *ret_len, struct err *err);

#endif
