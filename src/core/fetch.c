/* Headers are kept as they come, "name\0value\0", since neither can hold a zero byte.
 *
 * Invariant: `headers` and `body` belong to the answer whose status line came last; what is counted is
 * counted over all of them, so that a chain of small answers has the limit of a large one. */
#include "core/fetch.h"

#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

void tg_fetch_init(struct tg_fetch *fetch, void (*on_done)(struct tg_fetch *fetch))
{
    *fetch = (struct tg_fetch){.on_done = on_done};
    tg_buf_init(&fetch->url);
    tg_buf_init(&fetch->headers);
    tg_buf_init(&fetch->body);
}

void tg_fetch_deinit(struct tg_fetch *fetch)
{
    if (fetch->fetcher) fetch->fetcher->ops->cancel(fetch->fetcher, fetch);
    tg_buf_deinit(&fetch->url);
    tg_buf_deinit(&fetch->headers);
    tg_buf_deinit(&fetch->body);
}

bool tg_fetch_next_header(const struct tg_fetch *fetch, size_t *position, struct tg_pair *header)
{
    if (*position >= fetch->headers.length) return false;
    const char *name = fetch->headers.data + *position, *end = fetch->headers.data + fetch->headers.length;
    header->name = (struct tg_slice){name, strnlen(name, (size_t)(end - name))};
    const char *value = name + header->name.length + 1;
    header->value = (struct tg_slice){value, strnlen(value, (size_t)(end - value))};
    *position += header->name.length + header->value.length + 2;
    return true;
}

/* ---- what comes ---- */

static bool refuse(struct tg_fetch *fetch, enum tg_status status, const char *what)
{
    fetch->status = tg_error_set(&fetch->error, status, "%s", what);
    return false;
}

static bool has_room(struct tg_fetch *fetch, const struct tg_buf *buf)
{
    return buf->has_failed ? refuse(fetch, TG_E_NO_MEMORY, "not enough memory") : true;
}

static struct tg_slice trim(struct tg_slice text)
{
    while (text.length && isspace((unsigned char)text.data[text.length - 1])) text.length--;
    while (text.length && isspace((unsigned char)*text.data)) text.data++, text.length--;
    return text;
}

static bool is_name(struct tg_slice name, const char *lower_case)
{
    return name.length == strlen(lower_case) && strncasecmp(name.data, lower_case, name.length) == 0;
}

/* How many compressions the list "gzip, chunked" names. */
static uint32_t count_encodings(struct tg_slice list)
{
    uint32_t count = 0;
    while (list.length) {
        const char *comma = memchr(list.data, ',', list.length);
        size_t length = comma ? (size_t)(comma - list.data) : list.length;
        struct tg_slice item = trim((struct tg_slice){list.data, length});
        if (item.length && !is_name(item, "chunked") && !is_name(item, "identity")) count++;
        list.data += length + (comma != NULL);
        list.length -= length + (comma != NULL);
    }
    return count;
}

/* The line begins with a space: it goes on with the value before (RFC 9112 5.2). */
static bool add_folded(struct tg_fetch *fetch, struct tg_slice text)
{
    struct tg_buf *headers = &fetch->headers;
    if (headers->length == 0) return true;
    headers->length--;
    tg_buf_append_char(headers, ' ');
    tg_buf_append_slice(headers, text);
    tg_buf_append_char(headers, '\0');
    return has_room(fetch, headers);
}

static bool add_pair(struct tg_fetch *fetch, struct tg_slice name, struct tg_slice value)
{
    /* Compressed twice, a few bytes unfold to more than the loop has time for before any of it is counted. */
    if (is_name(name, "content-encoding") || is_name(name, "transfer-encoding"))
        fetch->encodings += count_encodings(value);
    if (fetch->encodings > 1)
        return refuse(fetch, TG_E_INVALID, "response: the body is compressed more than once");
    struct tg_buf *headers = &fetch->headers;
    char *room = tg_buf_reserve(headers, name.length + value.length + 2);
    if (!room) return has_room(fetch, headers);
    for (size_t i = 0; i < name.length; i++) room[i] = (char)tolower((unsigned char)name.data[i]);
    room[name.length] = '\0';
    headers->length += name.length + 1;
    tg_buf_append_slice(headers, value);
    tg_buf_append_char(headers, '\0');
    return true;
}

static void begin_head(struct tg_fetch *fetch)
{
    tg_buf_truncate(&fetch->headers, 0);
    tg_buf_truncate(&fetch->body, 0);
    fetch->encodings = 0;
    fetch->is_head_complete = false;
}

bool tg_fetch_add_header(struct tg_fetch *fetch, struct tg_slice line)
{
    fetch->header_bytes += (uint32_t)line.length;
    if (line.length > TG_FETCH_HEADER_BYTES_MAX || fetch->header_bytes > TG_FETCH_HEADER_BYTES_MAX ||
        ++fetch->header_count > TG_FETCH_HEADERS_MAX)
        return refuse(fetch, TG_E_TOO_LARGE,
                      "too large: the answer has more than 256 headers, or more than 64 kB of them");
    struct tg_slice text = trim(line);
    if (text.length && memchr(text.data, '\0', text.length))
        return refuse(fetch, TG_E_INVALID, "response: a header has a zero byte");
    const char *colon = text.length ? memchr(text.data, ':', text.length) : NULL;
    bool is_status_line = text.length > 5 && memcmp(text.data, "HTTP/", 5) == 0;
    if (is_status_line && (fetch->is_head_complete || fetch->headers.length == 0)) {
        begin_head(fetch);
        return true;
    }
    if (fetch->is_head_complete) return true;
    if (text.length == 0) {
        fetch->is_head_complete = true;
        return true;
    }
    if (*line.data == ' ' || *line.data == '\t') return add_folded(fetch, text);
    if (!colon) return true;
    struct tg_slice name = trim((struct tg_slice){text.data, (size_t)(colon - text.data)});
    struct tg_slice value = trim((struct tg_slice){colon + 1, text.length - (size_t)(colon + 1 - text.data)});
    return add_pair(fetch, name, value);
}

bool tg_fetch_add_body(struct tg_fetch *fetch, struct tg_slice bytes)
{
    if (bytes.length > fetch->max_bytes - fetch->body.length) {
        fetch->status = tg_error_set(&fetch->error, TG_E_TOO_LARGE,
                                     "too large: the body has more than %" PRIu64 " bytes", fetch->max_bytes);
        return false;
    }
    tg_buf_append_slice(&fetch->body, bytes);
    return has_room(fetch, &fetch->body);
}
