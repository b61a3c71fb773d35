/* selecting: stage runs by the text of a filter, in the tests of common/store. */
#ifndef STINT_TESTS_STORE_SELECTING_H
#define STINT_TESTS_STORE_SELECTING_H

#include "common/store/select.h"
#include "tests/store/fixture.h"

/* A text that is no filter ends the test. Fini it. */
void parse_filter(const char *text, struct filter *ret);
/* How many it selects, read to the end and once beyond it. */
int64_t count_runs(struct fixture *f, const char *text);

#endif
