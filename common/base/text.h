/* text: reading and showing the small languages of people: durations with units, sizes, counts,
 * names, keys; nearest word; terminal-safe output. Pure. */
#ifndef STINT_BASE_TEXT_H
#define STINT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define NAME_MAX_BYTES 64
#define KEY_MAX_BYTES 512
#define PRIORITY_MAX 1000000

/* "250ms", "10s", "1.5m", "2h", "7d" → milliseconds. The error names the expected form. */
MUST_CHECK enum rc text_duration_ms(const char *text, int64_t *ret_ms, struct err *err);
/* "4096", "64K", "1M", "2G" (binary) → bytes. */
MUST_CHECK enum rc text_size_bytes(const char *text, int64_t *ret_bytes, struct err *err);
/* The whole text a decimal integer within min..max. */
MUST_CHECK enum rc text_int(
    const char *text, int64_t min, int64_t max, int64_t *ret, struct err *err);
MUST_CHECK enum rc text_percent(const char *text, int64_t *ret_pct, struct err *err);
MUST_CHECK enum rc text_bool(const char *text, bool *ret, struct err *err); /* yes/no/true/false */

bool text_is_name(const char *text); /* [A-Za-z0-9_-]{1,64} */
/* UTF-8, 1..512 bytes, no control characters. */
MUST_CHECK enum rc text_check_key(const char *key, size_t len, struct err *err);
bool text_is_utf8(const char *s, size_t len);
/* Length of the well-formed UTF-8 character at s (len > 0), 0 if there is none. */
size_t text_utf8_step(const char *s, size_t len);
/* Its number; n as text_utf8_step has it. */
uint32_t text_code_point(const char *s, size_t n);
/* As text_utf8_step, but 0 for what may not be shown as it is: control characters (C0, DEL, C1),
 * and characters that join, hide or turn round others (U+061C, U+200B to U+200F, U+2028 to U+202E,
 * U+2066 to U+2069, U+FEFF). */
size_t text_glyph(const char *s, size_t len);

/* The nearest of words[n] by edit distance, or NULL if none is near (distance > a third + 1). */
const char *text_nearest(const char *word, const char *const *words, size_t n);

/* "1,284"; out holds >= 32 bytes; returns out. */
char *text_count(int64_t n, char *out, size_t cap);
/* "350ms", "12s", "4m 10s", "3d 4h". */
char *text_duration(int64_t ms, char *out, size_t cap);
/* "412 MB" (binary units, as people read them). */
char *text_size(int64_t bytes, char *out, size_t cap);
/* Adds s to out with all that is no glyph replaced: "\n" → "\\n", a byte → "\\xHH", a character of
 * several → "\\uHHHH". What comes from items and handlers reaches a terminal only through this. */
void text_add_printable(struct buf *out, const char *s, size_t len);
/* The same for JSON, which stays valid and says the same: there control characters of one byte, and
 * bytes that are no UTF-8, are no concern. */
void text_add_json_printable(struct buf *out, const char *json, size_t len);

#endif
