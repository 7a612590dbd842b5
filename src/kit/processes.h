/* Programs and TCP connections of an app: none is started, none is made. Stubs answer for programs. */
#ifndef TG_KIT_PROCESSES_H
#define TG_KIT_PROCESSES_H

#include "core/process.h"
#include "core/stream.h"

struct tg_kit_app;

struct tg_kit_processes {
    struct tg_processes core; /* first */
    struct tg_kit_app *app;   /* borrowed */
};

struct tg_kit_streams {
    struct tg_streams core; /* first */
};

void tg_kit_processes_init(struct tg_kit_processes *processes, struct tg_kit_app *app);

void tg_kit_streams_init(struct tg_kit_streams *streams);

#endif
