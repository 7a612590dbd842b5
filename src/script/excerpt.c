/* Lua names the line of a syntax error and the token in front of which it gave up. Where the token stands
 * more than once in the line, the text is compiled up to each of them: at the right one, and not before, the
 * compiler gives up in front of the same token. Of other errors the message quotes names; one that stands
 * once in the line is what is meant.
 *
 * Files are read again, for they are small and it happens after a mistake of a person only. Nothing here
 * keeps memory outside the arena over a call that may raise: compiling is protected by Lua itself. */
#include "script/excerpt.h"

#include "base/utf8.h"
#include "script/call.h"
#include "script/embedded.h"
#include "script/source_text.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES_MAX = 400,
    TRIES_MAX = 16,
    NAME_BYTES_MAX = 64,
    FRAMES_MAX = 12,
    CALL_LINES_MAX = 40,
};

/* ---- lines ---- */

/* At most so much of it as is shown, without half a character at its end. */
static struct tg_slice cut(struct tg_slice line)
{
    if (line.length > LINE_BYTES_MAX) {
        line.length = LINE_BYTES_MAX;
        while (line.length && ((unsigned char)line.data[line.length] & 0xC0) == 0x80) line.length--;
    }
    return line;
}

static struct tg_slice copy_around(struct tg_arena *arena, struct tg_slice text, uint32_t line,
                                   uint32_t *first_line)
{
    if (line == 0 || !tg_source_line(text, line).data) return (struct tg_slice){0};
    uint32_t first = line > TG_EXCERPT_AROUND ? line - TG_EXCERPT_AROUND : 1;
    uint32_t last = line + TG_EXCERPT_AROUND;
    struct tg_buf lines;
    tg_buf_init(&lines);
    for (uint32_t i = first; i <= last; i++) {
        struct tg_slice source = tg_source_line(text, i);
        bool is_end = source.data && source.data + source.length == text.data + text.length;
        if (!source.data || (is_end && source.length == 0 && i != line)) break;
        tg_buf_append_slice(&lines, cut(source));
        tg_buf_append_char(&lines, '\n');
    }
    struct tg_slice copied = {0};
    if (!lines.has_failed) copied = tg_arena_copy(arena, tg_buf_peek(&lines));
    tg_buf_deinit(&lines);
    *first_line = copied.data ? first : 0;
    return copied.data ? copied : (struct tg_slice){0};
}

struct tg_slice tg_excerpt_read(struct tg_arena *arena, struct tg_slice file, uint32_t line,
                                uint32_t *first_line)
{
    size_t length;
    *first_line = 0;
    char *text = tg_source_read(file, &length);
    if (!text) return (struct tg_slice){0};
    struct tg_slice lines = copy_around(arena, (struct tg_slice){text, length}, line, first_line);
    free(text);
    return lines;
}

/* ---- columns ---- */

