#include "cli/show.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"

int64_t show_parse_time(const char *text)
{
    struct tm tm = {0};
    int ms = 0;
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!rest)
        return -1;
    if (*rest == '.')
        for (int i = 0, unit = 100; i < 3 && rest[1 + i] >= '0' && rest[1 + i] <= '9'; i++)
            ms += (rest[1 + i] - '0') * unit, unit /= 10;
    return (int64_t)timegm(&tm) * 1000 + ms;
}

char *show_age(int64_t wall_ms, int64_t now_wall_ms, char *out, size_t cap)
{
    int64_t age = now_wall_ms > wall_ms ? now_wall_ms - wall_ms : 0;
    if (age >= 1000)
        age -= age % 1000; /* people count seconds here */
    return text_duration(age, out, cap);
}

enum tone status_tone(enum stage_status status)
{
    switch (status) {
    case STATUS_DONE:
        return TONE_GOOD;
    case STATUS_FAILED:
    case STATUS_EXHAUSTED:
        return TONE_BAD;
    case STATUS_RETRY_LATER:
    case STATUS_HELD:
    case STATUS_CANCELLED:
        return TONE_WARN;
    case STATUS_BLOCKED:
    case STATUS_SKIPPED:
        return TONE_FAINT;
    case STATUS_PENDING:
    case STATUS_IN_PROGRESS:
    case STATUS_COUNT:
        return TONE_NONE;
    }
    return TONE_NONE;
}

void json_time(struct json *j, const char *key, int64_t wall_ms)
{
    char text[40];
    if (wall_ms > 0)
        json_str(j, key, clock_format_wall(wall_ms, text, sizeof(text)));
    else
        json_add_null(j, key);
}

void csv_add(struct buf *out, const char *text, size_t len)
{
    bool is_plain = true;
    for (size_t i = 0; i < len && is_plain; i++)
        is_plain = !strchr(",\"\r\n", text[i]);
    if (is_plain) {
        buf_add(out, text, len);
        return;
    }
    buf_addc(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            buf_addc(out, '"');
        buf_addc(out, text[i]);
    }
    buf_addc(out, '"');
}
