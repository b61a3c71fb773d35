/* bite_size: how many items the next bite may have, so that it holds the write lock no longer than
 * it should, and when to leave the lock to others for a while. Used by adding.c and add_stream.c.
 * Pure. */
#ifndef STINT_CLI_BITE_SIZE_H
#define STINT_CLI_BITE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITE_ITEMS_MIN 100
#define BITE_ITEMS_MAX 20000
#define BITE_ALONE_NS (INT64_C(250) * 1000 * 1000) /* fewer commits, each of them on disk */
#define BITE_POOL_NS (INT64_C(50) * 1000 * 1000)   /* workers may want the lock, too */
#define BITE_SHARED_NS (INT64_C(25) * 1000 * 1000) /* they do: half of the time is theirs */
#define GIVE_WAY_NS (INT64_C(25) * 1000 * 1000)    /* who waits looks every 10 to 20 ms */
#define GIVE_WAY_BITES_MAX 31

/* len items held the lock for held_ns; limit was allowed. At most doubles. */
size_t bite_next_limit(size_t limit, size_t len, int64_t held_ns, int64_t allowed_ns);

/* Who sleeps until the lock is free may miss the short time between two bites, so it is left free
 * longer: after each bite while somebody comes, ever more seldom while nobody does. */
struct giving_way {
    int bites_left; /* until it is left free again */
    int interval;
};
/* After a bite. True: leave it free now, then tell by giving_way_came. */
bool giving_way_is_due(struct giving_way *g);
void giving_way_came(struct giving_way *g, bool has_somebody_come);

#endif
