/* Each parser counts the separators first and allocates the array once. Decoding never makes text longer,
 * so the decoded copy of an item is taken at the length that it has encoded. */
#include "wire/pairs.h"

#include "base/utf8.h"

static struct tg_slice until(struct tg_slice text, char separator)
{
    const char *end = text.length ? memchr(text.data, separator, text.length) : NULL;
    return (struct tg_slice){text.data, end ? (size_t)(end - text.data) : text.length};
}

/* Cuts the next item off the front of `rest`; false after the last. */
static bool next_item(struct tg_slice *rest, char separator, struct tg_slice *item)
{
    if (rest->length == 0) return false;
    *item = until(*rest, separator);
    size_t used = item->length < rest->length ? item->length + 1 : item->length;
    rest->data += used;
    rest->length -= used;
    return true;
}

/* Name and value around the first '='; without one the value is empty, and false is returned. */
static bool split_item(struct tg_slice item, struct tg_pair *pair)
{
    pair->name = until(item, '=');
    size_t used = pair->name.length;
    bool has_value = used < item.length;
    if (has_value) used++;
    pair->value = (struct tg_slice){item.data + used, item.length - used};
    return has_value;
}

static enum tg_status reserve_items(struct tg_slice text, char separator, struct tg_arena *arena,
                                    struct tg_pairs *pairs)
{
    *pairs = (struct tg_pairs){0};
    if (text.length == 0) return TG_OK;
    size_t most = 1;
    for (size_t i = 0; i < text.length && most < TG_PAIRS_MAX; i++) most += text.data[i] == separator;
    pairs->items = tg_arena_calloc(arena, most, sizeof *pairs->items);
    return pairs->items ? TG_OK : TG_E_NO_MEMORY;
}

/* ---- query ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool is_encoded(struct tg_slice text)
{
    return text.length && (memchr(text.data, '%', text.length) || memchr(text.data, '+', text.length));
}

/* WHATWG URL 5.1 and 1.3 (percent-decode) */
static size_t decode_into(char *out, struct tg_slice text)
{
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%' && text.length - i > 2) {
            int high = hex_value(text.data[i + 1]), low = hex_value(text.data[i + 2]);
            if (high >= 0 && low >= 0) {
                c = (char)(high << 4 | low);
                i += 2;
            }
        } else if (c == '+') {
            c = ' ';
        }
        out[length++] = c;
    }
    return length;
}

static enum tg_status decode(struct tg_slice *text, struct tg_arena *arena)
{
    if (!is_encoded(*text)) return TG_OK;
    char *decoded = tg_arena_alloc(arena, text->length);
    if (!decoded) return TG_E_NO_MEMORY;
    *text = (struct tg_slice){decoded, decode_into(decoded, *text)};
    return TG_OK;
}

static bool is_utf8(const struct tg_pair *pair)
{
    return tg_utf8_is_valid(pair->name.data, pair->name.length) &&
           tg_utf8_is_valid(pair->value.data, pair->value.length);
}

enum tg_status tg_query_parse(struct tg_slice query, struct tg_arena *arena, struct tg_pairs *pairs)
{
    enum tg_status status = reserve_items(query, '&', arena, pairs);
    struct tg_slice rest = query, item;
    while (status == TG_OK && pairs->count < TG_PAIRS_MAX && next_item(&rest, '&', &item)) {
        struct tg_pair pair;
        if (item.length == 0) continue;
        split_item(item, &pair);
        status = decode(&pair.name, arena);
        if (status == TG_OK) status = decode(&pair.value, arena);
        if (status == TG_OK && is_utf8(&pair)) pairs->items[pairs->count++] = pair;
    }
    return status;
}

/* ---- cookies ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct tg_slice trim(struct tg_slice text)
{
    while (text.length && is_blank(text.data[0])) text.data++, text.length--;
    while (text.length && is_blank(text.data[text.length - 1])) text.length--;
    return text;
}

static struct tg_slice unquote(struct tg_slice text)
{
    if (text.length < 2 || text.data[0] != '"' || text.data[text.length - 1] != '"') return text;
    return (struct tg_slice){text.data + 1, text.length - 2};
}

enum tg_status tg_cookie_parse(struct tg_slice header, struct tg_arena *arena, struct tg_pairs *pairs)
{
    enum tg_status status = reserve_items(header, ';', arena, pairs);
    struct tg_slice rest = header, item;
    while (status == TG_OK && pairs->count < TG_PAIRS_MAX && next_item(&rest, ';', &item)) {
        struct tg_pair pair;
        if (!split_item(item, &pair)) continue;
        pair = (struct tg_pair){trim(pair.name), unquote(trim(pair.value))};
        if (pair.name.length > 0) pairs->items[pairs->count++] = pair;
    }
    return status;
}

struct tg_slice tg_pairs_get(const struct tg_pairs *pairs, struct tg_slice name)
{
    for (uint32_t i = 0; i < pairs->count; i++)
        if (tg_slice_equal(pairs->items[i].name, name)) return pairs->items[i].value;
    return (struct tg_slice){0};
}
