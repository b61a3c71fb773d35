/* source: the texts a configuration is made of, and how they travel: stint.conf, jobs.d/ *.conf in
 * name order, and STINT_POOL_* of the environment, read once by the supervisor (or by stint when no
 * pool runs), then packed into one sealed block that every other process parses. Nobody reads the
 * files a second time. */
#ifndef STINT_CONFIG_SOURCE_H
#define STINT_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* The name of the last source: overrides of [pool] (STINT_POOL_WORKERS=4) as an INI text. */
#define CONFIG_ENVIRONMENT "environment"

struct config_source {
    char *name;  /* as people should see it: "stint.conf", "jobs.d/news.conf", "environment" */
    char *text;  /* NUL-terminated */
    char *error; /* what is wrong with the file as a whole, for the parser to tell; NULL: nothing */
    bool is_unread; /* what should stand in `text` is not known */
};

/* A value that stands elsewhere (secrets.h). */
struct config_secret {
    char *reference; /* "@file:PATH", "@cred:NAME" */
    char *value;     /* NULL: see error */
    char *error;
    bool is_unknown; /* not here: only the pool's own process is given it */
};

struct config_sources {
    char *directory; /* absolute */
    struct config_source *list;
    size_t len;
    struct config_secret *secrets;
    size_t secrets_len;
    bool is_lenient; /* set by the reader: a secret that is_unknown will do */
};

/* path: of stint.conf. Fails only if that is not there; all that is wrong with the files (others
 * may write them, a NUL byte, a link that leads nowhere) is told by config_parse, with the problems
 * of all other files. */
MUST_CHECK enum rc config_sources_read(
    const char *path, struct config_sources *ret, struct err *err);
void config_sources_fini(struct config_sources *sources);

void config_sources_pack(const struct config_sources *sources, struct buf *out);
MUST_CHECK enum rc config_sources_unpack(
    const char *data, size_t len, struct config_sources *ret, struct err *err);
/* From a sealed descriptor (common/ipc/fds.h: FD_DISCOVER_CONFIG), without moving its offset. */
MUST_CHECK enum rc config_sources_from_fd(int fd, struct config_sources *ret, struct err *err);

/* Default path: ./stint.conf if it exists, else /etc/stint/stint.conf. Never freed. */
const char *config_default_path(void);

#endif
