/* Configuration: what is refused, and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "tests/unit/config_text.h"

#define KINDS                                                                                      \
    "exec PROGRAM ARGS, resident PROGRAM ARGS, plugin FILE.so, shell COMMAND, or builtin noop, "   \
    "sleep DURATION or fail TEXT\n"

/* J: a job that is right, so that only the wrong thing is told. */
#define J "[job a]\nhandler = builtin noop\n"
#define S "[job a]\nstages = x y\n[stage a.x]\nhandler = exec t\n[stage a.y]\nhandler = exec t\n"

static const struct {
    const char *text, *problems;
} wrong[] = {
    {"[pool]\nworker = 4\n",
        "stint.conf:2: unknown key \"worker\" in [pool]; did you mean \"workers\"?\n"},
    {"[pool]\nquux = 4\n", "stint.conf:2: unknown key \"quux\" in [pool]; the commented example "
                           "stint.conf lists all\n"},
    {"[pool]\nhandler = exec x\npriority = 1\n",
        "stint.conf:2: unknown key \"handler\" in [pool]; it belongs to [stage JOB.NAME]\n"
        "stint.conf:3: unknown key \"priority\" in [pool]; it belongs to [job NAME]\n"},
    {S "tiemout = 1s\n",
        "stint.conf:7: unknown key \"tiemout\" in [stage a.y]; did you mean \"timeout\"?\n"},
    {J "max_attemps = 1\n",
        "stint.conf:3: unknown key \"max_attemps\" in [job a]; did you mean \"max_attempts\"?\n"},
    {"[pool]\nworkers = 2\nworkers = 3\n",
        "stint.conf:3: the key \"workers\" is there twice in [pool]; the first is in line 2\n"},
    {J J, "stint.conf:3: the section [job a] is there twice; the first is at stint.conf:1\n"},
    {"[pools]\n", "stint.conf:1: unknown section [pools]; did you mean [pool]?\n"},
    {"[jobs a]\nx = 1\n", "stint.conf:1: unknown section [jobs a]; did you mean [job NAME]?\n"},
    {"[thing x]\nrate = 1\n", "stint.conf:1: unknown section [thing x]; expected [pool], "
                              "[resource NAME], [job NAME], [stage JOB.NAME] or [template NAME]\n"},
    {"[resource x]\nrate = 10\n", "stint.conf:2: rate: \"10\" has no unit; expected N/s, N/m, N/h "
                                  "or N/d, like 10/s or 5000/h\n"},
    {"[resource x]\nrate = 10/w\n", "stint.conf:2: rate: \"10/w\" has no unit that is known; "
                                    "expected N/s, N/m, N/h or N/d, like 10/s or 5000/h\n"},
    {"[resource x]\nrate = .5/s\n",
        "stint.conf:2: rate: \".5/s\" is no whole number; did you mean 30/m?; "
        "expected N/s, N/m, N/h or N/d, like 10/s or 5000/h\n"},
    {"[resource x]\nrate = 0/s\n", "stint.conf:2: rate: \"0/s\" would never let anything start; "
                                   "expected N/s, N/m, N/h or N/d, like 10/s or 5000/h\n"},
    {"[resource x]\nrate = 1000001/s\n",
        "stint.conf:2: rate: \"1000001/s\" is more than 1000000/s; expected N/s, N/m, N/h or N/d, "
        "like 10/s or 5000/h\n"},
    {"[resource x]\nrate = 1/s\nburst = 0\n",
        "stint.conf:3: burst: \"0\" is too small (at least 1); expected a "
        "whole number of at least 1\n"},
    {"[resource x]\nburst = 1\n",
        "stint.conf:1: resource x has no rate; add a line like \"rate = 10/s\"\n"},
    {"[resource none]\nrate = 1/s\n",
        "stint.conf:1: a resource cannot be named none: \"resource = none\" means that there is "
        "none\n"},
    {"[resource github]\nrate = 1/s\n" J "resource = githb\n",
        "stint.conf:5: resource: there is no resource \"githb\"; did you mean \"github\"?\n"},
    {J "resource = api\n", "stint.conf:3: resource: there is no resource \"api\"; add a section "
                           "[resource api] with a rate\n"},
    {"[resource r]\nrate = 1/s\n" J "resource = r r\n",
        "stint.conf:5: resource: \"r\" is there twice\n"},
    {"[stage fetch]\nx = y\n", "stint.conf:1: [stage fetch] does not say which job; expected "
                               "[stage JOB.NAME]\n"},
    {"[job a b]\n", "stint.conf:1: \"a b\" in [job a b] is no name; expected 1 to 64 of A-Z, a-z, "
                    "0-9, _ and -\n"},
    {"[job]\n", "stint.conf:1: \"\" in [job] is no name; expected 1 to 64 of A-Z, a-z, 0-9, _ and "
                "-\n"},
    {"[pool\nworkers = x\n", "stint.conf:1: \"[pool\" is no section; expected a line like [job "
                             "NAME]\n"},
    {"workers = 2\n", "stint.conf:1: \"workers\" stands before the first section; expected a line "
                      "like [pool] above it\n"},
    {"[pool]\nworkers\n",
        "stint.conf:2: \"workers\" is neither a section nor KEY = VALUE (a comment"
        " begins with #)\n"},
    {"[pool]\nworkers =\n",
        "stint.conf:2: workers: has no value; expected a number like 4, or a range like 2..16\n"},
    {"[pool]\nworkers = 4..2\n", "stint.conf:2: workers: \"4..2\" begins with the bigger number; "
                                 "expected a number like 4, or a range like 2..16\n"},
    {"[pool]\nworkers = 513\n",
        "stint.conf:2: workers: \"513\" is too big (at most 512); expected a number like "
        "4, or a range like 2..16\n"},
    {"[pool]\nworkers = 0\n",
        "stint.conf:2: workers: \"0\" is too small (at least 1); expected a number like "
        "4, or a range like 2..16\n"},
    {"[pool]\nworkers = many\n", "stint.conf:2: workers: \"many\" is no number and no range; "
                                 "expected a number like 4, or a range like 2..16\n"},
    {"[pool]\nheartbeat_interval = 1\n", "stint.conf:2: heartbeat_interval: \"1\" has no unit; did "
                                         "you mean 1s? (ms, s, m, h or d)\n"},
    {"[pool]\nheartbeat_interval = 1w\n",
        "stint.conf:2: heartbeat_interval: \"1w\" is no duration; expected a number and ms, s, m, "
        "h or d, like 30s or 1.5h\n"},
    {"[pool]\nheartbeat_timeout = 1999ms\n",
        "stint.conf:2: heartbeat_timeout is shorter than twice "
        "heartbeat_interval; expected at least 2s\n"},
    {"[pool]\nheartbeat_interval = 6s\n", "stint.conf:2: heartbeat_timeout is shorter than twice "
                                          "heartbeat_interval; expected at least 12s\n"},
    {"[pool]\ndurability = fast\n",
        "stint.conf:2: durability: \"fast\" is not known; expected full or normal\n"},
    {"[pool]\nlog = journal\n", "stint.conf:2: log: \"journal\" is not known; expected stderr, "
                                "syslog or file PATH\n"},
    {"[pool]\nlog = file\n",
        "stint.conf:2: log: \"file\" needs a path; expected stderr, syslog or file PATH\n"},
    {J "priority = 1..2\n", "stint.conf:3: priority: \"1..2\" is no whole number; expected a whole "
                            "number from -1000000 to 1000000\n"},
    {J "priority = 1000001\n",
        "stint.conf:3: priority: \"1000001\" is too big (at most 1000000); expected a whole "
        "number from -1000000 to 1000000\n"},
    {J "backoff = 2m..1m\n", "stint.conf:3: backoff: \"2m..1m\" begins with the longer wait; "
                             "expected BASE or BASE..MAX, like 60s or 60s..1h\n"},
    {J "jitter = 30\n", "stint.conf:3: jitter: \"30\" has no unit; did you mean 30%?\n"},
    {J "backoff_factor = 0.5\n", "stint.conf:3: backoff_factor: \"0.5\" is too small; expected a "
                                 "number from 1 to 100, like 2 or 1.5\n"},
    {J "stderr_tail = 65537\n",
        "stint.conf:3: stderr_tail: \"65537\" is too big (at most 64K); expected a size "
        "of at most 64K, like 4K\n"},
    {J "version = a\n  b\tc\n",
        "stint.conf:3: version: \"a b\\tc\" has a control character or is not "
        "UTF-8; expected a text of at most 128 characters\n"},
    {"[job a]\n", "stint.conf:1: job a has nothing to run; add \"handler = exec PROGRAM\" or "
                  "\"stages = NAME NAME\"\n"},
    {"[job a]\nhandler = exec\n", "stint.conf:2: handler: exec needs a program; expected " KINDS},
    {"[job a]\nhandler = exec x 'y\n", "stint.conf:2: handler: a quote is not closed; expected "
                                       "" KINDS},
    {"[job a]\nhandler = exce x\n",
        "stint.conf:2: handler: unknown kind of handler \"exce\"; did you mean \"exec\"?; expected "
        "" KINDS},
    {"[job a]\nhandler = builtin discover\n",
        "stint.conf:2: handler: unknown builtin \"discover\"; expected " KINDS},
    {"[job a]\nhandler = plugin\n",
        "stint.conf:2: handler: plugin needs a file, like plugin ./fetch.so; expected " KINDS},
    {"[job a]\nhandler = resident ./r\nconcurrency = 50\nbatch = 21\n",
        "stint.conf:3: stage a.a: concurrency 50 times batch 21 is more than 1000\n"},
    {J "concurrency = 2\n", "stint.conf:3: concurrency is for handler = resident or plugin; stage "
                            "a.a has handler = builtin noop\n"},
    {J "batch = 2\n", "stint.conf:3: batch is for handler = exec, shell, resident or plugin; stage "
                      "a.a has handler = builtin noop\n"},
    {"[job a]\nhandler = exec t\nconcurrency = 2\n",
        "stint.conf:3: concurrency is for handler = resident or plugin; stage a.a has handler = "
        "exec t\n"},
    {"[job a]\nstages = x y x\n",
        "stint.conf:2: stages: \"x\" is there twice; expected names divided by blanks, like: fetch "
        "parse store\n"},
    {"[job a]\nstages = x, y\n",
        "stint.conf:2: stages: \"x,\" is no name (letters, digits, _ and -, at most 64); expected "
        "names divided by blanks, like: fetch parse store\n"},
    {"[job a]\nstages = x y\n[stage a.x]\nhandler = exec t\n[stage a.y]\ntimeout = 1s\n",
        "stint.conf:5: stage a.y has no handler; add \"handler = exec PROGRAM\" to [stage a.y]\n"},
    {"[job a]\nstages = x\n",
        "stint.conf:2: stage a.x has no handler; add \"handler = exec PROGRAM\" to [stage a.x]\n"},
    {S "[stage a.z]\ntimeuot = 1s\n",
        "stint.conf:7: [stage a.z]: job a has no stage \"z\"; add it to its \"stages = \"\n"
        "stint.conf:8: unknown key \"timeuot\" in [stage a.z]; did you mean \"timeout\"?\n"},
    {"[job a]\nstages = fetch\n[stage a.fetch]\nhandler = exec t\n[stage a.fecth]\nhandler = exec "
     "t\n",
        "stint.conf:5: [stage a.fecth]: job a has no stage \"fecth\"; did you mean \"fetch\"?\n"},
    {"[job news]\nhandler = exec x\n[stage nwes.fetch]\n",
        "stint.conf:3: [stage nwes.fetch] is of an unknown job \"nwes\"; did you mean \"news\"?\n"},
    {"[stage q.fetch]\n",
        "stint.conf:1: [stage q.fetch] is of an unknown job \"q\"; add a section [job q]\n"},
    {"[job a]\nhandler = exec t\nstages = x\n[stage a.x]\nhandler = exec t\n",
        "stint.conf:2: handler stands in a job that has stages; it belongs to [stage a.x]\n"},
    {J "discover = lst x\n",
        "stint.conf:3: discover: unknown strategy \"lst\"; did you mean "
        "\"list\"?; expected list FILE, glob PATTERN, exec COMMAND or manual\n"},
    {J "discover = list\n", "stint.conf:3: discover: list needs a file; expected list FILE, glob "
                            "PATTERN, exec COMMAND or manual\n"},
    {J "discover = exec a 'b\n",
        "stint.conf:3: discover: a quote is not closed; expected list FILE, "
        "glob PATTERN, exec COMMAND or manual\n"},
    {J "discover = list x\ndiscover.format = xml\n",
        "stint.conf:4: discover.format: \"xml\" is not known; expected csv, tsv, jsonl or text\n"},
    {J "discover = glob x\ndiscover.key = x\n",
        "stint.conf:4: discover.key is not for discover = glob, but for: list exec\n"},
    {J "discover.fromat = csv\n",
        "stint.conf:3: unknown key \"discover.fromat\" in [job a]; did you "
        "mean \"discover.format\"?\n"},
    {"[pool]\nsocket = x\n  workers = 4\n",
        "stint.conf:3: \"workers = 4\" is indented further "
        "than the key above: that makes it a part "
        "of its value; indent it less, or, if it is meant so, leave out the blank before the =\n"},
    {"[pool]\nx\x1b[31m = 1\n", "stint.conf:2: \"x\\x1b[31m = 1\" is neither a section nor KEY = "
                                "VALUE (a comment begins with #)\n"},
};

