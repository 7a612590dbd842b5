/* Nothing of core is called from within a call of core's: what is to be told waits for `happen`, a turn of
 * its own. There inputs go first, one after another as long as core listens, then what the kernel has to say.
 *
 * Invariant: `conn` is NULL or a connection whose transport this is. */
#include "kit/link.h"

#include "base/utf8.h"
#include "kit/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { CLOSE_PROTOCOL = 1002, CLOSE_NO_STATUS = 1005, CLOSE_ABNORMAL = 1006, CLOSE_INVALID = 1007 };

/* What the kernels on both sides take for a client that reads nothing. */
static const size_t KERNEL_BYTES = (size_t)64 * 1024;

struct input {
    struct tg_list link;
    enum tg_kit_frame_kind kind;
    uint16_t code;
    bool is_first, is_last;
    size_t length;
    char bytes[];
};

static struct tg_kit_link *of(struct tg_transport *transport)
{
    return (struct tg_kit_link *)transport;
}

static const struct tg_kit_link *of_const(const struct tg_transport *transport)
{
    return (const struct tg_kit_link *)transport;
}

/* ---- what the client reads ---- */

/* Without memory the frame is lost, which a spec sees. Of a client that stalls it waits behind the stream. */
static void add_frame(struct tg_kit_link *link, enum tg_kit_frame_kind kind, uint16_t code,
                      struct tg_slice bytes)
{
    struct tg_kit_frame *frame = malloc(sizeof *frame + bytes.length + 1);
    if (!frame) return;
    *frame = (struct tg_kit_frame){
        .kind = kind, .code = code, .at_ms = tg_kit_now_ms(link->loop), .length = bytes.length};
    if (bytes.length) memcpy(frame->bytes, bytes.data, bytes.length);
    frame->bytes[bytes.length] = '\0';
    tg_list_init(&frame->link);
    tg_list_append(link->is_stalled ? &link->held : &link->frames, &frame->link);
}

/* Inputs or frames, which begin with their link. */
static void free_all(struct tg_list *list)
{
    for (struct tg_list *node = list->next, *next; node != list; node = next) {
        next = node->next;
        free(node);
    }
    tg_list_init(list);
}

static enum tg_status add_input(struct tg_kit_link *link, const struct input *head, struct tg_slice bytes)
{
    struct input *input = malloc(sizeof *input + bytes.length + 1);
    if (!input) return TG_E_NO_MEMORY;
    *input = *head;
    input->length = bytes.length;
    if (bytes.length) memcpy(input->bytes, bytes.data, bytes.length);
    tg_list_init(&input->link);
    tg_list_append(&link->inputs, &input->link);
    tg_kit_post(link->loop, &link->event);
    return TG_OK;
}

static void answer_close(struct tg_kit_link *link, uint16_t code, struct tg_slice reason)
{
    if (link->has_sent_close) return;
    link->has_sent_close = true;
    add_input(link, &(struct input){.kind = TG_KIT_CLOSE, .code = code}, reason);
}

static void read_frame(struct tg_kit_link *link, unsigned opcode, struct tg_slice payload)
{
    const unsigned char *bytes = (const unsigned char *)payload.data;
    switch (opcode) {
    case TG_OPCODE_TEXT:
    case TG_OPCODE_BINARY:
        add_frame(link, opcode == TG_OPCODE_TEXT ? TG_KIT_TEXT : TG_KIT_BINARY, 0, payload);
        return;
    case TG_OPCODE_PING:
        add_frame(link, TG_KIT_PING, 0, payload);
        add_input(link, &(struct input){.kind = TG_KIT_PONG}, payload);
        return;
    default:
        break;
    }
    uint16_t code = CLOSE_NO_STATUS;
    if (payload.length >= 2) code = (uint16_t)(bytes[0] << 8 | bytes[1]);
    struct tg_slice reason =
        payload.length > 2 ? (struct tg_slice){payload.data + 2, payload.length - 2} : (struct tg_slice){0};
    add_frame(link, TG_KIT_CLOSE, code, reason);
    answer_close(link, code, (struct tg_slice){0});
}

