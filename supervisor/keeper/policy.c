#include "supervisor/keeper/policy.h"

bool policy_is_at_rest(const struct rest *rest)
{
    if (rest->moving == 0)
        return true;
    return rest->running == 0 && rest->claimable == 0 && rest->moving == rest->paused;
}

bool policy_is_backlog_notable(int64_t told, int64_t claimable)
{
    if (told < 0 || (told == 0) != (claimable == 0))
        return true;
    int64_t change = claimable > told ? claimable - told : told - claimable;
    return change > 0 && change >= told / 4;
}
