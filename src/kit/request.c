/* The path is cut and decoded as libwebsockets does it (net/head.c says what comes out), so that a path which
 * a spec connects to is the one that a client gets to. */
#include "kit/request.h"

#include "core/upgrade.h"
#include "script/world.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place and returns the length. */
static size_t decode(char *text, size_t length)
{
    size_t to = 0;
    for (size_t from = 0; from < length; from++, to++) {
        bool is_code = text[from] == '%' && length - from > 2 && hex_digit(text[from + 1]) >= 0 &&
                       hex_digit(text[from + 2]) >= 0;
        text[to] = text[from];
        if (text[to] == '+') text[to] = ' ';
        if (!is_code) continue;
        text[to] = (char)(hex_digit(text[from + 1]) * 16 + hex_digit(text[from + 2]));
        from += 2;
    }
    return to;
}

/* Back to the '/' of the segment before. */
static size_t up(const char *text, size_t to)
{
    while (to > 0 && text[--to] != '/') {
    }
    return to;
}

/* Resolves "//", "/./" and "/../" in place. */
static size_t resolve(char *text, size_t length)
{
    size_t to = 0;
    for (size_t from = 0; from < length;) {
        size_t next = from + 1;
        while (next < length && text[next] != '/') next++;
        size_t segment = next - from; /* with its '/' */
        if (segment == 1 && next < length) {
            /* an empty one */
        } else if (segment == 2 && text[from + 1] == '.') {
            if (next == length) text[to++] = '/';
        } else if (segment == 3 && memcmp(text + from + 1, "..", 2) == 0) {
            to = up(text, to);
            if (next == length) text[to++] = '/';
        } else {
            memmove(text + to, text + from, segment);
            to += segment;
        }
        from = next;
    }
    return to;
}

static struct tg_slice copy(lua_State *L, struct tg_arena *arena, struct tg_slice text)
{
    struct tg_slice copied = tg_arena_copy(arena, text);
    tg_world_check_memory(L, (void *)copied.data);
    return copied;
}

static struct tg_slice get_text(lua_State *L, int index, struct tg_arena *arena, const char *name,
                                struct tg_slice absent)
{
    struct tg_slice text = absent;
    if (lua_getfield(L, index, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "connect: %s is a string, got a %s", name, luaL_typename(L, -1));
        text.data = lua_tolstring(L, -1, &text.length);
    }
    text = copy(L, arena, text);
    lua_pop(L, 1);
    return text;
}

/* Splits "/ws/chat?x=1" and decodes the path. */
static void set_path(lua_State *L, struct tg_slice path, struct tg_request *parts)
{
    if (path.length == 0 || path.data[0] != '/')
        luaL_error(L, "connect: a path begins with '/', got \"%s\"", path.length ? path.data : "");
    const char *question = memchr(path.data, '?', path.length);
    if (question) {
        parts->query = (struct tg_slice){question + 1, path.length - (size_t)(question + 1 - path.data)};
        path.length = (size_t)(question - path.data);
    }
    bool is_cut = memchr(path.data, '&', path.length) || memchr(path.data, ';', path.length);
    char *text = (char *)path.data;
    path.length = resolve(text, path.length);
    path.length = decode(text, path.length);
    parts->path = is_cut || memchr(text, '\0', path.length) ? (struct tg_slice){0} : path;
}

/* The pair { name, value } on top. */
static void read_header(lua_State *L, struct tg_arena *arena, struct tg_pair *pair)
{
    if (!lua_istable(L, -1) || lua_rawgeti(L, -1, 1) != LUA_TSTRING || lua_rawgeti(L, -2, 2) != LUA_TSTRING)
        luaL_error(L, "connect: headers are a list of pairs: { { \"origin\", \"https://example.org\" } }");
    pair->name.data = lua_tolstring(L, -2, &pair->name.length);
    pair->value.data = lua_tolstring(L, -1, &pair->value.length);
    pair->name = copy(L, arena, pair->name);
    pair->value = copy(L, arena, pair->value);
    for (size_t i = 0; i < pair->name.length; i++)
        ((char *)pair->name.data)[i] = (char)tolower((unsigned char)pair->name.data[i]);
    lua_pop(L, 2);
}

static struct tg_pair *find_header(const struct tg_pairs *headers, struct tg_slice name)
{
    for (uint32_t i = 0; i < headers->count; i++)
        if (tg_slice_equal(headers->items[i].name, name)) return &headers->items[i];
    return NULL;
}

/* Several of one name are joined as net/head.c joins them (RFC 9110 5.3, RFC 6265 5.4). */
static void add_header(lua_State *L, struct tg_arena *arena, struct tg_pairs *headers, struct tg_pair header)
{
    struct tg_pair *before = find_header(headers, header.name);
    if (!before) {
        headers->items[headers->count++] = header;
        return;
    }
    bool is_cookie = tg_slice_equal(header.name, TG_SLICE("cookie"));
    lua_pushlstring(L, before->value.data, before->value.length);
    lua_pushstring(L, is_cookie ? "; " : ", ");
    lua_pushlstring(L, header.value.data, header.value.length);
    lua_concat(L, 3);
    before->value.data = lua_tolstring(L, -1, &before->value.length);
    before->value = copy(L, arena, before->value);
    lua_pop(L, 1);
}

static void read_headers(lua_State *L, int index, struct tg_arena *arena, struct tg_pairs *headers)
{
    lua_Unsigned count = lua_getfield(L, index, "headers") == LUA_TTABLE ? lua_rawlen(L, -1) : 0;
    headers->items = tg_arena_calloc(arena, count + 1, sizeof *headers->items);
    tg_world_check_memory(L, headers->items);
    headers->count = 0;
    for (lua_Unsigned i = 1; i <= count; i++) {
        struct tg_pair header;
        lua_rawgeti(L, -1, (lua_Integer)i);
        read_header(L, arena, &header);
        add_header(L, arena, headers, header);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (!tg_pairs_get(headers, TG_SLICE("host")).data)
        headers->items[headers->count++] = (struct tg_pair){TG_SLICE("host"), TG_SLICE("127.0.0.1")};
}

void tg_kit_request_read(lua_State *L, int index, struct tg_arena *arena, struct tg_request *parts)
{
    *parts = (struct tg_request){0};
    set_path(L, get_text(L, index, arena, "path", TG_SLICE("/")), parts);
    if (lua_getfield(L, index, "query") != LUA_TNIL)
        parts->query = get_text(L, index, arena, "query", TG_SLICE(""));
    lua_pop(L, 1);
    parts->peer = get_text(L, index, arena, "peer", TG_SLICE("127.0.0.1:40000"));
    read_headers(L, index, arena, &parts->headers);
}

void tg_kit_request_keep(struct tg_request *parts, const struct tg_texts *declared)
{
    struct tg_pairs *headers = &parts->headers;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < headers->count; i++)
        if (tg_upgrade_keeps(declared, headers->items[i].name)) headers->items[kept++] = headers->items[i];
    headers->count = kept;
}

struct tg_slice tg_kit_request_header(const struct tg_request *parts, const char *name)
{
    struct tg_slice value = tg_pairs_get(&parts->headers, tg_slice_of(name));
    return value.data ? value : TG_SLICE("");
}
