#include "worker/verdict.h"

#include <regex.h>
#include <sys/wait.h>

#include "worker/result.h"

enum end_cause verdict_exit(const struct stage_tuning *tuning, int status, int64_t *ret_after_ms)
{
    static const enum end_cause causes[] = {
        [EXIT_DONE] = END_DONE,
        [EXIT_RETRY] = END_RETRY,
        [EXIT_FAIL] = END_FAIL,
        [EXIT_SKIP] = END_SKIP,
        [EXIT_PAUSE] = END_STAGE_PAUSE,
        [EXIT_SNOOZE] = END_SNOOZE,
    };
    for (size_t i = 0; WIFEXITED(status) && i < tuning->exits.len; i++) {
        const struct exit_rule *rule = &tuning->exits.list[i];
        if (rule->status != WEXITSTATUS(status))
            continue;
        if (rule->act == EXIT_SNOOZE)
            *ret_after_ms = rule->snooze_ms;
        return causes[rule->act];
    }
    return result_cause(status);
}

/* The pattern was compiled when the configuration was read: here it can only be out of memory. */
static bool matches(const char *pattern, const char *text)
{
    regex_t compiled;
    if (pattern[0] == '\0' || regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool is_match = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return is_match;
}

enum end_cause verdict_text(
    const struct stage_tuning *tuning, enum end_cause cause, const char *why)
{
    if (cause != END_RETRY && cause != END_FAIL)
        return cause;
    if (matches(tuning->permanent, why))
        return END_FAIL;
    if (cause == END_FAIL && matches(tuning->transient, why))
        cause = END_RETRY;
    return cause == END_RETRY && tuning->retryable == RETRYABLE_NO ? END_FAIL : cause;
}
