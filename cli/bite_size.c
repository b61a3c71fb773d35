#include "cli/bite_size.h"

size_t bite_next_limit(size_t limit, size_t len, int64_t held_ns, int64_t allowed_ns)
{
    double fits =
        held_ns > 0 ? (double)len * (double)allowed_ns / (double)held_ns : 2.0 * (double)limit;
    if (fits > 2.0 * (double)limit)
        fits = 2.0 * (double)limit;
    if (fits > BITE_ITEMS_MAX)
        fits = BITE_ITEMS_MAX;
    return fits < BITE_ITEMS_MIN ? BITE_ITEMS_MIN : (size_t)fits;
}
