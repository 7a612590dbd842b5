/* Tells functions of one load of the code from those of another, for the report of what has changed. */
#ifndef TG_SCRIPT_FINGERPRINT_H
#define TG_SCRIPT_FINGERPRINT_H

#include <lua.h>

#include <stdint.h>

/* The same for values that mean the same: functions whose text and upvalues are alike, wherever in their file
 * they stand, and tables of such. Of a table among the upvalues nothing but its numbers and texts is looked
 * at. 0 for nil alone. [-0, +0, e] */
uint64_t tg_fingerprint(lua_State *L, int index);

#endif
