/* The library decodes the request line while it parses it, and throws the original away:
 *
 *  - the path comes with %XX decoded, "." and ".." resolved, "//" made "/", '+' made a space;
 *  - the query comes cut at '&' and ';' into fragments that are decoded in the same way, only the
 *    '=' that separates name and value being still the one that was sent. Encoded again, fragment
 *    by fragment, it is a query that decodes to what the client meant (wire/pairs.h);
 *  - a '&' or ';' cuts a path too, and what it was is lost. Such a path is none of ours: clients
 *    that put one into a parameter have to write %26 and %3B, which arrive whole;
 *  - %0A and %0D end the request line like a real line break. What comes behind is taken for headers,
 *    which a proxy in front of us has not seen as such: the request has to be refused.
 */
#include "net/head.h"

#include <ctype.h>
#include <stdio.h>

enum {
    VALUE_BYTES = 16384, /* no value is longer than the head: max_http_header_data2 in server.c */
};

enum tg_method tg_head_method(struct lws *wsi)
{
    char *path;
    int length;
    switch (lws_http_get_uri_and_method(wsi, &path, &length)) {
    case LWSHUMETH_GET:
        return TG_METHOD_GET;
    case LWSHUMETH_HEAD:
        return TG_METHOD_HEAD;
    case LWSHUMETH_POST:
        return TG_METHOD_POST;
    case LWSHUMETH_PUT:
        return TG_METHOD_PUT;
    case LWSHUMETH_PATCH:
        return TG_METHOD_PATCH;
    case LWSHUMETH_DELETE:
        return TG_METHOD_DELETE;
    case LWSHUMETH_OPTIONS:
        return TG_METHOD_OPTIONS;
    default:
        return TG_METHOD_OTHER;
    }
}

/* One of the pieces that the library cut a field into. The text is copied into the arena; false
 * when there is no such piece, or no memory. */
static bool read_fragment(struct tg_server *server, struct lws *wsi, enum lws_token_indexes token, int index,
                          struct tg_slice *text)
{
    char piece[VALUE_BYTES + 1];
    int length = lws_hdr_copy_fragment(wsi, piece, sizeof piece, token, index);
    if (length < 0) return false;
    *text = tg_arena_copy(&server->arena, (struct tg_slice){piece, (size_t)length});
    return text->data != NULL;
}

/* Behind path and query stands the version, which a line break among them has made a header's name. */
bool tg_head_is_whole(struct lws *wsi)
{
    return lws_hdr_total_length(wsi, WSI_TOKEN_HTTP) > 0;
}

/* The library keeps the path under the name of the method. */
static enum lws_token_indexes path_token(struct lws *wsi)
{
    switch (tg_head_method(wsi)) {
    case TG_METHOD_HEAD:
        return WSI_TOKEN_HEAD_URI;
    case TG_METHOD_POST:
        return WSI_TOKEN_POST_URI;
    case TG_METHOD_PUT:
        return WSI_TOKEN_PUT_URI;
    case TG_METHOD_PATCH:
        return WSI_TOKEN_PATCH_URI;
    case TG_METHOD_DELETE:
        return WSI_TOKEN_DELETE_URI;
    case TG_METHOD_OPTIONS:
        return WSI_TOKEN_OPTIONS_URI;
    default:
        return WSI_TOKEN_GET_URI;
    }
}

struct tg_slice tg_head_path(struct tg_server *server, struct lws *wsi)
{
    enum lws_token_indexes token = path_token(wsi);
    struct tg_slice path, rest;
    if (!read_fragment(server, wsi, token, 0, &path)) return (struct tg_slice){0};
    if (read_fragment(server, wsi, token, 1, &rest)) return (struct tg_slice){0};
    /* A decoded NUL would end the path for whoever takes it for a C string. */
    if (memchr(path.data, '\0', path.length)) return (struct tg_slice){0};
    return path;
}

static struct tg_slice trim(struct tg_slice text)
{
    while (text.length && isblank((unsigned char)text.data[0])) text.data++, text.length--;
    while (text.length && isblank((unsigned char)text.data[text.length - 1])) text.length--;
    return text;
}

/* Copies what was built in `buf` into the arena; data is NULL without memory. */
static struct tg_slice settle(struct tg_server *server, struct tg_buf *buf)
{
    struct tg_slice text = {0};
    if (!buf->has_failed) text = tg_arena_copy(&server->arena, tg_buf_peek(buf));
    tg_buf_deinit(buf);
    return text;
}

struct tg_slice tg_head_value(struct tg_server *server, struct lws *wsi, enum lws_token_indexes token)
{
    struct tg_slice value, more;
    if (!read_fragment(server, wsi, token, 0, &value)) return (struct tg_slice){0};
    value = trim(value);
    if (!read_fragment(server, wsi, token, 1, &more)) return value;
    struct tg_buf joined;
    tg_buf_init(&joined);
    tg_buf_append_slice(&joined, value);
    for (int i = 1; read_fragment(server, wsi, token, i, &more); i++) {
        tg_buf_append_slice(&joined, token == WSI_TOKEN_HTTP_COOKIE ? TG_SLICE("; ") : TG_SLICE(", "));
        tg_buf_append_slice(&joined, trim(more));
    }
    return settle(server, &joined);
}

