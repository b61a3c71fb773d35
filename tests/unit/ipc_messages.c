/* heartbeat, orders and pool memory: what one process sends, another gets whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/sys.h"
#include "common/ipc/heartbeat.h"
#include "common/ipc/orders.h"
#include "common/ipc/pool_mem.h"

static struct heartbeat a_beat(uint32_t seq)
{
    return (struct heartbeat){
        .magic = HEARTBEAT_MAGIC, .slot = 3, .life = 9, .seq = seq, .state = WORKER_RUNNING};
}

static void test_full_pipe_drops_beats(void **state)
{
    struct heartbeat beat = a_beat(0), got;
    uint32_t sent = 0, received = 0;
    int fds[2];

    (void)state;
    assert_int_equal(sys_pipe(fds, true, NULL), RC_OK);
    while (heartbeat_send(fds[1], &beat))
        beat.seq = ++sent;
    assert_true(sent >= 16);
    for (int n; (n = heartbeat_receive(fds[0], &got)) != 0; received++) {
        assert_int_equal(n, 1); /* whole records only, in order */
        assert_int_equal(got.seq, received);
        assert_int_equal(got.life, 9);
    }
    assert_int_equal(received, sent);
    assert_true(heartbeat_send(fds[1], &beat));
    (void)close(fds[1]);
    assert_int_equal(heartbeat_receive(fds[0], &got), 1);
    assert_int_equal(heartbeat_receive(fds[0], &got), -1);
    (void)close(fds[0]);
}

static void test_nonsense_beats(void **state)
{
    struct heartbeat bad_magic = a_beat(1), bad_state = a_beat(1), got = a_beat(77);
    int fds[2];

    (void)state;
    bad_magic.magic++;
    bad_state.state = WORKER_STATE_COUNT;
    assert_int_equal(sys_pipe(fds, true, NULL), RC_OK);
    (void)heartbeat_send(fds[1], &bad_magic);
    (void)heartbeat_send(fds[1], &bad_state);
    assert_int_equal(heartbeat_receive(fds[0], &got), -2);
    assert_int_equal(heartbeat_receive(fds[0], &got), -2);
    assert_int_equal(write(fds[1], "half", 4), 4);
    assert_int_equal(heartbeat_receive(fds[0], &got), -2);
    assert_int_equal(got.seq, 77);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void test_state_names(void **state)
{
    (void)state;
    assert_string_equal(worker_state_name(WORKER_DATABASE), "database");
    assert_string_equal(worker_state_name(WORKER_STATE_COUNT), "unknown");
    assert_string_equal(worker_state_name(UINT32_MAX), "unknown");
}

static void test_who_waits_for_room_is_woken(void **state)
{
    struct order order = {.magic = ORDER_MAGIC, .kind = ORDER_SETTLED}, got;
    int fds[2];

    (void)state;
    assert_int_equal(sys_seqpacket_pair(fds, NULL), RC_OK);
    while (order_send(fds[0], &order) == RC_OK)
        continue;
    assert_int_equal(order_send_within(fds[0], &order, 1), RC_AGAIN);
    pid_t reader = fork();
    while (reader == 0 && order_receive(fds[1], &got) == RC_OK)
        continue;
    if (reader == 0)
        _exit(0);
    assert_int_equal(order_send_within(fds[0], &order, 60000), RC_OK);
    assert_int_equal(waitpid(reader, NULL, 0), reader);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void test_orders_go_both_ways(void **state)
{
    struct order order = {.magic = ORDER_MAGIC, .kind = ORDER_SETTLE, .life = 5}, got;
    int fds[2], sent = 0, received = 0;

    (void)state;
    assert_int_equal(sys_seqpacket_pair(fds, NULL), RC_OK);
    memset(order.text, 'x', sizeof order.text); /* without its NUL */
    assert_int_equal(order_receive(fds[1], &got), RC_AGAIN);
    assert_int_equal(order_send(fds[0], &order), RC_OK);
    assert_int_equal(order_receive(fds[1], &got), RC_OK);
    assert_int_equal(got.life, 5);
    assert_int_equal(strlen(got.text), sizeof got.text - 1);
    while (order_send(fds[0], &order) == RC_OK)
        sent++;
    assert_int_equal(order_send(fds[0], &order), RC_AGAIN);
    while (order_receive(fds[1], &got) == RC_OK)
        received++;
    assert_int_equal(received, sent);
    assert_int_equal(send(fds[0], "no order", 8, 0), 8);
    assert_int_equal(order_receive(fds[1], &got), RC_PROTO);
    order.magic++;
    assert_int_equal(order_send(fds[0], &order), RC_OK);
    assert_int_equal(order_receive(fds[1], &got), RC_PROTO);
    (void)close(fds[0]);
    assert_int_equal(order_receive(fds[1], &got), RC_DONE);
    assert_int_equal(order_send(fds[1], &order), RC_DONE);
    (void)close(fds[1]);
}

static void test_pool_memory_is_shared_and_sealed(void **state)
{
    struct pool_mem *mine, *theirs;
    int fd;

    (void)state;
    assert_int_equal(pool_mem_new(8, "1-2-abc", &fd, &mine, NULL), RC_OK);
    assert_int_equal(pool_mem_map(fd, &theirs, NULL), RC_OK);
    assert_int_not_equal(ftruncate(fd, 64), 0);
    assert_int_not_equal(ftruncate(fd, 1 << 20), 0);
    atomic_store(&mine->slots[7].life, 99);
    assert_int_equal(atomic_load(&theirs->slots[7].life), 99);
    assert_string_equal(theirs->pool_id, "1-2-abc");
    assert_false(pool_wake(theirs, 1));
    assert_int_equal(atomic_load(&mine->wake), 1);
    atomic_store(&mine->slots[7].has_room, 1); /* nobody sleeps, and this one could take it */
    assert_true(pool_wake(theirs, 1));
    assert_false(pool_wake(theirs, 0));
    atomic_store(&mine->slots[7].life, 0);
    assert_false(pool_wake(theirs, 1));
    mine->version++;
    pool_mem_unmap(theirs);
    assert_int_equal(pool_mem_map(fd, &theirs, NULL), RC_PROTO);
    mine->version--;
    mine->boot_id[0] ^= 1;
    assert_int_equal(pool_mem_map(fd, &theirs, NULL), RC_PROTO);
    pool_mem_unmap(mine);
    (void)close(fd);
}

static void test_other_memory_is_refused(void **state)
{
    struct pool_mem *mem;
    int fd = memfd_create("x", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(pool_mem_map(fd, &mem, NULL), RC_PROTO);
    assert_int_equal(ftruncate(fd, 8192), 0);
    assert_int_equal(pool_mem_map(fd, &mem, NULL), RC_PROTO);
    (void)close(fd);
    assert_int_equal(pool_mem_map(fd, &mem, NULL), RC_SYS);
    assert_int_equal(pool_mem_new(POOL_SLOTS_MAX + 1, "x", &fd, &mem, NULL), RC_BUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_pipe_drops_beats),
        cmocka_unit_test(test_nonsense_beats),
        cmocka_unit_test(test_state_names),
        cmocka_unit_test(test_orders_go_both_ways),
        cmocka_unit_test(test_who_waits_for_room_is_woken),
        cmocka_unit_test(test_pool_memory_is_shared_and_sealed),
        cmocka_unit_test(test_other_memory_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
