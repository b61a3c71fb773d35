#include "common/config/users.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/programs.h"

#define GROUPS_MAX 256

enum rc user_parse(const char *value, char *ret, struct err *err)
{
    size_t len = strlen(value);
    if (!text_is_name(value) || len >= USER_NAME_MAX)
        return err_set(err, RC_INVALID, "\"%.80s\" is no user's name", value);
    memset(ret, 0, USER_NAME_MAX);
    memcpy(ret, value, len);
    return RC_OK;
}

static bool is_member(const struct passwd *pw, gid_t group)
{
    gid_t groups[GROUPS_MAX];
    int n = GROUPS_MAX;
    if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
        return true; /* of more than we look at: to be on the safe side */
    for (int i = 0; i < n; i++) {
        if (groups[i] == group)
            return true;
    }
    return false;
}

/* Has this user all the rights of one class in bits (as S_IRWXO)? Root has them always. */
static bool has_rights(const struct passwd *pw, const struct stat *st, mode_t bits)
{
    if (pw->pw_uid == 0)
        return true;
    if (st->st_uid == pw->pw_uid)
        return (st->st_mode >> 6 & bits) != 0;
    if (is_member(pw, st->st_gid))
        return (st->st_mode >> 3 & bits) != 0;
    return (st->st_mode & bits) != 0;
}

/* The file itself may not be there yet: it will be 0600 and its maker's. */
static bool may_open(const struct passwd *pw, const struct pool_options *pool)
{
    struct stat st;
    if (stat(pool->directory, &st) == 0 && has_rights(pw, &st, S_IWOTH))
        return true; /* can put another file in its place */
    return stat(pool->database, &st) == 0 && has_rights(pw, &st, S_IROTH | S_IWOTH);
}

static void add_fault(const struct config *config, const char *name, struct buf *out)
{
    const struct passwd *pw = getpwnam(name);
    if (pw == NULL)
        buf_addf(out, "there is no such user; make one: useradd --system %s", name);
    else if (geteuid() != 0 && pw->pw_uid != geteuid())
        buf_addf(out,
            "needs a pool that runs as root, and this is uid %ju; leave user out, or "
            "start the pool as root",
            (uintmax_t)geteuid());
    else if (geteuid() == 0 && may_open(pw, &config->pool))
        buf_addf(out,
            "handlers must not be able to open the database, and this user may: "
            "give %s and its directory to another user; type: chown root: %s && "
            "chmod 700 %s",
            config->pool.database, config->pool.directory, config->pool.directory);
}

static void check_stage(const struct config *config, const struct job_spec *job,
    const struct stage_spec *stage, struct buf *problems)
{
    CLEANUP(buf_fini) struct buf fault = BUF_INIT;
    CLEANUP_FREE char *section = job->has_own_stage
                                     ? xasprintf("job %s", job->name)
                                     : xasprintf("stage %s.%s", job->name, stage->name);
    const char *name = stage->tuning.user;
    if (name[0] == '\0')
        return;
    add_fault(config, name, &fault);
    if (fault.len == 0)
        return;
    place_add(problems, &stage->origins, "user", section);
    buf_addf(problems, "user = %s: %s\n", name, buf_str(&fault));
}

void users_check(const struct config *config, struct buf *problems)
{
    for (size_t i = 0; i < config->jobs_len; i++) {
        const struct job_spec *job = &config->jobs[i];
        for (size_t k = 0; k < job->stages_len; k++)
            check_stage(config, job, &job->stages[k], problems);
    }
}
