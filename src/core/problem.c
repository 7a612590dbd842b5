/* A problem is told in up to four parts, each only where it is known:
 *
 *     consumers/chat.lua:12: '}' expected near 'b'
 *       11 | local limits <const> = {
 *     > 12 |   a = 1 b = 2,
 *          |         ^
 *       13 | }
 *       required from consumers/rooms.lua:3
 *       what to do: is a comma missing in front of 'b'?
 *
 * Invariant: `count` problems hang at `first`, and all their texts lie in the arena. */
#include "core/problem.h"

#include "base/utf8.h"
#include "wire/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TAB_WIDTH = 4, KEEP_BYTES = 4096 };

void tg_problems_init(struct tg_problems *problems)
{
    *problems = (struct tg_problems){0};
    tg_arena_init(&problems->arena, KEEP_BYTES);
}

void tg_problems_deinit(struct tg_problems *problems)
{
    tg_arena_deinit(&problems->arena);
    tg_problems_init(problems);
}

/* ---- adding ---- */

static bool copy(struct tg_problems *problems, struct tg_slice *text)
{
    if (!text->data) return true;
    *text = tg_arena_copy(&problems->arena, *text);
    return text->data != NULL;
}

struct tg_problem *tg_problems_add(struct tg_problems *problems, const struct tg_problem *problem)
{
    struct tg_problem *added = tg_arena_alloc(&problems->arena, sizeof *added);
    if (added) *added = *problem;
    if (!added || !copy(problems, &added->message) || !copy(problems, &added->file) ||
        !copy(problems, &added->excerpt) || !copy(problems, &added->traceback) ||
        !copy(problems, &added->hint)) {
        problems->has_failed = true;
        return NULL;
    }
    added->next = NULL;
    added->place_count = 0;
    if (problems->last)
        problems->last->next = added;
    else
        problems->first = added;
    problems->last = added;
    problems->count++;
    return added;
}

static bool is_lua_name(struct tg_slice name)
{
    static const struct tg_slice ending = TG_SLICE(".lua"), string = TG_SLICE("[string \"");
    if (name.length >= string.length && memcmp(name.data, string.data, string.length) == 0) return true;
    return name.length > ending.length && !memchr(name.data, '\n', name.length) &&
           memcmp(name.data + name.length - ending.length, ending.data, ending.length) == 0;
}

struct tg_slice tg_problem_split(struct tg_slice text, struct tg_slice *file, uint32_t *line)
{
    enum { MOST_DIGITS = 9 };
    *file = (struct tg_slice){0};
    *line = 0;
    for (size_t i = 0; i + 1 < text.length; i++) {
        if (text.data[i] != ':' || !is_lua_name((struct tg_slice){text.data, i})) continue;
        uint32_t number = 0;
        size_t end = i + 1;
        for (; end < text.length && end - i <= MOST_DIGITS; end++) {
            if (text.data[end] < '0' || text.data[end] > '9') break;
            number = number * 10 + (uint32_t)(text.data[end] - '0');
        }
        if (end == i + 1 || end + 1 >= text.length || text.data[end] != ':' || text.data[end + 1] != ' ')
            continue;
        *file = (struct tg_slice){text.data, i};
        *line = number;
        return (struct tg_slice){text.data + end + 2, text.length - end - 2};
    }
    return text;
}

struct tg_problem *tg_problems_add_text(struct tg_problems *problems, struct tg_slice text)
{
    struct tg_problem problem = {0};
    problem.message = tg_problem_split(text, &problem.file, &problem.line);
    return tg_problems_add(problems, &problem);
}

void tg_problems_printf(struct tg_problems *problems, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        problems->has_failed = true;
        return;
    }
    tg_problems_add_text(problems, (struct tg_slice){text, (size_t)length});
    free(text);
}

/* ---- lines ---- */

