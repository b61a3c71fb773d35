#include "common/ipc/claim.h"

#include <inttypes.h>
#include <stdio.h>

char *claim_format(int64_t claim, char out[CLAIM_TEXT_MAX])
{
    (void)snprintf(
        out, CLAIM_TEXT_MAX, "%" PRId64 "-%" PRIu32, claim_life(claim), claim_seq(claim));
    return out;
}

/* Decimal digits only (no sign, no space, no leading zero but "0" itself): one text per claim. */
static const char *parse_digits(const char *text, int64_t max, int64_t *ret)
{
    int64_t value = 0;
    const char *p = text;

    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (*p - '0');
        if (value > max)
            return NULL;
    }
    if (p == text || (*text == '0' && p - text > 1))
        return NULL;
    *ret = value;
    return p;
}

bool claim_parse(const char *text, int64_t *ret_claim)
{
    int64_t life, seq;
    const char *rest = parse_digits(text, LIFE_MAX, &life);

    if (rest == NULL || *rest != '-' || life == 0)
        return false;
    rest = parse_digits(rest + 1, CLAIM_SEQ_MAX, &seq);
    if (rest == NULL || *rest != '\0')
        return false;
    *ret_claim = claim_make(life, (uint32_t)seq);
    return true;
}
