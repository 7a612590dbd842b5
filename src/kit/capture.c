/* What specs ask of the layer (kit/layer.h). */
#include "kit/app.h"
#include "kit/methods.h"

#include <lauxlib.h>

int tg_kit_published(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tg_kit_check_open_app(L, 1)->layer.total);
    return 1;
}

int tg_kit_publications(lua_State *L)
{
    const struct tg_kit_app *app = tg_kit_check_open_app(L, 1);
    tg_kit_layer_push(&app->layer, L, (uint64_t)luaL_optinteger(L, 2, 0));
    return 1;
}

int tg_kit_swallow(lua_State *L)
{
    static const char *const kinds[] = {"message", "event", NULL};
    struct tg_kit_layer *layer = &tg_kit_check_open_app(L, 1)->layer;
    bool *swallows =
        luaL_checkoption(L, 2, NULL, kinds) == 0 ? &layer->swallows_messages : &layer->swallows_events;
    *swallows = lua_toboolean(L, 3);
    return 0;
}
