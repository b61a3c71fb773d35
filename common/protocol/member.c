#include "common/protocol/member.h"

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/json_scan.h"

bool member_is_whole(const json_t *value, double min)
{
    if (!json_is_number(value))
        return false;
    double number = json_number_value(value);
    return number >= min && number <= MEMBER_NUMBER_MAX && (double)(int64_t)number == number;
}

bool member_cut(const char *object, const char *name, struct buf *out)
{
    const char *at = NULL;
    size_t len = 0;
    if (!json_member(object, name, &at, &len))
        return true;
    CLEANUP(buf_fini) struct buf raw = BUF_INIT;
    buf_add(&raw, at, len);
    return json_minify(buf_str(&raw), raw.len, out);
}
