#include "supervisor/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool is_now(const struct passwd *pw)
{
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;

    return getresuid(&ruid, &euid, &suid) == 0 && getresgid(&rgid, &egid, &sgid) == 0 &&
           ruid == pw->pw_uid && euid == pw->pw_uid && suid == pw->pw_uid && rgid == pw->pw_gid &&
           egid == pw->pw_gid && sgid == pw->pw_gid;
}

/* The way back must be closed, too. */
static bool is_for_good(const struct passwd *pw)
{
    return is_now(pw) && (pw->pw_uid == 0 || (setuid(0) != 0 && seteuid(0) != 0));
}

static void take_environment(const struct passwd *pw)
{
    (void)setenv("HOME", pw->pw_dir, 1);
    (void)setenv("USER", pw->pw_name, 1);
    (void)setenv("LOGNAME", pw->pw_name, 1);
    (void)setenv("SHELL", pw->pw_shell, 1);
}

static enum rc change(const struct passwd *pw, struct err *err)
{
    if (initgroups(pw->pw_name, pw->pw_gid) != 0 ||
        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0) {
        int e = errno;

        return err_sys(err, e, "cannot become the user %s", pw->pw_name);
    }
    if (!is_for_good(pw))
        return err_set(err, RC_SYS,
            "became the user %s, but not for good: the system lets it return to root; not "
            "starting like that",
            pw->pw_name);
    /* Nothing that only root may read is in our memory: let the user look into its own process. */
    (void)prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
    return RC_OK;
}

enum rc user_become(const char *name, struct err *err)
{
    const struct passwd *pw;
    enum rc rc;

    errno = 0;
    pw = getpwnam(name);
    if (pw == NULL && errno != 0 && errno != ENOENT && errno != ESRCH)
        return err_sys(err, errno, "--user %s: cannot look the user up", name);
    if (pw == NULL)
        return err_set(err, RC_INVALID,
            "--user %s: there is no such user; make one: "
            "useradd --system --home-dir /var/lib/stint %s",
            name, name);
    if (geteuid() != 0 && is_now(pw))
        return RC_OK;
    if (geteuid() != 0)
        return err_set(err, RC_SYS,
            "--user %s needs root, and this is uid %ju; start it as root, or without --user", name,
            (uintmax_t)geteuid());
    rc = change(pw, err);
    if (rc == RC_OK)
        take_environment(pw);
    return rc;
}
