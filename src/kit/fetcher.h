/* Outgoing HTTP of an app: nothing goes out. Stubs answer, at once or after a while of the app's time. */
#ifndef TG_KIT_FETCHER_H
#define TG_KIT_FETCHER_H

#include "base/list.h"
#include "core/fetch.h"

struct tg_kit_app;

struct tg_kit_fetcher {
    struct tg_fetcher core; /* first */
    struct tg_kit_app *app; /* borrowed */
};

void tg_kit_fetcher_init(struct tg_kit_fetcher *fetcher, struct tg_kit_app *app);

#endif
