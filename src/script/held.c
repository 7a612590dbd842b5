#include "script/held.h"

void tg_held_let_go(struct tg_world *world)
{
    for (struct tg_list *node; (node = tg_list_take_first(&world->held));) {
        struct tg_held *held = TG_CONTAINER(node, struct tg_held, link);
        held->let_go(held);
    }
}
