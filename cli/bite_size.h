/* bite_size: how many items the next bite may have, so that it holds the write lock no longer than
 * it should. Used by adding.c. Pure. */
#ifndef STINT_CLI_BITE_SIZE_H
#define STINT_CLI_BITE_SIZE_H

#include <stddef.h>
#include <stdint.h>

#define BITE_ITEMS_MIN 100
#define BITE_ITEMS_MAX 20000
#define BITE_POOL_NS (INT64_C(50) * 1000 * 1000)   /* workers want the lock, too */
#define BITE_ALONE_NS (INT64_C(250) * 1000 * 1000) /* fewer commits, each of them on disk */

/* len items held the lock for held_ns; limit was allowed. At most doubles. */
size_t bite_next_limit(size_t limit, size_t len, int64_t held_ns, int64_t allowed_ns);

#endif
