/* apply: the pairs of a section, and before them those of its templates, become members of the
 * configuration's structs; and which line each value comes from. Finds unknown and doubled keys and
 * wrong values. Used by the parser only. */
#ifndef STINT_CONFIG_APPLY_H
#define STINT_CONFIG_APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config/sections.h"

/* Which key is given where; by place in options[]. Of env.NAME each variable knows its own. */
#define OPTIONS_MAX 96
struct given_pair {
    const struct section *section; /* NULL: not given */
    const struct ini_pair *pair;
};
struct given {
    const struct section *section; /* the last one that was applied */
    struct given_pair at[OPTIONS_MAX];
};
/* The key's place, or the section's if it is not given. */
struct place given_place(const struct given *given, const char *key);
bool given_has(const struct given *given, const char *key);
/* The template that the key comes from; NULL: none. */
const struct section *given_template(const struct given *given, const char *key);
void given_forget(struct given *given, const char *key);

/* Where the pairs go; NULL what the section has no use for. */
struct target {
    struct pool_options *pool;
    struct resource_spec *resource;
    struct job_spec *job;
    struct stage_spec *stage; /* of a [job]: what its stages inherit */
};
void target_set_presets(
    const struct section_list *list, enum option_section kind, const struct target *target);

/* Templates first. Adds to given, which the caller began. A template's own faults are not told
 * here (they are not the section's), but that it does not fit the section is. */
void section_apply(const struct section_list *list, const struct section *section,
    const struct target *target, struct given *given);
/* Without its templates, all faults told. */
void section_apply_own(const struct section_list *list, const struct section *section,
    const struct target *target, struct given *given);

/* The origins of the keys of this kind of section. */
void origins_record(struct origins *to, const struct given *given, enum option_section kind);

#endif
