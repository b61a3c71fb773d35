/* How a configuration travels: read from files and environment, packed, sealed, unpacked; and the
 * example file, which must be what the option table says. The first argument is the path of
 * conf/stint.conf; with --update behind it the file is written anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/options.h"
#include "common/config/parse.h"

static const char *example_path;
static char dir[] = "/tmp/stint-test-XXXXXX";

static void path_of(const char *name, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s/%s", dir, name);
}

static void write_file(const char *name, const void *text, size_t len, mode_t mode)
{
    char path[128];
    path_of(name, path, sizeof(path));
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(sys_write_all(fd, text, len), RC_OK);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

static void put(const char *name, const char *text)
{
    write_file(name, text, strlen(text), 0600);
}

static int set_up(void **state)
{
    (void)state;
    char path[128];
    if (!mkdtemp(dir))
        return -1;
    path_of("jobs.d", path, sizeof(path));
    return mkdir(path, 0700);
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"jobs.d/b.conf", "jobs.d/a.conf", "jobs.d/c.txt",
        "jobs.d/.d.conf", "jobs.d", "stint.conf", "key", ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        path_of(names[i], path, sizeof(path));
        (void)remove(path);
    }
    return 0;
}

static enum rc read_it(struct config_sources *ret, struct err *err)
{
    char path[128];
    path_of("stint.conf", path, sizeof(path));
    return config_sources_read(path, ret, err);
}

/* Reads and parses; DIR in expected stands for the directory. NULL: all is well. */
static void is_refused(const char *expected)
{
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    CLEANUP(buf_fini) struct buf wanted = BUF_INIT;
    struct config_sources s = {.directory = NULL};
    struct config *config = NULL;
    assert_int_equal(read_it(&s, NULL), RC_OK);
    enum rc rc = config_parse(&s, &config, &problems);
    for (const char *p = expected ? expected : ""; *p; p++) {
        if (strncmp(p, "DIR", 3) == 0 && strchr("/ \n", p[3])) {
            buf_adds(&wanted, dir);
            p += 2;
        } else {
            buf_addc(&wanted, *p);
        }
    }
    assert_string_equal(buf_str(&problems), buf_str(&wanted));
    assert_int_equal(rc, expected ? RC_INVALID : RC_OK);
    config_free(config);
    config_sources_fini(&s);
}

static void files_come_in_name_order_then_the_environment(void **state)
{
    (void)state;
    struct config_sources s = {.directory = NULL};
    put("stint.conf", "[pool]\nworkers = 3\n");
    put("jobs.d/b.conf", "# b\n");
    put("jobs.d/a.conf", "# a\n");
    put("jobs.d/c.txt", "not read\n");
    put("jobs.d/.d.conf", "not read\n");
    assert_int_equal(setenv("STINT_POOL_WORKERS", "5", 1), 0);
    assert_int_equal(setenv("STINT_POOL_HEARTBEAT_TIMEOUT", "20s", 1), 0);
    assert_int_equal(setenv("STINT_POOL_DURABILITY", "", 1), 0); /* empty: as if not set */
    assert_int_equal(setenv("STINT_POOL_ID", "1-2-3", 1), 0);
    assert_int_equal(read_it(&s, NULL), RC_OK);
    assert_string_equal(s.directory, dir);
    assert_int_equal(s.len, 4);
    assert_string_equal(s.list[0].name, "stint.conf");
    assert_string_equal(s.list[1].name, "jobs.d/a.conf");
    assert_string_equal(s.list[1].text, "# a\n");
    assert_string_equal(s.list[2].name, "jobs.d/b.conf");
    assert_string_equal(s.list[3].name, "environment");
    assert_string_equal(s.list[3].text, "[pool]\nworkers = 5\nheartbeat_timeout = 20s\n");
    struct config *config = NULL;
    assert_int_equal(config_parse(&s, &config, NULL), RC_OK);
    assert_int_equal(config->pool.workers_min, 5);
    config_free(config);
    config_sources_fini(&s);
    /* What looks like an override and is none is found by the parser. */
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    assert_int_equal(setenv("STINT_POOL_WRKERS", "5", 1), 0);
    assert_int_equal(read_it(&s, NULL), RC_OK);
    assert_int_equal(config_parse(&s, &config, &problems), RC_INVALID);
    assert_non_null(strstr(buf_str(&problems), "\"workers\""));
    assert_int_equal(unsetenv("STINT_POOL_WRKERS"), 0);
    config_sources_fini(&s);
    config_sources_fini(&s);
    assert_int_equal(setenv("STINT_POOL_WORKERS", "5\n6", 1), 0);
    is_refused("STINT_POOL_WORKERS: has a line break; expected a number like 4, or a range like "
               "2..16\n");
    assert_int_equal(unsetenv("STINT_POOL_WORKERS"), 0);
    assert_int_equal(unsetenv("STINT_POOL_HEARTBEAT_TIMEOUT"), 0);
}

