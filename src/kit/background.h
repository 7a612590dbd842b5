/* The background of an app: the same thread. A job is done in a turn of its own, and who waits for it hears
 * of it in the next. */
#ifndef TG_KIT_BACKGROUND_H
#define TG_KIT_BACKGROUND_H

#include "core/background.h"
#include "kit/loop.h"

struct tg_kit_background {
    struct tg_background core; /* first */
    struct tg_kit_loop *loop;  /* borrowed */
    struct tg_kit_event event;
    struct tg_job *first, *last; /* that wait */
    struct tg_job *ended;        /* its work has, and nobody has been told; NULL: none */
};

void tg_kit_background_init(struct tg_kit_background *background, struct tg_kit_loop *loop);

/* Does all that is left, and what comes of it. */
void tg_kit_background_finish(struct tg_kit_background *background);

#endif