/* Takes the first line off `text`, without its end. False: there is none. */
static bool next_line(struct tg_slice *text, struct tg_slice *line)
{
    if (text->length == 0) return false;
    const char *end = memchr(text->data, '\n', text->length);
    size_t length = end ? (size_t)(end - text->data) : text->length;
    *line = (struct tg_slice){text->data, length};
    size_t taken = end ? length + 1 : length;
    *text = (struct tg_slice){text->data + taken, text->length - taken};
    return true;
}

/* `text`, whose lines behind the first get `indent` in front. */
static void write_lines(struct tg_buf *out, struct tg_slice text, const char *indent)
{
    struct tg_slice line;
    for (bool is_first = true; next_line(&text, &line); is_first = false) {
        if (!is_first) tg_buf_printf(out, "\n%s", indent);
        while (line.length && line.data[0] == '\t') line.data++, line.length--;
        tg_json_write_line(out, line);
    }
}

/* ---- text ---- */

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

static void colour(struct tg_buf *out, bool has_colour, const char *code)
{
    if (has_colour) tg_buf_append_slice(out, tg_slice_of(code));
}

/* A line of source with its tabs as spaces, or, when `is_blank`, the `characters` at its beginning as spaces.
 */
static void write_source(struct tg_buf *out, struct tg_slice line, bool is_blank, uint32_t characters)
{
    uint32_t seen = 0;
    for (size_t i = 0, length; i < line.length && (!is_blank || seen < characters); seen++) {
        uint32_t code_point;
        length = tg_utf8_read(line.data + i, line.length - i, &code_point);
        struct tg_slice character = {line.data + i, length ? length : 1};
        i += character.length;
        if (character.data[0] == '\t')
            tg_buf_printf(out, "%*s", TAB_WIDTH, "");
        else if (is_blank)
            tg_buf_append_char(out, ' ');
        else if (character.data[0] != '\r')
            tg_json_write_line(out, character);
    }
}

void tg_excerpt_write_text(struct tg_slice excerpt, uint32_t first_line, uint32_t line, uint32_t column,
                           bool has_colour, struct tg_buf *out)
{
    struct tg_slice source;
    for (uint32_t number = first_line; next_line(&excerpt, &source); number++) {
        bool is_here = number == line;
        colour(out, has_colour, is_here ? BOLD : DIM);
        tg_buf_printf(out, "%c %4u |%s", is_here ? '>' : ' ', number, source.length ? " " : "");
        if (!is_here) colour(out, has_colour, PLAIN);
        write_source(out, source, false, 0);
        if (is_here) colour(out, has_colour, PLAIN);
        tg_buf_append_char(out, '\n');
        if (!is_here || column == 0) continue;
        tg_buf_append_literal(out, "       | ");
        write_source(out, source, true, column - 1);
        colour(out, has_colour, RED);
        tg_buf_append_char(out, '^');
        colour(out, has_colour, PLAIN);
        tg_buf_append_char(out, '\n');
    }
}

static void write_place(struct tg_buf *out, const struct tg_problem *problem)
{
    tg_json_write_line(out, problem->file);
    if (problem->line) tg_buf_printf(out, ":%u", problem->line);
    tg_buf_append_literal(out, ": ");
}

static void write_places(struct tg_buf *out, const struct tg_problem *problem, bool has_colour)
{
    for (uint32_t i = 0; i < problem->place_count; i++) {
        const struct tg_problem_place *place = &problem->places[i];
        tg_buf_append_literal(out, "  ");
        tg_json_write_line(out, place->file);
        tg_buf_printf(out, ":%u:\n", place->line);
        tg_excerpt_write_text(place->text, place->line, 0, 0, has_colour, out);
    }
}

static void write_problem(struct tg_buf *out, const struct tg_problem *problem, bool has_colour)
{
    colour(out, has_colour, BOLD);
    if (problem->file.length) write_place(out, problem);
    colour(out, has_colour, RED);
    write_lines(out, problem->message, "  ");
    colour(out, has_colour, PLAIN);
    tg_buf_append_char(out, '\n');
    tg_excerpt_write_text(problem->excerpt, problem->first_line, problem->line, problem->column, has_colour,
                          out);
    write_places(out, problem, has_colour);
    if (problem->traceback.length) {
        tg_buf_append_literal(out, "  traceback: ");
        write_lines(out, problem->traceback, "             ");
        tg_buf_append_char(out, '\n');
    }
    if (problem->hint.length) {
        tg_buf_append_literal(out, "  what to do: ");
        write_lines(out, problem->hint, "    ");
        tg_buf_append_char(out, '\n');
    }
}

