/* Where something lies in plain data: `conn.state.rooms[3].on_done`. */
#ifndef TG_SCRIPT_PLAIN_PATH_H
#define TG_SCRIPT_PLAIN_PATH_H

#include <lua.h>

#include <stddef.h>

/* The tables that a writer has seen, the outermost first. */
struct tg_plain_tables {
    int list; /* index of the list of them */
    lua_Integer count;
    const char *name; /* of the first; NULL: its keys are names */
};

/* Pushes the path of the field whose key is at `key`, an index (0: of the table itself), of the `number`-th
 * table. [-0, +1, e] */
const char *tg_plain_push_path(lua_State *L, const struct tg_plain_tables *tables, lua_Integer number,
                               int key, size_t *length);

#endif
