/* control: the server of the control socket (common/ipc/control.h): accepts, checks who asks, reads
 * one line, sends one reply. Slow and talkative clients are bounded: CLIENTS_MAX of them (a further
 * one takes the oldest's place), CLIENT_MS each, lines of CONTROL_LINE_MAX. In stintd only. */
#ifndef STINT_SUPERVISOR_CONTROL_H
#define STINT_SUPERVISOR_CONTROL_H

#include <sys/types.h>

#include "common/ipc/control.h"
#include "supervisor/pool.h"
#include "supervisor/reply.h"

#define CLIENTS_MAX 32
#define CLIENT_MS 5000
#define WAITING_CLIENT_MS 60000 /* for a reload's outcome */

struct client {
    struct control *control;
    int fd; /* −1: free */
    struct watch *watch;
    int64_t since_mono_ns;
    char line[CONTROL_LINE_MAX];
    size_t line_len;
    bool is_answering;
    struct reply reply;
};

struct control {
    struct pool *pool;
    char *path;
    int fd; /* listens; −1: not open */
    dev_t device;
    ino_t inode; /* of its file: when somebody removed it, it is made again */
    int64_t looked_mono_ns;
    struct watch *watch;
    char *name;  /* by control_name; NULL: none is wanted */
    int name_fd; /* listens there; −1: not */
    struct watch *name_watch;
    struct client clients[CLIENTS_MAX];
};

void control_init(struct control *control, struct pool *pool);
/* Replaces a socket file that a dead pool left: call only with the directory's lock held. */
MUST_CHECK enum rc control_open(struct control *control, const char *path, struct err *err);
/* Also listens by this name (takes it). RC_BUSY: somebody has it; looked at again and again. */
MUST_CHECK enum rc control_open_name(struct control *control, char *name, struct err *err);
/* Begins to serve in pool->loop. */
void control_serve(struct control *control);
void control_expire(struct control *control); /* with each tick */
void control_close(struct control *control);  /* and removes the file */

#endif
