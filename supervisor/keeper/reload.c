#include "supervisor/keeper/reload.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/crash.h"
#include "common/base/json.h"
#include "common/config/changes.h"
#include "common/config/parse.h"
#include "common/store/reload.h"
#include "supervisor/keeper/answer.h"
#include "supervisor/keeper/chores.h"

#define CHANGES_SHOWN 50

static enum rc read_box(const struct keeper *k, uint64_t generation, struct config **ret,
    struct config_stamp *stamp, struct err *err)
{
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    enum rc rc = config_box_read(k->box, generation, &packed, stamp, err);
    return rc == RC_OK ? config_from_block(packed.data, packed.len, ret, err) : rc;
}

static void put_in_force(struct keeper *k, struct config *config, const struct config_stamp *stamp)
{
    config_free(k->config);
    k->config = config;
    k->stamp = *stamp;
    k->told_backlog = -1; /* the number of workers may be another */
}

enum rc reload_take(struct keeper *k, uint64_t generation, struct err *err)
{
    struct config_stamp stamp = {0};
    struct config *config = NULL;
    enum rc rc = read_box(k, generation, &config, &stamp, err);
    if (rc == RC_OK)
        put_in_force(k, config, &stamp);
    return rc;
}

enum rc reload_catch_up(struct keeper *k, struct err *err)
{
    uint64_t generation = 0;
    enum rc rc = store_reload_generation(k->store, k->pool.id, &generation, err);
    if (rc == RC_OK && generation != k->stamp.generation)
        rc = reload_take(k, generation, err);
    if (rc != RC_OK)
        return rc;
    /* Raised for a commit that never came: who claims by the JobSpec in force may go on. */
    if (atomic_exchange(&k->mem->spec_generation, k->stamp.spec_generation) !=
        k->stamp.spec_generation)
        (void)pool_wake(k->mem, INT_MAX);
    return RC_OK;
}

/* What the event says of the changes: no values, they may be nobody's business. */
struct telling {
    struct json j;
    size_t told;
    struct name_list discover;
};

static void add_discovery(struct name_list *names, const char *section)
{
    names->list = xrealloc(names->list, (names->len + 1) * sizeof(*names->list));
    names->list[names->len++] = xstrdup(section + strlen("job "));
}

static bool concerns_discovery(const struct change *c)
{
    if (strncmp(c->section, "job ", strlen("job ")) != 0)
        return false;
    return c->key != NULL ? strncmp(c->key, "discover", strlen("discover")) == 0
                          : c->new_text != NULL;
}

static void tell(void *ctx, const struct change *c)
{
    struct telling *t = ctx;
    if (concerns_discovery(c))
        add_discovery(&t->discover, c->section);
    if (t->told++ >= CHANGES_SHOWN)
        return;
    json_open_object(&t->j, NULL);
    json_str(&t->j, "section", c->section);
    json_str(&t->j, "key", c->key);
    json_str(&t->j, "act",
        c->old_text == NULL   ? "added"
        : c->new_text == NULL ? "removed"
                              : "changed");
    json_end_object(&t->j);
}

static void forget_names(struct name_list *names)
{
    for (size_t i = 0; i < names->len; i++)
        free(names->list[i]);
    free(names->list);
}

/* The database and this keeper, from the old configuration to the new. */
static enum rc change_over(
    struct keeper *k, struct config *config, const struct config_stamp *stamp, struct err *err)
{
    CLEANUP(buf_fini) struct buf event = BUF_INIT;
    struct telling t = {.told = 0};
    struct catalog *catalog = NULL;
    json_init(&t.j, &event);
    json_open_object(&t.j, NULL);
    json_int(&t.j, "generation", (int64_t)stamp->generation);
    json_open_array(&t.j, "changes");
    struct changes_summary changes = config_changes(k->config, config, tell, &t);
    json_end_array(&t.j);
    json_int(&t.j, "count", (int64_t)changes.count);
    json_bool(&t.j, "handlers", changes.has_spec);
    json_end_object(&t.j);
    struct reload r = {
        .config = config,
        .pool_row = k->pool.id,
        .generation = stamp->generation,
        .has_spec = changes.has_spec,
        .discover = t.discover,
        .event = buf_str(&event),
        .spec_word = &k->mem->spec_generation,
        .spec_generation = stamp->spec_generation,
    };
    enum rc rc = store_reload(k->store, &r, &catalog, err);
    forget_names(&t.discover);
    if (rc != RC_OK)
        return rc;
    catalog_free(k->catalog);
    k->catalog = catalog;
    put_in_force(k, config, stamp);
    return RC_OK;
}

static void answer(uint64_t generation, enum order_kind kind, const struct err *err)
{
    struct order order = {.magic = ORDER_MAGIC, .kind = kind, .generation = generation};
    if (kind == ORDER_NOT_RELOADED)
        (void)snprintf(
            order.text, sizeof(order.text), "%.*s", (int)sizeof(order.text) - 1, err->text);
    answer_confirm(&order);
}

void reload_answer(struct keeper *k, const struct order *order)
{
    struct config_stamp stamp = {0};
    struct config *config = NULL;
    struct err err = {""};
    enum rc rc = RC_OK;
    if (order->generation != k->stamp.generation) { /* else a repeat, or done by the one before */
        rc = read_box(k, order->generation, &config, &stamp, &err);
        if (rc == RC_OK)
            rc = change_over(k, config, &stamp, &err);
        if (rc != RC_OK)
            config_free(config);
        if (rc == RC_BUSY)
            return;
    }
    CRASH_POINT("keeper.reloaded");
    answer(order->generation, rc == RC_OK ? ORDER_RELOADED : ORDER_NOT_RELOADED, &err);
    if (rc == RC_OK)
        chores_run(k);
}
