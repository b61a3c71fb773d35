/* member: small readings of a JSON object that message.c and items.c share. Pure.
 */
#ifndef STINT_PROTOCOL_MEMBER_H
#define STINT_PROTOCOL_MEMBER_H

#include <jansson.h>
#include <stdbool.h>

#include "common/base/buf.h"

#define MEMBER_NUMBER_MAX ((double)(INT64_C(1) << 53))
#define MEMBER_TOO_DEEP "is nested too deeply"

/* A whole number from min to 2^53. */
bool member_is_whole(const json_t *value, double min);
/* Adds the text of object's member without needless blanks, its digits as they were written;
 * nothing without one. False: it is nested more deeply than a store can read. */
bool member_cut(const char *object, const char *name, struct buf *out);

#endif
