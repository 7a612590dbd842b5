/* POST /api/events and /api/broadcast: what is sent on behalf of programs outside (core/api.h). */
#ifndef TG_CORE_API_PUBLISH_H
#define TG_CORE_API_PUBLISH_H

#include "core/api.h"

void tg_api_publish(struct tg_api *api, struct tg_slice path, struct tg_slice body,
                    struct tg_api_answer *answer);

#endif
