/* err: one error text for a person: what, where, why, what to type next.
 * Used by every process. The caller owns the struct (usually on its stack); functions that take
 * `struct err *` fill it only when they fail, and accept NULL. Never allocates, never logs. */
#ifndef STINT_BASE_ERR_H
#define STINT_BASE_ERR_H

#include "common/base/rc.h"

struct err {
    char text[768];
};

/* Formats the text (cut at its end when too long) and returns rc, so that a failing function can
 * say `return err_set(err, RC_INVALID, "…")`. */
enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with RC_SYS, and ": strerror(errnum)" behind the text. Pass errno taken in the line
 * after the failed call. */
enum rc err_sys(struct err *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text that is there, and returns rc. */
enum rc err_prefix(struct err *err, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
