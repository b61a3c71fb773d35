/* jobs: builds the job_specs from the sections [job NAME] and [stage JOB.NAME]: inheritance of
 * tuning, the one stage of a job without `stages`, and all checks between keys and between
 * sections. Used by parse.c only. */
#ifndef STINT_CONFIG_JOBS_H
#define STINT_CONFIG_JOBS_H

#include "common/config/config.h"
#include "common/config/sections.h"

/* Fills config->jobs, in the order of the files. Problems go to sections->problems. */
void jobs_build(const struct section_list *sections, struct config *config);
void job_spec_fini(struct job_spec *job);
void stage_spec_fini(struct stage_spec *stage);

#endif
