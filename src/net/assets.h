/* Files for browsers that the program carries: the table is made by the build from src/net/assets/. */
#ifndef TG_NET_ASSETS_H
#define TG_NET_ASSETS_H

#include "base/slice.h"

#include <string.h>

struct tg_asset {
    const char *name; /* "dev.js"; NULL ends the table */
    struct tg_slice text;
};

extern const struct tg_asset tg_assets[];

/* Empty when there is none of this name. */
static inline struct tg_slice tg_asset_find(const char *name)
{
    const struct tg_asset *asset = tg_assets;
    while (asset->name && strcmp(asset->name, name) != 0) asset++;
    return asset->text;
}

#endif
