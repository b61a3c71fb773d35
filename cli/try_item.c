#include "cli/try_item.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/item_data.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/store/select.h"

/* A resident gets its request in one line: JSON has no line break that means anything. */
static void make_one_line(struct buf *json)
{
    for (size_t i = 0; i < json->len; i++)
        if (json->data[i] == '\n' || json->data[i] == '\r')
            json->data[i] = ' ';
}

/* Of standard input: {"key":…,"data":…}. */
static enum cli_exit read_object(struct try_item *item)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    struct err err = {""};
    json_error_t why;
    const char *start;
    size_t len;
    if (sys_read_fd(STDIN_FILENO, DATA_MAX_BYTES, &text, &err))
        return cli_fail(CLI_FAILED, "standard input: %s", err.text);
    json_t *root = json_loadb(
        buf_str(&text), text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    if (!root)
        return cli_fail(CLI_USAGE, "standard input is not a JSON object: %s (line %d, column %d)",
            why.text, why.line, why.column);
    const char *key = json_string_value(json_object_get(root, "key"));
    item->key = key ? xstrdup(key) : NULL;
    json_decref(root);
    if (!item->key)
        return cli_fail(CLI_USAGE, "standard input needs a key: {\"key\": \"…\", \"data\": {…}}");
    if (json_member(buf_str(&text), "data", &start, &len))
        buf_add(&item->data, start, len);
    return CLI_OK;
}

/* Whatever the job has, what is not done first. */
static enum rc pick(struct cli *cli, struct try_item *item, struct err *err)
{
    CLEANUP_FREE char *job = xstrdup(item->job->name);
    struct filter_value value = {.text = job};
    struct filter_term term = {.field = FILTER_JOB, .values = &value, .values_len = 1};
    const struct filter filter = {&term, 1};
    const uint32_t open = 1u << STATUS_PENDING | 1u << STATUS_RETRY_LATER | 1u << STATUS_FAILED;
    const uint32_t wanted[] = {open, UINT32_MAX};
    for (size_t i = 0; i < 2 && !item->key; i++) {
        CLEANUP(cleanup_selection) struct selection *sel = NULL;
        struct run_row row;
        enum rc rc = selection_open(cli->store, &filter, wanted[i], &sel, err);
        if (rc == RC_OK)
            rc = selection_next(sel, &row, err);
        if (rc == RC_ROW)
            item->key = xstrdup(row.s.key);
        else if (rc != RC_DONE)
            return rc;
    }
    return RC_OK;
}

static enum cli_exit take_key(struct cli *cli, struct try_item *item)
{
    const char *word = cli->args->words_len > 1 ? cli->args->words[1] : NULL;
    struct err err = {""};
    if (word && strcmp(word, "-") == 0) {
        enum cli_exit code = read_object(item);
        if (code)
            return code;
    } else if (word) {
        item->key = xstrdup(word);
    } else if (cli->store) {
        enum rc rc = pick(cli, item, &err);
        if (rc)
            return cli_fail_rc(rc, &err);
    }
    if (!item->key)
        return cli_fail(CLI_NO_MATCH,
            "job %s has no item yet; name one, known or not: stint try %s KEY, or see what would "
            "be found: stint discover %s -n",
            item->job->name, item->job->name, item->job->name);
    if (text_check_key(item->key, strlen(item->key), &err) != RC_OK)
        return cli_fail(CLI_USAGE, "%s", err.text);
    return CLI_OK;
}

/* What the database knows of it; data that was given is what counts. */
static enum rc take_known(const struct cli *cli, struct try_item *item, struct err *err)
{
    struct item_head head = {0};
    enum rc rc =
        cli->store ? look_item(cli->store, item->job->name, item->key, &head, err) : RC_NOTFOUND;
    if (rc == RC_NOTFOUND)
        return RC_OK;
    item->id = head.id;
    item->depth = head.depth;
    if (rc == RC_OK && item->data.len == 0)
        buf_adds(&item->data, head.data ? head.data : "{}");
    if (rc == RC_OK)
        rc = look_item_results(cli->store, head.id, &item->stored, err);
    item_head_fini(&head);
    return rc;
}

/* A key that was mistyped would be tried with nothing in it. */
static void say_unknown(const struct cli *cli, const struct try_item *item)
{
    CLEANUP(buf_fini) struct buf key = BUF_INIT;
    text_add_printable(&key, item->key, strlen(item->key));
    cli_say(cli, "job %s has no item \"%s\": tried without data (give it by --data JSON)",
        item->job->name, buf_str(&key));
}

enum cli_exit try_item_take(struct cli *cli, const struct job_spec *job, struct try_item *ret)
{
    const char *data = args_text(cli->args, "data");
    struct err err = {""};
    *ret = (struct try_item){.job = job};
    ret->results = xcalloc(job->stages_len, sizeof(*ret->results));
    enum cli_exit code = take_key(cli, ret);
    if (code == CLI_OK && data) {
        buf_reset(&ret->data);
        code = item_data_read(data, &ret->data);
    }
    if (code)
        return code;
    enum rc rc = take_known(cli, ret, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    if (ret->data.len == 0 && ret->id == 0)
        say_unknown(cli, ret);
    if (ret->data.len == 0)
        buf_adds(&ret->data, "{}");
    make_one_line(&ret->data);
    return CLI_OK;
}

void try_item_fini(struct try_item *item)
{
    for (size_t i = 0; item->results && i < item->job->stages_len; i++)
        free(item->results[i]);
    free(item->results);
    free(item->key);
    buf_fini(&item->data);
    item_results_fini(&item->stored);
    item->results = NULL;
    item->key = NULL;
}

/* Of this trial, else stored. */
static const char *result_of(const struct try_item *item, size_t stage)
{
    if (item->results[stage])
        return item->results[stage];
    for (size_t i = 0; i < item->stored.len; i++)
        if (!item->stored.list[i].is_superseded &&
            strcmp(item->stored.list[i].stage, item->job->stages[stage].name) == 0)
            return item->stored.list[i].data;
    return NULL;
}

enum cli_exit try_item_run(const struct cli *cli, const struct try_item *item,
    const struct stage_spec *stage, int64_t *ret_attempt, struct buf *out)
{
    CLEANUP_FREE char *checkpoint = NULL;
    struct err err = {""};
    struct json j;
    int64_t attempts = 0;
    enum rc rc = RC_OK;
    if (item->id != 0)
        rc = look_next_attempt(cli->store, item->id, stage->name, &attempts, &checkpoint, &err);
    if (rc != RC_OK && rc != RC_NOTFOUND)
        return cli_fail_rc(rc, &err);
    /* What is at its end begins anew by an operator's retry: from 1. */
    *ret_attempt = attempts < stage->tuning.max_attempts ? attempts + 1 : 1;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "job", item->job->name);
    json_str(&j, "stage", stage->name);
    json_str(&j, "key", item->key);
    json_raw(&j, "data", buf_str(&item->data));
    json_int(&j, "attempt", *ret_attempt);
    json_int(&j, "depth", item->depth);
    json_raw(&j, "checkpoint", checkpoint);
    json_open_object(&j, "inputs");
    for (size_t i = 0; &item->job->stages[i] != stage; i++)
        json_raw(&j, item->job->stages[i].name, result_of(item, i));
    json_end_object(&j);
    json_end_object(&j);
    return CLI_OK;
}
