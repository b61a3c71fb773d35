#include "common/filter/match.h"

#include <string.h>
#include <strings.h>

static bool contains(const char *text, const char *part)
{
    size_t len = strlen(part);
    for (; *text; text++)
        if (strncasecmp(text, part, len) == 0)
            return true;
    return len == 0;
}

static bool text_holds(enum filter_op op, const char *text, const struct filter_value *value)
{
    if (op == FILTER_CONTAINS)
        return contains(text, value->text);
    return strcmp(text, value->text) == 0;
}

static bool number_holds(enum filter_op op, int64_t number, const struct filter_value *value)
{
    switch (op) {
    case FILTER_IS:
    case FILTER_IS_NOT:
        return number == value->number;
    case FILTER_MORE:
        return number > value->number;
    case FILTER_AT_LEAST:
        return number >= value->number;
    case FILTER_LESS:
        return number < value->number;
    case FILTER_AT_MOST:
        return number <= value->number;
    case FILTER_CONTAINS:
    case FILTER_OPS:
        return false;
    }
    return false;
}

/* One of its values holds, unless it is turned round by - or != (both: as if neither). */
static bool term_holds(const struct filter_term *term, const char *text, int64_t number)
{
    bool is_found = false;
    for (size_t i = 0; i < term->values_len && !is_found; i++)
        is_found = text ? text_holds(term->op, text, &term->values[i])
                        : number_holds(term->op, number, &term->values[i]);
    return is_found != (term->is_negated != (term->op == FILTER_IS_NOT));
}

static const char *text_of(const struct filter_subject *s, enum filter_field field)
{
    const char *text = NULL;
    if (field == FILTER_JOB)
        text = s->job;
    else if (field == FILTER_STAGE)
        text = s->stage;
    else if (field == FILTER_KEY)
        text = s->key;
    else if (field == FILTER_ERROR)
        text = s->error;
    else if (field == FILTER_SOURCE)
        text = s->source;
    return text ? text : "";
}

static int64_t since(int64_t then_wall_ms, int64_t now_wall_ms)
{
    return now_wall_ms > then_wall_ms ? now_wall_ms - then_wall_ms : 0;
}

static bool holds(
    const struct filter_term *term, const struct filter_subject *s, int64_t now_wall_ms)
{
    switch (term->field) {
    case FILTER_JOB:
    case FILTER_STAGE:
    case FILTER_KEY:
    case FILTER_ERROR:
    case FILTER_SOURCE:
        return term_holds(term, text_of(s, term->field), 0);
    case FILTER_STATUS:
        return term_holds(term, NULL, s->status);
    case FILTER_ITEM:
        return term_holds(term, NULL, s->item);
    case FILTER_ATTEMPTS:
        return term_holds(term, NULL, s->attempts);
    case FILTER_INTERRUPTIONS:
        return term_holds(term, NULL, s->interruptions);
    case FILTER_PRIORITY:
        return term_holds(term, NULL, s->priority);
    case FILTER_AGE:
        return term_holds(term, NULL, since(s->added_wall_ms, now_wall_ms));
    case FILTER_CHANGED:
        return term_holds(term, NULL, since(s->changed_wall_ms, now_wall_ms));
    case FILTER_FIELDS:
        return false;
    }
    return false;
}

bool filter_matches(
    const struct filter *filter, const struct filter_subject *subject, int64_t now_wall_ms)
{
    for (size_t i = 0; i < filter->len; i++)
        if (!holds(&filter->terms[i], subject, now_wall_ms))
            return false;
    return true;
}

bool filter_allows_text(const struct filter *filter, enum filter_field field, const char *text)
{
    for (size_t i = 0; i < filter->len; i++)
        if (filter->terms[i].field == field && !term_holds(&filter->terms[i], text, 0))
            return false;
    return true;
}

uint32_t filter_statuses(const struct filter *filter)
{
    uint32_t bits = 0;
    for (int status = 0; status < STATUS_COUNT; status++) {
        bool is_left = true;
        for (size_t i = 0; i < filter->len && is_left; i++)
            is_left = filter->terms[i].field != FILTER_STATUS ||
                      term_holds(&filter->terms[i], NULL, status);
        bits |= (uint32_t)is_left << status;
    }
    return bits;
}
