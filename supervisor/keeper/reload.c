#include "supervisor/keeper/reload.h"

#include "common/base/cleanup.h"
#include "common/config/parse.h"

enum rc reload_take(struct keeper *k, uint64_t generation, struct err *err)
{
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    struct config_stamp stamp = {0};
    struct config *config = NULL;
    enum rc rc = config_box_read(k->box, generation, &packed, &stamp, err);
    if (rc == RC_OK)
        rc = config_from_block(packed.data, packed.len, &config, err);
    if (rc != RC_OK)
        return rc;
    config_free(k->config);
    k->config = config;
    k->stamp = stamp;
    return RC_OK;
}
