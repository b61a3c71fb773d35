#include "cli/overruled.h"

#include <stdio.h>
#include <string.h>

#define LINE_START_MAX 96

/* `stint run` has its own --log always: an edited `log` there is no surprise. */
static bool is_in_files(const struct cli *cli, const char *key)
{
    const struct origin *at = cli->config ? origin_find(&cli->config->pool.origins, key) : NULL;
    return at && strcmp(at->file, CONFIG_ENVIRONMENT) != 0 && strcmp(key, "log") != 0;
}

static bool is_named(const json_t *changes, const char *key)
{
    char start[LINE_START_MAX];
    int len = snprintf(start, sizeof(start), "[pool] %s ", key);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const char *line = json_string_value(json_array_get(changes, i));
        if (line && len > 0 && strncmp(line, start, (size_t)len) == 0)
            return true;
    }
    return !changes;
}

void overruled_add(const struct cli *cli, const json_t *changes, struct buf *out)
{
    const json_t *list = json_object_get(cli->pool, "overrides");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *key = json_string_value(json_object_get(one, "key"));
        const char *by = json_string_value(json_object_get(one, "by"));
        if (!key || !by || !is_in_files(cli, key) || !is_named(changes, key))
            continue;
        buf_addf(out,
            "[pool] %s of the files is not in force: %s%s goes before it; to change that: stint "
            "stop, then start the pool without it\n",
            key, by,
            by[0] == '-' ? ", with which the pool was started," : " in the pool's environment");
    }
}