/* The length of a whole frame at `bytes`, and where its payload begins; 0: it is not whole. RFC 6455 5.2 */
static size_t measure(const unsigned char *bytes, size_t length, size_t *head)
{
    if (length < 2) return 0;
    uint64_t payload = bytes[1] & 0x7F;
    size_t extra = payload == 127 ? 8 : payload == 126 ? 2 : 0;
    *head = 2 + extra;
    if (length < *head) return 0;
    if (extra > 0) payload = 0;
    for (size_t i = 0; i < extra; i++) payload = payload << 8 | bytes[2 + i];
    return length - *head < payload ? 0 : *head + (size_t)payload;
}

static void read_stream(struct tg_kit_link *link)
{
    const unsigned char *bytes = (const unsigned char *)link->stream.data;
    size_t at = 0, head = 0, length;
    while ((length = measure(bytes + at, link->stream.length - at, &head)) > 0) {
        read_frame(link, bytes[at] & 0xF, (struct tg_slice){link->stream.data + at + head, length - head});
        at += length;
    }
    size_t rest = link->stream.length - at;
    if (rest > 0 && at > 0) memmove(link->stream.data, link->stream.data + at, rest);
    tg_buf_truncate(&link->stream, rest);
    link->acknowledged_bytes += at;
}

/* ---- transport ---- */

static bool write_frames(struct tg_transport *transport, unsigned char *frames, size_t bytes)
{
    struct tg_kit_link *link = of(transport);
    if (link->is_dropped) return false;
    if (link->is_client_gone) return true; /* the kernel takes it, until it hears */
    tg_kit_alloc_pause();
    tg_buf_append(&link->stream, frames, bytes);
    if (!link->is_stalled) read_stream(link);
    tg_kit_alloc_resume();
    return true;
}

static bool is_choked(const struct tg_transport *transport)
{
    const struct tg_kit_link *link = of_const(transport);
    return link->is_stalled && link->stream.length >= KERNEL_BYTES;
}

static void ask_writable(struct tg_transport *transport)
{
    of(transport)->wants_writable = true;
}

static void set_reading(struct tg_transport *transport, bool is_on)
{
    struct tg_kit_link *link = of(transport);
    link->is_reading = is_on;
    if (is_on) tg_kit_post(link->loop, &link->event);
}

static uint64_t acknowledged_bytes(const struct tg_transport *transport)
{
    return of_const(transport)->acknowledged_bytes;
}

static bool has_peer_left(const struct tg_transport *transport)
{
    return of_const(transport)->is_client_gone;
}

static void drop(struct tg_transport *transport)
{
    struct tg_kit_link *link = of(transport);
    link->is_dropped = true;
    tg_kit_post(link->loop, &link->event);
}

static const struct tg_transport_ops transport_ops = {
    .write = write_frames,
    .is_choked = is_choked,
    .ask_writable = ask_writable,
    .set_reading = set_reading,
    .acknowledged_bytes = acknowledged_bytes,
    .has_peer_left = has_peer_left,
    .drop = drop,
};

/* ---- what core is told ---- */

static void end(struct tg_kit_link *link)
{
    struct tg_conn *conn = link->conn;
    link->conn = NULL;
    link->loop->has_ended = true;
    link->is_dropped = true;
    if (!link->has_ended && !link->is_client_gone) add_frame(link, TG_KIT_END, CLOSE_ABNORMAL, TG_SLICE(""));
    link->has_ended = true;
    tg_kit_alloc_resume();
    tg_conn_closed(conn);
    tg_kit_alloc_pause();
}

/* Whether libwebsockets and net/ws.c take the code from a client. */
static bool is_taken(uint16_t code)
{
    if (code == 1004 || code == CLOSE_ABNORMAL) return false;
    return (code >= 1000 && code <= 1011) || (code >= 3000 && code <= 4999);
}

/* As net/ws.c: what is echoed is what core is told. */
static void tell_close(struct tg_kit_link *link, struct input *input)
{
    struct tg_slice reason = {input->bytes, input->length};
    uint16_t code = is_taken(input->code) ? input->code : CLOSE_PROTOCOL;
    if (!tg_utf8_is_valid(reason.data, reason.length)) {
        code = CLOSE_INVALID;
        memset(input->bytes, '?', input->length);
    }
    tg_kit_alloc_resume();
    bool is_echoed = tg_conn_peer_closing(link->conn, code, reason);
    tg_kit_alloc_pause();
    if (is_echoed) add_frame(link, TG_KIT_CLOSE, code, reason);
    end(link);
}

