#include "common/base/proctree.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"

#define ENVIRON_MAX ((size_t)8 << 20)

/* A list of processes with fixed room: what does not fit is found by the next call, because a
 * killed process's children become ours. Static: the supervisor does not allocate here. */
#define LISTED_MAX 4096
struct listed {
    pid_t pid, parent;
};
static struct listed listed[LISTED_MAX];
static size_t listed_len;

enum rc proctree_become_subreaper(struct err *err)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) == 0)
        return RC_OK;
    int errnum = errno;
    return err_sys(err, errnum, "cannot become the reaper of lost children");
}

/* siginfo_t to the status word of wait(2). */
static int status_word(const siginfo_t *info)
{
    switch (info->si_code) {
    case CLD_EXITED:
        return (info->si_status & 0xff) << 8;
    case CLD_DUMPED:
        return info->si_status | 0x80;
    default:
        return info->si_status;
    }
}

/* glibc's waitid drops the rusage; the system call has it. */
static int wait_any(idtype_t type, pid_t pid, siginfo_t *info, int flags, struct rusage *usage)
{
    long n;
    info->si_pid = 0;
    do {
        n = syscall(SYS_waitid, type, pid, info, WEXITED | flags, usage);
    } while (n < 0 && errno == EINTR);
    return (int)n;
}

enum rc proctree_reap(struct proctree_end *ret)
{
    siginfo_t info;
    struct rusage usage;
    memset(&usage, 0, sizeof(usage));
    if (wait_any(P_ALL, 0, &info, WNOHANG, &usage) < 0 || info.si_pid == 0)
        return RC_DONE;
    *ret = (struct proctree_end){.pid = info.si_pid, .status = status_word(&info), .usage = usage};
    return RC_ROW;
}

void proctree_discard(pid_t pid)
{
    siginfo_t info;
    (void)wait_any(P_PID, pid, &info, 0, NULL);
}

/* State letter and parent of a process; false when it is gone. */
static bool read_stat(pid_t pid, char *ret_state, pid_t *ret_parent)
{
    char path[64], text[512];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (n <= 0)
        return false;
    text[n] = '\0';
    const char *paren = strrchr(text, ')');
    if (!paren || paren[1] != ' ' || !paren[2])
        return false;
    *ret_state = paren[2];
    *ret_parent = (pid_t)strtol(paren + 3, NULL, 10);
    return true;
}

static bool is_ended(char state)
{
    return state == 'Z' || state == 'X' || state == 'x';
}

/* Calls fn for each all-digits name in a directory. Not opendir: that allocates. */
static void each_number(const char *dir, void (*fn)(pid_t number, void *arg), void *arg)
{
    struct dirent64_head {
        uint64_t ino;
        int64_t off;
        unsigned short reclen;
        unsigned char type;
        char name[];
    };
    _Alignas(8) char block[4096];
    CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (;;) {
        long n = syscall(SYS_getdents64, fd, block, sizeof(block));
        if (n <= 0)
            return;
        for (long at = 0; at < n;) {
            const struct dirent64_head *entry = (const void *)(block + at);
            at += entry->reclen;
            if (isdigit((unsigned char)entry->name[0]))
                fn((pid_t)strtol(entry->name, NULL, 10), arg);
        }
    }
}

struct growth {
    pid_t parent;
    const pid_t *spare;
    size_t spare_len;
    bool is_readable; /* the children file exists (CONFIG_PROC_CHILDREN) */
};

static void add_listed(const struct growth *g, pid_t pid)
{
    for (size_t i = 0; i < g->spare_len; i++) {
        if (g->spare[i] == pid)
            return;
    }
    if (pid > 0 && listed_len < LISTED_MAX)
        listed[listed_len++] = (struct listed){.pid = pid, .parent = g->parent};
}

/* The children of one thread: decimal numbers, each followed by a blank. */
static void add_children_of_thread(pid_t tid, void *arg)
{
    struct growth *g = arg;
    char path[96], block[4096];
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)g->parent, (int)tid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    g->is_readable = g->is_readable || fd >= 0;
    pid_t pid = 0;
    for (ssize_t n; fd >= 0 && (n = read(fd, block, sizeof(block))) > 0;) {
        for (ssize_t i = 0; i < n; i++) {
            if (isdigit((unsigned char)block[i])) {
                pid = pid * 10 + (block[i] - '0');
                continue;
            }
            add_listed(g, pid);
            pid = 0;
        }
    }
}

static void add_if_child(pid_t pid, void *arg)
{
    const struct growth *g = arg;
    char state;
    pid_t parent;
    if (read_stat(pid, &state, &parent) && parent == g->parent)
        add_listed(g, pid);
}

