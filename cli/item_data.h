/* item_data: the value of --data: JSON itself, @FILE, or - for standard input. Used by cmd_add.c
 * and try_item.c. */
#ifndef STINT_CLI_ITEM_DATA_H
#define STINT_CLI_ITEM_DATA_H

#include "cli/context.h"

#define DATA_MAX_BYTES ((size_t)1024 * 1024)

/* Valid JSON; else says what is wrong with it. */
enum cli_exit item_data_read(const char *text, struct buf *ret);

#endif
