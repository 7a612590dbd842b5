/* All of it is called by Lua of ours, which has checked what the user gave: what is wrong here is our own
 * mistake, and raised where it was made. */
#include "script/libs/crypto.h"

#include "base/base64.h"
#include "core/secrets.h"
#include "script/libs/password.h"
#include "script/scratch.h"
#include "wire/crypto.h"
#include "wire/sealed.h"

#include <lauxlib.h>
#include <math.h>

/* Of `secrets`: the list, once it was made. */
enum { UPVALUE_WORLD = 1, UPVALUE_SECRETS };

enum { RANDOM_BYTES_MAX = 1024 };

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(UPVALUE_WORLD));
}

/* ---- what both files need ---- */

struct tg_slice tg_crypto_check_text(lua_State *L, int index)
{
    struct tg_slice text;
    luaL_checktype(L, index, LUA_TSTRING);
    text.data = lua_tolstring(L, index, &text.length);
    return text;
}

double tg_crypto_now(struct tg_world *world, lua_State *L, int index)
{
    struct tg_clock *clock = world->worker ? world->worker->clock : tg_clock_system();
    double now_s = (double)tg_clock_wall_ms(clock) / 1000;
    if (!lua_istable(L, index)) return now_s;
    if (lua_getfield(L, index, "now") != LUA_TNIL) now_s = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return now_s;
}

