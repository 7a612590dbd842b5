/* The opening handshake of a client (RFC 6455 4.1): the request, and whether the answer is the right one. */
#include "base/base64.h"
#include "net/client_state.h"
#include "wire/handshake.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

enum { KEY_BYTES = 16, STATUS_UPGRADED = 101 };

/* ---- the request ---- */

/* RFC 9110 5.5: nothing that would begin another line. */
static bool is_one_line(struct tg_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0') return false;
    return true;
}

static enum tg_status check_options(const struct tg_client_options *options, struct tg_error *error)
{
    struct tg_slice target = options->target;
    if (target.length == 0 || target.data[0] != '/' || !is_one_line(target) ||
        memchr(target.data, ' ', target.length))
        return tg_error_set(error, TG_E_INVALID, "\"%.*s\" is no path: it begins with '/' and has no spaces",
                            TG_SLICE_ARG(target));
    for (uint32_t i = 0; i < options->header_count; i++)
        if (!is_one_line(options->headers[i].name) || !is_one_line(options->headers[i].value) ||
            options->headers[i].name.length == 0)
            return tg_error_set(error, TG_E_INVALID, "the header \"%.*s\" cannot be sent in one line",
                                TG_SLICE_ARG(options->headers[i].name));
    return TG_OK;
}

static bool is_same_name(struct tg_slice a, struct tg_slice b)
{
    return a.length == b.length && strncasecmp(a.data, b.data, a.length) == 0;
}

static struct tg_slice find_header(const struct tg_pair *headers, uint32_t count, struct tg_slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_same_name(headers[i].name, name)) return headers[i].value;
    return (struct tg_slice){0};
}

