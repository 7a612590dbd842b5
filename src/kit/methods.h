/* The functions of the module and the methods of its apps that have a file of their own. */
#ifndef TG_KIT_METHODS_H
#define TG_KIT_METHODS_H

#include <lua.h>

/* open(options) -> app | nil, errors; tide() -> the spec's own (open.c). */
int tg_kit_open(lua_State *L);
int tg_kit_tide(lua_State *L);

/* app:call(fn, ...) -> results (call.c) */
int tg_kit_call(lua_State *L);

/* app:reload(options) -> generation, report, details | nil, outcome, problems, text; app:generations() ->
 * text (reload.c) */
int tg_kit_reload(lua_State *L);
int tg_kit_generations(lua_State *L);

/* app:tasks() -> where each task was started, or waits: list of texts (tasks.c) */
int tg_kit_tasks(lua_State *L);

/* app:published() -> how many publications there ever were; app:publications(skip) -> those behind the first
 * `skip` (layer.h); app:swallow("message" | "event", boolean) (capture.c) */
int tg_kit_published(lua_State *L);
int tg_kit_publications(lua_State *L);
int tg_kit_swallow(lua_State *L);

/* app:connect(options) -> link | nil, status, body, headers (connect.c) */
int tg_kit_connect(lua_State *L);

/* app:request(options) -> status, body, headers, type | nil | false (exchange.c) */
int tg_kit_exchange(lua_State *L);

/* app:check(consumer, text), app:is_text(consumer), app:text(message, consumer) (check.c) */
int tg_kit_check(lua_State *L);
int tg_kit_is_text(lua_State *L);
int tg_kit_text(lua_State *L);

#endif
