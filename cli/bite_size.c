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

bool giving_way_is_due(struct giving_way *g)
{
    return g->bites_left == 0 || g->bites_left-- == 0;
}

void giving_way_came(struct giving_way *g, bool has_somebody_come)
{
    g->interval = has_somebody_come ? 0 : 2 * g->interval + 1;
    if (g->interval > GIVE_WAY_BITES_MAX)
        g->interval = GIVE_WAY_BITES_MAX;
    g->bites_left = g->interval;
}