static void write_request(struct tg_buf *out, const struct tg_client_options *options, struct tg_slice key)
{
    bool is_ipv6 = options->host && strchr(options->host, ':') != NULL;
    tg_buf_printf(out, "%s ", options->method ? options->method : "GET");
    tg_buf_append_slice(out, options->target);
    tg_buf_append_literal(out, " HTTP/1.1\r\n");
    if (!find_header(options->headers, options->header_count, TG_SLICE("host")).data)
        tg_buf_printf(out, "Host: %s%s%s:%u\r\n", is_ipv6 ? "[" : "",
                      options->host ? options->host : "localhost", is_ipv6 ? "]" : "", options->port);
    if (options->is_plain) {
        tg_buf_append_literal(out, "Connection: close\r\n");
        if (options->method) tg_buf_printf(out, "Content-Length: %zu\r\n", options->body.length);
    } else {
        tg_buf_append_literal(out,
                              "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
        tg_buf_append_literal(out, "Sec-WebSocket-Key: ");
        tg_buf_append_slice(out, key);
        tg_buf_append_literal(out, "\r\n");
    }
    for (uint32_t i = 0; i < options->header_count; i++) {
        tg_buf_append_slice(out, options->headers[i].name);
        tg_buf_append_literal(out, ": ");
        tg_buf_append_slice(out, options->headers[i].value);
        tg_buf_append_literal(out, "\r\n");
    }
    tg_buf_append_literal(out, "\r\n");
    if (options->is_plain) tg_buf_append_slice(out, options->body);
}

/* ---- the answer ---- */

/* Where the head ends, its empty line included; 0: it is not whole. */
static size_t head_length(struct tg_slice bytes)
{
    const char *end = bytes.length ? memmem(bytes.data, bytes.length, "\r\n\r\n", 4) : NULL;
    return end ? (size_t)(end - bytes.data) + 4 : 0;
}

static enum tg_status read_head(struct tg_client *client, uint64_t deadline_ms, size_t *length,
                                struct tg_error *error)
{
    while ((*length = head_length(tg_client_unread(client))) == 0) {
        if (client->breach.status != TG_OK) {
            if (error) *error = client->breach;
            return client->breach.status;
        }
        if (tg_client_unread(client).length > TG_CLIENT_HEAD_MAX)
            return tg_error_set(error, TG_E_TOO_LARGE, "the answer's head is longer than %zu bytes",
                                TG_CLIENT_HEAD_MAX);
        if (client->has_ended)
            return tg_error_set(error, TG_E_PROTOCOL,
                                "the server hung up instead of answering the handshake");
        uint64_t now_ms = tg_client_io_now_ms();
        if (now_ms >= deadline_ms)
            return tg_error_set(error, TG_E_SLOW, "no answer to the handshake in %u ms", client->timeout_ms);
        tg_client_io_fill(client, (uint32_t)(deadline_ms - now_ms));
    }
    return TG_OK;
}

static struct tg_slice trim(struct tg_slice text)
{
    while (text.length && isblank((unsigned char)text.data[0])) text.data++, text.length--;
    while (text.length && isblank((unsigned char)text.data[text.length - 1])) text.length--;
    return text;
}

/* Takes the next line off `rest`. */
static struct tg_slice next_line(struct tg_slice *rest)
{
    const char *end = memmem(rest->data, rest->length, "\r\n", 2);
    struct tg_slice line = {rest->data, (size_t)(end - rest->data)};
    rest->data += line.length + 2;
    rest->length -= line.length + 2;
    return line;
}

/* "HTTP/1.1 101 Switching Protocols". RFC 6455 4.1: 1.1 for an upgrade; a refusal may be of HTTP/1.0. */
static bool read_status(struct tg_slice line, int *status)
{
    static const struct tg_slice version = TG_SLICE("HTTP/1.");
    enum { MINOR = 7, DIGITS = 9 };
    if (line.length < DIGITS + 3 || memcmp(line.data, version.data, version.length) != 0) return false;
    char minor = line.data[MINOR];
    if ((minor != '0' && minor != '1') || line.data[MINOR + 1] != ' ') return false;
    *status = 0;
    for (size_t i = 0; i < 3; i++) {
        char digit = line.data[DIGITS + i];
        if (!isdigit((unsigned char)digit)) return false;
        *status = *status * 10 + (digit - '0');
    }
    return *status >= 100 && (minor == '1' || *status != STATUS_UPGRADED);
}

/* `answer->text` has the head; the slices of the headers borrow from it. */
static enum tg_status parse_head(struct tg_client_answer *answer, size_t length, struct tg_error *error)
{
    struct tg_slice rest = {answer->text.data, length};
    uint32_t lines = 1; /* one more than there are headers */
    for (size_t i = 0; i < length; i++) lines += answer->text.data[i] == '\n';
    if (!read_status(next_line(&rest), &answer->status))
        return tg_error_set(error, TG_E_PROTOCOL, "the answer is not HTTP/1.1");
    answer->headers = calloc(lines, sizeof *answer->headers);
    if (!answer->headers) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    for (struct tg_slice line; (line = next_line(&rest)).length > 0;) {
        const char *colon = memchr(line.data, ':', line.length);
        if (!colon || colon == line.data)
            return tg_error_set(error, TG_E_PROTOCOL, "the answer has a line that is no header");
        struct tg_pair *header = &answer->headers[answer->header_count++];
        header->name = (struct tg_slice){line.data, (size_t)(colon - line.data)};
        header->value = trim((struct tg_slice){colon + 1, line.length - header->name.length - 1});
        char *name = answer->text.data + (line.data - answer->text.data);
        for (size_t i = 0; i < header->name.length; i++) name[i] = (char)tolower((unsigned char)name[i]);
    }
    return TG_OK;
}

/* Whether `name` is among the items of a header, whatever its case. */
static bool has_item(struct tg_slice list, struct tg_slice name)
{
    while (list.length) {
        const char *comma = memchr(list.data, ',', list.length);
        struct tg_slice item = {list.data, comma ? (size_t)(comma - list.data) : list.length};
        if (is_same_name(trim(item), name)) return true;
        size_t used = item.length + (comma ? 1 : 0);
        list = (struct tg_slice){list.data + used, list.length - used};
    }
    return false;
}

/* RFC 6455 4.1, the numbered list at its end. */
static enum tg_status check_upgrade(const struct tg_client_options *options,
                                    const struct tg_client_answer *answer, struct tg_slice accept,
                                    struct tg_error *error)
{
#define ANSWERED(name) find_header(answer->headers, answer->header_count, TG_SLICE(name))
    struct tg_slice offered =
        find_header(options->headers, options->header_count, TG_SLICE("sec-websocket-protocol"));
    struct tg_slice protocol = ANSWERED("sec-websocket-protocol");
    if (!is_same_name(ANSWERED("upgrade"), TG_SLICE("websocket")))
        return tg_error_set(error, TG_E_PROTOCOL, "the answer's Upgrade is not \"websocket\" (RFC 6455 4.1)");
    if (!has_item(ANSWERED("connection"), TG_SLICE("upgrade")))
        return tg_error_set(error, TG_E_PROTOCOL,
                            "the answer's Connection has no \"Upgrade\" (RFC 6455 4.1)");
    if (!tg_slice_equal(ANSWERED("sec-websocket-accept"), accept))
        return tg_error_set(error, TG_E_PROTOCOL,
                            "the answer's Sec-WebSocket-Accept is wrong (RFC 6455 4.1)");
    if (ANSWERED("sec-websocket-extensions").data)
        return tg_error_set(error, TG_E_PROTOCOL, "the answer has an extension that nobody asked for");
    if (protocol.data && !has_item(offered, protocol))
        return tg_error_set(error, TG_E_PROTOCOL, "the answer has a subprotocol that nobody asked for");
    return TG_OK;
#undef ANSWERED
}

/* ---- a refusal ---- */

/* What Content-Length says; without it all until the end of TCP. */
static size_t body_length(const struct tg_client_answer *answer)
{
    struct tg_slice text = find_header(answer->headers, answer->header_count, TG_SLICE("content-length"));
    size_t length = 0;
    if (!text.data) return TG_CLIENT_BODY_MAX;
    for (size_t i = 0; i < text.length && isdigit((unsigned char)text.data[i]); i++) {
        length = length * 10 + (size_t)(text.data[i] - '0');
        if (length > TG_CLIENT_BODY_MAX) return TG_CLIENT_BODY_MAX;
    }
    return length;
}

/* What has not come in time is left out: the status is what matters. */
static enum tg_status read_body(struct tg_client *client, struct tg_client_answer *answer,
                                uint64_t deadline_ms, struct tg_error *error)
{
    size_t wanted = body_length(answer);
    while (tg_client_unread(client).length < wanted && !client->has_ended && client->breach.status == TG_OK) {
        uint64_t now_ms = tg_client_io_now_ms();
        if (now_ms >= deadline_ms) break;
        tg_client_io_fill(client, (uint32_t)(deadline_ms - now_ms));
    }
    struct tg_slice body = tg_client_unread(client);
    if (body.length > wanted) body.length = wanted;
    tg_buf_append_slice(&answer->body, body);
    if (answer->body.has_failed) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    return tg_error_set(error, TG_E_CLOSED, "the server answered with status %d and no upgrade",
                        answer->status);
}

/* ---- all of it ---- */

static enum tg_status make_key(struct tg_client *client, struct tg_buf *key, struct tg_error *error)
{
    char bytes[KEY_BYTES];
    enum tg_status status = tg_client_io_random(client, bytes, sizeof bytes, error);
    if (status == TG_OK) tg_base64_write(key, (struct tg_slice){bytes, sizeof bytes});
    return status;
}

enum tg_status tg_client_handshake(struct tg_client *client, const struct tg_client_options *options,
                                   struct tg_client_answer *answer, struct tg_error *error)
{
    uint64_t deadline_ms = tg_client_io_now_ms() + client->timeout_ms;
    struct tg_buf key, accept;
    size_t length = 0;
    tg_buf_init(&key);
    tg_buf_init(&accept);
    enum tg_status status = check_options(options, error);
    if (status == TG_OK) status = make_key(client, &key, error);
    if (status != TG_OK) goto end;
    tg_handshake_write_accept(&accept, tg_buf_peek(&key));
    write_request(&client->out, options, tg_buf_peek(&key));
    if (key.has_failed || accept.has_failed || client->out.has_failed)
        status = tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    if (status == TG_OK) status = tg_client_io_write(client, tg_buf_peek(&client->out), error);
    if (status == TG_OK) status = read_head(client, deadline_ms, &length, error);
    if (status != TG_OK) goto end;
    /* The block never moves once the headers borrow from it. */
    tg_buf_append(&answer->text, tg_client_unread(client).data, length);
    client->in_at += length;
    status = tg_buf_status(&answer->text);
    if (status != TG_OK)
        (void)tg_error_set(error, status, "not enough memory");
    else
        status = parse_head(answer, length, error);
    if (status != TG_OK) goto end;
    if (answer->status == STATUS_UPGRADED)
        status = check_upgrade(options, answer, tg_buf_peek(&accept), error);
    else
        status = read_body(client, answer, deadline_ms, error);
end:
    tg_buf_deinit(&key);
    tg_buf_deinit(&accept);
    return status;
}

void tg_client_answer_deinit(struct tg_client_answer *answer)
{
    free(answer->headers);
    tg_buf_deinit(&answer->text);
    tg_buf_deinit(&answer->body);
    *answer = (struct tg_client_answer){0};
}
