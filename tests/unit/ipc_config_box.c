/* The configuration box: what is proposed is not in force, what is in force is never touched, and
 * nobody but its maker can write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/sys.h"
#include "common/ipc/config_box.h"

struct fixture {
    int fd;
    struct config_box *box;
    const struct config_box *seen; /* as a child maps it */
    struct err err;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    assert_int_equal(config_box_new(&f->fd, &f->box, &f->err), RC_OK);
    assert_int_equal(config_box_map(f->fd, &f->seen, &f->err), RC_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    config_box_unmap(f->seen);
    config_box_unmap(f->box);
    (void)close(f->fd);
    free(f);
    return 0;
}

static enum rc propose(struct fixture *f, uint64_t generation, uint64_t spec, const char *text)
{
    struct buf packed = BUF_INIT;
    const struct config_stamp stamp = {generation, spec};
    buf_adds(&packed, text);
    enum rc rc = config_box_propose(f->box, f->fd, &stamp, &packed, &f->err);
    buf_fini(&packed);
    return rc;
}

static void assert_reads(struct fixture *f, uint64_t generation, uint64_t spec, const char *text)
{
    struct buf got = BUF_INIT;
    struct config_stamp stamp = {0};
    assert_int_equal(config_box_read(f->seen, generation, &got, &stamp, &f->err), RC_OK);
    assert_string_equal(buf_str(&got), text);
    assert_int_equal(stamp.spec_generation, spec);
    buf_fini(&got);
}

static void test_a_proposal_is_not_in_force(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(propose(f, 1, 1, "one"), RC_OK);
    config_box_accept(f->box, 1);
    assert_int_equal(propose(f, 2, 2, "two"), RC_OK);
    assert_reads(f, 0, 1, "one");
    assert_reads(f, 2, 2, "two");
    assert_int_equal(propose(f, 3, 1, "three"), RC_OK); /* the second was refused */
    assert_reads(f, 0, 1, "one");
    struct buf got = BUF_INIT;
    struct config_stamp stamp;
    assert_int_equal(config_box_read(f->seen, 2, &got, &stamp, &f->err), RC_NOTFOUND);
    buf_fini(&got);
    config_box_accept(f->box, 3);
    assert_int_equal(config_box_accepted(f->seen), 3);
    assert_reads(f, 0, 1, "three");
    assert_reads(f, 1, 1, "one"); /* until the next proposal */
}

static void test_nobody_else_may_write(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    assert_int_equal(fstat(f->fd, &st), 0);
    assert_ptr_equal(
        mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0), MAP_FAILED);
    assert_int_equal(pwrite(f->fd, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(f->fd, 0), -1);
    assert_int_equal(fcntl(f->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

static void test_what_does_not_fit_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct buf packed = BUF_INIT;
    const struct config_stamp stamp = {2, 2};
    assert_int_equal(propose(f, 1, 1, "one"), RC_OK);
    config_box_accept(f->box, 1);
    memset(buf_room(&packed, CONFIG_HALF_BYTES + 1), 'x', CONFIG_HALF_BYTES + 1);
    buf_wrote(&packed, CONFIG_HALF_BYTES + 1);
    assert_int_equal(config_box_propose(f->box, f->fd, &stamp, &packed, &f->err), RC_LIMIT);
    assert_non_null(strstr(f->err.text, "at most 16777216"));
    assert_reads(f, 0, 1, "one");
    packed.len--;
    assert_int_equal(config_box_propose(f->box, f->fd, &stamp, &packed, &f->err), RC_OK);
    buf_fini(&packed);
}

/* A large one is copied, not lived in: what is unused takes no memory. */
static void test_it_is_sparse(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    assert_int_equal(propose(f, 1, 1, "one"), RC_OK);
    assert_int_equal(fstat(f->fd, &st), 0);
    assert_true(st.st_blocks * 512 <= 65536);
}

/* Who sends one in pieces sends one, whatever is accepted meanwhile. */
static void test_pieces_of_one(void **state)
{
    struct fixture *f = *state;
    char piece[4];
    assert_int_equal(config_box_piece(f->box, 0, 0, piece, 2), 0);
    assert_int_equal(propose(f, 1, 1, "three"), RC_OK);
    config_box_accept(f->box, 1);
    assert_int_equal(config_box_piece(f->box, 1, 0, piece, 4), 4);
    assert_memory_equal(piece, "thre", 4);
    assert_int_equal(propose(f, 2, 1, "another"), RC_OK);
    config_box_accept(f->box, 2);
    assert_int_equal(config_box_piece(f->box, 1, 4, piece, 4), 1);
    assert_int_equal(piece[0], 'e');
    assert_int_equal(config_box_piece(f->box, 1, 5, piece, 4), 0);
    assert_int_equal(propose(f, 3, 1, "the third"), RC_OK);
    assert_int_equal(config_box_piece(f->box, 1, 0, piece, 4), 0); /* gone */
}

static void test_strangers_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct config_box *box = NULL;
    int fd = -1;
    assert_int_equal(config_box_map(-1, &box, &f->err), RC_SYS);
    assert_int_equal(sys_memfd("other", NULL, 4096, false, &fd, &f->err), RC_OK);
    assert_int_equal(config_box_map(fd, &box, &f->err), RC_PROTO);
    (void)close(fd);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_proposal_is_not_in_force),
        T(test_nobody_else_may_write),
        T(test_what_does_not_fit_changes_nothing),
        T(test_it_is_sparse),
        T(test_pieces_of_one),
        T(test_strangers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
