/* Messages that a spec made itself, as the clients of a consumer are written to. */
#include "kit/app.h"
#include "script/message_type.h"
#include "script/scratch.h"

#include <lauxlib.h>

static enum tg_naming naming_of(const struct tg_registry *registry, struct tg_slice consumer)
{
    for (uint32_t i = 0; i < registry->consumer_count; i++)
        if (tg_slice_equal(registry->consumers[i]->name, consumer)) return registry->consumers[i]->naming;
    return TG_NAMING_DECLARED;
}

int tg_kit_text(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_open_app(L, 1);
    struct tg_slice consumer;
    consumer.data = luaL_optlstring(L, 3, "", &consumer.length);
    const struct tg_message_type *type = tg_message_type_of_instance(L, 2);
    if (!type) return 0;
    struct tg_world *world = tg_message_world_of_instance(L, 2);
    enum tg_naming naming = naming_of(&app->host->generation.registry, consumer);
    lua_settop(L, 2);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    tg_message_check_naming(L, type, naming);
    tg_message_push_payload(world, L, 2, type);
    tg_message_write(world, L, -1, type, naming, &(struct tg_ref){0}, &scratch->text);
    if (scratch->text.has_failed) return luaL_error(L, "not enough memory");
    lua_pushlstring(L, scratch->text.data, scratch->text.length);
    return 1;
}
