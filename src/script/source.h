/* Generations of an application in a folder: core/source.h over host.h. */
#ifndef TG_SCRIPT_SOURCE_H
#define TG_SCRIPT_SOURCE_H

#include "core/config.h"
#include "core/source.h"

struct tg_script_source {
    struct tg_source core;
    const struct tg_config *config; /* borrowed, as the next */
    const char *folder;
};

void tg_script_source_init(struct tg_script_source *source, const struct tg_config *config,
                           const char *folder);

#endif
