/* The names are written from the least to the greatest, each found by a walk over the table: there are few,
 * and the order of a table is not the same from run to run. */
#include "script/headers.h"

#include "script/place.h"
#include "wire/handshake.h"

#include <lauxlib.h>
#include <string.h>
#include <strings.h>

/* What says how the answer is framed, or what it is. */
static const char *const own[] = {"connection", "content-length", "content-type", "transfer-encoding",
                                  "upgrade",    "date",           "keep-alive",   "trailer"};

#define OWN_PREFIX "sec-websocket-"

static bool is_own(struct tg_slice name)
{
    size_t prefix = strlen(OWN_PREFIX);
    if (name.length >= prefix && strncasecmp(name.data, OWN_PREFIX, prefix) == 0) return true;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (name.length == strlen(own[i]) && strncasecmp(name.data, own[i], name.length) == 0) return true;
    return false;
}

/* RFC 9110 5.5, without what it calls obsolete: a line break could begin another header. */
static bool is_value(struct tg_slice value)
{
    for (size_t i = 0; i < value.length; i++)
        if ((value.data[i] < ' ' || value.data[i] > '~') && value.data[i] != '\t') return false;
    return true;
}

static struct tg_slice text_at(lua_State *L, int index)
{
    struct tg_slice text;
    text.data = lua_tolstring(L, index, &text.length);
    return text;
}

/* RFC 9110 5.1 */
static void check_name(lua_State *L, int index, const char *what)
{
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s has a header whose name is %s: names are strings", what,
                   tg_place_push_kind(L, index));
    struct tg_slice name = text_at(L, index);
    if (!tg_handshake_is_token(name))
        luaL_error(L, "%s has a header \"%s\": a name has letters, digits and \"-\"", what, name.data);
    if (is_own(name)) luaL_error(L, "%s has the header %s, which the gateway writes itself", what, name.data);
}

/* The value on top, as a line. */
static void write_line(lua_State *L, struct tg_slice name, const char *what, struct tg_buf *out)
{
    if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1))
        luaL_error(L, "%s has the header %s with %s: a value is a string, an integer, or a list of strings",
                   what, name.data, tg_place_push_kind(L, -1));
    lua_pushvalue(L, -1);
    struct tg_slice value = text_at(L, -1);
    if (!is_value(value))
        luaL_error(L, "%s has the header %s with a line break or another character that a value cannot have",
                   what, name.data);
    tg_buf_append_slice(out, name);
    tg_buf_append_literal(out, ": ");
    tg_buf_append_slice(out, value);
    tg_buf_append_literal(out, "\r\n");
    lua_pop(L, 1);
}

/* The value, or list of values, on top. */
static void write_header(lua_State *L, struct tg_slice name, const char *what, struct tg_buf *out)
{
    lua_Unsigned count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
    if (!lua_istable(L, -1)) write_line(L, name, what, out);
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        write_line(L, name, what, out);
        lua_pop(L, 1);
    }
}

/* Pushes the least name behind the one on top (nil: of all) and takes that away. False: there is none, and
 * nothing is left. */
static bool push_next_name(lua_State *L, int index, const char *what)
{
    int before = lua_gettop(L);
    lua_pushnil(L);
    int least = before + 1;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        check_name(L, -1, what);
        bool is_behind = lua_isnil(L, before) || tg_slice_compare(text_at(L, -1), text_at(L, before)) > 0;
        if (!is_behind) continue;
        if (!lua_isnil(L, least) && tg_slice_compare(text_at(L, -1), text_at(L, least)) > 0) continue;
        lua_pushvalue(L, -1);
        lua_replace(L, least);
    }
    lua_remove(L, before);
    if (!lua_isnil(L, -1)) return true;
    lua_pop(L, 1);
    return false;
}

void tg_answer_headers_write(lua_State *L, int index, const char *what, struct tg_buf *out)
{
    size_t before = out->length;
    index = lua_absindex(L, index);
    if (lua_isnil(L, index)) return;
    if (!lua_istable(L, index))
        luaL_error(L, "%s has %s for headers: they are a table of names and values", what,
                   tg_place_push_kind(L, index));
    lua_pushnil(L);
    while (push_next_name(L, index, what)) {
        struct tg_slice name = text_at(L, -1);
        lua_pushvalue(L, -1);
        lua_rawget(L, index);
        write_header(L, name, what, out);
        lua_pop(L, 1);
        if (out->length - before > TG_ANSWER_HEADERS_BYTES_MAX)
            luaL_error(L, "%s has more than %d bytes of headers", what, TG_ANSWER_HEADERS_BYTES_MAX);
    }
    if (out->has_failed) luaL_error(L, "not enough memory");
}
