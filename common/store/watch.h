/* watch: a descriptor that becomes readable when somebody may have committed (inotify on the WAL).
 * Used by keeper and stint, so that nobody polls. Survives a WAL that is removed and made anew. */
#ifndef STINT_STORE_WATCH_H
#define STINT_STORE_WATCH_H

#include "common/base/err.h"

struct watch {
    int fd; /* −1: closed */
    char *wal_path;
};

MUST_CHECK enum rc watch_open(const char *database, struct watch *ret, struct err *err);
/* Swallows what has piled up, so that fd sleeps until the next commit. */
void watch_drain(struct watch *watch);
void watch_close(struct watch *watch);

#endif
