#include "supervisor/keeper/home.h"

#include <sysexits.h>

#include "common/base/log.h"
#include "common/ipc/fds.h"
#include "common/ipc/home.h"
#include "common/ipc/orders.h"

enum { ROOM_MS = 500 };

static void lose(struct keeper *k, bool may_settle, const char *event, const char *text)
{
    struct order order = {.magic = ORDER_MAGIC, .kind = ORDER_LOST, .count = may_settle};
    if (k->is_lost)
        return;
    k->is_lost = true;
    log_msg(LOG_LEVEL_ERROR, event, "%s", text);
    if (order_send_within(FD_ORDERS, &order, ROOM_MS) != RC_OK)
        may_settle = false;
    if (may_settle) /* through the descriptors that are open, which lead to the right file */
        return;
    k->exit_status = EX_CONFIG;
    loop_stop(k->loop);
}

void home_is_damaged(struct keeper *k, const char *text)
{
    const char *db = k->config->pool.database;
    struct err err;
    atomic_store(&k->mem->is_ruined, 1);
    (void)err_set(&err, RC_CORRUPT,
        "%s; the file is not to be trusted any more, and the pool ends without another write. Keep "
        "what there is: cp -p %s* SAFE_PLACE/; then put a backup in its place: rm -f %s-wal "
        "%s-shm; cp BACKUP %s; or save what can be read: sqlite3 %s .recover",
        text, db, db, db, db, db);
    lose(k, false, "database.damaged", err.text);
}

static enum home_loss look(struct keeper *k, bool may_settle, struct err *err)
{
    enum home_loss loss = home_check(FD_LOCK, k->mem, k->config->pool.database, err);
    if (loss == HOME_MOVED)
        lose(k, may_settle, "database.moved", err->text);
    else if (loss == HOME_REPLACED)
        lose(k, false, "database.replaced", err->text);
    return loss;
}

enum rc home_may_open(struct keeper *k, struct err *err)
{
    return look(k, false, err) == HOME_THERE ? RC_OK : RC_GONE;
}

bool home_is_there(struct keeper *k)
{
    struct err err = {""};
    if (k->is_lost || k->store == NULL)
        return !k->is_lost;
    if (look(k, true, &err) == HOME_THERE && atomic_load(&k->mem->is_ruined) != 0)
        home_is_damaged(k, "a worker found the database damaged");
    return !k->is_lost;
}