static void tell_input(struct tg_kit_link *link, struct input *input)
{
    const struct tg_chunk chunk = {.bytes = {input->bytes, input->length},
                                   .is_first = input->is_first,
                                   .is_last = input->is_last,
                                   .is_binary = input->kind == TG_KIT_BINARY};
    switch (input->kind) {
    case TG_KIT_TEXT:
    case TG_KIT_BINARY:
        tg_kit_alloc_resume();
        tg_conn_receive(link->conn, &chunk);
        tg_kit_alloc_pause();
        return;
    case TG_KIT_PING: /* the HTTP library's affair: core does not see it, and clients do not tell of pongs */
        return;
    case TG_KIT_PONG:
        tg_conn_heard(link->conn);
        return;
    default:
        tell_close(link, input);
    }
}

static void tell_inputs(struct tg_kit_link *link)
{
    struct tg_list told, *node;
    tg_list_init(&told);
    while (link->conn && link->is_reading && !link->is_dropped &&
           (node = tg_list_take_first(&link->inputs))) {
        tg_list_append(&told, node);
        tell_input(link, TG_CONTAINER(node, struct input, link));
    }
    free_all(&told);
}

static void happen(struct tg_kit_event *event)
{
    struct tg_kit_link *link = TG_CONTAINER(event, struct tg_kit_link, event);
    if (!link->conn) return;
    tg_kit_alloc_pause();
    tell_inputs(link);
    if (link->conn && (link->is_dropped || (link->is_client_gone && link->is_reading))) end(link);
    if (link->conn && link->wants_writable && !link->is_stalled) {
        link->wants_writable = false;
        tg_conn_writable(link->conn);
    }
    tg_kit_alloc_resume();
}

/* ---- */

void tg_kit_link_init(struct tg_kit_link *link, struct tg_kit_loop *loop)
{
    *link = (struct tg_kit_link){
        .transport.ops = &transport_ops, .loop = loop, .began_ms = loop->began_ms, .is_reading = true};
    tg_list_init(&link->link);
    tg_list_init(&link->inputs);
    tg_list_init(&link->frames);
    tg_list_init(&link->held);
    tg_buf_init(&link->stream);
    tg_kit_event_init(&link->event, happen);
}

void tg_kit_link_deinit(struct tg_kit_link *link)
{
    tg_list_remove(&link->link);
    tg_list_remove(&link->event.link);
    free_all(&link->inputs);
    free_all(&link->frames);
    free_all(&link->held);
    tg_buf_deinit(&link->stream);
}

enum tg_status tg_kit_link_send(struct tg_kit_link *link, enum tg_kit_frame_kind kind, struct tg_slice bytes,
                                bool is_first, bool is_last)
{
    if (!link->conn || link->is_client_gone || link->has_sent_close) return TG_E_CLOSED;
    return add_input(link, &(struct input){.kind = kind, .is_first = is_first, .is_last = is_last}, bytes);
}

enum tg_status tg_kit_link_close(struct tg_kit_link *link, uint16_t code, struct tg_slice reason)
{
    if (!link->conn || link->is_client_gone || link->has_sent_close) return TG_E_CLOSED;
    link->has_sent_close = true;
    return add_input(link, &(struct input){.kind = TG_KIT_CLOSE, .code = code}, reason);
}

void tg_kit_link_drop(struct tg_kit_link *link)
{
    if (!link->conn || link->is_client_gone) return;
    /* What it has not read is lost. */
    tg_buf_truncate(&link->stream, 0);
    free_all(&link->held);
    link->is_stalled = false;
    add_frame(link, TG_KIT_END, CLOSE_ABNORMAL, TG_SLICE(""));
    link->is_client_gone = link->has_ended = true;
    tg_kit_post(link->loop, &link->event);
}

void tg_kit_link_stall(struct tg_kit_link *link)
{
    link->is_stalled = true;
}

void tg_kit_link_resume(struct tg_kit_link *link)
{
    link->is_stalled = false;
    read_stream(link);
    for (struct tg_list *node; (node = tg_list_take_first(&link->held));) {
        TG_CONTAINER(node, struct tg_kit_frame, link)->at_ms = tg_kit_now_ms(link->loop);
        tg_list_append(&link->frames, node);
    }
    if (link->conn) tg_kit_post(link->loop, &link->event);
}

struct tg_kit_frame *tg_kit_link_take(struct tg_kit_link *link)
{
    struct tg_list *node = tg_list_take_first(&link->frames);
    return node ? TG_CONTAINER(node, struct tg_kit_frame, link) : NULL;
}
