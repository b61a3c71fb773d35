/* init_files: the texts of the three files that `stint init` writes. A small pipeline that works at
 * once, fails a little by design, and explains itself. Pure: fills buffers, writes no file. */
#ifndef STINT_CLI_INIT_FILES_H
#define STINT_CLI_INIT_FILES_H

#include "common/base/buf.h"

#define INIT_ITEMS 1000

void init_write_conf(struct buf *out);
void init_write_items(struct buf *out);
void init_write_handler(struct buf *out);

#endif
