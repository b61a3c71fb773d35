#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static __attribute__((format(printf, 2, 0))) size_t put(
    struct err *err, const char *fmt, va_list ap)
{
    int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
    if (n < 0) {
        err->text[0] = '\0';
        return 0;
    }
    return (size_t)n < sizeof(err->text) ? (size_t)n : sizeof(err->text) - 1;
}

static void append(struct err *err, size_t len, const char *text)
{
    size_t room = sizeof(err->text) - 1 - len;
    size_t n = strnlen(text, room);
    memcpy(err->text + len, text, n);
    err->text[len + n] = '\0';
}

enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...)
{
    if (!err)
        return rc;
    va_list ap;
    va_start(ap, fmt);
    (void)put(err, fmt, ap);
    va_end(ap);
    return rc;
}

enum rc err_sys(struct err *err, int errnum, const char *fmt, ...)
{
    if (!err)
        return RC_SYS;
    va_list ap;
    va_start(ap, fmt);
    size_t len = put(err, fmt, ap);
    va_end(ap);
    append(err, len, ": ");
    append(err, strlen(err->text), strerror(errnum));
    return RC_SYS;
}

enum rc err_prefix(struct err *err, enum rc rc, const char *fmt, ...)
{
    if (!err)
        return rc;
    struct err old = *err;
    va_list ap;
    va_start(ap, fmt);
    size_t len = put(err, fmt, ap);
    va_end(ap);
    append(err, len, ": ");
    append(err, strlen(err->text), old.text);
    return rc;
}
