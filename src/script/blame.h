/* Why one cannot wait here, and what to do instead.
 *
 * Lua can leave a coroutine only where nothing on its stack is a C function that waits for an answer: a
 * comparator of table.sort cannot wait, a function called by pcall can.
 */
#ifndef TG_SCRIPT_BLAME_H
#define TG_SCRIPT_BLAME_H

#include <lua.h>

struct tg_task;

/* Raises the sentence for code on `L` that cannot wait. [-0, +0, e] */
_Noreturn void tg_blame_raise(lua_State *L, struct tg_task *task);

/* What is wrong with coroutine.yield outside a coroutine: a constant, pushed even without memory to spare.
 * [-0, +1, e] */
void tg_blame_push_yield(lua_State *L);

#endif
