/* stop: the ladder of stopping: finish, then end what runs, then SIGKILL, then give up on the
 * keeper. Pure: it knows only times. pool.c carries out what is due. In stintd only. */
#ifndef STINT_SUPERVISOR_STOP_H
#define STINT_SUPERVISOR_STOP_H

#include <stdbool.h>
#include <stdint.h>

#define STOP_GRACE_MS 5000 /* of handlers, between TERM and KILL */

enum stop_mode {
    STOP_NOT,      /* not stopping */
    STOP_GRACEFUL, /* runs may finish within shutdown_timeout */
    STOP_NOW,      /* runs are ended with their grace and given back */
    STOP_QUIT,     /* as now, with one second for it */
};

struct stop {
    enum stop_mode mode;
    int64_t now_mono_ns, kill_mono_ns, give_up_mono_ns;
    bool is_now_done, is_kill_done, is_given_up;
};

enum stop_act { STOP_ACT_NONE, STOP_ACT_NOW, STOP_ACT_KILL, STOP_ACT_GIVE_UP };

/* Begins, or hastens: a weaker or equal mode changes nothing, and no deadline ever moves away. */
void stop_begin(
    struct stop *stop, enum stop_mode mode, int64_t now_mono_ns, int64_t shutdown_timeout_ms);
/* What TERM means now: graceful, and again: now. */
enum stop_mode stop_next_mode(const struct stop *stop);
/* The next act that is due, marked as done. Call again until STOP_ACT_NONE. */
enum stop_act stop_take(struct stop *stop, int64_t now_mono_ns);
int64_t stop_next_due(const struct stop *stop); /* 0: nothing is to come */

#endif
