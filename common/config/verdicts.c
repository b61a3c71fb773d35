#include "common/config/verdicts.h"

#include <regex.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/options.h"

#define SNOOZE_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

static const char *const words[] = {
    [EXIT_DONE] = "done",
    [EXIT_RETRY] = "retry",
    [EXIT_FAIL] = "fail",
    [EXIT_SKIP] = "skip",
    [EXIT_PAUSE] = "pause",
};

static enum rc parse_status(const char *key, uint8_t *ret, struct err *err)
{
    int64_t status = 0;
    const char *number = key + strlen(EXIT_PREFIX);
    bool has_zero_before = number[0] == '0' && number[1] != '\0';
    if (has_zero_before || text_int(number, 0, 255, &status, NULL) != RC_OK)
        return err_set(err, RC_INVALID, "\"%s\" is no exit status from 0 to 255", number);
    *ret = (uint8_t)status;
    return RC_OK;
}

static enum rc parse_snooze(const char *value, struct exit_rule *ret, struct err *err)
{
    const char *span = value + strlen("snooze");
    while (*span == ' ')
        span++;
    enum rc rc = text_duration_ms(span, &ret->snooze_ms, err);
    if (rc == RC_OK && ret->snooze_ms > SNOOZE_MAX_MS)
        rc = err_set(err, RC_INVALID, "%s is more than 366 days", span);
    ret->act = EXIT_SNOOZE;
    return rc;
}

static enum rc parse_act(const char *value, struct exit_rule *ret, struct err *err)
{
    if (strlen(value) >= sizeof ret->text)
        return err_set(err, RC_INVALID, "\"%.40s…\" is none of the words", value);
    memcpy(ret->text, value, strlen(value) + 1);
    if (strncmp(value, "snooze ", strlen("snooze ")) == 0)
        return parse_snooze(value, ret, err);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i]) == 0) {
            ret->act = (enum exit_act)i;
            return RC_OK;
        }
    }
    return err_set(err, RC_INVALID,
        "\"%s\"; expected done, retry, snooze and a duration like snooze 10m, fail, skip or pause",
        value);
}

enum rc exit_rule_set(struct exit_rules *rules, const char *key, const char *value,
    const struct origin *origin, struct err *err)
{
    struct exit_rule rule = {.file = origin->file, .line = origin->line};
    enum rc rc = parse_status(key, &rule.status, err);
    if (rc == RC_OK)
        rc = parse_act(value, &rule, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < rules->len; i++) {
        if (rules->list[i].status == rule.status) {
            rules->list[i] = rule;
            return RC_OK;
        }
    }
    if (rules->len == EXIT_RULES_MAX)
        return err_set(err, RC_INVALID, "is one too many; at most %d a stage", EXIT_RULES_MAX);
    rules->list[rules->len++] = rule;
    return RC_OK;
}

enum rc pattern_parse(const char *value, char ret[PATTERN_MAX], struct err *err)
{
    regex_t compiled;
    char why[128];
    size_t len = strlen(value);
    if (len >= PATTERN_MAX)
        return err_set(err, RC_INVALID, "is longer than %d bytes", PATTERN_MAX - 1);
    int failed = regcomp(&compiled, value, REG_EXTENDED | REG_NOSUB);
    if (failed) {
        (void)regerror(failed, &compiled, why, sizeof why);
        return err_set(err, RC_INVALID, "\"%s\" is no regular expression: %s", value, why);
    }
    regfree(&compiled);
    memcpy(ret, value, len + 1);
    return RC_OK;
}
