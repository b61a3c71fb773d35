/* items: the items that spawn and wait name. Used by message.c. Pure.
 */
#ifndef STINT_PROTOCOL_ITEMS_H
#define STINT_PROTOCOL_ITEMS_H

#include <jansson.h>

#include "common/protocol/message.h"

/* Adds the elements of array to m->items; *raw: the array's own text. NULL, or what is wrong with
 * the last one added, which then begins at *raw. */
const char *items_read(const json_t *array, const char **raw, struct message *m);
/* Forgets the items; their array stays. */
void items_reset(struct message *m);

#endif
