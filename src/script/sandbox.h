/* What of the stock libraries an application gets: everything but what could stop, break or block the host.
 *
 * The world makes its environment of copies of the stock tables; this takes away and replaces in them, and
 * makes an environment whose names have to be known. What is replaced behaves as the manual says, with
 * bounds: docs/limits.md has the list.
 */
#ifndef TG_SCRIPT_SANDBOX_H
#define TG_SCRIPT_SANDBOX_H

#include "script/world.h"

/* Guards the libraries in the environment on top. [-0, +0, e] */
void tg_sandbox_guard(lua_State *L);

/* Gives the environment on top to the application alone: only the libraries of lua_libraries, and a name
 * that nobody has set is an error to read and to set. What `installed`, the environment of installed
 * modules, has beyond can be read. [-0, +0, e] */
void tg_sandbox_close(struct tg_world *world, lua_State *L, int installed);

/* Takes the libraries that are not in lua_libraries, and most of `debug`, out of the environment on top. [-0,
 * +0, e] */
void tg_sandbox_choose(const struct tg_world *world, lua_State *L);

/* Where the state belongs to the world: methods of strings are those of the `string` in the environment on
 * top. [-0, +0, e] */
void tg_sandbox_own_state(lua_State *L);

/* The parts, each for the table of its library on top. [-0, +0, e] */
void tg_sandbox_guard_string(lua_State *L);
void tg_sandbox_guard_table(lua_State *L);

/* Calls the stock function in upvalue 1 with all arguments and returns how many results it has. An error of
 * its own gets the place of whoever called us, as without us. [-n, +results, e] */
int tg_sandbox_call(lua_State *L);

/* Raises the error on top, with that place. [-1, +0, e] */
int tg_sandbox_raise(lua_State *L);

/* Replaces field `name` of the table on top by `function`, whose upvalue 1 is what was there. [-0, +0, e] */
void tg_sandbox_replace(lua_State *L, const char *name, lua_CFunction function);

#endif
