/* count.h: lines and words of a file, block by block; what the two C handlers share. */
#ifndef COUNT_H
#define COUNT_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct count {
    long long offset, lines, words;
    int in_word;
};

#define COUNT_FORM "{\"offset\":%lld,\"lines\":%lld,\"words\":%lld,\"in_word\":%d}"

/* A checkpoint, as count_write made it; else from the beginning. */
static inline void count_read(struct count *c, const char *json)
{
    memset(c, 0, sizeof(*c));
    if (!json || sscanf(json, COUNT_FORM, &c->offset, &c->lines, &c->words, &c->in_word) != 4)
        memset(c, 0, sizeof(*c));
}

static inline void count_write(const struct count *c, char *out, size_t cap)
{
    snprintf(out, cap, COUNT_FORM, c->offset, c->lines, c->words, c->in_word);
}

static inline size_t count_block_size(void)
{
    const char *size = getenv("BLOCK");
    return size ? (size_t)atoll(size) : 65536;
}

static inline long long count_total(FILE *f)
{
    struct stat st;
    return fstat(fileno(f), &st) == 0 ? (long long)st.st_size : 0;
}

/* One block; 0: there is no more. */
static inline int count_block(struct count *c, FILE *f, size_t size)
{
    char *block = malloc(size);
    size_t n = block ? fread(block, 1, size, f) : 0;
    for (size_t i = 0; i < n; i++) {
        int is_blank = isspace((unsigned char)block[i]) != 0;
        c->lines += block[i] == '\n';
        c->words += !is_blank && !c->in_word;
        c->in_word = !is_blank;
    }
    c->offset += (long long)n;
    free(block);
    return n > 0;
}

#endif
