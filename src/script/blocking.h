/* Calls of the standard library that hold the whole gateway while they wait: in development each that took
 * `blocking_call_ms` is named in the log, with its place and how long it took.
 *
 *     level=warning event=blocking_call call=io.popen ms=12 source=consumers/report.lua:8
 */
#ifndef TG_SCRIPT_BLOCKING_H
#define TG_SCRIPT_BLOCKING_H

#include "script/world.h"

/* Wraps them, in the environment and, for the methods of files, in a state that is this world's alone. What
 * is never installed costs nothing. [-0, +0, e] */
void tg_blocking_install(struct tg_world *world, lua_State *L);

#endif
