#include "supervisor/lives.h"

#include "common/ipc/claim.h"

void lives_init(struct lives *lives)
{
    *lives = (struct lives){.next = 1, .last = 0, .spare_next = 1, .spare_last = 0, .highest = 0};
}

static int64_t block_left(int64_t next, int64_t last)
{
    return last >= next ? last - next + 1 : 0;
}

bool lives_add(struct lives *lives, int64_t first, int64_t last)
{
    if (first <= lives->highest || last < first || last > LIFE_MAX)
        return false;
    if (block_left(lives->spare_next, lives->spare_last) > 0)
        return false;
    if (block_left(lives->next, lives->last) == 0) {
        lives->next = first;
        lives->last = last;
    } else {
        lives->spare_next = first;
        lives->spare_last = last;
    }
    lives->highest = last;
    return true;
}

int64_t lives_take(struct lives *lives)
{
    if (block_left(lives->next, lives->last) == 0) {
        if (block_left(lives->spare_next, lives->spare_last) == 0)
            return 0;
        lives->next = lives->spare_next;
        lives->last = lives->spare_last;
        lives->spare_next = 1;
        lives->spare_last = 0;
    }
    return lives->next++;
}

int64_t lives_left(const struct lives *lives)
{
    return block_left(lives->next, lives->last) + block_left(lives->spare_next, lives->spare_last);
}
