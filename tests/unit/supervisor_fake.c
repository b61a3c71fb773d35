/* A stand-in for stint-keeper and stint-worker (by the name it is started under) that speaks the
 * supervisor's protocols and no database. FAKE_KEEPER and FAKE_WORKER choose how it misbehaves;
 * what it does it says on descriptor 2, which the test reads. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/ipc/claim.h"
#include "common/ipc/fds.h"
#include "common/ipc/heartbeat.h"
#include "common/ipc/orders.h"
#include "common/ipc/pool_mem.h"

#define BEAT_MS 50
#define BEATS_A_LINE 20

static struct heartbeat beat = {.magic = HEARTBEAT_MAGIC};

static void say(const char *text, long long a, long long b)
{
    char line[128];
    int n = snprintf(line, sizeof line, "fake: %s %lld %lld\n", text, a, b);

    (void)!write(2, line, (size_t)n);
}

static int is_mode(const char *var, const char *mode)
{
    const char *value = getenv(var);

    return value != NULL && strcmp(value, mode) == 0;
}

static void send_beat(void)
{
    beat.seq++;
    (void)heartbeat_send(FD_HEARTBEAT, &beat);
}

static void answer(const struct order *order)
{
    struct order out = {.magic = ORDER_MAGIC, .life = order->life, .pool_row = 7};

    switch ((enum order_kind)order->kind) {
    case ORDER_START:
        say("start", order->pool_row, getpid());
        out.kind = ORDER_READY;
        out.first_life = order->pool_row == 0 ? 1000 : 0;
        out.last_life = order->pool_row == 0 ? 1000 + LIVES_PER_BLOCK : 0;
        beat.is_ready = 1;
        break;
    case ORDER_SETTLE:
        say("settle", order->life, order->cause);
        if (is_mode("FAKE_KEEPER", "dies-at-settle") && order->pool_row == 7 &&
            access("died", F_OK) != 0) {
            (void)fclose(fopen("died", "w"));
            (void)raise(SIGKILL);
        }
        out.kind = ORDER_SETTLED;
        break;
    case ORDER_WATCH:
        say("watch", 0, 0);
        out.kind = ORDER_RESTED;
        out.count = is_mode("FAKE_KEEPER", "rests-undone") ? 3 : 0;
        break;
    case ORDER_FINISH:
        say("finish", 0, 0);
        out.kind = ORDER_FINISHED;
        break;
    case ORDER_RELOAD:
        say("reload", (long long)order->generation, 0);
        out.kind = is_mode("FAKE_KEEPER", "refuses-reload") ? ORDER_NOT_RELOADED : ORDER_RELOADED;
        out.generation = order->generation;
        break;
    case ORDER_LIVES:
        out.kind = ORDER_LIVES_TAKEN;
        break;
    case ORDER_READY:
    case ORDER_LIVES_TAKEN:
    case ORDER_SETTLED:
    case ORDER_RESTED:
    case ORDER_BACKLOG:
    case ORDER_FINISHED:
    case ORDER_RELOADED:
    case ORDER_NOT_RELOADED:
    case ORDER_LOST:
        break;
    }
    if (order_send(FD_ORDERS, &out) != RC_OK || out.kind == ORDER_FINISHED)
        _exit(out.kind == ORDER_FINISHED ? 0 : 4);
}

static int be_keeper(void)
{
    struct order order;

    beat.slot = SLOT_KEEPER;
    if (is_mode("FAKE_KEEPER", "exit78"))
        return 78;
    for (;;) {
        struct pollfd fds[] = {{FD_ORDERS, POLLIN, 0}, {FD_LIFELINE, POLLIN, 0}};

        send_beat();
        (void)poll(fds, 2, BEAT_MS);
        if (fds[1].revents != 0)
            return 9;
        while (order_receive(FD_ORDERS, &order) == RC_OK)
            answer(&order);
    }
}

/* A handler's descendant that left its session: only the supervisor can still find it. */
static void leave_an_orphan(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)setsid();
        if (fork() != 0)
            _exit(0);
        say("orphan", getpid(), 0);
        for (;;)
            (void)pause();
    }
    (void)waitpid(pid, NULL, 0);
}

static int be_worker(char **argv)
{
    struct pool_mem *mem;
    struct slot *slot;

    beat.slot = (uint32_t)atoi(argv[1]);
    beat.life = atoll(argv[2]);
    if (pool_mem_map(FD_POOL, &mem, NULL) != RC_OK)
        return 1;
    slot = &mem->slots[beat.slot];
    if (atomic_load(&slot->life) != beat.life || atomic_load(&slot->pid) != (uint32_t)getpid())
        return 5;
    if (is_mode("FAKE_WORKER", "early-exit"))
        return 3;
    if (is_mode("FAKE_WORKER", "orphan"))
        leave_an_orphan();
    atomic_store(&slot->state, WORKER_IDLE);
    beat.state = WORKER_IDLE;
    beat.is_ready = 1;
    say("worker", beat.life, getpid());
    if (is_mode("FAKE_WORKER", "mute")) {
        send_beat();
        for (;;)
            (void)pause();
    }
    for (;;) {
        struct pollfd fds[] = {{FD_WAKE, POLLIN, 0}, {FD_LIFELINE, POLLIN, 0}};
        uint64_t count;
        int is_told;

        send_beat();
        if (beat.seq % BEATS_A_LINE == 0)
            say("beats", beat.seq, getpid());
        (void)poll(fds, 2, BEAT_MS);
        (void)!read(FD_WAKE, &count, sizeof count);
        if (fds[1].revents != 0)
            return 9;
        is_told = pool_has_flag(mem, POOL_STOPPING) || atomic_load(&slot->order) != 0;
        if (is_mode("FAKE_WORKER", "deaf"))
            continue;
        if (is_mode("FAKE_WORKER", "slow-to-stop"))
            is_told = pool_has_flag(mem, POOL_STOP_NOW);
        if (!is_told)
            continue;
        beat.is_goodbye = 1;
        send_beat();
        return 0;
    }
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash == NULL ? argv[0] : slash + 1;

    return argc == 3 && strcmp(name, "stint-worker") == 0 ? be_worker(argv) : be_keeper();
}
