/* Tables are numbered in the order in which they are first seen, and their contents follow in that order, so
 * that neither side needs a stack as deep as the data:
 *
 *     value := n | t | f | z (null) | i int64 | d double | s length bytes | T number
 *     bytes := value table*          one table for each number, the first is 1
 *     table := mark length value{length} (key value)* e
 *
 * A number that is one more than the highest so far is a new table. Lengths and numbers are in seven bits a
 * byte, the lowest first. What a sequence has that is not plain is `n` in its place.
 */
#include "script/plain.h"

#include "script/place.h"
#include "script/plain_path.h"
#include "script/table.h"

#include <lauxlib.h>
#include <string.h>

enum tag {
    TAG_NIL = 'n',
    TAG_TRUE = 't',
    TAG_FALSE = 'f',
    TAG_NULL = 'z',
    TAG_INTEGER = 'i',
    TAG_FLOAT = 'd',
    TAG_STRING = 's',
    TAG_TABLE = 'T',
    TAG_END = 'e'
};

enum { MARK_PLAIN = '{', MARK_ARRAY = '[' };

/* ---- writing ---- */

struct writer {
    struct tg_world *world;
    lua_State *L;
    const struct tg_plain *plain;
    struct tg_buf *out;
    size_t begin; /* of what is written */
    int numbers;  /* index of a table: table -> number */
    int tables;   /* and of the list of them */
    lua_Integer count;
    bool is_silent;
};

static void write_length(struct tg_buf *out, size_t length)
{
    for (; length >= 0x80; length >>= 7) tg_buf_append_char(out, (char)(0x80 | (length & 0x7f)));
    tg_buf_append_char(out, (char)length);
}

/* Writes the number of the table on top. */
static void write_table(struct writer *writer)
{
    lua_State *L = writer->L;
    lua_pushvalue(L, -1);
    lua_rawget(L, writer->numbers);
    lua_Integer number = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (number == 0) {
        number = ++writer->count;
        lua_pushvalue(L, -1);
        lua_rawseti(L, writer->tables, number);
        lua_pushvalue(L, -1);
        lua_pushinteger(L, number);
        lua_rawset(L, writer->numbers);
    }
    tg_buf_append_char(writer->out, TAG_TABLE);
    write_length(writer->out, (size_t)number);
}

static void write_number(lua_State *L, struct tg_buf *out)
{
    if (lua_isinteger(L, -1)) {
        lua_Integer integer = lua_tointeger(L, -1);
        tg_buf_append_char(out, TAG_INTEGER);
        tg_buf_append(out, &integer, sizeof integer);
    } else {
        lua_Number number = lua_tonumber(L, -1);
        tg_buf_append_char(out, TAG_FLOAT);
        tg_buf_append(out, &number, sizeof number);
    }
}

/* Whether the value on top is plain. [-0, +0, -] */
static bool is_plain(lua_State *L)
{
    int type = lua_type(L, -1);
    return type <= LUA_TSTRING ? type != LUA_TLIGHTUSERDATA || !lua_touserdata(L, -1) : type == LUA_TTABLE;
}

/* Writes the value on top, which is plain. */
static void write_value(struct writer *writer)
{
    lua_State *L = writer->L;
    struct tg_buf *out = writer->out;
    struct tg_slice text;
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        tg_buf_append_char(out, lua_toboolean(L, -1) ? TAG_TRUE : TAG_FALSE);
        break;
    case LUA_TNUMBER:
        write_number(L, out);
        break;
    case LUA_TSTRING:
        text.data = lua_tolstring(L, -1, &text.length);
        tg_buf_append_char(out, TAG_STRING);
        write_length(out, text.length);
        tg_buf_append_slice(out, text);
        break;
    case LUA_TTABLE:
        write_table(writer);
        break;
    default:
        tg_buf_append_char(out, lua_isnil(L, -1) ? TAG_NIL : TAG_NULL);
    }
}

/* ---- what stays behind ---- */

/* Tells that field `key`, an index (0: the table itself), of table `number` stays behind. [-0, +0, e] */
static void leave_out(struct writer *writer, lua_Integer number, int key, const char *what)
{
    lua_State *L = writer->L;
    const struct tg_plain_tables tables = {writer->tables, writer->count, writer->plain->name};
    struct tg_slice path;
    if (writer->is_silent) return;
    path.data = tg_plain_push_path(L, &tables, number, key, &path.length);
    writer->is_silent = !writer->plain->left_out(writer->plain->context, path, what);
    lua_pop(L, 1);
}

