/* settings: walks a parsed configuration as what it is to people: sections with keys and values in
 * force, defaults included. Feeds config_changes and `config show`. Pure but for memory. */
#ifndef STINT_CONFIG_SETTINGS_H
#define STINT_CONFIG_SETTINGS_H

#include "common/config/config.h"
#include "common/config/options.h"

struct setting {
    const char *section;          /* "pool", "resource github", "job news", "stage news.fetch" */
    const char *owner;            /* of a stage, the section of its job; else NULL */
    const char *key;              /* NULL: the section begins here */
    const char *value;            /* as a person would write it; NULL without key */
    const struct option *option;  /* NULL without key */
    const struct origin *origin;  /* NULL: the default */
    const struct env_var *secret; /* its value stands elsewhere: `value` says where */
};

typedef void (*setting_fn)(void *ctx, const struct setting *setting);

/* pool, resources, then each job and its stages, keys in the order of the option table. The one
 * stage of a job without `stages` is told as part of the job's section. What setting points to is
 * valid during the call only. */
void config_settings(const struct config *config, setting_fn fn, void *ctx);

#endif
