/* resident_fault: what a resident says wrongly: a line that is no message or must not be passed
 * over, what is about nothing that it has. Called by resident_talk.c; concludes attempts, may end
 * the process. */
#ifndef STINT_WORKER_RESIDENT_FAULT_H
#define STINT_WORKER_RESIDENT_FAULT_H

#include "worker/worker.h"

/* "WHAT: LINE", of a long line its beginning. */
void resident_quote(struct buf *out, const char *what, const char *line);
/* Passed over; logged, not more than once a second. */
void resident_stale(struct worker *w, const char *what, const char *line);
/* A line that breaks the protocol: a failed attempt of the item that it names; without one, of a
 * batch each that is open runs alone next; without the id of a call nothing that the process says
 * can be trusted, and it is ended. is_of_item: the line's key may be gone by. */
void resident_nonsense(struct worker *w, const char *line, bool is_of_item, const struct err *err);
/* A message that must say what it is about, and does not: as above. False: it may be without. */
bool resident_lacks_id(struct worker *w, const struct message *m, const char *line);

#endif
