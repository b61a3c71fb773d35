/* The tail of a handler: the newest bytes are kept, whole lines are shown once, a flood is cut in
 * the middle, and log messages are lines of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "worker/tail.h"

static const struct tail_about about = {"job", "stage", "key", INT64_C(5) << 24 | 7, 2};

struct place {
    int fd, pipe[2];
    struct tail_live to;
    uint64_t at;
    struct buf seen;
};

static int begin(void **state)
{
    static struct place place;
    place = (struct place){.fd = -1, .seen = BUF_INIT};
    assert_int_equal(live_new(1, &place.fd, NULL), RC_OK);
    assert_int_equal(live_map(place.fd, true, &place.to.live, NULL), RC_OK);
    assert_int_equal(sys_pipe(place.pipe, true, NULL), RC_OK);
    *state = &place;
    return 0;
}

static int end(void **state)
{
    struct place *p = *state;
    live_unmap(p->to.live);
    (void)close(p->fd);
    (void)close(p->pipe[0]);
    (void)close(p->pipe[1]);
    buf_fini(&p->seen);
    return 0;
}

/* What the newest turn showed, without times. */
static const char *shown(struct place *p)
{
    buf_reset(&p->seen);
    assert_int_equal(live_read(p->to.live, 0, &p->at, &p->seen), 0);
    const char *tab = p->seen.len > 0 ? strchr(p->seen.data, '\t') : NULL;
    return tab != NULL ? tab + 1 : buf_str(&p->seen);
}

static void say(struct place *p, struct tail *t, const char *text)
{
    assert_int_equal(sys_write_all(p->pipe[1], text, strlen(text)), RC_OK);
    assert_int_equal(tail_read(t, p->pipe[0]), RC_AGAIN);
}

#define HEAD "5-7\t2\tstderr\tjob\tstage\tkey\t"

static void test_whole_lines_once(void **state)
{
    struct place *p = *state;
    CLEANUP(tail_fini) struct tail t;
    tail_init(&t, 64);
    say(p, &t, "one\ntwo\nthr");
    tail_show(&t, &p->to, &about, "stderr", false);
    assert_string_equal(shown(p), HEAD "one\vtwo\n");
    tail_show(&t, &p->to, &about, "stderr", false);
    assert_string_equal(shown(p), "");
    say(p, &t, "ee\nfo\vur");
    tail_show(&t, &p->to, &about, "stderr", true);
    assert_string_equal(shown(p), HEAD "three\vfo ur\n");
}

static void test_only_the_newest_bytes_are_kept(void **state)
{
    struct place *p = *state;
    CLEANUP(tail_fini) struct tail t;
    size_t len;
    tail_init(&t, 6);
    say(p, &t, "0123456789");
    const char *kept = tail_kept(&t, &len);
    assert_int_equal(len, 6);
    assert_memory_equal(kept, "456789", 6);
}

static void flood(struct place *p, struct tail *t)
{
    char line[128];
    for (int i = 0; i < 500; i++) {
        (void)snprintf(line, sizeof line, "%99d\n", i);
        say(p, t, line);
    }
}

static void test_a_flood_is_cut_in_the_middle(void **state)
{
    struct place *p = *state;
    CLEANUP(tail_fini) struct tail t;
    tail_init(&t, 64);
    flood(p, &t);
    assert_true(t.text.len <= 16384);
    tail_show(&t, &p->to, &about, "stderr", false);
    assert_non_null(strstr(shown(p), " bytes left out so far)\n"));
    assert_true(p->seen.len < 20000);
    assert_string_equal(p->seen.data + p->seen.len - 4, "499\n");
}

/* What is shown later would push the note out of the ring. */
static void test_a_flood_is_told_again(void **state)
{
    struct place *p = *state;
    CLEANUP(tail_fini) struct tail t;
    size_t shows = 0, notes = 0;
    tail_init(&t, 64);
    flood(p, &t);
    for (; shows < 700; shows++) { /* more than the ring holds */
        char line[128];
        tail_show(&t, &p->to, &about, "stderr", false);
        notes += strstr(shown(p), "left out so far") != NULL;
        (void)snprintf(line, sizeof line, "%99zu\n", shows);
        say(p, &t, line);
    }
    assert_in_range(notes, 4, 6);
}

static void test_log_messages(void **state)
{
    struct place *p = *state;
    CLEANUP(tail_fini) struct tail t;
    size_t len;
    tail_init(&t, 64);
    tail_log(&t, &p->to, &about, "warn", "a\nb");
    assert_string_equal(shown(p), "5-7\t2\twarn\tjob\tstage\tkey\ta b\n");
    assert_string_equal(tail_kept(&t, &len), "warn: a b\n");
}

static void test_nobody_can_look_on(void **state)
{
    struct place *p = *state;
    const struct tail_live none = {.live = NULL};
    CLEANUP(tail_fini) struct tail t;
    tail_init(&t, 64);
    say(p, &t, "x\n");
    tail_show(&t, &none, &about, "stderr", true);
    tail_log(&t, &none, &about, "info", "y");
    assert_string_equal(shown(p), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole_lines_once, begin, end),
        cmocka_unit_test_setup_teardown(test_only_the_newest_bytes_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(test_a_flood_is_cut_in_the_middle, begin, end),
        cmocka_unit_test_setup_teardown(test_a_flood_is_told_again, begin, end),
        cmocka_unit_test_setup_teardown(test_log_messages, begin, end),
        cmocka_unit_test_setup_teardown(test_nobody_can_look_on, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
