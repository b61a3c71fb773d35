/* sections: what the headings of all files mean: [pool], [resource NAME], [job NAME],
 * [stage JOB.NAME], [template NAME]. Finds unknown, doubled and misnamed ones; finds one by its
 * names. Used by the parser only. Borrows the documents. */
#ifndef STINT_CONFIG_SECTIONS_H
#define STINT_CONFIG_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config/config.h"
#include "common/config/ini_reader.h"
#include "common/config/options.h"
#include "common/config/problems.h"
#include "common/config/source.h"

#define TITLE_SHOWN "%.140s"

struct section {
    enum option_section kind;
    const struct ini_section *ini;
    struct place at;
    char *name;  /* the job of [stage JOB.NAME]; NULL for [pool]; owned */
    char *stage; /* [stage JOB.NAME]; else NULL; owned */
    bool is_environment;
};

struct section_list {
    struct section *list;
    size_t len;
    struct section *twice; /* those that are there already: only to look at their keys */
    size_t twice_len;
    size_t *index; /* by hash of kind and names: place in list plus one; 0: free */
    size_t index_cap;
    const struct config *config;          /* what is built so far: directory, resources */
    const struct config_sources *sources; /* for the secrets */
    struct problems *problems;
    bool is_incomplete; /* a file could not be read: what is not there may be in it */
};

/* Adds the sections of one document. */
void sections_add(struct section_list *to, const struct ini_document *document, const char *file,
    bool is_environment);
void sections_fini(struct section_list *list);
/* stage: NULL but for [stage JOB.NAME]. NULL: not there. */
const struct section *section_find(
    const struct section_list *list, enum option_section kind, const char *name, const char *stage);
struct place section_pair_place(const struct section *section, const struct ini_pair *pair);

#endif
