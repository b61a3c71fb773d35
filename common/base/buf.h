/* buf: a growable byte buffer that always ends in NUL (not counted in len).
 * Used by every process but the supervisor's loop (it allocates). Growth failure aborts: out of
 * memory for a few KiB is not a state any of our programs can go on from; big inputs are bounded by
 * their caller before they come here. */
#ifndef STINT_BASE_BUF_H
#define STINT_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL or NUL-terminated; owned */
    size_t len;
    size_t cap;
};

#define BUF_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void buf_fini(struct buf *b); /* CLEANUP(buf_fini); may be called twice */
void buf_reset(struct buf *b);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Room for n more bytes; returns where to write them. Then add n to b->len and write the NUL by
 * buf_wrote(). */
char *buf_room(struct buf *b, size_t n);
void buf_wrote(struct buf *b, size_t n);
/* Removes the first n bytes. */
void buf_drop(struct buf *b, size_t n);
/* The text ("" when empty), still owned by b. */
const char *buf_str(const struct buf *b);
/* Gives the text away (caller frees); b is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

/* malloc/calloc/strdup that abort when there is no memory (reason above). Caller frees. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
