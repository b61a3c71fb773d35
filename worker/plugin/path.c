#include "worker/plugin/path.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/json_scan.h"

/* The element of that number of the array that p stands at; NULL: it has fewer. */
static const char *element(const char *p, const char *number)
{
    char *end = NULL;
    unsigned long n = strtoul(number, &end, 10);
    if (end == number || *end)
        return NULL;
    p = json_skip_blanks(p + 1);
    for (; n > 0 && *p != ']' && *p; n--) {
        p = json_skip_blanks(json_skip_value(p));
        if (*p == ',')
            p = json_skip_blanks(p + 1);
    }
    return *p == ']' || !*p ? NULL : p;
}

static const char *member(const char *p, const char *name)
{
    size_t len;
    if (*p == '[')
        return element(p, name);
    return json_member(p, name, &p, &len) ? p : NULL;
}

bool path_find(const char *text, const char *path, const char **ret_start, size_t *ret_len)
{
    const char *p = json_skip_blanks(text);
    while (p && *path) {
        size_t len = strcspn(path, ".");
        char *name = xstrndup(path, len);
        p = member(p, name);
        free(name);
        path += len + (path[len] == '.');
    }
    if (!p || strncmp(p, "null", 4) == 0)
        return false;
    *ret_start = p;
    *ret_len = (size_t)(json_skip_value(p) - p);
    return true;
}

char *path_json(const char *text, const char *path)
{
    const char *start;
    size_t len;
    return path_find(text, path, &start, &len) ? xstrndup(start, len) : NULL;
}

char *path_text(const char *text, const char *path)
{
    const char *start;
    size_t len;
    if (!path_find(text, path, &start, &len))
        return NULL;
    if (*start != '"')
        return xstrndup(start, len);
    json_t *string = json_loadb(start, len, JSON_DECODE_ANY, NULL);
    char *plain = string ? xstrdup(json_string_value(string)) : NULL;
    json_decref(string);
    return plain;
}

int64_t path_int(const char *text, const char *path)
{
    const char *start;
    size_t len;
    return path_find(text, path, &start, &len) ? strtoll(start, NULL, 10) : 0;
}
