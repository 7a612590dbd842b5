/* An application of spec/support/apps in the place of the fake core's script.
 *
 *     struct app_stage stage = app_begin("tasks", fake_core_new());
 *     fake_core_open(stage.core, 0, "/ws/tasks");
 *     app_pass(&stage, 1000);
 *     app_end(&stage);
 */
#ifndef TG_UNIT_SUPPORT_APP_STAGE_H
#define TG_UNIT_SUPPORT_APP_STAGE_H

#include "script/host.h"

#include "support/fake_core.h"

struct app_stage {
    struct fake_core *core;
    struct tg_host *host;
};

/* Takes the core, whose settings have been made. */
struct app_stage app_begin(const char *name, struct fake_core *core);

/* Moves the clock; what a turn leaves over gets turns of its own. */
void app_pass(struct app_stage *stage, uint64_t milliseconds);

/* Drops the clients that are left, and gives their `disconnected` its time. */
void app_end(struct app_stage *stage);

#endif