static void unsafe_and_unreadable_files_are_refused(void **state)
{
    (void)state;
    struct config_sources s = {.directory = NULL};
    struct err err;
    char path[128];
    write_file("stint.conf", "[pol]\n", 6, 0620);
    is_refused("DIR/stint.conf can be written by others, who could run programs by it; type: chmod "
               "go-w DIR/stint.conf\n"
               "stint.conf:1: unknown section [pol]; did you mean [pool]?\n");
    write_file("stint.conf", "", 0, 0644);
    write_file("jobs.d/a.conf", "", 0, 0602);
    is_refused("DIR/jobs.d/a.conf can be written by others, who could run programs by it; type: "
               "chmod go-w DIR/jobs.d/a.conf\n");
    write_file("jobs.d/a.conf", "\n[pol]\na\0b\n\0", 12, 0600);
    put("jobs.d/b.conf", "x\n");
    is_refused("jobs.d/a.conf:3: there is a NUL byte; a configuration is text\n"
               "jobs.d/a.conf:3: \"a?b\" is neither a section nor KEY = VALUE (a comment begins "
               "with #)\n"
               "jobs.d/a.conf:4: \"?\" is neither a section nor KEY = VALUE (a comment begins with "
               "#)\n"
               "jobs.d/a.conf:2: unknown section [pol]; did you mean [pool]?\n"
               "jobs.d/b.conf:1: \"x\" is neither a section nor KEY = VALUE (a comment begins with "
               "#)\n");
    put("jobs.d/b.conf", "");
    path_of("jobs.d/a.conf", path, sizeof(path));
    assert_int_equal(remove(path), 0);
    assert_int_equal(symlink("../shared/a.conf", path), 0);
    is_refused("jobs.d/a.conf is a link to ../shared/a.conf, which is not there; mend the link or "
               "type: rm DIR/jobs.d/a.conf\n");
    put("jobs.d/a.conf", "");
    assert_int_equal(config_sources_read("/nonexistent/stint.conf", &s, &err), RC_NOTFOUND);
    assert_string_equal(
        err.text, "there is no /nonexistent/stint.conf; a new one is made by: stint init DIR");
    assert_int_equal(config_sources_read(dir, &s, &err), RC_NOTFOUND);
    assert_non_null(strstr(err.text, " is a directory; type: stint -c "));
    assert_null(s.directory);
}

static void directories_of_others_are_refused(void **state)
{
    (void)state;
    char path[128];
    put("stint.conf", "");
    path_of("jobs.d", path, sizeof(path));
    assert_int_equal(chmod(path, 01777), 0);
    is_refused("the directory DIR/jobs.d can be written by others, who could put configuration "
               "files there; type: chmod go-w DIR/jobs.d\n");
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(chmod(dir, 0770), 0);
    is_refused("the directory DIR can be written by others, who could put configuration files "
               "there; type: chmod go-w DIR\n");
    assert_int_equal(chmod(dir, 01777), 0);
    is_refused(NULL);
    assert_int_equal(chmod(dir, 0700), 0);
}

