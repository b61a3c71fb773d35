#include "worker/accepted.h"

#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/config/parse.h"

#define WAIT_NS NS_PER_S /* every change is woken; this is for the beats */

static void take_lanes(struct worker *w)
{
    size_t n = 0;
    free(w->stage_ids);
    free(w->stages);
    free(w->rooms);
    free(w->paces);
    w->stages_len = 0;
    for (size_t i = 0; i < w->catalog->jobs_len; i++)
        w->stages_len += w->catalog->jobs[i].spec->stages_len;
    w->stage_ids = xcalloc(w->stages_len, sizeof(*w->stage_ids));
    w->stages = xcalloc(w->stages_len, sizeof(struct catalog_stage *));
    w->rooms = xcalloc(w->stages_len, sizeof(*w->rooms));
    w->paces = xcalloc(w->stages_len, sizeof(*w->paces));
    for (size_t i = 0; i < w->catalog->jobs_len; i++)
        for (size_t k = 0; k < w->catalog->jobs[i].spec->stages_len; k++)
            w->stages[n++] = &w->catalog->jobs[i].stages[k];
    for (size_t i = 0; i < n; i++)
        w->stage_ids[i] = w->stages[i]->id;
    tokens_forget(&w->tokens, &w->life);
    tokens_map(&w->tokens, w->catalog, w->config, w->life.mem);
}

/* A copy of the configuration in force, parsed. */
static enum rc read_box(const struct worker *w, struct buf *packed, struct config **ret,
    struct config_stamp *stamp, struct err *err)
{
    enum rc rc = config_box_read(w->box, 0, packed, stamp, err);
    return rc == RC_OK ? config_from_block(packed->data, packed->len, ret, err) : rc;
}

enum rc accepted_take(struct worker *w, struct err *err)
{
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    struct config_stamp stamp = {0};
    struct config *config = NULL;
    enum rc rc = read_box(w, &packed, &config, &stamp, err);
    if (rc != RC_OK)
        return rc;
    config_free(w->config);
    buf_fini(&w->packed);
    w->config = config;
    w->packed = packed;
    packed = (struct buf)BUF_INIT;
    w->stamp = stamp;
    w->life.spec_generation = stamp.spec_generation;
    return RC_OK;
}

static bool is_in_between(const struct worker *w)
{
    return !life_is_current(&w->life) || config_box_accepted(w->box) != w->stamp.generation;
}

/* The keeper has committed another JobSpec, and it is not yet in force, or was not when we read it:
 * the database does not know some of our stages. */
static enum rc take_next(struct worker *w, struct err *err)
{
    for (;;) {
        uint32_t seen = atomic_load(&w->life.mem->wake);
        if (life_is_told_to_leave(&w->life))
            return RC_OK;
        if (config_box_accepted(w->box) != w->stamp.generation)
            return accepted_take(w, err);
        life_sleep(&w->life, seen, clock_mono_ns() + WAIT_NS);
    }
}

enum rc accepted_load(struct worker *w, struct err *err)
{
    enum rc rc = catalog_load(w->store, w->config, &w->catalog, err);
    while (rc == RC_NOTFOUND && is_in_between(w)) {
        rc = take_next(w, err);
        if (rc != RC_OK || life_is_told_to_leave(&w->life))
            return rc; /* without lanes: the cycle ends at once */
        rc = catalog_load(w->store, w->config, &w->catalog, err);
    }
    if (rc == RC_OK)
        take_lanes(w);
    return rc;
}

static void swap(struct worker *w, struct config *config, struct buf *packed)
{
    struct catalog *catalog = catalog_renew(w->catalog, config);
    if (catalog == NULL) { /* not the same stages: never in place */
        w->life.is_outdated = true;
        config_free(config);
        return;
    }
    for (size_t i = 0; i < w->deck.len; i++) {
        struct attempt *a = w->deck.list[i];
        a->stage = a->outcome.stage = catalog_stage(catalog, a->run.stage_id);
    }
    catalog_free(w->catalog);
    config_free(w->config);
    buf_fini(&w->packed);
    w->catalog = catalog;
    w->config = config;
    w->packed = *packed;
    *packed = (struct buf)BUF_INIT;
    take_lanes(w);
    w->resident.wants_recycling = true; /* limits and environment are those of its start */
}

void accepted_renew(struct worker *w)
{
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    struct config_stamp stamp = {0};
    struct config *config = NULL;
    struct err err = {""};
    if (w->box == NULL || w->life.is_outdated || config_box_accepted(w->box) == w->stamp.generation)
        return;
    enum rc rc = config_box_read(w->box, 0, &packed, &stamp, &err);
    if (rc == RC_OK && stamp.spec_generation == w->life.spec_generation)
        rc = config_from_block(packed.data, packed.len, &config, &err);
    if (rc != RC_OK)
        log_msg(LOG_LEVEL_ERROR, "worker.config", "%s; leaving for a fresh start", err.text);
    w->stamp = stamp;
    if (config != NULL)
        swap(w, config, &packed);
    else
        w->life.is_outdated = true;
}

void accepted_fini(struct worker *w)
{
    free(w->stage_ids);
    free(w->stages);
    free(w->rooms);
    free(w->paces);
    tokens_fini(&w->tokens);
    catalog_free(w->catalog);
    config_free(w->config);
    buf_fini(&w->packed);
    config_box_unmap(w->box);
    w->stage_ids = NULL;
    w->stages = NULL;
    w->rooms = NULL;
    w->paces = NULL;
    w->catalog = NULL;
    w->config = NULL;
    w->box = NULL;
}
