/* tokens: what paces this worker's claims. Before a wish it takes a token of every resource of the
 * best lane that has them all, and wishes only for lanes that these tokens cover; what no claim
 * followed is given back. When all lanes with work lack a token it sleeps at their buckets, in one
 * sleep with the pool's wake word. Used by cycle.c; accepted.c tells it the lanes. Never touches
 * the database. A worker whose lanes have no resource never comes here. */
#ifndef STINT_WORKER_TOKENS_H
#define STINT_WORKER_TOKENS_H

#include "common/config/config.h"
#include "common/store/catalog.h"
#include "common/store/exchange.h"
#include "worker/life.h"

/* The claimable runs of one stage, and what a claim there takes. */
struct paced_lane {
    int64_t stage_id;
    struct bucket_ref buckets[STAGE_RESOURCES_MAX];
    size_t buckets_len;
    bool is_lacking; /* a resource of it has no bucket (yet, or any more): closed */
    bool is_waiting; /* there is work, and no token */
};

struct tokens {
    struct paced_lane *lanes;
    size_t len;
    bool is_paced; /* some lane has a resource */
    struct lane_head *heads;
    int64_t *covered; /* the stages that a wish may name now, and how many runs of each */
    uint32_t *covered_rooms;
    size_t covered_len;
    struct bucket_ref held[STAGE_RESOURCES_MAX]; /* so many tokens of each as there are sets */
    size_t held_len, sets;
    bool has_taken;     /* since the last settlement */
    int64_t at_mono_ns; /* as of when they were had */
};

/* The lanes of the catalogue, in its order, and their buckets in the pool's memory. Nothing is held
 * at that time. */
void tokens_map(struct tokens *t, const struct catalog *catalog, const struct config *config,
    struct pool_mem *mem);
void tokens_fini(struct tokens *t);

/* t->heads says what each lane has, rooms how many runs of each could be taken (0: it is passed
 * over), favoured which stage goes first (FAVOUR_MS). Takes tokens for the best lane that has work
 * and all tokens, as many as it has room for, fills t->covered. False: no lane with work is open
 * (then only lanes without a resource are covered), and those that lack a token wait. */
bool tokens_take(struct tokens *t, struct life *life, const uint32_t *rooms, int64_t favoured);
/* The tokens in hand, which are old by now, for as many as of now; returns for how many runs. */
size_t tokens_renew(struct tokens *t, struct life *life);
/* So many claims of this stage (0: of none) have followed. True: there were tokens, and no claim:
 * another look is due. */
bool tokens_settle(struct tokens *t, struct life *life, int64_t stage_id, size_t claims);
/* Nothing is wanted now: no lane waits. */
void tokens_forget(struct tokens *t, struct life *life);

/* When it may be so by what is known now; 0: nothing waits. */
int64_t tokens_due_mono_ns(const struct tokens *t, const struct life *life);
/* A lane that waits may have all its tokens now. */
bool tokens_are_due(const struct tokens *t);
/* As life_sleep, and woken when tokens_are_due may have become true. */
void tokens_sleep(struct tokens *t, struct life *life, uint32_t seen, int64_t until_mono_ns);

#endif
