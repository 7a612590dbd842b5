#include "net/body.h"

#include "core/http_route.h"
#include "net/head.h"

#include <string.h>
#include <strings.h>

/* A decimal number and nothing else: "5, 5" of two headers is none (RFC 9112 6.3). */
static bool read_length(struct tg_slice text, uint64_t *length)
{
    enum { DIGITS_MAX = 18 };
    if (text.length == 0 || text.length > DIGITS_MAX) return false;
    *length = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        *length = *length * 10 + (uint64_t)(text.data[i] - '0');
    }
    return true;
}

struct tg_body_head tg_body_read_head(struct tg_server *server, struct lws *wsi)
{
    struct tg_body_head head = {0};
    struct tg_slice length = tg_head_value(server, wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    bool is_coded = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    head.has_length = !is_coded && read_length(length, &head.bytes);
    if (!head.has_length) head.bytes = 0;
    head.is_chunked = is_coded || (length.data && !head.has_length);
    return head;
}

int tg_body_tell_to_continue(struct tg_server *server, struct lws *wsi)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct tg_slice expected = tg_head_value(server, wsi, WSI_TOKEN_HTTP_EXPECT);
    if (expected.length != sizeof "100-continue" - 1) return 0;
    if (strncasecmp(expected.data, "100-continue", expected.length) != 0) return 0;
    if (!tg_slice_equal(tg_head_value(server, wsi, WSI_TOKEN_HTTP), TG_SLICE("HTTP/1.1"))) return 0;
    unsigned char buffer[LWS_PRE + sizeof interim];
    memcpy(buffer + LWS_PRE, interim, sizeof interim);
    int written = lws_write(wsi, buffer + LWS_PRE, sizeof interim - 1, LWS_WRITE_HTTP_HEADERS_CONTINUATION);
    return written < (int)sizeof interim - 1 ? -1 : 0;
}

bool tg_body_is_head(struct tg_slice piece)
{
    while (piece.length && strchr(" \t\r\n", piece.data[0])) piece.data++, piece.length--;
    for (int method = TG_HTTP_POST; method < TG_HTTP_METHODS; method++) {
        struct tg_slice name = tg_slice_of(tg_http_method_name((enum tg_http_method)method));
        if (piece.length <= name.length + 1 || memcmp(piece.data, name.data, name.length) != 0) continue;
        if (memcmp(piece.data + name.length, " /", 2) == 0) return true;
    }
    return false;
}
