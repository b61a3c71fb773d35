/* json_scan: is this text JSON (RFC 8259), and the same without needless blanks. One pass, no tree,
 * no memory of its own. Used by common/store (what is stored) and common/records (lines). The text
 * of strings and numbers is never changed; whether a string's bytes are UTF-8 is text_is_utf8's
 * question. */
#ifndef STINT_BASE_JSON_SCAN_H
#define STINT_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

#define JSON_DEPTH_MAX 2000 /* what SQLite's own JSON functions can read */

/* Behind the blanks at p. */
const char *json_skip_blanks(const char *p);
/* Behind the string whose quote p stands at, behind the number or word (true, false, null) that
 * begins at p; NULL: there is no valid one. All texts end in NUL. */
const char *json_skip_string(const char *p);
const char *json_skip_number(const char *p);
const char *json_skip_word(const char *p);

/* Adds the JSON value that text is, without blanks. False: it is none (or is nested deeper than
 * JSON_DEPTH_MAX); out is then as it was. text[len] is NUL. */
bool json_minify(const char *text, size_t len, struct buf *out);

#endif
