/* control: the control socket (stint.sock, SOCK_STREAM, 0600): one request line of words, then the
 * answer "ok\n" or "error TEXT\n", then the payload until the end of file. Asked by stint, answered
 * by the supervisor only.
 *   ping                    payload: one JSON object {"pid":…,"pool_id":…,"version":…,
 *                           "state":…}
 *   status                  one JSON object: pid, version, pool_id, started_at, state (starting,
 *                           running, suspended, stopping), workers_target, workers, keeper_pid,
 *                           database, database_file (DEV-INO, see home.h), config; lock_holder
 *                           {pid, program, for_ms} while a foreign program makes the pool wait
 *                           for the write lock
 *   file                    the configuration file's path, the database's, a line feed each
 *   workers                 NDJSON, one object a slot with a life: slot, pid, life, state,
 *                           claim (text or null; of several the oldest), runs (in hand), begun
 *                           (every claim of this life up to it has begun, or is given back), since
 *                           (RFC 3339), handler_pid
 *   resources               NDJSON, one object a resource: name, rate (text), burst, tokens (there
 *                           now, with fractions), next_token_ms (0: now), waiting (workers that
 *                           sleep at it), held_until (RFC 3339 or null), stages[] (JOB.STAGE)
 *   config                  the database file (as database_file of status) and a line feed, then
 *                           the packed configuration sources
 *   wake N                  work was added: wake up to N idle workers
 *   take JOB.STAGE          a token of each resource of the stage, all or none: one JSON object:
 *                           taken (true, false), resource (which has none; null), wait_ms (until
 *                           one is due there)
 *   look                    claims were taken away: who runs something looks at its own at once
 *   stop | stop now         as SIGTERM once, twice
 *   reload                  as SIGHUP; answered when it is over, with one JSON object: state
 *                           (accepted, refused), at, generation, and either change_count,
 *                           retires_workers, changes[], warning_count, warnings[] (handlers and
 *                           finders that are not there) or problem_count, problems[]. The member
 *                           "reload" of status is the same, of the newest reload, with the
 *                           first few lines; its state may be pending, too */
#ifndef STINT_IPC_CONTROL_H
#define STINT_IPC_CONTROL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define CONTROL_LINE_MAX 256

/* Asks the pool whose socket lies at path (or has the name "@…", see control_name.h); payload (may
 * be NULL) gets what follows "ok". RC_NOTFOUND: nobody answers there; RC_INVALID: it said error
 * (err has its text); RC_BUSY: somebody listens, but did not answer in time. timeout_ms bounds the
 * whole. */
MUST_CHECK enum rc control_ask(const char *path, const char *request, int64_t timeout_ms,
    struct buf *payload, struct err *err);

/* The address of a name "@…", or of a socket path of any length: a long one goes by way of its
 * directory's descriptor
 * (*ret_dir_fd, else −1), which must stay open until after bind or connect. Caller closes it. */
MUST_CHECK enum rc control_address(
    const char *path, struct sockaddr_un *ret, int *ret_dir_fd, struct err *err);

#endif
