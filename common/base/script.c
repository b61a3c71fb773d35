#include "common/base/script.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"

enum { HEAD_BYTES = 512 };

/* The first line, without its end; *ret_is_text: no NUL byte in what was read. */
static bool read_head(const char *path, char head[HEAD_BYTES], bool *ret_is_text)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, head, HEAD_BYTES - 1) : -1;
    if (n < 0)
        return false;
    head[n] = '\0';
    *ret_is_text = strlen(head) == (size_t)n;
    head[strcspn(head, "\n")] = '\0';
    return true;
}

static bool is_in_path(const char *name)
{
    const char *dirs = sys_getenv("PATH");
    while (dirs && *dirs) {
        size_t len = strcspn(dirs, ":");
        CLEANUP_FREE char *path = xasprintf("%.*s/%s", (int)len, dirs, name);
        if (len > 0 && access(path, X_OK) == 0)
            return true;
        dirs += len + (dirs[len] == ':');
    }
    return false;
}

/* line: behind #!. "/usr/bin/env NAME", without options of env, asks for NAME. */
static bool add_missing(char *line, struct buf *out)
{
    char *rest = line + strspn(line, " \t");
    char *interpreter = strsep(&rest, " \t");
    const char *slash = strrchr(interpreter, '/');
    if (!*interpreter)
        buf_adds(out, "its #! line names no interpreter");
    else if (access(interpreter, F_OK) < 0)
        buf_addf(out, "its interpreter %s does not exist; mend its #! line", interpreter);
    else if (slash && strcmp(slash, "/env") == 0 && rest) {
        rest += strspn(rest, " \t");
        rest[strcspn(rest, " \t")] = '\0';
        if (*rest && *rest != '-' && !strchr(rest, '=') && !strchr(rest, '/') && !is_in_path(rest))
            buf_addf(out, "its interpreter %s is not in PATH", rest);
    }
    return out->len > 0;
}

bool script_add_fault(const char *path, struct buf *out)
{
    char head[HEAD_BYTES];
    bool is_text = false;
    if (!read_head(path, head, &is_text))
        return false;
    const size_t len = strlen(head);
    if (strncmp(head, "#!", 2) != 0) {
        if (is_text)
            buf_adds(out, "not a program: it does not begin with a #! line, like #!/bin/sh");
        return is_text;
    }
    if (head[len - 1] == '\r') {
        buf_addf(out,
            "its #! line ends with a carriage return, as Windows writes it; type: sed -i "
            "'s/\\r$//' "
            "%s",
            path);
        return true;
    }
    return add_missing(head + 2, out);
}
