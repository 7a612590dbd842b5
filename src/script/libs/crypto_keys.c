/* A set of keys is a userdata, made empty and then filled: whatever raises, it is freed with what it has. */
#include "script/libs/crypto.h"

#include "base/file.h"
#include "script/scratch.h"
#include "script/to_json.h"
#include "script/to_lua.h"
#include "script/to_value.h"
#include "wire/json.h"
#include "wire/jwt.h"

#include <lauxlib.h>
#include <stdlib.h>

/* Of the methods and of `keys`. */
enum { UPVALUE_WORLD = 1, UPVALUE_META };

enum { FILE_BYTES_MAX = 1 << 20 };

/* Where crypto.keys finds what. */
enum { AT_SPECS = 1, AT_WHERE, AT_KEYS };

struct key_set {
    struct tg_keys keys;
    bool has_set;     /* one JWK set at most: another takes its place */
    bool has_set_alg; /* the JWK set was declared with `alg`, which holds for its successors */
    enum tg_alg set_alg;
};

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(UPVALUE_WORLD));
}

static struct key_set *check_keys(lua_State *L)
{
    if (lua_isuserdata(L, 1) && lua_getmetatable(L, 1)) {
        bool is_one = lua_rawequal(L, -1, lua_upvalueindex(UPVALUE_META));
        lua_pop(L, 1);
        if (is_one) return lua_touserdata(L, 1);
    }
    luaL_error(L, "methods of keys are called with a colon");
    return NULL;
}

static int free_keys(lua_State *L)
{
    tg_keys_deinit(&((struct key_set *)lua_touserdata(L, 1))->keys);
    return 0;
}

/* ---- making them ---- */

/* One of the specs, whose table is at `index`. */
struct spec {
    int index;
    lua_Integer number; /* 0: there is but this */
    bool has_alg;
    enum tg_alg alg;
    struct tg_slice id;
};

/* "consumers/chat.lua:3: key 2: why" */
_Noreturn static void fail(lua_State *L, const struct spec *spec, const char *why)
{
    lua_pushvalue(L, AT_WHERE);
    if (spec->number)
        lua_pushfstring(L, ": key %I: %s", (LUAI_UACINT)spec->number, why);
    else
        lua_pushfstring(L, ": %s", why);
    lua_concat(L, 2);
    lua_error(L);
    abort(); /* never reached */
}