void tg_problems_write_text(const struct tg_problems *problems, bool has_colour, struct tg_buf *out)
{
    for (const struct tg_problem *problem = problems->first; problem; problem = problem->next) {
        if (problem != problems->first) tg_buf_append_char(out, '\n');
        write_problem(out, problem, has_colour);
    }
}

/* ---- JSON ---- */

void tg_problem_write_string(struct tg_buf *out, struct tg_slice text)
{
    tg_buf_append_char(out, '"');
    for (size_t i = 0, length; i < text.length; i += length ? length : 1) {
        uint32_t code_point;
        length = tg_utf8_read(text.data + i, text.length - i, &code_point);
        if (length)
            tg_json_write_escaped(out, (struct tg_slice){text.data + i, length});
        else
            tg_buf_append_literal(out, "\xef\xbf\xbd");
    }
    tg_buf_append_char(out, '"');
}

static void write_list(struct tg_buf *out, struct tg_slice text)
{
    struct tg_slice line;
    tg_buf_append_char(out, '[');
    for (bool is_first = true; next_line(&text, &line); is_first = false) {
        if (!is_first) tg_buf_append_char(out, ',');
        tg_problem_write_string(out, line);
    }
    tg_buf_append_char(out, ']');
}

void tg_excerpt_write_json(struct tg_slice excerpt, uint32_t first_line, struct tg_buf *out)
{
    tg_buf_printf(out, "{\"first_line\":%u,\"lines\":", first_line);
    write_list(out, excerpt);
    tg_buf_append_char(out, '}');
}

static void write_number(struct tg_buf *out, const char *name, uint32_t number)
{
    if (number) tg_buf_printf(out, ",\"%s\":%u", name, number);
}

static void write_places_json(struct tg_buf *out, const struct tg_problem *problem)
{
    for (uint32_t i = 0; i < problem->place_count; i++) {
        const struct tg_problem_place *place = &problem->places[i];
        tg_buf_append_slice(out, i ? TG_SLICE(",{\"file\":") : TG_SLICE(",\"places\":[{\"file\":"));
        tg_problem_write_string(out, place->file);
        tg_buf_printf(out, ",\"line\":%u,\"text\":", place->line);
        tg_problem_write_string(out, place->text);
        tg_buf_append_char(out, '}');
    }
    if (problem->place_count) tg_buf_append_char(out, ']');
}

static void write_problem_json(struct tg_buf *out, const struct tg_problem *problem)
{
    tg_buf_append_literal(out, "{\"message\":");
    tg_problem_write_string(out, problem->message);
    if (problem->file.length) {
        tg_buf_append_literal(out, ",\"file\":");
        tg_problem_write_string(out, problem->file);
    }
    write_number(out, "line", problem->line);
    write_number(out, "column", problem->column);
    if (problem->excerpt.length) {
        tg_buf_append_literal(out, ",\"source\":");
        tg_excerpt_write_json(problem->excerpt, problem->first_line, out);
    }
    write_places_json(out, problem);
    if (problem->traceback.length) {
        tg_buf_append_literal(out, ",\"traceback\":");
        write_list(out, problem->traceback);
    }
    if (problem->hint.length) {
        tg_buf_append_literal(out, ",\"hint\":");
        tg_problem_write_string(out, problem->hint);
    }
    tg_buf_append_char(out, '}');
}

void tg_problems_write_json(const struct tg_problems *problems, struct tg_buf *out)
{
    tg_buf_append_char(out, '[');
    for (const struct tg_problem *problem = problems->first; problem; problem = problem->next) {
        if (problem != problems->first) tg_buf_append_char(out, ',');
        write_problem_json(out, problem);
    }
    tg_buf_append_char(out, ']');
}