static void add_children(pid_t parent, const pid_t *spare, size_t spare_len)
{
    struct growth g = {.parent = parent, .spare = spare, .spare_len = spare_len};
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)parent);
    each_number(path, add_children_of_thread, &g);
    /* Not readable: the process has just ended, or the kernel has no such file; then our own
     * has none either. */
    if (!g.is_readable && access("/proc/thread-self/children", R_OK) != 0)
        each_number("/proc", add_if_child, &g);
}

/* Kills it unless it is not what was listed any more: its parent must be the listed one, or us (its
 * parent died since). A pid that is reused after the pidfd was opened does no harm: the pidfd means
 * the old process. True if it lives. */
static bool kill_listed(const struct listed *it, pid_t self)
{
    char state;
    pid_t parent;
    CLEANUP_FD int pidfd = sys_pidfd_open(it->pid);
    if (pidfd < 0 || !read_stat(it->pid, &state, &parent) || is_ended(state))
        return false;
    if (parent == it->parent || parent == self)
        (void)sys_pidfd_signal(pidfd, SIGKILL);
    return true;
}

static int64_t resident_pages(pid_t pid)
{
    char path[64], text[128];
    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    text[n > 0 ? n : 0] = '\0';
    const char *second = strchr(text, ' ');
    return second ? strtoll(second, NULL, 10) : 0;
}

int64_t proctree_memory(pid_t pid)
{
    int64_t pages = resident_pages(pid);
    listed_len = 0;
    add_children(pid, NULL, 0);
    for (size_t i = 0; i < listed_len; i++)
        add_children(listed[i].pid, NULL, 0);
    for (size_t i = 0; i < listed_len; i++)
        pages += resident_pages(listed[i].pid);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Ended ones count. Whose parent dies is handed to us before that one can be reaped, so who has no
 * child has no descendant; and the kernel looks at all of them at one moment. */
static bool has_children(void)
{
    siginfo_t info;
    struct rusage usage;
    return wait_any(P_ALL, 0, &info, WNOHANG | WNOWAIT, &usage) == 0 || errno != ECHILD;
}

size_t proctree_kill_strangers(const pid_t *spare, size_t spare_len)
{
    pid_t self = getpid();
    size_t alive = 0;
    if (!has_children())
        return 0;
    /* The kernel's list of children may skip one while another ends; so "none" is asked twice. */
    for (int pass = 0; pass < 2 && alive == 0; pass++) {
        listed_len = 0;
        add_children(self, spare, spare_len);
        for (size_t i = 0; i < listed_len; i++)
            add_children(listed[i].pid, NULL, 0);
        for (size_t i = 0; i < listed_len; i++)
            alive += kill_listed(&listed[i], self);
    }
    return alive;
}

struct mark {
    const char *var, *prefix;
    pid_t spare[64]; /* this process and its ancestors */
    size_t spare_len;
    size_t alive;
};

static bool has_mark(pid_t pid, const struct mark *mark)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    enum rc rc = sys_read_file(path, ENVIRON_MAX, &text, NULL);
    if (rc != RC_OK && rc != RC_LIMIT) /* another user's, or gone */
        return false;
    size_t var_len = strlen(mark->var), prefix_len = strlen(mark->prefix);
    const char *p = buf_str(&text), *end = p + text.len;
    for (; p < end; p += strlen(p) + 1) {
        if (strncmp(p, mark->var, var_len) == 0 && p[var_len] == '=')
            return strncmp(p + var_len + 1, mark->prefix, prefix_len) == 0;
    }
    return false;
}

static void kill_if_marked(pid_t pid, void *arg)
{
    struct mark *mark = arg;
    char state;
    pid_t parent;
    for (size_t i = 0; i < mark->spare_len; i++) {
        if (mark->spare[i] == pid)
            return;
    }
    if (!has_mark(pid, mark))
        return;
    /* Once more, now that the pidfd holds on to the process that bears the pid. */
    CLEANUP_FD int pidfd = sys_pidfd_open(pid);
    if (pidfd < 0 || !has_mark(pid, mark) || !read_stat(pid, &state, &parent) || is_ended(state))
        return;
    (void)sys_pidfd_signal(pidfd, SIGKILL);
    mark->alive++;
}

size_t proctree_kill_marked(const char *var, const char *prefix)
{
    struct mark mark = {.var = var, .prefix = prefix};
    char state;
    for (pid_t pid = getpid(); pid > 0 && mark.spare_len < 64;) {
        mark.spare[mark.spare_len++] = pid;
        if (!read_stat(pid, &state, &pid))
            break;
    }
    each_number("/proc", kill_if_marked, &mark);
    return mark.alive;
}
