/* sections: what the headings of all files mean: [pool], [resource NAME], [job NAME],
 * [stage JOB.NAME]; and applying
 * the pairs of one to the structs of the configuration. Finds unknown, doubled and misnamed
 * sections and keys. Used by the parser (parse.c, jobs.c) only. Borrows the documents. */
#ifndef STINT_CONFIG_SECTIONS_H
#define STINT_CONFIG_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config/config.h"
#include "common/config/ini_reader.h"
#include "common/config/options.h"
#include "common/config/problems.h"

struct section {
    enum option_section kind;
    const struct ini_section *ini;
    struct place at;
    char *name;  /* [resource NAME], [job NAME]; the job of [stage JOB.NAME]; else NULL; owned */
    char *stage; /* [stage JOB.NAME]; else NULL; owned */
    bool is_environment;
};

struct section_list {
    struct section *list;
    size_t len;
    const struct config *config; /* what is built so far: directory, resources */
    struct problems *problems;
};

/* Adds the sections of one document. */
void sections_add(struct section_list *to, const struct ini_document *document, const char *file,
    bool is_environment);
void sections_fini(struct section_list *list);
const struct section *section_of_job(const struct section_list *list, const char *job);
const struct section *section_of_stage(
    const struct section_list *list, const char *job, const char *stage);

/* Which key stands where: place of the pair in its section plus one, by place in options[]. */
#define OPTIONS_MAX 64
struct given {
    const struct section *section;
    size_t pair[OPTIONS_MAX];
};
/* The key's place, or the section's if it is not given. */
struct place given_place(const struct given *given, const char *key);
bool given_has(const struct given *given, const char *key);

/* Where the pairs go; NULL what the section has no use for. */
struct target {
    struct pool_options *pool;
    struct resource_spec *resource;
    struct job_spec *job;
    struct stage_spec *stage;
};
void target_set_presets(
    const struct section_list *list, enum option_section kind, const struct target *target);
void section_apply(const struct section_list *list, const struct section *section,
    const struct target *target, struct given *ret_given);

#endif
