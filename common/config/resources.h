/* resources: the sections [resource NAME], and the two values that are about them: a rate (10/s)
 * and the list of resources that pace a stage. Used by the parser only. Pure but for memory. */
#ifndef STINT_CONFIG_RESOURCES_H
#define STINT_CONFIG_RESOURCES_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/config/config.h"
#include "common/config/sections.h"

/* Instead of names: the stage has no resource. */
#define RESOURCE_NONE "none"

/* Fills config->resources, in the order of the files. Problems go to sections->problems. */
void resources_build(const struct section_list *sections, struct config *config);

/* ret: count and period in ms. The error does not name the form. */
MUST_CHECK enum rc rate_parse(const char *text, int64_t ret[2], struct err *err);
/* Of config->resources, into the tuning. */
MUST_CHECK enum rc resource_list_parse(
    const char *text, const struct config *config, struct stage_tuning *ret, struct err *err);

#endif
