#include "supervisor/lost.h"

#include <sysexits.h>

#include "common/base/log.h"
#include "common/ipc/home.h"

void lost_database(struct pool *pool, bool may_settle)
{
    pool->is_lost = true;
    pool->exit_code = EX_CONFIG;
    pool_stop(pool, STOP_NOW, "its database is lost");
    if (may_settle)
        return;
    pool->stop.is_given_up = true; /* no keeper is wanted any more */
    for (int i = 0; i < pool->children_used; i++)
        pool_condemn(pool, &pool->children[i], DEATH_DEAD, SETTLE_STOPPED,
            "the pool's database is lost: nothing may be written any more");
}

bool lost_look(struct pool *pool)
{
    struct err err;
    if (home_check_directory(pool->lock_fd, pool->config->pool.database, &err) == RC_OK)
        return true;
    if (!pool->is_lost && !pool->link.is_started) /* else the keeper says it, who can settle */
        log_msg(LOG_LEVEL_ERROR, "database.moved", "%s", err.text);
    if (!pool->is_lost && !pool->link.is_started)
        lost_database(pool, false);
    return false;
}
