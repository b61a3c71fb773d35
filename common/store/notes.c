#include "common/store/notes.h"

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/store/query.h"

static enum rc write_run(struct store *store, struct note *note, int64_t now, struct err *err)
{
    int64_t changes = 0;
    QUERY q = query(store, Q_RUN_NOTE);
    put_int(&q, "id", note->run->id);
    put_int(&q, "claim", note->run->claim);
    put_text(&q, "progress", note->progress);
    put_text(&q, "checkpoint", note->checkpoint);
    put_int(&q, "now_ms", now);
    enum rc rc = query_write(&q, &changes, err);
    note->is_lost = rc == RC_OK && changes == 0;
    return rc;
}

static enum rc write_note(struct store *store, const struct catalog *catalog, struct note *note,
    int64_t *claimable, struct err *err)
{
    int64_t now = clock_wall_ms();
    const struct costs costs = {note->run, note->stage, note->costs, note->costs_len};
    const struct spawned spawned = {note->run, note->stage, catalog, note->items, note->items_len};
    enum rc rc = costs_put(store, &costs, now, err);
    if (rc || (!note->progress && !note->checkpoint && note->items_len == 0))
        return rc;
    rc = write_run(store, note, now, err);
    if (rc || note->is_lost)
        return rc;
    return spawned_add(store, &spawned, now, claimable, err);
}

enum rc store_notes(struct store *store, const struct catalog *catalog, struct note *notes,
    size_t len, struct notes_answer *ret, struct err *err)
{
    struct notes_answer answer = {0};
    enum rc rc = txn_begin(store, TXN_PLAIN, err);
    ret->failed = len;
    if (rc)
        return rc;
    for (size_t i = 0; rc == RC_OK && i < len; i++) {
        rc = write_note(store, catalog, &notes[i], &answer.claimable, err);
        answer.failed = i + (rc == RC_OK);
    }
    CRASH_POINT("note.before_commit");
    rc = txn_end(store, rc, err);
    CRASH_POINT("note.after_commit");
    *ret = answer;
    return rc;
}