static void packed_sources_come_out_the_same(void **state)
{
    (void)state;
    struct config_sources s = {.directory = NULL}, t = {.directory = NULL};
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    put("stint.conf", "[job a]\nhandler = exec \xc3\xa4\n");
    assert_int_equal(read_it(&s, NULL), RC_OK);
    config_sources_pack(&s, &packed);
    assert_int_equal(config_sources_unpack(buf_str(&packed), packed.len, &t, NULL), RC_OK);
    assert_string_equal(t.directory, s.directory);
    assert_int_equal(t.len, s.len);
    for (size_t i = 0; i < s.len; i++) {
        assert_string_equal(t.list[i].name, s.list[i].name);
        assert_string_equal(t.list[i].text, s.list[i].text);
    }
    config_sources_fini(&t);
    int fd = -1;
    assert_int_equal(sys_memfd("config", packed.data, packed.len, true, &fd, NULL), RC_OK);
    off_t before = lseek(fd, 3, SEEK_SET);
    struct config *config = NULL;
    assert_int_equal(config_from_fd(fd, &config, NULL), RC_OK);
    assert_string_equal(config->jobs[0].name, "a");
    assert_int_equal(lseek(fd, 0, SEEK_CUR), before);
    config_free(config);
    (void)close(fd);
    /* Cut anywhere, or with any byte changed: refused, or some other text; never a crash. The copy
     * has exactly the bytes that it should not read beyond. */
    for (size_t len = 0; len < packed.len; len++) {
        CLEANUP_FREE char *cut = xmalloc(len);
        memcpy(cut, packed.data, len);
        assert_int_equal(config_sources_unpack(cut, len, &t, NULL), RC_PROTO);
    }
    for (size_t i = 0; i < packed.len; i++) {
        CLEANUP_FREE char *copy = xmalloc(packed.len);
        memcpy(copy, packed.data, packed.len);
        copy[i] = (char)(copy[i] ^ 0xff);
        if (config_sources_unpack(copy, packed.len, &t, NULL) == RC_OK)
            config_sources_fini(&t);
    }
    config_sources_fini(&s);
    struct err err;
    assert_int_equal(config_from_fd(-1, &config, &err), RC_SYS);
}

static void secrets_travel_with_the_sources(void **state)
{
    (void)state;
    struct config_sources s = {.directory = NULL}, t = {.directory = NULL};
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct config *config = NULL;
    put("key", "abc\r\n");
    put("stint.conf", "[job a]\nhandler = exec x\nenv.A = @file:key\nenv.B = @file:key\n"
                      "env.C = @cred:none\n");
    assert_int_equal(read_it(&s, NULL), RC_OK);
    assert_int_equal(s.secrets_len, 2);
    assert_int_equal(config_parse(&s, &config, &problems), RC_INVALID);
    assert_non_null(strstr(buf_str(&problems), "stint.conf:5: env.C: there are no credentials"));
    s.is_lenient = true; /* as an operator's command */
    assert_int_equal(config_parse(&s, &config, NULL), RC_OK);
    assert_true(config->jobs[0].env.list[2].is_unknown);
    config_free(config);
    config_sources_pack(&s, &packed);
    assert_int_equal(config_sources_unpack(buf_str(&packed), packed.len, &t, NULL), RC_OK);
    assert_int_equal(config_parse(&t, &config, NULL), RC_INVALID); /* C is still not known */
    t.is_lenient = true;
    assert_int_equal(config_parse(&t, &config, NULL), RC_OK);
    assert_string_equal(config->jobs[0].env.list[0].entry, "A=abc");
    assert_string_equal(config->jobs[0].env.list[1].entry, "B=abc");
    assert_string_equal(config->jobs[0].env.list[0].reference, "@file:key");
    for (size_t len = 0; len < packed.len; len++) {
        struct config_sources cut = {.directory = NULL};
        assert_int_equal(config_sources_unpack(buf_str(&packed), len, &cut, NULL), RC_PROTO);
    }
    config_free(config);
    config_sources_fini(&s);
    config_sources_fini(&t);
}

static void the_first_problem_of_a_sealed_one_is_told(void **state)
{
    (void)state;
    struct config_sources s = {.directory = NULL};
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    put("stint.conf", "[pool]\nwokers = 2\nx = y\n");
    assert_int_equal(read_it(&s, NULL), RC_OK);
    config_sources_pack(&s, &packed);
    config_sources_fini(&s);
    CLEANUP_FD int fd = -1;
    assert_int_equal(sys_memfd("config", packed.data, packed.len, true, &fd, NULL), RC_OK);
    struct config *config = NULL;
    struct err err;
    assert_int_equal(config_from_fd(fd, &config, &err), RC_INVALID);
    assert_string_equal(
        err.text, "stint.conf:2: unknown key \"wokers\" in [pool]; did you mean \"workers\"?");
}

