/* templates: the sections [template NAME] and who uses which. Finds unknown ones and circles. Used
 * by the parser only. */
#ifndef STINT_CONFIG_TEMPLATES_H
#define STINT_CONFIG_TEMPLATES_H

#include "common/base/err.h"
#include "common/config/sections.h"

#define TEMPLATES_DEEP_MAX 16

/* The templates that stand before the section's own lines, the nearest first. Ends where one is
 * unknown, or in a circle: that is told elsewhere. */
size_t template_chain(const struct section_list *list, const struct section *section,
    const struct section *ret[TEMPLATES_DEEP_MAX]);
/* The value of `use`: is there such a template? */
MUST_CHECK enum rc template_check_use(
    const struct section_list *list, const char *name, struct err *err);
/* Where the section says `use`; it does. */
struct place template_use_place(const struct section *section);

/* Each template by itself, whether it is used or not: its keys, its values, circles. */
void templates_check(const struct section_list *list);

#endif
