/* What a script sends, before it is written: defaults are filled in, and it is checked when that is switched
 * on (setting `validate_outgoing`).
 */
#ifndef TG_SCRIPT_OUTGOING_H
#define TG_SCRIPT_OUTGOING_H

#include "script/message_type.h"
#include "script/scratch.h"

/* Puts defaults into the payload at `index`, a slot of the running C function. A table that lacks one is
 * replaced by a copy that has it, level by level; the caller's own is never changed. [-0, +0, e] */
void tg_outgoing_fill(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      struct tg_scratch *scratch);

/* Raises all that is wrong with the payload at `index`, the user's checks included, at the line of whoever
 * called the running function: "chat.lua:12: chat: payload.tags[2]: ...; payload.content: Field required".
 * [-0, +0, e] */
void tg_outgoing_check(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                       struct tg_scratch *scratch);

/* Pushes `chat {"content":"hi"}`: the payload as logs show it. Raises nothing but the lack of memory.
 * [-0, +1, e] */
void tg_outgoing_push_shown(struct tg_world *world, lua_State *L, int index,
                            const struct tg_message_type *type);

#endif
