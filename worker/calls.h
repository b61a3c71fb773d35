/* calls: the requests that a handler has and has not answered yet: which attempts each is about,
 * and when it is due. An exec handler has one; the list is a resident's. Owns its list, not the
 * attempts. */
#ifndef STINT_WORKER_CALLS_H
#define STINT_WORKER_CALLS_H

#include "worker/attempt.h"

struct call {
    int64_t id;
    struct attempt **items; /* NULL: that one has its outcome */
    size_t len, open;
    int64_t begun_mono_ns;
    int64_t due_mono_ns; /* its timeout; when it is cancelled, the end of the grace */
    bool is_quick; /* exec: it is most likely over before a reader of its pipes would be woken */
    bool is_cancelled;
    bool has_stray; /* something was said about an item that it does not have */
};

struct calls {
    struct call *list;
    size_t len, cap;
    size_t open; /* items of all */
};

void calls_fini(struct calls *c);
/* Gives the items (len of them, an array on the heap) to a new call. */
struct call *calls_add(struct calls *c, int64_t id, struct attempt **items, size_t len);
struct call *calls_find(const struct calls *c, int64_t id); /* NULL: none */
/* The item of this key; key NULL: its only one. NULL: none that is open. */
struct attempt **call_item(const struct call *call, const char *key);
/* Of which item a message speaks that is no outcome: by its key, in a batch; what has none there
 * may still be a cost, a limit or a log message of them all, and the first that is open has it,
 * else the first that is there. */
struct attempt **call_about(const struct call *call, const struct message *m);
/* Of a batch of several: what must not be passed over, nor taken for all of them, although its
 * grammar is good; NULL: nothing. Such a line is a protocol error. */
const char *call_fault(const struct call *call, const struct message *m);
int64_t call_last_claim(const struct call *call); /* the highest of what is open */
/* This one has its outcome; a call without open items is forgotten: true. */
bool calls_close(struct calls *c, struct call *call, struct attempt **item);
/* The call that is due first; NULL: none. */
struct call *calls_first_due(const struct calls *c);

#endif