static bool is_word(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Where `name` stands in the line from byte `from` on, not as a part of a longer name; SIZE_MAX: nowhere. */
static size_t find_name(struct tg_slice line, size_t from, struct tg_slice name)
{
    for (size_t i = from; name.length && i + name.length <= line.length; i++) {
        if (memcmp(line.data + i, name.data, name.length) != 0) continue;
        size_t end = i + name.length;
        if (i > 0 && is_word(name.data[0]) && is_word(line.data[i - 1])) continue;
        if (end < line.length && is_word(name.data[name.length - 1]) && is_word(line.data[end])) continue;
        return i;
    }
    return SIZE_MAX;
}

/* The last `near` of a message: its token, without quotes. Data NULL: there is none. */
static struct tg_slice find_token(struct tg_slice message, bool *is_end_of_file)
{
    static const struct tg_slice near = TG_SLICE(" near ");
    *is_end_of_file = false;
    for (size_t i = message.length; i >= near.length; i--) {
        if (memcmp(message.data + i - near.length, near.data, near.length) != 0) continue;
        struct tg_slice token = {message.data + i, message.length - i};
        *is_end_of_file = tg_slice_equal(token, TG_SLICE("<eof>"));
        if (token.length < 3 || token.data[0] != '\'' || token.data[token.length - 1] != '\'') break;
        return (struct tg_slice){token.data + 1, token.length - 2};
    }
    return (struct tg_slice){0};
}

/* A token that Lua names by its number, "<\\195>". */
static bool unprintable(struct tg_slice token, char *byte)
{
    if (token.length < 4 || memcmp(token.data, "<\\", 2) != 0) return false;
    *byte = (char)strtol(token.data + 2, NULL, 10);
    return true;
}

/* Whether compiling the text up to `length` fails with this message. */
static bool fails_alike(lua_State *L, const char *text, size_t length, struct tg_slice message)
{
    if (!lua_checkstack(L, 1)) return false;
    bool is_alike = false;
    if (luaL_loadbufferx(L, text, length, "=x", "t") == LUA_ERRSYNTAX) {
        const char *raised = lua_tostring(L, -1), *space = strchr(raised, ' '); /* "x:12: ..." */
        is_alike = space && tg_slice_equal(tg_slice_of(space + 1), message);
    }
    lua_pop(L, 1);
    return is_alike;
}

/* The byte of the line where the compiler gave up; SIZE_MAX: nobody knows. */
static size_t find_syntax_error(lua_State *L, struct tg_slice text, struct tg_slice line,
                                struct tg_slice message)
{
    bool is_end_of_file;
    struct tg_slice token = find_token(message, &is_end_of_file);
    if (is_end_of_file) return line.length;
    char byte;
    if (unprintable(token, &byte)) token = (struct tg_slice){&byte, 1};
    size_t only = token.data ? find_name(line, 0, token) : SIZE_MAX;
    if (only == SIZE_MAX || find_name(line, only + 1, token) == SIZE_MAX) return only;
    for (int i = 0; i < TRIES_MAX && only != SIZE_MAX; i++) {
        size_t end = (size_t)(line.data - text.data) + only + token.length;
        if (fails_alike(L, text.data, end, message)) return only;
        only = find_name(line, only + 1, token);
    }
    return SIZE_MAX;
}

/* The byte of the line where a name stands that the message quotes; SIZE_MAX: none does, or more than once.
 */
static size_t find_quoted(struct tg_slice line, struct tg_slice message)
{
    for (size_t i = 0; i < message.length; i++) {
        char quote = message.data[i];
        if ((quote != '"' && quote != '\'') || (i > 0 && is_word(message.data[i - 1]))) continue;
        const char *begin = message.data + i + 1;
        const char *end = memchr(begin, quote, message.length - i - 1);
        if (!end) continue;
        struct tg_slice name = {begin, (size_t)(end - begin)};
        if (name.length == 0 || name.length > NAME_BYTES_MAX) continue;
        size_t at = find_name(line, 0, name);
        if (at != SIZE_MAX && find_name(line, at + 1, name) == SIZE_MAX) return at;
        i += name.length + 1;
    }
    return SIZE_MAX;
}

static uint32_t count_characters(struct tg_slice text)
{
    uint32_t count = 0, code_point;
    for (size_t i = 0, length; i < text.length; i += length ? length : 1, count++)
        length = tg_utf8_read(text.data + i, text.length - i, &code_point);
    return count;
}

/* The name of an option or a field that a message is about: option "pth". */
static struct tg_slice find_option(struct tg_slice message)
{
    static const char *const words[] = {" option \"", " field \""};
    for (size_t i = 0; i < 2; i++) {
        const char *found = memmem(message.data, message.length, words[i], strlen(words[i]));
        if (!found) continue;
        found += strlen(words[i]);
        const char *end = memchr(found, '"', (size_t)(message.data + message.length - found));
        if (end) return (struct tg_slice){found, (size_t)(end - found)};
    }
    return (struct tg_slice){0};
}

/* Whether `name =` stands in the line. */
static bool sets_field(struct tg_slice line, struct tg_slice name)
{
    size_t at = find_name(line, 0, name);
    if (at == SIZE_MAX) return false;
    for (at += name.length; at < line.length && line.data[at] == ' ';) at++;
    return at < line.length && line.data[at] == '=';
}

/* A call of several lines is named by its first. An option that does not stand there stands in one of the
 * next. */
static void find_option_line(struct tg_problem *problem, struct tg_slice text)
{
    struct tg_slice name = find_option(problem->message);
    if (!name.length) return;
    for (uint32_t i = 0; i < CALL_LINES_MAX; i++) {
        struct tg_slice line = tg_source_line(text, problem->line + i);
        if (!line.data || (i > 0 && line.length && line.data[0] == '}')) return;
        if (!sets_field(line, name)) continue;
        problem->line += i;
        return;
    }
}

static uint32_t find_column(lua_State *L, struct tg_slice text, struct tg_slice line, struct tg_slice message)
{
    bool is_end_of_file;
    bool is_syntax = find_token(message, &is_end_of_file).data || is_end_of_file;
    size_t at = is_syntax ? find_syntax_error(L, text, line, message) : find_quoted(line, message);
    if (at == SIZE_MAX || at > LINE_BYTES_MAX) return 0;
    return count_characters((struct tg_slice){line.data, at}) + 1;
}

/* ---- other places ---- */

/* Whether it is shown already. */
static bool has_place(const struct tg_problem *problem, struct tg_slice file, uint32_t line)
{
    uint32_t end = problem->first_line;
    for (size_t i = 0; i < problem->excerpt.length; i++) end += problem->excerpt.data[i] == '\n';
    bool is_in_excerpt = line == problem->line || (line >= problem->first_line && line < end);
    if (is_in_excerpt && tg_slice_equal(problem->file, file)) return true;
    for (uint32_t i = 0; i < problem->place_count; i++)
        if (problem->places[i].line == line && tg_slice_equal(problem->places[i].file, file)) return true;
    return false;
}

static void add_place(struct tg_arena *arena, struct tg_problem *problem, struct tg_slice file,
                      unsigned long number)
{
    size_t length;
    uint32_t line = number < UINT32_MAX ? (uint32_t)number : 0;
    if (line == 0 || problem->place_count == TG_PROBLEM_PLACES || has_place(problem, file, line)) return;
    char *text = tg_source_read(file, &length);
    if (!text) return;
    struct tg_slice source = tg_source_line((struct tg_slice){text, length}, line);
    source = source.length ? tg_arena_copy(arena, cut(source)) : (struct tg_slice){0};
    if (source.data) problem->places[problem->place_count++] = (struct tg_problem_place){file, line, source};
    free(text);
}

/* "chat.lua:12" anywhere in the message, and the beginning of what is not closed. */
static void find_places(struct tg_arena *arena, struct tg_problem *problem)
{
    static const struct tg_slice ending = TG_SLICE(".lua:");
    static const char closing[] = "expected (to close '";
    struct tg_slice message = problem->message;
    const char *unclosed = memmem(message.data, message.length, closing, sizeof closing - 1);
    const char *at_line = unclosed ? strstr(unclosed, "' at line ") : NULL;
    if (at_line) add_place(arena, problem, problem->file, strtoul(at_line + strlen("' at line "), NULL, 10));
    for (size_t i = 0; i + ending.length < message.length; i++) {
        if (memcmp(message.data + i, ending.data, ending.length) != 0) continue;
        size_t start = i;
        while (start > 0 && !strchr(" \n\t'\"(", message.data[start - 1])) start--;
        size_t end = i + ending.length - 1;
        /* The text ends with a NUL: it is a copy in the arena. */
        add_place(arena, problem, (struct tg_slice){message.data + start, end - start},
                  strtoul(message.data + end + 1, NULL, 10));
    }
}

/* ---- what to do ---- */

static const struct {
    const char *text, *hint;
} hints[] = {
    {"unfinished string", "end the string with the quote that began it; a text of several lines is [[...]]"},
    {"unfinished long", "close it with as many '=' between its brackets as it was opened with"},
    {"' expected (to close '",
     "what was opened there is not closed; has its end, or a comma, been forgotten?"},
    {"'end' expected near", "a `function`, `if`, `for`, `while` or `do` above has no `end`"},
    {"'=' expected near", "a name alone is no statement: call it, assign to it, or write `local`"},
    {"<name> expected near", "a name has to stand here, and a word of Lua such as `end` is none"},
    {"' expected near", "is a comma, an operator or a bracket missing in front of it?"},
    {"<eof> expected near", "is there one `end` too many, or does something follow a `return`?"},
    {"unexpected symbol near", "a value has to stand here: is one missing, or a sign too many?"},
    {"syntax error near", "a statement is an assignment or a call: is one of their signs missing?"},
    {"attempt to assign to const variable",
     "declare it without <const>, or give the new value a name of its own"},
    {"attempt to index a nil value",
     "it is nil here: is its name right, and is it set before this line runs?"},
    {"attempt to index a boolean value",
     "if `require` gave it: a file that returns nothing counts as true; does it end with `return`?"},
    {"attempt to call a nil value",
     "there is no such function here: is its name right, and its module loaded?"},
    {"a nil value (", "it is nil here: is its name right, and is it set before this line runs?"},
    {"was not found:", "correct the name, or make one of these files"},
};

static struct tg_slice find_hint(struct tg_slice message)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (memmem(message.data, message.length, hints[i].text, strlen(hints[i].text)))
            return tg_slice_of(hints[i].hint);
    return (struct tg_slice){0};
}

