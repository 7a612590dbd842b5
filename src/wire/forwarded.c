/* An element of Forwarded is looked at from its end: a '"' there closes a quoted text, which goes back to the
 * nearest '"' that no backslash escapes. In what a proxy wrote that is the one that opened it, whatever
 * stands left of that.
 */
#include "wire/forwarded.h"

#include <strings.h>

static struct tg_slice trim(struct tg_slice text)
{
    while (text.length && (text.data[0] == ' ' || text.data[0] == '\t')) text.data++, text.length--;
    while (text.length && (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* Cuts the list before the item that begins at `begin`, behind a comma or at the front. */
static void cut(struct tg_slice *rest, size_t begin, struct tg_slice *item)
{
    *item = trim((struct tg_slice){rest->data + begin, rest->length - begin});
    rest->length = begin ? begin - 1 : 0;
}

bool tg_forwarded_take(struct tg_slice *rest, struct tg_slice *item)
{
    if (rest->length == 0) return false;
    size_t begin = rest->length;
    while (begin > 0 && rest->data[begin - 1] != ',') begin--;
    cut(rest, begin, item);
    return true;
}

static bool is_escaped(struct tg_slice text, size_t at)
{
    size_t slashes = 0;
    while (slashes < at && text.data[at - 1 - slashes] == '\\') slashes++;
    return slashes % 2 == 1;
}

/* From a '"' at `at` back to the one that opens the text; 0 where none does. */
static size_t skip_quoted(struct tg_slice text, size_t at)
{
    while (at > 0)
        if (text.data[--at] == '"' && !is_escaped(text, at)) return at;
    return 0;
}

bool tg_forwarded_take_element(struct tg_slice *rest, struct tg_slice *element)
{
    if (rest->length == 0) return false;
    size_t begin = rest->length;
    while (begin > 0 && rest->data[begin - 1] != ',') {
        begin--;
        if (rest->data[begin] == '"') begin = skip_quoted(*rest, begin);
    }
    cut(rest, begin, element);
    return true;
}

/* ---- one element ---- */

static bool is_token_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static struct tg_slice take_token(struct tg_slice *rest)
{
    struct tg_slice token = {rest->data, 0};
    while (token.length < rest->length && is_token_character(rest->data[token.length])) token.length++;
    rest->data += token.length;
    rest->length -= token.length;
    return token;
}

/* Takes a token or a quoted text. No value that means anything to us needs an escape: none is taken. */
static bool take_value(struct tg_slice *rest, struct tg_slice *value)
{
    if (rest->length == 0 || rest->data[0] != '"') {
        *value = take_token(rest);
        return value->length > 0;
    }
    const char *end = memchr(rest->data + 1, '"', rest->length - 1);
    if (!end) return false;
    *value = (struct tg_slice){rest->data + 1, (size_t)(end - rest->data - 1)};
    rest->length -= value->length + 2;
    rest->data = end + 1;
    return !value->length || !memchr(value->data, '\\', value->length);
}

static bool is_name(struct tg_slice name, const char *expected)
{
    return name.length == strlen(expected) && strncasecmp(name.data, expected, name.length) == 0;
}

/* A parameter stands once: RFC 7239 4. */
static bool set(struct tg_slice *field, struct tg_slice value)
{
    if (field->data) return false;
    *field = value;
    return true;
}

bool tg_forwarded_read(struct tg_slice element, struct tg_hop *hop)
{
    *hop = (struct tg_hop){0};
    while (element.length) {
        struct tg_slice name = take_token(&element), value;
        if (name.length == 0 || element.length == 0 || element.data[0] != '=') return false;
        element.data++, element.length--;
        if (!take_value(&element, &value)) return false;
        if (is_name(name, "for") && !set(&hop->node, value)) return false;
        if (is_name(name, "proto") && !set(&hop->proto, value)) return false;
        element = trim(element);
        if (element.length == 0) break;
        if (element.data[0] != ';') return false;
        element = trim((struct tg_slice){element.data + 1, element.length - 1});
    }
    return true;
}