/* Takes the "#" from what is a section or a key, not from the prose. */
static void uncomment(const char *text, struct buf *out)
{
    while (*text) {
        size_t len = strcspn(text, "\n") + 1;
        bool is_code = text[0] == '#' && text[1] != ' ' && text[1] != '\n';
        buf_add(out, text + is_code, len - is_code);
        text += len;
    }
}

static void the_example_parses_with_and_without_comments(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    CLEANUP(buf_fini) struct buf bare = BUF_INIT;
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    bool is_only_discover = true;
    options_write_example(&text);
    uncomment(buf_str(&text), &bare);
    for (int i = 0; i < 2; i++) {
        char name[] = "stint.conf", where[] = "/srv";
        struct config_source one = {.name = name, .text = i ? bare.data : text.data};
        char reference[] = "@file:keys/api", value[] = "abc";
        struct config_secret secret = {.reference = reference, .value = value};
        struct config_sources s = {
            .directory = where, .list = &one, .len = 1, .secrets = &secret, .secrets_len = 1};
        struct config *config = NULL;
        enum rc rc = config_parse(&s, &config, &problems);
        /* The keys of other strategies than `manual` are the only ones that cannot all be right. */
        assert_int_equal(rc, i == 0 ? RC_OK : RC_INVALID);
        if (i == 0)
            assert_string_equal(buf_str(&problems), "");
        for (const char *line = buf_str(&problems); *line; line = strchr(line, '\n') + 1)
            is_only_discover =
                is_only_discover && strncmp(strchr(line, ' '), " discover.", 10) == 0;
        assert_true(is_only_discover);
        config_free(config);
    }
}

static void the_example_file_is_what_the_table_says(void **state)
{
    (void)state;
    if (!example_path)
        skip();
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    CLEANUP(buf_fini) struct buf file = BUF_INIT;
    options_write_example(&text);
    struct err err = {""};
    enum rc rc = sys_read_file(example_path, 1 << 20, &file, &err);
    if (rc != RC_OK || strcmp(buf_str(&file), buf_str(&text)) != 0)
        fail_msg("conf/stint.conf is not what the option table says: refresh it by running this "
                 "test with: %s --update",
            example_path);
}

static void the_man_page_has_every_section_and_key(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    options_write_man(&text);
    assert_non_null(strstr(buf_str(&text), "## [resource NAME]\n\nSomething shared"));
    assert_non_null(strstr(buf_str(&text), "\n*rate*\n\tSo many attempts"));
    assert_non_null(strstr(buf_str(&text), "\n*max\\_attempts*\n\tAfter so many"));
    size_t keys = 0;
    for (const char *p = buf_str(&text); (p = strstr(p, "*\n\t")) != NULL; p++)
        keys++;
    assert_int_equal(keys, options_len);
}

static int update(void)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    options_write_example(&text);
    FILE *file = fopen(example_path, "we");
    if (!file)
        return 1;
    bool is_written = fwrite(text.data, 1, text.len, file) == text.len;
    return fclose(file) == 0 && is_written ? 0 : 1;
}

int main(int argc, char **argv)
{
    example_path = argc > 1 ? argv[1] : NULL;
    if (argc > 2 && strcmp(argv[2], "--update") == 0)
        return update();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_in_name_order_then_the_environment),
        cmocka_unit_test(unsafe_and_unreadable_files_are_refused),
        cmocka_unit_test(directories_of_others_are_refused),
        cmocka_unit_test(packed_sources_come_out_the_same),
        cmocka_unit_test(secrets_travel_with_the_sources),
        cmocka_unit_test(the_first_problem_of_a_sealed_one_is_told),
        cmocka_unit_test(the_example_parses_with_and_without_comments),
        cmocka_unit_test(the_man_page_has_every_section_and_key),
        cmocka_unit_test(the_example_file_is_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
