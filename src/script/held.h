/* What lies in a userdata and in a list, a wheel or a socket of the worker's at once.
 *
 * Lua would let go of it when it collects the userdata, which for a state that is closed is on another
 * thread, or when the worker has gone. So the world has a list of it all, and lets go of what is left when it
 * ends.
 */
#ifndef TG_SCRIPT_HELD_H
#define TG_SCRIPT_HELD_H

#include "script/world.h"

struct tg_held {
    struct tg_list link;
    void (*let_go)(struct tg_held *held); /* on the loop's thread; runs no Lua */
};

static inline void tg_held_add(struct tg_world *world, struct tg_held *held,
                               void (*let_go)(struct tg_held *held))
{
    held->let_go = let_go;
    tg_list_init(&held->link);
    tg_list_append(&world->held, &held->link);
}

/* It has been let go of. May be called again. */
static inline void tg_held_remove(struct tg_held *held)
{
    tg_list_remove(&held->link);
}

/* The world ends: lets go of all that is left. */
void tg_held_let_go(struct tg_world *world);

#endif
