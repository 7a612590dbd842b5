/* Plain data as bytes: what goes from one Lua state to another, or waits in C until somebody asks.
 *
 *     Lua value -> tg_plain_write -> bytes, no pointer into any state -> tg_plain_read -> its copy elsewhere
 *
 * Plain are nil, booleans, numbers (integers stay integers), strings, null, and tables of such, with cycles
 * and shared references. Arrays that are marked stay marked. The rest is left out and told with its path. No
 * metamethod runs. The bytes are read by the program that wrote them; any others are refused.
 */
#ifndef TG_SCRIPT_PLAIN_H
#define TG_SCRIPT_PLAIN_H

#include "base/buf.h"
#include "script/world.h"

struct tg_plain {
    /* What the value is called at the beginning of paths: "conn.state". NULL: it is a table, and its keys,
     * strings, are such names. */
    const char *name;
    size_t max_bytes; /* 0: no limit */
    /* Left behind: "conn.state.on_done", "is a function". False: no more of that is to be told. NULL: nobody
     * is. Raises nothing. */
    bool (*left_out)(void *context, struct tg_slice path, const char *what);
    void *context;
};

/* Appends the value at `index`. TG_E_FULL: it takes more than max_bytes; TG_E_NO_MEMORY; then nothing is
 * appended. An error may leave a part: the caller truncates. [-0, +0, e] */
enum tg_status tg_plain_write(struct tg_world *world, lua_State *L, int index, const struct tg_plain *plain,
                              struct tg_buf *out);

/* Pushes the value. TG_E_INVALID, and nothing is pushed: the bytes are none that were written. [-0, +1|0, e]
 */
enum tg_status tg_plain_read(struct tg_world *world, lua_State *L, struct tg_slice bytes);

#endif
