/* worker_cycle_store: a scripted store for the tests of the worker's main loop: each exchange is
 * compared with the next step of a script, and answered as that says. */
#ifndef STINT_TESTS_WORKER_CYCLE_STORE_H
#define STINT_TESTS_WORKER_CYCLE_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/worker.h"

/* One exchange: what is expected to come, what is answered, and what happens meanwhile. */
struct step {
    int cause; /* of the outcome; −1: none is expected */
    bool has_wish, is_repeat;
    uint32_t claim_seq;
    enum rc rc;
    int64_t run_id;
    int64_t claimable;
    size_t more;           /* runs besides */
    size_t stopped;        /* further outcomes: given back */
    size_t done;           /* and, before these, done */
    uint32_t flags, order; /* set before the answer */
    bool is_spec_changed;  /* meanwhile a reload with another JobSpec is accepted */
};

extern struct worker w;
extern struct pace paces[1];
extern bool is_spec_changed;         /* another JobSpec is accepted */
extern struct stage_spec stage_spec; /* of the one lane */
extern struct catalog_job job;

int setup(void **state);
int teardown(void **state);

/* The loop, until it ends; the script must be over then. */
void play(const struct step *steps, size_t len);
#define PLAY(steps) play(steps, sizeof(steps) / sizeof((steps)[0]))

#endif
