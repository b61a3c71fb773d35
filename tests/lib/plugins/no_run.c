/* A plugin that lacks the one thing. */
#include <stint-plugin.h>

const struct stint_plugin stint_plugin = {STINT_PLUGIN_HEAD};
