#include "common/filter/fields.h"

#include <string.h>

#define OPS_EQUAL (1u << FILTER_IS | 1u << FILTER_IS_NOT)
#define OPS_TEXT (OPS_EQUAL | 1u << FILTER_CONTAINS)
#define OPS_ORDER                                                                                  \
    (1u << FILTER_MORE | 1u << FILTER_AT_LEAST | 1u << FILTER_LESS | 1u << FILTER_AT_MOST)

#define TEXT_TAKES ": = != ~"
#define WORD_TAKES ": = !="
#define ORDER_TAKES "> >= < <="
#define NUMBER_TAKES ": = != > >= < <="

#define NAME(upper, lower) #lower,
static const char *const statuses[] = {STAGE_STATUSES(NAME) NULL};
static const char *const item_statuses[] = {ITEM_STATUSES(NAME) NULL};
#undef NAME

static const struct filter_about fields[FILTER_FIELDS] = {
    {FILTER_JOB, "job", FILTER_TYPE_NAME, OPS_TEXT, TEXT_TAKES, "job:news", NULL, NULL},
    {FILTER_STAGE, "stage", FILTER_TYPE_NAME, OPS_TEXT, TEXT_TAKES, "stage:fetch", NULL, NULL},
    {FILTER_KEY, "key", FILTER_TYPE_TEXT, OPS_TEXT, TEXT_TAKES, "key~example.com", NULL, NULL},
    {FILTER_STATUS, "status", FILTER_TYPE_WORD, OPS_EQUAL, WORD_TAKES, "status:failed", "status",
        statuses},
    {FILTER_ITEM, "item", FILTER_TYPE_WORD, OPS_EQUAL, WORD_TAKES, "item:failed",
        "status of an item", item_statuses},
    {FILTER_ERROR, "error", FILTER_TYPE_TEXT, OPS_TEXT, TEXT_TAKES, "error:timeout", NULL, NULL},
    {FILTER_SOURCE, "source", FILTER_TYPE_TEXT, OPS_TEXT, TEXT_TAKES, "source:manual", NULL, NULL},
    {FILTER_ATTEMPTS, "attempts", FILTER_TYPE_NUMBER, OPS_EQUAL | OPS_ORDER, NUMBER_TAKES,
        "attempts>=3", NULL, NULL},
    {FILTER_INTERRUPTIONS, "interruptions", FILTER_TYPE_NUMBER, OPS_EQUAL | OPS_ORDER, NUMBER_TAKES,
        "interruptions>0", NULL, NULL},
    {FILTER_PRIORITY, "priority", FILTER_TYPE_NUMBER, OPS_EQUAL | OPS_ORDER, NUMBER_TAKES,
        "priority>10", NULL, NULL},
    {FILTER_AGE, "age", FILTER_TYPE_AGE, OPS_ORDER, ORDER_TAKES, "age>1h", NULL, NULL},
    {FILTER_CHANGED, "changed", FILTER_TYPE_AGE, OPS_ORDER, ORDER_TAKES, "changed<10m", NULL, NULL},
};

const struct filter_about *filter_about(const char *name, size_t len)
{
    for (size_t i = 0; i < FILTER_FIELDS; i++)
        if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
            return &fields[i];
    return NULL;
}

const struct filter_about *filter_about_field(enum filter_field field)
{
    return (unsigned)field < FILTER_FIELDS ? &fields[field] : NULL;
}

const char *filter_field_name(enum filter_field field)
{
    return (unsigned)field < FILTER_FIELDS ? fields[field].name : "unknown";
}
