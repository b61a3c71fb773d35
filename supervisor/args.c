#include "supervisor/args.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/ipc/pool_mem.h"
#include "supervisor/slots.h"

enum {
    OPT_WORKERS = 256,
    OPT_DRAIN,
    OPT_USER,
    OPT_READY_FD,
    OPT_LOG,
    OPT_LOG_LEVEL,
    OPT_STATES,
    OPT_VERSION,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"drain", no_argument, NULL, OPT_DRAIN},
    {"user", required_argument, NULL, OPT_USER},
    {"ready-fd", required_argument, NULL, OPT_READY_FD},
    {"log", required_argument, NULL, OPT_LOG},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"states", no_argument, NULL, OPT_STATES},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: stintd [-c CONF] [--user NAME] [--workers N|MIN..MAX] [--drain] [--ready-fd N]\n"
    "              [--log TARGET] [--log-level LEVEL]\n"
    "Keeps a pool of stint workers alive, in the foreground. `stint run` starts it for you.\n"
    "\n"
    "  -c, --config CONF      configuration (default: ./stint.conf, then /etc/stint/stint.conf)\n"
    "      --workers N|MIN..MAX  how many workers, instead of what the configuration says\n"
    "      --drain            stop when everything is at rest; exit 1 if anything is undone\n"
    "      --user NAME        become this user first; needs root\n"
    "      --ready-fd N       write a newline to descriptor N when the pool is ready, and close "
    "it\n"
    "      --log TARGET       stderr, syslog or 'file PATH', instead of [pool] log\n"
    "      --log-level LEVEL  error, warn, info (default) or debug\n"
    "      --states           print what a child of the pool goes through, and why\n"
    "  -h, --help             this text\n"
    "      --version          the version\n"
    "\n"
    "Signals: HUP reload   TERM, INT stop (again: now)   QUIT stop now   TSTP claim nothing\n"
    "         CONT go on   TTIN, TTOU a worker more, fewer   USR1 open the log file anew\n"
    "         USR2 write the state to the log\n"
    "Exit: 0 ok, 1 failed, 2 usage, 75 another pool runs there, 78 bad configuration\n";

static bool parse_workers(const char *text, struct args *args, struct err *err)
{
    const char *dots = strstr(text, "..");
    CLEANUP_FREE char *min = dots == NULL ? xstrdup(text) : xstrndup(text, (size_t)(dots - text));
    const char *max = dots == NULL ? text : dots + 2;

    return text_int(min, 1, POOL_SLOTS_MAX, &args->workers_min, err) == RC_OK &&
           text_int(max, args->workers_min, POOL_SLOTS_MAX, &args->workers_max, err) == RC_OK;
}

static bool is_log_target(const char *text)
{
    return strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0 ||
           (strncmp(text, "file ", 5) == 0 && text[5 + strspn(text + 5, " ")] != '\0');
}

static bool parse_level(const char *text, enum log_level *ret)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* Born with us, so it is open now or never. 0, 1 and 2 have their own meaning. */
static bool parse_ready_fd(const char *text, int *ret)
{
    int64_t fd;
    int flags;

    if (text_int(text, 3, INT_MAX, &fd, NULL) != RC_OK)
        return false;
    flags = fcntl((int)fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return false;
    *ret = (int)fd;
    return true;
}

static void print_states(void)
{
    for (size_t i = 0; i < child_steps_len; i++) {
        const struct child_step *step = &child_steps[i];

        (void)printf("%-10s %-13s -> %-10s %s\n", child_state_name(step->from),
            child_event_name(step->event), child_state_name(step->to), step->why);
    }
}

static bool fail(int *ret_exit, const char *text)
{
    (void)fprintf(stderr, "stintd: %s\nTry: stintd --help\n", text);
    *ret_exit = 2;
    return false;
}

static bool answer(int *ret_exit, const char *text)
{
    (void)fputs(text, stdout);
    *ret_exit = fflush(stdout) == 0 ? 0 : 1;
    return false;
}

/* NULL, or what is wrong with the value. */
static const char *take(int option, char *value, struct args *args)
{
    struct err err = {""};

    if (option == 'c')
        args->config_path = value;
    else if (option == OPT_WORKERS && !parse_workers(value, args, &err))
        return "--workers takes a number or a range within 1..512: --workers 4, --workers 2..16";
    else if (option == OPT_DRAIN)
        args->is_drain = true;
    else if (option == OPT_USER)
        args->user = value;
    else if (option == OPT_READY_FD && !parse_ready_fd(value, &args->ready_fd))
        return "--ready-fd takes the number, from 3 on, of a descriptor that is open for writing: "
               "--ready-fd 3 3>&1";
    else if (option == OPT_LOG && !is_log_target(value))
        return "--log takes stderr, syslog or 'file PATH' (one argument): "
               "--log 'file /var/log/stint/stint.log'";
    else if (option == OPT_LOG)
        args->log = value;
    else if (option == OPT_LOG_LEVEL && !parse_level(value, &args->log_level))
        return "--log-level takes error, warn, info or debug";
    return NULL;
}

bool args_parse(int argc, char **argv, struct args *ret, int *ret_exit)
{
    struct args args = {.log_level = LOG_LEVEL_INFO, .ready_fd = -1};
    const char *complaint;
    int c;

    while ((c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        if (c == OPT_STATES) {
            print_states();
            return answer(ret_exit, "");
        }
        if (c == 'h')
            return answer(ret_exit, help);
        if (c == OPT_VERSION)
            return answer(ret_exit, "stintd " STINT_VERSION "\n");
        if (c == '?') {
            *ret_exit = 2;
            return false;
        }
        complaint = take(c, optarg, &args);
        if (complaint != NULL)
            return fail(ret_exit, complaint);
    }
    if (optind < argc)
        return fail(ret_exit, "there are no arguments beside the options");
    *ret = args;
    return true;
}
