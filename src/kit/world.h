/* The userdata that a world of the kit lies in, and the one world that is the spec's own.
 *
 * A world belongs to one app, and its Lua side is collected when its generation has ended and nobody holds
 * anything of it. The spec's own, in which a spec declares messages and consumers itself, goes on from app to
 * app.
 */
#ifndef TG_KIT_WORLD_H
#define TG_KIT_WORLD_H

#include "script/host.h"

#include <lua.h>

struct tg_kit_app;

struct tg_kit_world {
    struct tg_host host;      /* first */
    struct tg_config config;  /* of the spec's own, while no app runs it */
    struct tg_registry types; /* the same: what was compiled for it, which outlives apps */
    struct tg_kit_app *app;   /* that runs it; NULL: none */
    bool is_shared;
    bool has_config;
};

/* Pushes a new one, which `app` runs with its config. `*made` is set as soon as there is something to end,
 * also when it raises: without memory. [-0, +1, e] */
void tg_kit_world_push(lua_State *L, struct tg_kit_app *app, struct tg_kit_world **made);

/* Pushes the spec's own, which is made the first time. [-0, +1, e] */
struct tg_kit_world *tg_kit_world_push_shared(lua_State *L);

/* `app` runs the spec's own from now on; what is declared goes into a registry of its own. */
void tg_kit_world_lend(struct tg_kit_world *world, struct tg_kit_app *app);

/* Its generation has ended, or never served: the world ends with it, or goes on as the spec's. Nothing when
 * it has ended. */
void tg_kit_world_end(struct tg_kit_world *world);

/* Pushes `require(name)` of the world's application. [-0, +1, e] */
void tg_kit_world_require(struct tg_kit_world *world, lua_State *L, const char *name);

/* Has os.time, os.date and os.clock of the world follow the app that runs it. [-0, +0, e] */
void tg_kit_world_install_clock(struct tg_kit_world *world, lua_State *L);

/* Seeds math.random of the world. [-0, +0, e] */
void tg_kit_world_seed(struct tg_kit_world *world, lua_State *L, uint64_t seed);

#endif
