/* env: the environment of handlers: the pool's own, without what was meant for the pool or for
 * init's notification protocol, with the variables of the stage's configuration (env.NAME), and the
 * words that say which attempt this is. Used by launch.c. */
#ifndef STINT_WORKER_ENV_H
#define STINT_WORKER_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/store/exchange.h"

struct handler_env {
    char **inherited; /* array owned, strings borrowed from the process's environment */
    size_t len;
    const char *pool_id; /* borrowed */
};

/* environment: NULL-terminated, lives as long as the process. */
void handler_env_init(struct handler_env *env, char **environment, const char *pool_id);
void handler_env_fini(struct handler_env *env);
/* Who is told what. */
struct handler_words {
    const struct catalog_stage *stage;
    const struct run *run; /* NULL: it serves many */
    bool has_control;      /* messages go to descriptor FD_CONTROL */
};
/* NULL-terminated, with room for some more; caller frees by handler_env_free. */
#define HANDLER_ENV_SPARE 4
char **handler_env_new(const struct handler_env *env, const struct handler_words *words);
void handler_env_free(char **envp, const struct handler_words *words);

#endif
