/* json: writing JSON text into a buf, and cutting raw members out of JSON that is known to be
 * valid. Parsing and validation is jansson's, in the programs that need it. Used by all. */
#ifndef STINT_BASE_JSON_H
#define STINT_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* A writer: commas are its business. json_open_*(NULL key) inside arrays and at the top. No name
 * here may be one of jansson's (json_object, json_array, json_null …): ours would take its place
 * inside libjansson as well. */
struct json {
    struct buf *out;
    bool needs_comma;
};

void json_init(struct json *j, struct buf *out);
void json_open_object(struct json *j, const char *key);
void json_open_array(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_end_array(struct json *j);
void json_str(struct json *j, const char *key, const char *value); /* value NULL: null */
void json_strn(struct json *j, const char *key, const char *value, size_t len);
void json_int(struct json *j, const char *key, int64_t value);
void json_num(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
void json_add_null(struct json *j, const char *key);
void json_raw(struct json *j, const char *key, const char *text); /* valid JSON; NULL: null */

/* Behind the value that p, in valid JSON, stands at. */
const char *json_skip_value(const char *p);
/* The raw text of member `key` of the object `text` (valid JSON, NUL-terminated): start and length
 * inside text. False if text is no object or has no such member. */
bool json_member(const char *text, const char *key, const char **ret_start, size_t *ret_len);

#endif