void tg_head_encode(struct tg_buf *out, struct tg_slice text, const char *keep)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x80 && isalnum(c)) || (c && (strchr("-._~", c) || strchr(keep, c))))
            tg_buf_append_char(out, (char)c);
        else
            tg_buf_printf(out, "%%%02X", c);
    }
}

static void append_query_item(struct tg_buf *query, struct tg_slice item)
{
    const char *equals = item.length ? memchr(item.data, '=', item.length) : NULL;
    size_t name_bytes = equals ? (size_t)(equals - item.data) : item.length;
    tg_head_encode(query, (struct tg_slice){item.data, name_bytes}, "");
    if (!equals) return;
    tg_buf_append_char(query, '=');
    tg_head_encode(query, (struct tg_slice){equals + 1, item.length - name_bytes - 1}, "");
}

static struct tg_slice read_query(struct tg_server *server, struct lws *wsi)
{
    struct tg_buf query;
    struct tg_slice item;
    tg_buf_init(&query);
    for (int i = 0; read_fragment(server, wsi, WSI_TOKEN_HTTP_URI_ARGS, i, &item); i++) {
        if (i) tg_buf_append_char(&query, '&');
        append_query_item(&query, item);
    }
    return settle(server, &query);
}

/* The name of a header that the library knows, which writes it with a ':' behind. */
static struct tg_slice token_name(enum lws_token_indexes token)
{
    struct tg_slice name = tg_slice_of((const char *)lws_token_to_string(token));
    if (name.length) name.length--;
    return name;
}

/* The library keeps the headers that it knows by number and all others by name. WSI_TOKEN_COUNT: by name. */
static enum lws_token_indexes find_token(struct tg_slice name)
{
    for (int token = 0; lws_token_to_string((enum lws_token_indexes)token); token++)
        if (tg_slice_equal(token_name((enum lws_token_indexes)token), name))
            return (enum lws_token_indexes)token;
    return WSI_TOKEN_COUNT;
}

void tg_head_init(struct tg_server *server)
{
    for (size_t i = 0; i < TG_UPGRADE_HEADERS; i++) server->headers[i] = find_token(tg_upgrade_headers[i]);
}

/* A header that the library does not know: of several with the same name it has the first. */
static struct tg_slice read_unknown(struct tg_server *server, struct lws *wsi, struct tg_slice name)
{
    char key[256], value[VALUE_BYTES + 1];
    int key_bytes = snprintf(key, sizeof key, "%.*s:", TG_SLICE_ARG(name));
    if (key_bytes >= (int)sizeof key) return (struct tg_slice){0};
    int length = lws_hdr_custom_copy(wsi, value, sizeof value, key, key_bytes);
    if (length < 0) return (struct tg_slice){0};
    return tg_arena_copy(&server->arena, trim((struct tg_slice){value, (size_t)length}));
}

static struct tg_slice read_named(struct tg_server *server, struct lws *wsi, enum lws_token_indexes token,
                                  struct tg_slice name)
{
    return token == WSI_TOKEN_COUNT ? read_unknown(server, wsi, name) : tg_head_value(server, wsi, token);
}

static bool is_common(struct tg_slice name)
{
    for (size_t i = 0; i < TG_UPGRADE_HEADERS; i++)
        if (tg_slice_equal(tg_upgrade_headers[i], name)) return true;
    return false;
}

static void add(struct tg_pairs *headers, struct tg_slice name, struct tg_slice value)
{
    if (value.data) headers->items[headers->count++] = (struct tg_pair){name, value};
}

static enum tg_status read_headers(struct tg_server *server, struct lws *wsi, const struct tg_texts *kept,
                                   struct tg_pairs *headers)
{
    headers->count = 0;
    headers->items =
        tg_arena_calloc(&server->arena, TG_UPGRADE_HEADERS + kept->count, sizeof *headers->items);
    if (!headers->items) return TG_E_NO_MEMORY;
    for (size_t i = 0; i < TG_UPGRADE_HEADERS; i++)
        add(headers, tg_upgrade_headers[i],
            read_named(server, wsi, server->headers[i], tg_upgrade_headers[i]));
    for (uint32_t i = 0; i < kept->count; i++) {
        struct tg_slice name = kept->items[i];
        if (!is_common(name)) add(headers, name, read_named(server, wsi, find_token(name), name));
    }
    return TG_OK;
}

enum tg_status tg_head_read_kept(struct tg_server *server, struct lws *wsi, const struct tg_texts *kept,
                                 struct tg_request *parts)
{
    parts->path = tg_head_path(server, wsi);
    parts->query = read_query(server, wsi);
    if (!parts->path.data || !parts->query.data) return TG_E_NO_MEMORY;
    return read_headers(server, wsi, kept, &parts->headers);
}

enum tg_status tg_head_read(struct tg_server *server, struct lws *wsi, const struct tg_consumer *consumer,
                            struct tg_request *parts)
{
    return tg_head_read_kept(server, wsi, &consumer->headers, parts);
}
