/* ini_reader: one INI text in, its sections and pairs with raw values and line numbers out. The
 * only user of inih, which cuts lines near 200 bytes, cuts values at " ;" and counts no lines: it
 * is handed short stand-ins for what we keep. Comments are whole lines; a line that is indented
 * further than its key's goes on with the value (joined by a newline). Used by parse.c only. */
#ifndef STINT_CONFIG_INI_READER_H
#define STINT_CONFIG_INI_READER_H

#include <stddef.h>

#include "common/config/problems.h"

struct ini_pair {
    char *key, *value; /* trimmed; owned */
    size_t line;
};

struct ini_section {
    char *title; /* what stands between the brackets, trimmed; owned */
    size_t line;
    struct ini_pair *pairs;
    size_t pairs_len;
};

struct ini_document {
    struct ini_section *sections;
    size_t len;
};

/* file: for problems. */
void ini_document_read(
    struct ini_document *ret, const char *file, const char *text, struct problems *problems);
void ini_document_fini(struct ini_document *document);

#endif
