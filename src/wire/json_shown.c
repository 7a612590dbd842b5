/* Values and texts for people (json.h). One budget bounds the walk: nothing is begun when the line is full,
 * and of a text no more is taken than would fill it. */
#include "wire/json.h"

#include "base/utf8.h"

struct shown {
    struct tg_buf *out;
    size_t end; /* of the line, as a length of `out` */
};

static bool is_full(const struct shown *shown)
{
    return shown->out->length > shown->end || shown->out->has_failed;
}

static void write_character(struct tg_buf *out, struct tg_slice character, uint32_t code_point)
{
    if (character.length == 0)
        tg_buf_append_literal(out, "\xef\xbf\xbd");
    else if (code_point < 0x20)
        tg_json_write_escaped(out, character);
    else if (tg_utf8_is_unsafe(code_point))
        tg_buf_printf(out, "\\u%04x", (unsigned)code_point);
    else
        tg_buf_append_slice(out, character);
}

void tg_json_write_line(struct tg_buf *out, struct tg_slice text)
{
    for (size_t i = 0, length; i < text.length; i += length ? length : 1) {
        uint32_t code_point;
        length = tg_utf8_read(text.data + i, text.length - i, &code_point);
        write_character(out, (struct tg_slice){text.data + i, length}, code_point);
    }
}

/* Quotes and backslashes are escaped as well: it is one string of JSON. */
static void show_string(struct shown *shown, struct tg_slice text)
{
    tg_buf_append_char(shown->out, '"');
    size_t i = 0;
    while (i < text.length && !is_full(shown)) {
        uint32_t code_point;
        size_t length = tg_utf8_read(text.data + i, text.length - i, &code_point);
        if (length == 1 && (code_point == '"' || code_point == '\\')) tg_buf_append_char(shown->out, '\\');
        write_character(shown->out, (struct tg_slice){text.data + i, length}, code_point);
        i += length ? length : 1;
    }
    tg_buf_append_char(shown->out, '"');
}

static void show(struct shown *shown, const struct tg_value *value);

static void show_array(struct shown *shown, const struct tg_value *array)
{
    tg_buf_append_char(shown->out, '[');
    for (uint32_t i = 0; i < array->length && !is_full(shown); i++) {
        if (i) tg_buf_append_char(shown->out, ',');
        show(shown, &array->items[i]);
    }
    tg_buf_append_char(shown->out, ']');
}

static void show_object(struct shown *shown, const struct tg_value *object)
{
    tg_buf_append_char(shown->out, '{');
    for (uint32_t i = 0; i < object->length && !is_full(shown); i++) {
        if (i) tg_buf_append_char(shown->out, ',');
        show_string(shown, tg_member_key(&object->members[i]));
        tg_buf_append_char(shown->out, ':');
        show(shown, &object->members[i].value);
    }
    tg_buf_append_char(shown->out, '}');
}

static void show(struct shown *shown, const struct tg_value *value)
{
    if (is_full(shown)) return;
    if (value->is_secret)
        tg_buf_append_literal(shown->out, "\"***\"");
    else if (value->type == TG_VALUE_STRING)
        show_string(shown, tg_value_string(value));
    else if (value->type == TG_VALUE_ARRAY)
        show_array(shown, value);
    else if (value->type == TG_VALUE_OBJECT)
        show_object(shown, value);
    else
        tg_json_write_value(shown->out, value);
}

void tg_json_write_shown(struct tg_buf *out, const struct tg_value *value, size_t max_bytes)
{
    size_t start = out->length;
    struct shown shown = {out, max_bytes < SIZE_MAX - start ? start + max_bytes : SIZE_MAX};
    show(&shown, value);
    if (out->has_failed || out->length <= shown.end) return;
    struct tg_slice cut = tg_json_cut((struct tg_slice){out->data + start, out->length - start}, max_bytes);
    tg_buf_truncate(out, start + cut.length);
    tg_buf_append_literal(out, "...");
}
