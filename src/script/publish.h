/* A message as a publication carries it (core/layer.h): its text, made once however many get it.
 *
 *     struct tg_scratch *scratch = tg_scratch_push(world, L);
 *     struct tg_publication publication = {.to = TG_TO_GROUPS, ...};
 *     tg_publish_write(world, L, index, type, &(struct tg_slice){0}, scratch, &publication);
 *     return tg_publish(world, L, &publication);
 */
#ifndef TG_SCRIPT_PUBLISH_H
#define TG_SCRIPT_PUBLISH_H

#include "core/layer.h"
#include "script/message_type.h"
#include "script/scratch.h"

/* Sets what the publication says: `action`, `texts` and `tells_whose` after the instance at `index`, which is
 * of `type` and of any role. The texts lie in the box. `topic`: the stream that they belong to; data NULL:
 * none. Runs `serialise`, once; a text in camel case is made when a consumer asks for it and the type has
 * such names. Raises what does not fit the schema. [-0, +0, e] */
void tg_publish_write(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      struct tg_slice topic, struct tg_scratch *scratch, struct tg_publication *publication);

/* Raises while modules load, when nobody is `done` ("connected") yet, and when the app of a borrowed world is
 * closed; `what` asks. [-0, +0, e] */
void tg_publish_check_served(lua_State *L, const struct tg_world *world, const char *what, const char *done);

/* The type of the message at `index`, for `method`. Raises what is none, and an event, which no client is
 * sent; `teller` is the function that tells it. [-0, +0, e] */
const struct tg_message_type *tg_publish_check_message(lua_State *L, int index, const char *method,
                                                       const char *teller);

/* The type of the event at `index`; raises what is none. [-0, +0, e] */
const struct tg_message_type *tg_publish_check_event(lua_State *L, int index, const char *method);

/* Whether there are options at `index`. Raises what is no table, as `example` shows one, and a name that
 * `known`, NULL-terminated, does not have. [-0, +0, e] */
bool tg_publish_check_options(lua_State *L, int index, const char *method, const char *const *known,
                              const char *example);

/* The option exclude_current of the table at `index`; raises what is no boolean. [-0, +0, e] */
bool tg_publish_excludes_current(lua_State *L, int index, const char *method);

/* What a sender is answered when the layer fails. */
extern const char tg_publish_unreachable[];

/* Hands the publication to the layer, and pushes how many connections get it; or nil and why nobody does.
 * Returns how many values that are. `L` runs the function that the user has called. [-0, +1|2, e] */
int tg_publish(struct tg_world *world, lua_State *L, const struct tg_publication *publication);

/* The names at `index`, a name or a list of names, in the box; `*count` of them. Raises what is no name, with
 * `what` in front. [-0, +0, e] */
const struct tg_slice *tg_publish_groups(lua_State *L, int index, const char *what,
                                         struct tg_scratch *scratch, uint32_t *count);

/* The name of a group at `index`: UTF-8, 1 to TG_GROUP_NAME_MAX bytes. Raises, as above. [-0, +0, e] */
struct tg_slice tg_publish_check_group(lua_State *L, int index, const char *what);

#endif
