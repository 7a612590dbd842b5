#include "support/app_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct app_stage app_begin(const char *name, struct fake_core *core)
{
    struct app_stage stage = {.core = core};
    char folder[512];
    struct tg_problems problems;
    snprintf(folder, sizeof folder, "%s/support/apps/%s", TG_SPEC_FOLDER, name);
    tg_problems_init(&problems);
    assert_int_equal(tg_host_open(&stage.host, &core->config, folder, 1, &problems), TG_OK);
    tg_problems_deinit(&problems);
    tg_generation_end(&core->generation);
    tg_generation_serve(&stage.host->generation, &core->worker);
    return stage;
}

void app_pass(struct app_stage *stage, uint64_t milliseconds)
{
    struct fake_core *core = stage->core;
    uint64_t end_ms = core->clock.now_ms + milliseconds;
    do {
        do {
            core->turns_requested = 0;
            fake_core_turn(core);
        } while (core->turns_requested);
        if (core->clock.now_ms == end_ms) break;
        uint64_t left_ms = end_ms - core->clock.now_ms;
        fake_core_sleep(core, left_ms < TG_WHEEL_TICK_MS ? left_ms : TG_WHEEL_TICK_MS);
    } while (true);
}

void app_end(struct app_stage *stage)
{
    for (size_t i = 0; i < FAKE_CLIENTS; i++)
        if (stage->core->clients[i].conn) fake_client_vanish(&stage->core->clients[i]);
    app_pass(stage, stage->core->config.disconnected_timeout_ms + TG_WHEEL_TICK_MS);
    tg_generation_end(&stage->host->generation);
    tg_host_close(stage->host);
    fake_core_free(stage->core);
}