/* ---- all ---- */

void tg_excerpt_explain(struct tg_problems *problems, struct tg_problem *problem, lua_State *L)
{
    size_t length;
    char *text = problem->line ? tg_source_read(problem->file, &length) : NULL;
    if (text) {
        struct tg_slice whole = {text, length};
        find_option_line(problem, whole);
        struct tg_slice line = tg_source_line(whole, problem->line);
        problem->excerpt = copy_around(&problems->arena, whole, problem->line, &problem->first_line);
        if (problem->excerpt.length) problem->column = find_column(L, whole, line, problem->message);
        free(text);
    }
    find_places(&problems->arena, problem);
    problem->hint = find_hint(problem->message);
}

/* Adds the user's functions that run to the text on top: "chat.lua:3: in main chunk". [-0, +0, e] */
static void add_frames(lua_State *L)
{
    lua_Debug debug;
    int frames = 0;
    for (int level = 1; lua_getstack(L, level, &debug) && frames < FRAMES_MAX; level++) {
        lua_getinfo(L, "Snl", &debug);
        if (debug.currentline <= 0 || tg_is_own_chunk(debug.source)) continue;
        const char *file = debug.source[0] == '@' ? debug.source + 1 : debug.short_src;
        if (frames++ > 0) lua_pushliteral(L, "\n");
        if (*debug.what == 'm')
            lua_pushfstring(L, "%s:%d: in the module itself", file, debug.currentline);
        else if (debug.name)
            lua_pushfstring(L, "%s:%d: in '%s'", file, debug.currentline, debug.name);
        else
            lua_pushfstring(L, "%s:%d: in the function of line %d", file, debug.currentline,
                            debug.linedefined);
        lua_concat(L, frames > 1 ? 3 : 2);
    }
}

int tg_excerpt_trace(lua_State *L)
{
    lua_Debug debug;
    lua_settop(L, 1);
    lua_createtable(L, 3, 0);
    luaL_tolstring(L, 1, NULL);
    lua_rawseti(L, 2, 1);
    lua_pushliteral(L, "");
    add_frames(L);
    lua_rawseti(L, 2, 2);
    for (int level = 1; lua_getstack(L, level, &debug); level++) {
        lua_getinfo(L, "Sl", &debug);
        if (debug.currentline <= 0 || tg_is_own_chunk(debug.source) || debug.source[0] != '@') continue;
        lua_pushstring(L, debug.source + 1);
        lua_rawseti(L, 2, 3);
        break;
    }
    return 1;
}
