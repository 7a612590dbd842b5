/* The module "tidegate.crypto": keys, tokens, sealed texts and hashes for lua/tidegate/auth. Not for
 * applications; lua/tidegate/meta/crypto.lua says what is in it.
 *
 *     crypto.c       sealed texts, hashes, the module
 *     crypto_keys.c  sets of keys, and tokens
 *     password.c     hashes of passwords
 */
#ifndef TG_SCRIPT_LIBS_CRYPTO_H
#define TG_SCRIPT_LIBS_CRYPTO_H

#include "script/world.h"

/* Puts the module among the world's loaded ones. [-0, +0, e] */
void tg_crypto_library_install(struct tg_world *world, lua_State *L);

/* Adds `keys` to the module on top. [-0, +0, e] */
void tg_crypto_keys_install(struct tg_world *world, lua_State *L);

/* The Unix time that field `now` of the table at `index` gives, or that of the world's clock. [-0, +0, e] */
double tg_crypto_now(struct tg_world *world, lua_State *L, int index);

/* The string at `index`, which stays there. [-0, +0, e] */
struct tg_slice tg_crypto_check_text(lua_State *L, int index);

/* The texts of the field `name` of the table at `index`, a string or a list of strings, which keeps them
 * alive; in the arena. None when there is no such field, or no table. [-0, +0, e] */
struct tg_slice *tg_crypto_texts(lua_State *L, int index, const char *name, struct tg_arena *arena,
                                 uint32_t *count);

#endif