struct tg_slice *tg_crypto_texts(lua_State *L, int index, const char *name, struct tg_arena *arena,
                                 uint32_t *count)
{
    *count = 0;
    if (!lua_istable(L, index)) return NULL;
    int type = lua_getfield(L, index, name);
    size_t length = type == LUA_TTABLE ? lua_rawlen(L, -1) : 1;
    struct tg_slice *texts = tg_world_check_memory(L, tg_arena_calloc(arena, length + 1, sizeof *texts));
    if (type == LUA_TSTRING) texts[(*count)++] = tg_crypto_check_text(L, -1);
    for (size_t i = 1; type == LUA_TTABLE && i <= length; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        texts[(*count)++] = tg_crypto_check_text(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return texts;
}

static int push_buf(lua_State *L, const struct tg_buf *buf)
{
    if (buf->has_failed) return luaL_error(L, "not enough memory");
    lua_pushlstring(L, buf->length ? buf->data : "", buf->length);
    return 1;
}

/* ---- sealed texts ---- */

enum { AT_VALUE = 1, AT_SECRETS, AT_OPTIONS };

/* Fills the seal from the list at AT_SECRETS and the options; the texts stay alive with their tables. */
static void read_seal(lua_State *L, struct tg_arena *arena, struct tg_seal *seal)
{
    luaL_checktype(L, AT_SECRETS, LUA_TTABLE);
    luaL_checktype(L, AT_OPTIONS, LUA_TTABLE);
    lua_Unsigned count = lua_rawlen(L, AT_SECRETS);
    luaL_argcheck(L, count >= 1 && count <= TG_SECRETS_MAX, AT_SECRETS, "too few or too many secrets");
    struct tg_slice *secrets = tg_world_check_memory(L, tg_arena_calloc(arena, count, sizeof *secrets));
    for (lua_Unsigned i = 0; i < count; i++) {
        lua_rawgeti(L, AT_SECRETS, (lua_Integer)i + 1);
        secrets[i] = tg_crypto_check_text(L, -1);
        luaL_argcheck(L, secrets[i].length >= TG_SECRET_BYTES_MIN, AT_SECRETS,
                      "a secret has 32 bytes or more");
        lua_pop(L, 1);
    }
    lua_getfield(L, AT_OPTIONS, "purpose");
    struct tg_slice purpose = tg_crypto_check_text(L, -1);
    luaL_argcheck(L, purpose.length && !memchr(purpose.data, '\0', purpose.length), AT_OPTIONS,
                  "no purpose, or one with a zero byte");
    lua_pop(L, 1);
    *seal = (struct tg_seal){.secrets = secrets, .secret_count = (uint32_t)count, .purpose = purpose};
}

/* In whole seconds, rounded up: 0 when it never does. */
static uint64_t read_expiry(lua_State *L, double now_s)
{
    double age_s;
    bool is_set = lua_getfield(L, AT_OPTIONS, "max_age_seconds") != LUA_TNIL;
    age_s = is_set ? luaL_checknumber(L, -1) : 0;
    luaL_argcheck(L, age_s >= 0 && age_s <= 1e10, AT_OPTIONS, "max_age_seconds is no age");
    lua_pop(L, 1);
    return is_set ? (uint64_t)ceil(now_s + age_s) : 0;
}

/* crypto.seal(value, secrets, options) -> text */
static int crypto_seal(lua_State *L)
{
    struct tg_world *world = world_of(L);
    struct tg_slice value = tg_crypto_check_text(L, AT_VALUE);
    lua_settop(L, AT_OPTIONS);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_seal seal;
    read_seal(L, &scratch->arena, &seal);
    uint64_t expires_s = read_expiry(L, tg_crypto_now(world, L, AT_OPTIONS));
    if (tg_sealed_write(&seal, value, expires_s, &scratch->text) != TG_OK)
        return luaL_error(L, "not enough memory");
    return push_buf(L, &scratch->text);
}

/* crypto.unseal(text, secrets, options) -> value, expires_at|nil | nil, why */
static int crypto_unseal(lua_State *L)
{
    static const char *const reasons[] = {[TG_SEALED_MALFORMED] = "malformed",
                                          [TG_SEALED_SIGNATURE] = "signature",
                                          [TG_SEALED_EXPIRED] = "expired"};
    struct tg_world *world = world_of(L);
    struct tg_slice text = tg_crypto_check_text(L, AT_VALUE);
    lua_settop(L, AT_OPTIONS);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_seal seal;
    uint64_t expires_s;
    read_seal(L, &scratch->arena, &seal);
    double now_s = tg_crypto_now(world, L, AT_OPTIONS);
    enum tg_sealed_verdict verdict =
        tg_sealed_read(&seal, text, now_s > 0 ? (uint64_t)now_s : 0, &scratch->text, &expires_s);
    if (verdict == TG_SEALED_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (verdict != TG_SEALED_OK) {
        luaL_pushfail(L);
        lua_pushstring(L, reasons[verdict]);
        return 2;
    }
    push_buf(L, &scratch->text);
    if (expires_s)
        lua_pushinteger(L, (lua_Integer)expires_s);
    else
        lua_pushnil(L);
    return 2;
}

/* ---- the application's secrets ---- */

/* Nobody has set any: a spec, or a folder in development that cannot be written to. */
static void push_made_secret(lua_State *L)
{
    char bytes[TG_SECRET_BYTES_MIN];
    if (!tg_crypto_random(bytes, sizeof bytes)) luaL_error(L, "the system has no random bytes");
    lua_pushlstring(L, bytes, sizeof bytes);
}

static void push_secrets(struct tg_world *world, lua_State *L)
{
    struct tg_slice rest = tg_slice_of(world->config->secrets), secret;
    lua_newtable(L);
    for (lua_Integer i = 1; tg_secrets_next(&rest, &secret); i++) {
        lua_pushlstring(L, secret.data, secret.length);
        lua_rawseti(L, -2, i);
    }
    if (lua_rawlen(L, -1) > 0) return;
    push_made_secret(L);
    lua_rawseti(L, -2, 1);
}

/* crypto.secrets(where) -> list; raises when there are none in production */
static int crypto_secrets(lua_State *L)
{
    struct tg_world *world = world_of(L);
    struct tg_slice where = tg_crypto_check_text(L, 1);
    if (!world->config->secrets[0] && !tg_config_is_development(world->config)) {
        lua_pushfstring(
            L,
            "%s: needs a secret, and none is set: `openssl rand -hex 32` makes one; give it to the "
            "gateway as TIDEGATE_SECRETS, or in a file with the setting secrets_file",
            where.data);
        return lua_error(L);
    }
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_SECRETS));
    if (!lua_isnil(L, -1)) return 1;
    push_secrets(world, L);
    lua_copy(L, -1, lua_upvalueindex(UPVALUE_SECRETS));
    return 1;
}

/* ---- small things ---- */

static int push_hex(lua_State *L, const unsigned char *digest)
{
    char text[2 * TG_SHA256_BYTES];
    for (size_t i = 0; i < TG_SHA256_BYTES; i++) {
        text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    lua_pushlstring(L, text, sizeof text);
    return 1;
}

/* crypto.sha256(text) -> hexadecimal */
static int crypto_sha256(lua_State *L)
{
    unsigned char digest[TG_SHA256_BYTES];
    if (!tg_crypto_sha256(tg_crypto_check_text(L, 1), digest)) return luaL_error(L, "not enough memory");
    return push_hex(L, digest);
}

/* crypto.hmac_sha256(secret, text) -> hexadecimal */
static int crypto_hmac_sha256(lua_State *L)
{
    unsigned char digest[TG_SHA256_BYTES];
    struct tg_slice secret = tg_crypto_check_text(L, 1), text = tg_crypto_check_text(L, 2);
    if (!tg_crypto_hmac_sha256(secret, text, digest)) return luaL_error(L, "not enough memory");
    return push_hex(L, digest);
}

/* crypto.equal(a, b) -> boolean */
static int crypto_equal(lua_State *L)
{
    lua_pushboolean(L, tg_crypto_equal(tg_crypto_check_text(L, 1), tg_crypto_check_text(L, 2)));
    return 1;
}

/* crypto.random(count) -> bytes */
static int crypto_random(lua_State *L)
{
    char bytes[RANDOM_BYTES_MAX];
    lua_Integer count = luaL_checkinteger(L, 1);
    luaL_argcheck(L, count >= 1 && count <= RANDOM_BYTES_MAX, 1, "1 to 1024 bytes");
    if (!tg_crypto_random(bytes, (size_t)count)) return luaL_error(L, "the system has no random bytes");
    lua_pushlstring(L, bytes, (size_t)count);
    return 1;
}

/* crypto.base64url(bytes) -> text */
static int crypto_base64url(lua_State *L)
{
    struct tg_slice bytes = tg_crypto_check_text(L, 1);
    struct tg_scratch *scratch = tg_scratch_push(world_of(L), L);
    tg_base64url_write(&scratch->text, bytes);
    return push_buf(L, &scratch->text);
}

static int decode(lua_State *L, enum tg_status (*read)(struct tg_buf *out, struct tg_slice text))
{
    struct tg_slice text = tg_crypto_check_text(L, 1);
    struct tg_scratch *scratch = tg_scratch_push(world_of(L), L);
    enum tg_status status = read(&scratch->text, text);
    if (status == TG_OK || status == TG_E_NO_MEMORY) return push_buf(L, &scratch->text);
    luaL_pushfail(L);
    return 1;
}

/* crypto.from_base64url(text) -> bytes | nil */
static int crypto_from_base64url(lua_State *L)
{
    return decode(L, tg_base64url_read);
}

/* crypto.from_base64(text) -> bytes | nil */
static int crypto_from_base64(lua_State *L)
{
    return decode(L, tg_base64_read);
}

/* crypto.hash_key(key) -> text */
static int crypto_hash_key(lua_State *L)
{
    struct tg_slice key = tg_crypto_check_text(L, 1);
    struct tg_scratch *scratch = tg_scratch_push(world_of(L), L);
    if (tg_crypto_hash_key(key, &scratch->text) != TG_OK) return luaL_error(L, "not enough memory");
    return push_buf(L, &scratch->text);
}

void tg_crypto_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"seal", crypto_seal},
        {"unseal", crypto_unseal},
        {"sha256", crypto_sha256},
        {"hmac_sha256", crypto_hmac_sha256},
        {"equal", crypto_equal},
        {"random", crypto_random},
        {"base64url", crypto_base64url},
        {"from_base64url", crypto_from_base64url},
        {"from_base64", crypto_from_base64},
        {"hash_key", crypto_hash_key},
        {NULL, NULL},
    };
    tg_world_push(world, L, TG_REF_LOADED);
    luaL_newlibtable(L, functions);
    tg_world_push_self(world, L);
    luaL_setfuncs(L, functions, 1);
    tg_world_push_self(world, L);
    lua_pushnil(L);
    lua_pushcclosure(L, crypto_secrets, UPVALUE_SECRETS);
    lua_setfield(L, -2, "secrets");
    tg_crypto_keys_install(world, L);
    tg_password_install(world, L);
    lua_setfield(L, -2, "tidegate.crypto");
    lua_pop(L, 1);
}
