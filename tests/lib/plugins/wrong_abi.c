/* A plugin of another time. */
#include <stint-plugin.h>

static void never(struct stint_run *run, void *state)
{
    (void)state;
    stint_done(run, NULL);
}

const struct stint_plugin stint_plugin = {
    .abi = STINT_PLUGIN_ABI + 1, .size = sizeof(struct stint_plugin), .run = never};
