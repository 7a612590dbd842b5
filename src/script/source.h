/* Generations of an application in a folder: core/source.h over host.h. */
#ifndef TG_SCRIPT_SOURCE_H
#define TG_SCRIPT_SOURCE_H

#include "core/config.h"
#include "core/source.h"

struct tg_host;

struct tg_script_source {
    struct tg_source core;
    const struct tg_config *config; /* borrowed, as the next */
    const char *folder;
    /* Makes the host of a load, noting in load->files and load->problems as tg_host_load does, which it is
     * unless somebody has set another: code may come from elsewhere, and into another state. */
    enum tg_status (*open)(struct tg_script_source *source, struct tg_load *load, struct tg_host **host);
};

void tg_script_source_init(struct tg_script_source *source, const struct tg_config *config,
                           const char *folder);

#endif