/* The same of the value at `index`. */
static void leave_out_value(struct writer *writer, lua_Integer number, int key, int index)
{
    lua_State *L = writer->L;
    if (writer->is_silent) return;
    int base = lua_gettop(L);
    index = lua_absindex(L, index);
    lua_pushfstring(L, "is %s", tg_place_push_kind(L, index));
    leave_out(writer, number, key, lua_tostring(L, -1));
    lua_settop(L, base);
}

/* ---- tables ---- */

static bool is_full(const struct writer *writer)
{
    size_t max_bytes = writer->plain->max_bytes;
    return writer->out->has_failed || (max_bytes && writer->out->length - writer->begin > max_bytes);
}

/* Writes the items 1 to the length of the table on top. Returns how many. */
static lua_Integer write_items(struct writer *writer, lua_Integer number)
{
    lua_State *L = writer->L;
    lua_Integer length = (lua_Integer)lua_rawlen(L, -1);
    write_length(writer->out, (size_t)length);
    for (lua_Integer i = 1; i <= length && !is_full(writer); i++) {
        lua_rawgeti(L, -1, i);
        if (is_plain(L)) {
            write_value(writer);
        } else {
            tg_buf_append_char(writer->out, TAG_NIL);
            lua_pushinteger(L, i);
            leave_out_value(writer, number, lua_gettop(L), -2);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    return length;
}

static bool is_item(lua_State *L, int index, lua_Integer length)
{
    if (!lua_isinteger(L, index)) return false;
    lua_Integer i = lua_tointeger(L, index);
    return i >= 1 && i <= length;
}

/* Writes the pair on top: key, value. */
static void write_pair(struct writer *writer, lua_Integer number)
{
    lua_State *L = writer->L;
    int key = lua_gettop(L) - 1;
    lua_pushvalue(L, key);
    bool has_key = is_plain(L);
    lua_pop(L, 1);
    if (!has_key || !is_plain(L)) {
        leave_out_value(writer, number, key, has_key ? -1 : key);
        return;
    }
    lua_pushvalue(L, key);
    write_value(writer);
    lua_pop(L, 1);
    write_value(writer);
}

/* Writes the contents of table `number`. */
static void write_contents(struct writer *writer, lua_Integer number)
{
    lua_State *L = writer->L;
    lua_rawgeti(L, writer->tables, number);
    int table = lua_gettop(L);
    bool is_array = false;
    if (lua_getmetatable(L, table)) {
        lua_settop(L, table);
        is_array = tg_is_marked_array(writer->world, L, table);
        if (!is_array) leave_out(writer, number, 0, "has a metatable");
    }
    tg_buf_append_char(writer->out, is_array ? MARK_ARRAY : MARK_PLAIN);
    lua_Integer length = write_items(writer, number);
    for (lua_pushnil(L); !is_full(writer) && lua_next(L, table); lua_settop(L, table + 1))
        if (!is_item(L, table + 1, length)) write_pair(writer, number);
    tg_buf_append_char(writer->out, TAG_END);
    lua_settop(L, table - 1);
}

static enum tg_status finish(const struct writer *writer)
{
    enum tg_status status = tg_buf_status(writer->out);
    if (status == TG_OK && is_full(writer)) status = TG_E_FULL;
    if (status != TG_OK) tg_buf_truncate(writer->out, writer->begin);
    return status;
}

enum tg_status tg_plain_write(struct tg_world *world, lua_State *L, int index, const struct tg_plain *plain,
                              struct tg_buf *out)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 12, NULL);
    lua_newtable(L);
    lua_newtable(L);
    struct writer writer = {.world = world, .L = L, .plain = plain, .out = out, .begin = out->length};
    writer.is_silent = !plain->left_out;
    writer.tables = lua_gettop(L);
    writer.numbers = writer.tables - 1;
    lua_pushvalue(L, index);
    if (is_plain(L)) {
        write_value(&writer);
    } else {
        tg_buf_append_char(out, TAG_NIL);
        lua_pushfstring(L, "is %s", tg_place_push_kind(L, index));
        if (plain->left_out && plain->name)
            plain->left_out(plain->context, tg_slice_of(plain->name), lua_tostring(L, -1));
    }
    lua_settop(L, writer.tables);
    for (lua_Integer number = 1; number <= writer.count && !is_full(&writer); number++)
        write_contents(&writer, number);
    lua_settop(L, writer.numbers - 1);
    return finish(&writer);
}

/* ---- reading ---- */

