/* The one door for lua_pcall. */
#ifndef TG_SCRIPT_CALL_H
#define TG_SCRIPT_CALL_H

#include <lua.h>

/* Calls `function(first, second)`, both light userdata, protected. LUA_OK; otherwise the stack is as it
 * was and the error object is dropped. [-0, +0, -] */
int tg_call_protected(lua_State *L, lua_CFunction function, void *first, void *second);

/* The same, but a failure leaves the error as text, with a traceback, on the stack. [-0, +0|1, -] */
int tg_call_traced(lua_State *L, lua_CFunction function, void *first, void *second);

/* The same with a message handler of the caller's, which makes what is left of the error object. Only when
 * there was memory for it: an error of memory is left as the text of Lua's own. [-0, +0|1, -] */
int tg_call_handled(lua_State *L, lua_CFunction function, void *first, void *second, lua_CFunction handler);

/* Calls the function below its `arguments` on the stack, for a caller that tidies up and raises again: a
 * failure leaves the error object. [-(arguments + 1), +results|1, -] */
int tg_call_values(lua_State *L, int arguments, int results);

#endif