/* Pushes the string called `name`, if there is one. [-0, +1|0, e] */
static bool push_text(lua_State *L, const struct spec *spec, const char *name, struct tg_slice *text)
{
    if (lua_getfield(L, spec->index, name) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    if (lua_type(L, -1) != LUA_TSTRING) fail(L, spec, lua_pushfstring(L, "\"%s\" must be a string", name));
    text->data = lua_tolstring(L, -1, &text->length);
    return true;
}

static const char *const sources[] = {"secret", "pem", "file", "jwk", "jwks"};
enum { SECRET, PEM, KEY_FILE, JWK, JWKS, SOURCES };

/* Which of the five it is. */
static int find_source(lua_State *L, const struct spec *spec)
{
    int found = SOURCES;
    for (lua_pushnil(L); lua_next(L, spec->index); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        int source = 0;
        while (source < SOURCES && strcmp(sources[source], name) != 0) source++;
        if (source == SOURCES && strcmp(name, "id") != 0 && strcmp(name, "alg") != 0)
            fail(L, spec,
                 lua_pushfstring(L, "unknown field \"%s\" (fields: alg, file, id, jwk, jwks, pem, secret)",
                                 name));
        if (source < SOURCES && found < SOURCES)
            fail(L, spec, "one of secret, pem, file, jwk and jwks, not two of them");
        if (source < SOURCES) found = source;
    }
    if (found == SOURCES) fail(L, spec, "needs one of secret, pem, file, jwk and jwks");
    return found;
}

static void read_alg(lua_State *L, struct spec *spec, bool is_needed)
{
    struct tg_slice name;
    spec->has_alg = push_text(L, spec, "alg", &name);
    if (spec->has_alg && !tg_alg_find(name, &spec->alg))
        fail(L, spec,
             lua_pushfstring(L,
                             "\"alg\" is \"%s\", which is none of HS256, HS384, HS512, RS256, RS384, RS512, "
                             "PS256, PS384, PS512, ES256, ES384, ES512, EdDSA",
                             name.data));
    if (spec->has_alg) lua_pop(L, 1);
    if (is_needed && !spec->has_alg)
        fail(L, spec, "needs \"alg\", such as \"RS256\": a key is for one algorithm");
}

/* Reads the file at `path`, below the served folder unless it is absolute. No Lua code runs. */
static enum tg_status read_file(struct tg_world *world, const char *path, struct tg_buf *text,
                                struct tg_error *error)
{
    struct tg_buf full;
    tg_buf_init(&full);
    if (path[0] != '/' && world->root) tg_buf_printf(&full, "%s/", world->root);
    tg_buf_append(&full, path, strlen(path) + 1);
    enum tg_status status = TG_E_NO_MEMORY;
    if (!full.has_failed) status = tg_file_read(full.data, FILE_BYTES_MAX, text, error);
    tg_buf_deinit(&full);
    return status;
}

static enum tg_status add_file(struct tg_world *world, lua_State *L, struct tg_keys *keys,
                               const struct spec *spec, struct tg_slice path, struct tg_error *error)
{
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    enum tg_status status = read_file(world, path.data, &scratch->text, error);
    if (status == TG_OK)
        status = tg_keys_add_pem(keys, spec->id, spec->alg, tg_buf_peek(&scratch->text), error);
    tg_scratch_pop(L);
    return status;
}

/* The JWK in the field on top. [-0, +0, e] */
static enum tg_status add_jwk(struct tg_world *world, lua_State *L, struct tg_keys *keys,
                              const struct spec *spec, struct tg_error *error)
{
    if (!lua_istable(L, -1)) fail(L, spec, "\"jwk\" must be a table");
    struct tg_slice where = tg_crypto_check_text(L, AT_WHERE);
    int index = lua_gettop(L);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_reading reading = {.arena = &scratch->arena, .subject = {.name = where, .has_place = true}};
    struct tg_value jwk;
    tg_to_value(world, L, index, &reading, &jwk);
    enum tg_status status = tg_keys_add_jwk(keys, spec->id, spec->has_alg ? &spec->alg : NULL, &jwk, error);
    tg_scratch_pop(L);
    return status;
}

static enum tg_status add_set(struct key_set *set, const struct spec *spec, struct tg_slice text,
                              struct tg_error *error)
{
    if (set->has_set) return tg_error_set(error, TG_E_INVALID, "one JWK set at most; the other keys as jwk");
    set->has_set = true;
    set->has_set_alg = spec->has_alg;
    set->set_alg = spec->alg;
    return tg_keys_replace_set(&set->keys, text, spec->has_alg ? &spec->alg : NULL, true, error);
}

/* [-0, +0, e] */
static void add(struct tg_world *world, lua_State *L, struct key_set *set, struct spec *spec)
{
    int top = lua_gettop(L);
    struct tg_slice text = {"", 0};
    struct tg_error error = {.text = ""};
    enum tg_status status = TG_OK;
    int source = find_source(L, spec);
    read_alg(L, spec, source == SECRET || source == PEM || source == KEY_FILE);
    push_text(L, spec, "id", &spec->id);
    if (source == JWK)
        lua_getfield(L, spec->index, "jwk");
    else
        push_text(L, spec, sources[source], &text);
    if (source == SECRET) status = tg_keys_add_secret(&set->keys, spec->id, spec->alg, text, &error);
    if (source == PEM) status = tg_keys_add_pem(&set->keys, spec->id, spec->alg, text, &error);
    if (source == KEY_FILE) status = add_file(world, L, &set->keys, spec, text, &error);
    if (source == JWK) status = add_jwk(world, L, &set->keys, spec, &error);
    if (source == JWKS) status = add_set(set, spec, text, &error);
    if (status == TG_E_NO_MEMORY) luaL_error(L, "not enough memory");
    if (status != TG_OK) fail(L, spec, error.text);
    lua_settop(L, top);
}

/* Whether the table of specs is itself one. */
static bool is_single(lua_State *L)
{
    for (int i = 0; i < SOURCES; i++) {
        bool has_field = lua_getfield(L, AT_SPECS, sources[i]) != LUA_TNIL;
        lua_pop(L, 1);
        if (has_field) return true;
    }
    return false;
}

/* crypto.keys(specs, where) -> keys */
static int crypto_keys(lua_State *L)
{
    struct tg_world *world = world_of(L);
    luaL_checktype(L, AT_SPECS, LUA_TTABLE);
    luaL_checktype(L, AT_WHERE, LUA_TSTRING);
    lua_settop(L, AT_WHERE);
    struct key_set *set = lua_newuserdatauv(L, sizeof *set, 0);
    *set = (struct key_set){.has_set_alg = false};
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_META));
    lua_setmetatable(L, -2);
    if (is_single(L)) {
        add(world, L, set, &(struct spec){.index = AT_SPECS});
    } else {
        for (lua_Integer i = 1; lua_geti(L, AT_SPECS, i) != LUA_TNIL; i++) {
            struct spec spec = {.index = lua_gettop(L), .number = i};
            if (!lua_istable(L, -1))
                fail(L, &spec, "a key is a table, as in { alg = \"HS256\", secret = ... }");
            add(world, L, set, &spec);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    return 1;
}

/* ---- methods ---- */

static double leeway_of(lua_State *L, int index)
{
    double seconds = 0;
    if (!lua_istable(L, index)) return seconds;
    if (lua_getfield(L, index, "leeway") != LUA_TNIL) seconds = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return seconds;
}

/* keys:verify(token, options|nil) -> claims | nil, why, detail */
static int keys_verify(lua_State *L)
{
    enum { AT_TOKEN = 2, AT_OPTIONS };
    struct tg_world *world = world_of(L);
    struct key_set *set = check_keys(L);
    struct tg_slice token = tg_crypto_check_text(L, AT_TOKEN);
    lua_settop(L, AT_OPTIONS);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_jwt_rules rules = {.now_s = tg_crypto_now(world, L, AT_OPTIONS),
                                 .leeway_s = leeway_of(L, AT_OPTIONS),
                                 .max_bytes = world->config->max_token_bytes};
    struct tg_arena *arena = &scratch->arena;
    rules.audiences.items = tg_crypto_texts(L, AT_OPTIONS, "audience", arena, &rules.audiences.count);
    rules.issuers.items = tg_crypto_texts(L, AT_OPTIONS, "issuer", arena, &rules.issuers.count);
    rules.required.items = tg_crypto_texts(L, AT_OPTIONS, "required", arena, &rules.required.count);
    struct tg_value claims;
    struct tg_error error = {.text = ""};
    enum tg_jwt_verdict verdict = tg_jwt_verify(&set->keys, token, &rules, arena, &claims, &error);
    if (verdict == TG_JWT_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (verdict == TG_JWT_TOO_LARGE && world->worker) world->worker->metrics.tokens_too_large++;
    if (verdict != TG_JWT_OK) {
        luaL_pushfail(L);
        lua_pushstring(L, tg_jwt_verdict_name(verdict));
        lua_pushstring(L, error.text);
        return 3;
    }
    tg_world_push_refs(world, L);
    tg_push_value(L, lua_gettop(L), 0, &claims);
    return 1;
}

/* keys:sign(claims, options|nil) -> token */
static int keys_sign(lua_State *L)
{
    enum { AT_CLAIMS = 2, AT_OPTIONS };
    struct tg_world *world = world_of(L);
    struct key_set *set = check_keys(L);
    struct tg_slice id = {NULL, 0};
    luaL_checktype(L, AT_CLAIMS, LUA_TTABLE);
    lua_settop(L, AT_OPTIONS);
    if (lua_istable(L, AT_OPTIONS)) {
        if (lua_getfield(L, AT_OPTIONS, "id") != LUA_TNIL) id = tg_crypto_check_text(L, -1);
    }
    const struct tg_key *key = tg_jwt_find_signer(&set->keys, id);
    if (!key && id.length)
        return luaL_error(L, "no key called \"%s\" can sign: that needs a secret or a private key", id.data);
    if (!key) return luaL_error(L, "no key can sign: that needs a secret or a private key");
    struct tg_scratch *claims = tg_scratch_push(world, L), *token = tg_scratch_push(world, L);
    const struct tg_subject subject = {.name = TG_SLICE("the claims of a token"), .has_place = true};
    tg_write_any(world, L, AT_CLAIMS, &subject, "claims", &claims->text);
    if (claims->text.has_failed || tg_jwt_sign(key, tg_buf_peek(&claims->text), &token->text) != TG_OK)
        return luaL_error(L, "not enough memory");
    lua_pushlstring(L, token->text.data, token->text.length);
    return 1;
}

/* keys:replace(jwks) -> true | nil, why */
static int keys_replace(lua_State *L)
{
    struct key_set *set = check_keys(L);
    struct tg_slice text = tg_crypto_check_text(L, 2);
    struct tg_error error;
    enum tg_status status =
        tg_keys_replace_set(&set->keys, text, set->has_set_alg ? &set->set_alg : NULL, false, &error);
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (status != TG_OK) {
        luaL_pushfail(L);
        lua_pushstring(L, error.text);
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1;
}

void tg_crypto_keys_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"verify", keys_verify}, {"sign", keys_sign}, {"replace", keys_replace}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__gc", free_keys}, {NULL, NULL}};
    luaL_newlib(L, metamethods);
    int meta = lua_gettop(L);
    luaL_newlibtable(L, methods);
    tg_world_push_self(world, L);
    lua_pushvalue(L, meta);
    luaL_setfuncs(L, methods, UPVALUE_META);
    lua_setfield(L, meta, "__index");
    lua_pushliteral(L, "tidegate.keys");
    lua_setfield(L, meta, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, meta, "__metatable");
    tg_world_push_self(world, L);
    lua_insert(L, meta);
    lua_pushcclosure(L, crypto_keys, UPVALUE_META);
    lua_setfield(L, -2, "keys");
}
