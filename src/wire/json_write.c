/* The writing half of json.h. Texts go out in runs: what needs no escape is copied at once. */
#include "wire/json.h"

#include "base/utf8.h"
#include "wire/json_scan.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct tg_slice tg_json_cut(struct tg_slice text, size_t max_bytes)
{
    if (text.length <= max_bytes) return text;
    size_t length = max_bytes;
    while (length > 0 && ((unsigned char)text.data[length] & 0xC0) == 0x80) length--;
    return (struct tg_slice){text.data, length};
}

static void write_escape(struct tg_buf *out, char byte)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = memchr(from, byte, sizeof from - 1);
    if (found) {
        char escape[2] = {'\\', to[found - from]};
        tg_buf_append(out, escape, sizeof escape);
        return;
    }
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
    tg_buf_append(out, escape, sizeof escape);
}

void tg_json_write_escaped(struct tg_buf *out, struct tg_slice text)
{
    if (text.length == 0) return;
    const char *next = text.data, *end = text.data + text.length;
    for (;;) {
        uint64_t high = 0;
        const char *stop = tg_json_scan_plain(next, end, &high);
        tg_buf_append(out, next, (size_t)(stop - next));
        if (stop == end) return;
        write_escape(out, *stop);
        next = stop + 1;
    }
}

void tg_json_write_string(struct tg_buf *out, struct tg_slice text)
{
    /* Most texts need no escape: then this is the only time that room is looked for. */
    if (!tg_buf_reserve(out, text.length + 2)) return;
    tg_buf_append_char(out, '"');
    tg_json_write_escaped(out, text);
    tg_buf_append_char(out, '"');
}

bool tg_json_write_checked_string(struct tg_buf *out, struct tg_slice text)
{
    uint64_t high = 0;
    const char *end = text.data + text.length;
    bool is_plain = text.length == 0 || tg_json_scan_plain(text.data, end, &high) == end;
    if ((!is_plain || high) && !tg_utf8_is_valid(text.data, text.length)) return false;
    if (!is_plain) {
        tg_json_write_string(out, text);
        return true;
    }
    char *room = tg_buf_reserve(out, text.length + 2);
    if (!room) return true;
    room[0] = '"';
    if (text.length) memcpy(room + 1, text.data, text.length);
    room[text.length + 1] = '"';
    out->length += text.length + 2;
    return true;
}

/* Writes the digits so that they end before `end`, at least `width` of them; returns the first. */
static char *write_digits(char *end, uint64_t number, int width)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
        width--;
    } while (number || width > 0);
    return end;
}

void tg_json_write_integer(struct tg_buf *out, int64_t integer)
{
    char text[20];
    char *end = text + sizeof text;
    char *from = write_digits(end, integer < 0 ? -(uint64_t)integer : (uint64_t)integer, 1);
    if (integer < 0) *--from = '-';
    tg_buf_append(out, from, (size_t)(end - from));
}

/* A number that has at most six decimals and fifteen digits, as most have: the fewest decimals with
 * which it reads back are the shortest text, and both steps of the check are exact at that size. */
static bool write_short(struct tg_buf *out, double number)
{
    static const uint64_t scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    double magnitude = fabs(number);
    for (int decimals = 0; decimals < (int)(sizeof scales / sizeof scales[0]); decimals++) {
        double scale = (double)scales[decimals];
        if (magnitude * scale > 1e15) return false;
        uint64_t scaled = (uint64_t)(magnitude * scale + 0.5);
        if ((double)scaled / scale != magnitude) continue;
        char text[40];
        char *end = text + sizeof text;
        char *from = write_digits(end, scaled % scales[decimals], decimals);
        *--from = '.';
        from = write_digits(from, scaled / scales[decimals], 1);
        if (signbit(number)) *--from = '-';
        tg_buf_append(out, from, (size_t)(end - from));
        return true;
    }
    return false;
}

void tg_json_write_number(struct tg_buf *out, double number)
{
    assert(isfinite(number));
    if (write_short(out, number)) return;
    char text[40];
    int length = 0;
    /* Fifteen digits survive the way through any double but those that have lost bits of their own. */
    for (int digits = fabs(number) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        length = snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    tg_buf_append(out, text, (size_t)length);
    if (!strpbrk(text, ".e")) tg_buf_append_literal(out, ".0");
}

static void write_array(struct tg_buf *out, const struct tg_value *array)
{
    tg_buf_append_char(out, '[');
    for (uint32_t i = 0; i < array->length; i++) {
        if (i) tg_buf_append_char(out, ',');
        tg_json_write_value(out, &array->items[i]);
    }
    tg_buf_append_char(out, ']');
}

static void write_object(struct tg_buf *out, const struct tg_value *object)
{
    tg_buf_append_char(out, '{');
    for (uint32_t i = 0; i < object->length; i++) {
        if (i) tg_buf_append_char(out, ',');
        tg_json_write_string(out, tg_member_key(&object->members[i]));
        tg_buf_append_char(out, ':');
        tg_json_write_value(out, &object->members[i].value);
    }
    tg_buf_append_char(out, '}');
}

void tg_json_write_value(struct tg_buf *out, const struct tg_value *value)
{
    switch (value->type) {
    case TG_VALUE_NULL:
        tg_buf_append_literal(out, "null");
        break;
    case TG_VALUE_BOOLEAN:
        tg_buf_append_slice(out, value->boolean ? TG_SLICE("true") : TG_SLICE("false"));
        break;
    case TG_VALUE_INTEGER:
        tg_json_write_integer(out, value->integer);
        break;
    case TG_VALUE_NUMBER:
        tg_json_write_number(out, value->number);
        break;
    case TG_VALUE_STRING:
        tg_json_write_string(out, tg_value_string(value));
        break;
    case TG_VALUE_ARRAY:
        write_array(out, value);
        break;
    case TG_VALUE_OBJECT:
        write_object(out, value);
        break;
    }
}
