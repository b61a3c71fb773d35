/* verdicts: the keys that say what an end of a handler means: exit.N, permanent, transient. Used by
 * the parser; worker/verdict.c goes by what it made of them. Pure. */
#ifndef STINT_CONFIG_VERDICTS_H
#define STINT_CONFIG_VERDICTS_H

#include "common/base/err.h"
#include "common/config/config.h"

/* "exit.N" = "retry", "snooze 10m" …: adds the rule, or replaces the one of this N. file: borrowed,
 * lives as long as the rules. */
MUST_CHECK enum rc exit_rule_set(struct exit_rules *rules, const char *key, const char *value,
    const struct origin *origin, struct err *err);
/* POSIX extended, at most PATTERN_MAX − 1 bytes; none: no pattern. */
MUST_CHECK enum rc pattern_parse(const char *value, char ret[PATTERN_MAX], struct err *err);

#endif
