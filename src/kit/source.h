/* Where the generations of an app come from: a folder, a function or consumers, as its user value says. Each
 * is a new world in the state of the spec. */
#ifndef TG_KIT_SOURCE_H
#define TG_KIT_SOURCE_H

#include "script/source.h"

struct tg_kit_app;

struct tg_kit_source {
    struct tg_script_source script; /* first */
    struct tg_kit_app *app;         /* borrowed */
};

void tg_kit_source_init(struct tg_kit_source *source, struct tg_kit_app *app);

#endif
