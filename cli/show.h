/* show: small pieces that several commands print alike: times, ages, claim owners. Pure. */
#ifndef STINT_CLI_SHOW_H
#define STINT_CLI_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/table.h"
#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/statuses.h"

/* RFC 3339 UTC as clock_format_wall writes it → wall milliseconds; −1: not a time. */
int64_t show_parse_time(const char *text);
/* How long ago, as text_duration: "12s", "3d 4h". */
char *show_age(int64_t wall_ms, int64_t now_wall_ms, char *out, size_t cap);
/* State is word and colour. */
enum tone status_tone(enum stage_status status);
/* A time member in RFC 3339; 0: null. */
void json_time(struct json *j, const char *key, int64_t wall_ms);
/* One CSV cell (RFC 4180): quoted when it must be. */
void csv_add(struct buf *out, const char *text, size_t len);

#endif
