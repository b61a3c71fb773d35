/* claim: a claim number = life (39 bits) | sequence (24 bits); never used twice. All claims of a
 * life, or of a block of lives, are one range. Text form "LIFE-SEQ" in JSON and environment. */
#ifndef STINT_IPC_CLAIM_H
#define STINT_IPC_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAIM_SEQ_BITS 24
#define CLAIM_SEQ_MAX ((1u << CLAIM_SEQ_BITS) - 1)
#define LIFE_MAX ((INT64_C(1) << 39) - 1)
#define LIVES_PER_BLOCK 65536

static inline int64_t claim_make(int64_t life, uint32_t seq)
{
    return life << CLAIM_SEQ_BITS | seq;
}
static inline int64_t claim_life(int64_t claim)
{
    return claim >> CLAIM_SEQ_BITS;
}
static inline uint32_t claim_seq(int64_t claim)
{
    return (uint32_t)(claim & CLAIM_SEQ_MAX);
}
/* First and last claim of the lives first..last. */
static inline int64_t claim_first(int64_t first_life)
{
    return claim_make(first_life, 0);
}
static inline int64_t claim_last(int64_t last_life)
{
    return claim_make(last_life, CLAIM_SEQ_MAX);
}

#define CLAIM_TEXT_MAX 32
char *claim_format(int64_t claim, char out[CLAIM_TEXT_MAX]); /* returns out */
bool claim_parse(const char *text, int64_t *ret_claim);

#endif
