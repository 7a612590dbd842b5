#include "script/exact.h"

struct tg_value *tg_exact_read(struct tg_world *world, lua_State *L, int index,
                               const struct tg_reading *reading)
{
    struct tg_value *value = tg_world_check_memory(L, tg_arena_alloc(reading->arena, sizeof *value));
    tg_to_value(world, L, index, reading, value);
    return value;
}

void tg_exact_begin(struct tg_exact *exact, struct tg_world *world, struct tg_arena *arena)
{
    tg_buf_truncate(&world->scratch, 0);
    tg_issues_init(&exact->issues, &world->scratch, world->config->max_errors);
    exact->issues.style = TG_ISSUE_TEXT;
    exact->validation = (struct tg_validation){.arena = arena,
                                               .issues = &exact->issues,
                                               .is_exact = true,
                                               .max_steps = world->config->max_check_steps};
}

bool tg_exact_end(struct tg_exact *exact, struct tg_world *world, lua_State *L, enum tg_status status)
{
    tg_issues_finish(&exact->issues);
    if (status == TG_E_NO_MEMORY || world->scratch.has_failed) tg_world_check_memory(L, NULL);
    return status == TG_OK;
}

_Noreturn void tg_exact_fail(struct tg_world *world, lua_State *L, const struct tg_subject *subject,
                             const char *before)
{
    lua_pushstring(L, before);
    lua_pushlstring(L, world->scratch.data ? world->scratch.data : "", world->scratch.length);
    lua_concat(L, 2);
    tg_fail_at(world, L, subject, NULL, lua_tostring(L, -1));
}
