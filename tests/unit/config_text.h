/* config_text: parses texts as if they were the files of a configuration in /srv/pool. Used by the
 * tests of common/config. */
#ifndef STINT_TESTS_CONFIG_TEXT_H
#define STINT_TESTS_CONFIG_TEXT_H

#include <stdint.h>

#include "common/config/parse.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* stint.conf, jobs.d/news.conf and the environment; the latter two may be NULL. */
enum rc parse2(const char *text, const char *more, const char *environment, struct config **ret,
    struct buf *problems);
/* What a stint.conf without a problem becomes; anything else ends the test. Free it. */
struct config *good(const char *text);
/* This stint.conf is refused with exactly these words, and nothing comes of it. */
void is_wrong(const char *text, const char *problems);
/* 24 bits, the same ones each time. */
uint32_t next_random(uint32_t *seed);

#endif
