#include "support/app_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct app_stage app_begin(const char *name, struct fake_core *core)
{
    struct app_stage stage = {.core = core};
    char folder[512];
    struct tg_buf errors;
    snprintf(folder, sizeof folder, "%s/support/apps/%s", TG_SPEC_FOLDER, name);
    tg_buf_init(&errors);
    assert_int_equal(tg_host_open(&stage.host, &core->config, folder, 1, &errors), TG_OK);
    tg_buf_deinit(&errors);
    tg_host_attach(stage.host, &core->worker);
    stage.own = core->generation;
    core->generation = stage.host->generation;
    return stage;
}

void app_end(struct app_stage *stage)
{
    for (size_t i = 0; i < FAKE_CLIENTS; i++)
        if (stage->core->clients[i].conn) fake_client_vanish(&stage->core->clients[i]);
    tg_host_close(stage->host);
    stage->core->generation = stage->own;
    fake_core_free(stage->core);
}
