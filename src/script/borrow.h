/* A world in a Lua state that belongs to somebody else: to busted, or to the gateway that runs it.
 *
 * The state goes on as it was: opening the stock libraries once more, which gives a world its own copies,
 * leaves traces in a state (its globals, the methods of strings and files, the default files of `io`), and
 * these are taken back.
 */
#ifndef TG_SCRIPT_BORROW_H
#define TG_SCRIPT_BORROW_H

#include <lua.h>

/* Pushes what opening libraries would change, and gives the state other globals for the time. [-0, +5, e] */
void tg_borrow_note(lua_State *L);

/* Puts back what tg_borrow_note pushed, which is on top. [-5, +0, -] */
void tg_borrow_restore(lua_State *L);

#endif