static void wrong_input_gets_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        is_wrong(wrong[i].text, wrong[i].problems);
}

static void all_problems_come_at_once_from_all_files(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct config *config = NULL;
    assert_int_equal(parse2("[pool]\nworkers = x\n" J "merge = no\n",
                         "# more\n" J "[pool]\nsocket = x\n[job b]\nhandler = exec y\n",
                         "[pool]\nworkers = 4\nheartbeat_timeout = 5\ndurability = normal\n",
                         &config, &problems),
        RC_INVALID);
    assert_string_equal(buf_str(&problems),
        "jobs.d/news.conf:2: the section [job a] is there twice; the first is at stint.conf:3\n"
        "jobs.d/news.conf:4: the section [pool] is there twice; the first is at stint.conf:1\n"
        "stint.conf:2: workers: \"x\" is no number and no range; expected a number like 4, or a "
        "range like 2..16\n"
        "STINT_POOL_HEARTBEAT_TIMEOUT: heartbeat_timeout: \"5\" has no unit; did you mean 5s? (ms, "
        "s, "
        "m, h or d)\n"
        "stint.conf:5: merge: \"no\" is not known; expected overwrite or keep\n");
}

static void there_are_bounds_to_resources(void **state)
{
    (void)state;
    for (int n = 8; n <= 9; n++) {
        CLEANUP(buf_fini) struct buf text = BUF_INIT;
        CLEANUP(buf_fini) struct buf problems = BUF_INIT;
        struct config *config = NULL;
        for (int i = 0; i < (n == 8 ? 64 : 65); i++)
            buf_addf(&text, "[resource r%d]\nrate = 1/s\n", i);
        buf_adds(&text, J "resource =");
        for (int i = 0; i < n; i++)
            buf_addf(&text, " r%d", i);
        assert_int_equal(
            parse2(buf_str(&text), NULL, NULL, &config, &problems), n == 8 ? RC_OK : RC_INVALID);
        if (n == 9)
            assert_string_equal(buf_str(&problems),
                "stint.conf:129: [resource r64] is one too many; a configuration has at most 64 "
                "resources\n"
                "stint.conf:133: resource: \"r8\" is one too many; a stage has at most 8\n");
        config_free(config);
    }
}

static void many_problems_are_counted(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct config *config = NULL;
    for (int i = 0; i < 150; i++)
        buf_adds(&text, "nonsense\n");
    assert_int_equal(parse2(buf_str(&text), NULL, NULL, &config, &problems), RC_INVALID);
    assert_non_null(strstr(buf_str(&problems), "\n… and 50 more problems\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_input_gets_its_words),
        cmocka_unit_test(all_problems_come_at_once_from_all_files),
        cmocka_unit_test(there_are_bounds_to_resources),
        cmocka_unit_test(many_problems_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
