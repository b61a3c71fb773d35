/* The request that a handler reads, and the environment that it is started with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ipc/claim.h"
#include "worker/env.h"
#include "worker/request.h"

static char job_name[] = "licences", stage_name[] = "classify", version[] = "2026-02-26.1";
static char key[] = "a \"quoted\" key \xc3\xbc", data[] = "{\"n\":[1,2.50,\"x\"]}";
static char inputs[] = "{\"read\":{\"lines\":3},\"skim\":null}", checkpoint[] = "{\"page\":7}";
static char handler_text[] = "";

static struct stage_spec stage_spec = {
    .name = stage_name,
    .version = version,
    .handler = {.text = handler_text},
    .tuning = {.max_attempts = 5, .timeout_ms = 30000},
};
static struct job_spec job_spec = {.name = job_name, .stages = &stage_spec, .stages_len = 1};
static struct catalog_job job = {.id = 1, .spec = &job_spec};
static const struct catalog_stage stage = {.id = 2, .spec = &stage_spec, .job = &job};

static struct run make_run(void)
{
    return (struct run){
        .id = 77,
        .item_id = 5,
        .stage_id = 2,
        .claim = claim_make(12, 34),
        .state = {.attempts = 3},
        .key = key,
        .data = data,
        .inputs = inputs,
    };
}

static json_t *write_and_parse(const struct run *run)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    json_error_t error;
    struct attempt a = {.run = *run}, *items[] = {&a};
    const struct call call = {.id = run->id, .items = items, .len = 1};
    buf_adds(&a.version, version);
    request_write_call(&call, &stage, &out);
    buf_fini(&a.version);
    assert_int_equal(out.data[out.len - 1], '\n');
    assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
    json_t *request = json_loads(out.data, JSON_REJECT_DUPLICATES, &error);
    if (request == NULL)
        fail_msg("%s: %s", error.text, out.data);
    return request;
}

static void test_request_has_all_fields(void **state)
{
    const char *type, *job_text, *stage_text, *key_text, *claim, *version_text;
    json_int_t id, attempt, max_attempts, deadline_ms;
    json_t *data_value, *checkpoint_value, *inputs_value, *waited;
    (void)state;
    struct run run = make_run();
    json_t *request = write_and_parse(&run);
    /* "!": no further members */
    assert_int_equal(
        0, json_unpack(request, "{s:s,s:I,s:s,s:s,s:s,s:o,s:I,s:I,s:o,s:o,s:o,s:s,s:I,s:s!}",
               "type", &type, "id", &id, "job", &job_text, "stage", &stage_text, "key", &key_text,
               "data", &data_value, "attempt", &attempt, "max_attempts", &max_attempts,
               "checkpoint", &checkpoint_value, "inputs", &inputs_value, "waited", &waited, "claim",
               &claim, "deadline_ms", &deadline_ms, "version", &version_text));
    assert_string_equal(type, "run");
    assert_int_equal(id, 77);
    assert_string_equal(job_text, job_name);
    assert_string_equal(stage_text, stage_name);
    assert_string_equal(key_text, key);
    assert_int_equal(json_array_size(json_object_get(data_value, "n")), 3);
    assert_int_equal(attempt, 3);
    assert_int_equal(max_attempts, 5);
    assert_true(json_is_null(checkpoint_value));
    assert_true(json_is_null(json_object_get(inputs_value, "skim")));
    assert_true(json_is_array(waited) && json_array_size(waited) == 0);
    assert_string_equal(claim, "12-34");
    assert_int_equal(deadline_ms, 30000);
    assert_string_equal(version_text, version);
    json_decref(request);
}

static void test_request_has_the_checkpoint(void **state)
{
    (void)state;
    struct run run = make_run();
    run.checkpoint = checkpoint;
    run.inputs = NULL;
    json_t *request = write_and_parse(&run);
    json_t *page = json_object_get(json_object_get(request, "checkpoint"), "page");
    assert_int_equal(json_integer_value(page), 7);
    assert_true(json_is_object(json_object_get(request, "inputs")));
    json_decref(request);
}

static bool has_entry(char **envp, const char *entry)
{
    for (; *envp != NULL; envp++)
        if (strcmp(*envp, entry) == 0)
            return true;
    return false;
}

static void test_environment(void **state)
{
    static char env[][40] = {"PATH=/bin", "STINT_POOL_WORKERS=9", "NOTIFY_SOCKET=/x",
        "LISTEN_FDS=1", "WATCHDOG_USEC=5", "STINT_JOB=old", "STINT_JOBS=kept", "STINT_POOL_ID=old",
        "HOME=/root"};
    char *environment[sizeof(env) / sizeof(env[0]) + 1] = {NULL};
    struct handler_env handler_env;
    (void)state;
    for (size_t i = 0; i < sizeof(env) / sizeof(env[0]); i++)
        environment[i] = env[i];
    struct run run = make_run();
    handler_env_init(&handler_env, environment, "8-15-abc");
    static char home[] = "HOME=/srv", token[] = "TOKEN=a=b";
    struct env_var vars[] = {{.entry = home}, {.entry = token}};
    struct stage_spec spec = *stage.spec;
    struct catalog_stage configured = stage;
    spec.env = (struct env){vars, 2};
    configured.spec = &spec;
    const struct handler_words words = {&configured, &run, true};
    char **envp = handler_env_new(&handler_env, &words);
    size_t n = 0;
    while (envp[n] != NULL)
        n++;
    assert_int_equal(n, 3 + 7 + 1);
    assert_true(has_entry(envp, "PATH=/bin"));
    assert_true(has_entry(envp, "HOME=/srv"));
    assert_true(has_entry(envp, "TOKEN=a=b"));
    assert_true(has_entry(envp, "STINT_JOBS=kept"));
    assert_true(has_entry(envp, "STINT_JOB=licences"));
    assert_true(has_entry(envp, "STINT_STAGE=classify"));
    assert_true(has_entry(envp, "STINT_ITEM=a \"quoted\" key \xc3\xbc"));
    assert_true(has_entry(envp, "STINT_ATTEMPT=3"));
    assert_true(has_entry(envp, "STINT_CLAIM=12-34"));
    assert_true(has_entry(envp, "STINT_POOL_ID=8-15-abc"));
    assert_true(has_entry(envp, "STINT_CONTROL_FD=3"));
    handler_env_free(envp, &words);
    const struct handler_words of_many = {&configured, NULL, true};
    envp = handler_env_new(&handler_env, &of_many);
    assert_true(has_entry(envp, "STINT_CONTROL_FD=3"));
    assert_false(has_entry(envp, "STINT_ATTEMPT=3"));
    handler_env_free(envp, &of_many);
    handler_env_fini(&handler_env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_has_all_fields),
        cmocka_unit_test(test_request_has_the_checkpoint),
        cmocka_unit_test(test_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
