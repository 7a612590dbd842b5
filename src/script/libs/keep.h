/* tide.keep: data that outlives the code, shared by all generations.
 *
 * Declared while modules load, on whichever thread; read and set once the generation serves. The values lie
 * in core/keep as plain data (script/plain.h), so who gets one has a copy.
 */
#ifndef TG_SCRIPT_LIBS_KEEP_H
#define TG_SCRIPT_LIBS_KEEP_H

#include "script/world.h"

/* Adds the function to the table on top. [-0, +0, e] */
void tg_keep_library_install(struct tg_world *world, lua_State *L);

/* The world serves: what it declares and nobody has kept yet gets its initial value. TG_E_NO_MEMORY. */
enum tg_status tg_keep_begin(struct tg_world *world);

#endif