struct reader {
    struct tg_world *world;
    lua_State *L;
    const char *at, *end;
    int tables; /* index of the list of tables */
    lua_Integer count;
};

static bool read_bytes(struct reader *reader, void *bytes, size_t count)
{
    if ((size_t)(reader->end - reader->at) < count) return false;
    memcpy(bytes, reader->at, count);
    reader->at += count;
    return true;
}

static bool read_length(struct reader *reader, size_t *length)
{
    *length = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        unsigned char byte;
        if (!read_bytes(reader, &byte, 1)) return false;
        *length |= (size_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool push_string(struct reader *reader)
{
    size_t length;
    if (!read_length(reader, &length) || (size_t)(reader->end - reader->at) < length) return false;
    lua_pushlstring(reader->L, reader->at, length);
    reader->at += length;
    return true;
}

static bool push_table(struct reader *reader)
{
    lua_State *L = reader->L;
    size_t number;
    if (!read_length(reader, &number) || number == 0 || number > (size_t)reader->count + 1) return false;
    if (number <= (size_t)reader->count) {
        lua_rawgeti(L, reader->tables, (lua_Integer)number);
        return true;
    }
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawseti(L, reader->tables, ++reader->count);
    return true;
}

static bool push_number(struct reader *reader, bool is_integer)
{
    union {
        lua_Integer integer;
        lua_Number number;
    } read;
    if (!read_bytes(reader, &read, sizeof read)) return false;
    if (is_integer)
        lua_pushinteger(reader->L, read.integer);
    else
        lua_pushnumber(reader->L, read.number);
    return true;
}

/* Pushes the next value; false, and nothing, when it is none. [-0, +1|0, e] */
static bool push_value(struct reader *reader, unsigned char tag)
{
    lua_State *L = reader->L;
    switch (tag) {
    case TAG_NIL:
        lua_pushnil(L);
        return true;
    case TAG_TRUE:
    case TAG_FALSE:
        lua_pushboolean(L, tag == TAG_TRUE);
        return true;
    case TAG_NULL:
        lua_pushlightuserdata(L, NULL);
        return true;
    case TAG_INTEGER:
    case TAG_FLOAT:
        return push_number(reader, tag == TAG_INTEGER);
    case TAG_STRING:
        return push_string(reader);
    case TAG_TABLE:
        return push_table(reader);
    default:
        return false;
    }
}

static bool push_next(struct reader *reader)
{
    unsigned char tag;
    return read_bytes(reader, &tag, 1) && push_value(reader, tag);
}

/* Whether the value on top can be a key. */
static bool is_key(lua_State *L)
{
    return !lua_isnil(L, -1) && lua_rawequal(L, -1, -1); /* NaN is not equal to itself */
}

/* The pairs of the table on top, up to the end. */
static bool read_pairs(struct reader *reader)
{
    lua_State *L = reader->L;
    unsigned char tag;
    while (read_bytes(reader, &tag, 1)) {
        if (tag == TAG_END) return true;
        if (!push_value(reader, tag) || !is_key(L) || !push_next(reader)) return false;
        lua_rawset(L, -3);
    }
    return false;
}

/* Fills the table on top. */
static bool read_contents(struct reader *reader)
{
    unsigned char mark;
    size_t length;
    if (!read_bytes(reader, &mark, 1) || !read_length(reader, &length)) return false;
    if (mark != MARK_PLAIN && mark != MARK_ARRAY) return false;
    for (size_t i = 1; i <= length; i++) {
        if (!push_next(reader)) return false;
        lua_rawseti(reader->L, -2, (lua_Integer)i);
    }
    if (mark == MARK_ARRAY) tg_mark_array(reader->world, reader->L);
    return read_pairs(reader);
}

enum tg_status tg_plain_read(struct tg_world *world, lua_State *L, struct tg_slice bytes)
{
    luaL_checkstack(L, 12, NULL);
    lua_newtable(L);
    struct reader reader = {
        .world = world, .L = L, .at = bytes.data, .end = bytes.data + bytes.length, .tables = lua_gettop(L)};
    bool is_right = push_next(&reader);
    for (lua_Integer number = 1; is_right && number <= reader.count; number++) {
        lua_rawgeti(L, reader.tables, number);
        is_right = read_contents(&reader);
        lua_settop(L, reader.tables + 1);
    }
    is_right = is_right && reader.at == reader.end;
    lua_settop(L, is_right ? reader.tables + 1 : reader.tables - 1);
    if (!is_right) return TG_E_INVALID;
    lua_replace(L, reader.tables);
    return TG_OK;
}
