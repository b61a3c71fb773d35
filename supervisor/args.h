/* args: the command line of stintd. */
#ifndef STINT_SUPERVISOR_ARGS_H
#define STINT_SUPERVISOR_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/log.h"

struct args {
    const char *config_path;          /* NULL: the default */
    int64_t workers_min, workers_max; /* 0: as configured */
    bool is_drain;
    int ready_fd;     /* −1: none */
    const char *user; /* NULL: stay who we are */
    const char *log;  /* NULL: as configured */
    enum log_level log_level;
};

/* True: go on. False: *ret_exit is the exit code (help, version and errors have been written). */
bool args_parse(int argc, char **argv, struct args *ret, int *ret_exit);

#endif
