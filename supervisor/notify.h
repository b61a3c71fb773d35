/* notify: what init is told about this pool: the notify socket of systemd (and of whoever speaks
 * its protocol), its watchdog, and a ready descriptor as s6 has it. One datagram a message. Never
 * blocks, never fails its caller: what the socket does not take now is offered again with the next
 * tick. In stintd only; takes the variables out of the environment, so no child can speak for us.
 */
#ifndef STINT_SUPERVISOR_NOTIFY_H
#define STINT_SUPERVISOR_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NOTIFY_QUEUE_MAX 8

enum notify_kind { NOTIFY_READY, NOTIFY_RELOADING, NOTIFY_STOPPING };

struct notify {
    int fd;       /* −1: nobody asked to be told */
    int ready_fd; /* −1: none, or already told */
    struct sockaddr_un to;
    socklen_t to_len;
    struct {
        enum notify_kind kind;
        int64_t mono_ns;       /* when it came about */
    } queue[NOTIFY_QUEUE_MAX]; /* in order; what is not sent yet */
    int queue_len;
    char status[256], status_told[256];
    int64_t status_mono_ns;                       /* of status_told */
    int64_t watchdog_period_ns, watchdog_mono_ns; /* 0: init does not watch us; of the last sign */
    int64_t patience_mono_ns;                     /* when it was asked for last */
    bool is_ready;                                /* ever told */
    bool is_reloading;
};

/* ready_fd: −1 or a descriptor that is ours from here on. */
void notify_init(struct notify *n, int ready_fd);
void notify_fini(struct notify *n);

void notify_ready(struct notify *n);
/* Before the files are read, and when all is as accepted (or as it was) again. */
void notify_reloading(struct notify *n);
void notify_reloaded(struct notify *n);
void notify_stopping(struct notify *n);
/* Remembers the line for people; it goes out with the tick, if it is another one. */
void notify_status(struct notify *n, const char *text);
/* With each tick of a start that goes on, but takes long for no fault of ours. */
void notify_patience(struct notify *n, int64_t now_mono_ns);
/* The last word of a start that failed: why. */
void notify_failure(struct notify *n, const char *text);

/* From the loop's tick: what could not be sent, the status, and the sign of life. */
void notify_tick(struct notify *n, int64_t now_mono_ns);

#endif
