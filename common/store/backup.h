/* backup: a copy of the whole database while others write: one state of it, checked, and only then
 * under its name. Called by stint. Readers of the copy's name see the old file or the whole new
 * one. It reads in one transaction from begin to end, so the write-ahead log cannot shrink
 * meanwhile. */
#ifndef STINT_STORE_BACKUP_H
#define STINT_STORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/store.h"

struct backup_options {
    const char *path;
    bool may_replace; /* an existing file */
    /* Told after each bite and once before the name is given; returns false to give it up. */
    bool (*goes_on)(void *ctx, int64_t pages_done, int64_t pages);
    void *ctx;
};

/* First removes what a killed backup to the same path left. The caller ignores SIGXFSZ.
 * RC_INVALID: this cannot be the place, or the copy is not sound; RC_AGAIN: given up. Nothing is
 * left behind but the backup. *ret_bytes: its size. */
MUST_CHECK enum rc store_backup(
    struct store *store, const struct backup_options *opts, int64_t *ret_bytes, struct err *err);

#endif
