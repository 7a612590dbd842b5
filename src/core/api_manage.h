/* GET /api/status, and what POST /api/reload answers (core/api.h). */
#ifndef TG_CORE_API_MANAGE_H
#define TG_CORE_API_MANAGE_H

#include "core/api.h"

void tg_api_answer_status(struct tg_api *api, struct tg_slice path, struct tg_slice body,
                          struct tg_api_answer *answer);

#endif
