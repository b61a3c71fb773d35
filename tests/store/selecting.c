#include "tests/store/selecting.h"

void parse_filter(const char *text, struct filter *ret)
{
    struct filter_fault fault = {.at = 0};
    if (filter_parse(text, ret, &fault))
        fail_msg("%s: %s", text, fault.what.text);
}

int64_t count_runs(struct fixture *f, const char *text)
{
    struct filter filter CLEANUP(filter_fini) = FILTER_INIT;
    struct selection *sel CLEANUP(cleanup_selection) = NULL;
    struct run_row row;
    int64_t n = 0;
    enum rc rc;
    parse_filter(text, &filter);
    ok(f, selection_open(f->store, &filter, UINT32_MAX, &sel, &f->err));
    while ((rc = selection_next(sel, &row, &f->err)) == RC_ROW)
        n++;
    assert_int_equal(rc, RC_DONE);
    assert_int_equal(selection_next(sel, &row, &f->err), RC_DONE);
    int64_t known = selection_known_count(sel);
    assert_true(known == -1 || known == n);
    return n;
}
