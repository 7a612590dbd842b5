/* Frames from the server, read strictly (RFC 6455 5): nothing is guessed, nothing is forgiven. Each step
 * looks at the bytes that are there and leaves them when they are not enough.
 *
 * Invariant: in_at is where a frame begins, or the end of what has been read. */
#include "net/client_state.h"

#include <inttypes.h>

enum {
    FIN = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0F,
    MASKED = 0x80,
    LENGTH = 0x7F,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
    CONTROL = 0x8, /* the bit that all opcodes of control frames have */
    CONTINUATION = 0,
    MASK_BYTES = 4,
    NO_CODE = 1005,
    ABNORMAL = 1006,
};

struct frame {
    int opcode;
    bool is_final;
    struct tg_slice payload;
    size_t bytes; /* with its header */
};

#define BREACH(client, ...) (void)tg_error_set(&(client)->breach, TG_E_PROTOCOL, __VA_ARGS__)

/* ---- the header ---- */

static uint64_t read_big_endian(const char *bytes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) number = number << 8 | (unsigned char)bytes[i];
    return number;
}

/* RFC 6455 5.2 and 5.5: what a header may say, wherever it stands. */
static bool is_header_right(struct tg_client *client, unsigned first, unsigned second)
{
    int opcode = (int)(first & OPCODE);
    bool is_known = opcode == CONTINUATION || opcode == TG_OPCODE_TEXT || opcode == TG_OPCODE_BINARY ||
                    opcode == TG_OPCODE_CLOSE || opcode == TG_OPCODE_PING || opcode == TG_OPCODE_PONG;
    if (first & RESERVED)
        BREACH(client, "a frame with reserved bits: 0x%02x (RFC 6455 5.2)", first);
    else if (!is_known)
        BREACH(client, "a frame with the unknown opcode %d (RFC 6455 5.2)", opcode);
    else if (second & MASKED)
        BREACH(client, "a masked frame from a server (RFC 6455 5.1)");
    else if ((opcode & CONTROL) && !(first & FIN))
        BREACH(client, "a control frame in fragments (RFC 6455 5.5)");
    else if ((opcode & CONTROL) && (second & LENGTH) > TG_CONTROL_PAYLOAD_MAX)
        BREACH(client, "a control frame of more than 125 bytes (RFC 6455 5.5)");
    return client->breach.status == TG_OK;
}

/* The length of the payload, and of the header. False: more has to come, or a breach. */
static bool read_length(struct tg_client *client, struct tg_slice bytes, uint64_t *length, size_t *header)
{
    unsigned short_length = (unsigned char)bytes.data[1] & LENGTH;
    size_t extended = short_length == LENGTH_16 ? 2 : short_length == LENGTH_64 ? 8 : 0;
    *header = 2 + extended;
    if (bytes.length < *header) return false;
    *length = extended ? read_big_endian(bytes.data + 2, extended) : short_length;
    if (tg_frame_header_length(*length) != *header)
        BREACH(client, "a length of %" PRIu64 " in more bytes than it needs (RFC 6455 5.2)", *length);
    else if (*length > client->max_message_bytes - client->message.length)
        (void)tg_error_set(&client->breach, TG_E_TOO_LARGE, "a message of more than %" PRIu64 " bytes",
                           client->max_message_bytes);
    return client->breach.status == TG_OK;
}

/* False: more has to come, or a breach. */
static bool read_frame(struct tg_client *client, struct frame *frame)
{
    struct tg_slice bytes = tg_client_unread(client);
    uint64_t length;
    size_t header;
    if (bytes.length < 2) return false;
    unsigned first = (unsigned char)bytes.data[0], second = (unsigned char)bytes.data[1];
    if (!is_header_right(client, first, second)) return false;
    if (!read_length(client, bytes, &length, &header)) return false;
    if (bytes.length - header < length) return false;
    *frame = (struct frame){
        .opcode = (int)(first & OPCODE),
        .is_final = first & FIN,
        .payload = {bytes.data + header, (size_t)length},
        .bytes = header + (size_t)length,
    };
    return true;
}

/* ---- what a frame means ---- */

static void give(struct tg_client *client, enum tg_client_event_kind kind, struct tg_slice data)
{
    tg_buf_truncate(&client->shown, 0);
    tg_buf_append_slice(&client->shown, data);
    if (client->shown.has_failed) {
        (void)tg_error_set(&client->breach, TG_E_NO_MEMORY, "not enough memory for a message");
        return;
    }
    client->has_event = true;
    client->event = (struct tg_client_event){
        .kind = kind, .data = tg_buf_peek(&client->shown), .at_us = tg_client_now_us(client)};
}

static void give_message(struct tg_client *client, struct tg_slice data, bool is_binary)
{
    if (!is_binary && !tg_utf8_is_valid(data.data, data.length))
        (void)tg_error_set(&client->breach, TG_E_UTF8, "a text that is not UTF-8 (RFC 6455 5.6)");
    else
        give(client, is_binary ? TG_CLIENT_BINARY : TG_CLIENT_TEXT, data);
}

/* RFC 6455 5.4 */
static void add_fragment(struct tg_client *client, const struct frame *frame)
{
    bool begins = frame->opcode != CONTINUATION;
    if (begins == client->is_message_open) {
        if (begins)
            BREACH(client, "a new message before the last fragment of another (RFC 6455 5.4)");
        else
            BREACH(client, "a continuation of nothing (RFC 6455 5.4)");
        return;
    }
    if (begins) client->is_message_binary = frame->opcode == TG_OPCODE_BINARY;
    client->is_message_open = !frame->is_final;
    if (begins && frame->is_final) {
        give_message(client, frame->payload, client->is_message_binary);
        return;
    }
    tg_buf_append_slice(&client->message, frame->payload);
    if (client->message.has_failed)
        (void)tg_error_set(&client->breach, TG_E_NO_MEMORY, "not enough memory for a message");
    if (client->is_message_open || client->breach.status != TG_OK) return;
    give_message(client, tg_buf_peek(&client->message), client->is_message_binary);
    tg_buf_truncate(&client->message, 0);
}

/* RFC 6455 5.5.1 */
static void take_close(struct tg_client *client, struct tg_slice body)
{
    uint16_t code = body.length >= 2 ? (uint16_t)read_big_endian(body.data, 2) : NO_CODE;
    struct tg_slice reason =
        body.length > 2 ? (struct tg_slice){body.data + 2, body.length - 2} : TG_SLICE("");
    if (body.length == 1)
        BREACH(client, "a close frame with half a code (RFC 6455 5.5.1)");
    else if (body.length && !tg_close_code_is_sendable(code))
        BREACH(client, "a close frame with the code %u, which nobody may send (RFC 6455 7.4)", code);
    else if (!tg_utf8_is_valid(reason.data, reason.length))
        (void)tg_error_set(&client->breach, TG_E_UTF8, "a close reason that is not UTF-8 (RFC 6455 5.5.1)");
    if (client->breach.status != TG_OK) return;
    client->has_close_come = true;
    give(client, TG_CLIENT_CLOSE, reason);
    client->event.code = code;
}

/* RFC 6455 5.5.2, 5.5.1: what is asked for an answer has it before anybody sees it. An answer that cannot be
 * sent is no breach: the end comes next. */
static void answer(struct tg_client *client, int opcode, struct tg_slice payload)
{
    if (client->is_close_sent || client->breach.status != TG_OK) return;
    if (opcode == TG_OPCODE_CLOSE) client->is_close_sent = true;
    (void)tg_client_frames_send(client, opcode, true, payload, NULL);
}

static void take_frame(struct tg_client *client, const struct frame *frame)
{
    char control[TG_CONTROL_PAYLOAD_MAX]; /* the answer is sent when the input may have moved */
    struct tg_slice body = {control, frame->payload.length};
    if (client->has_close_come) {
        BREACH(client, "a frame behind the close frame (RFC 6455 5.5.1)");
        return;
    }
    if (frame->opcode & CONTROL) memcpy(control, frame->payload.data, frame->payload.length);
    client->in_at += frame->bytes;
    if (frame->opcode == TG_OPCODE_PING) {
        answer(client, TG_OPCODE_PONG, body);
        give(client, TG_CLIENT_PING, body);
    } else if (frame->opcode == TG_OPCODE_CLOSE) {
        take_close(client, body);
        answer(client, TG_OPCODE_CLOSE, (struct tg_slice){control, body.length >= 2 ? 2 : 0});
    } else if (frame->opcode != TG_OPCODE_PONG) {
        add_fragment(client, frame);
    }
}

/* TCP has ended, and all that came before has been given. What is left of a frame is lost: a server that
 * gives a client up ends it like that, which is no breach. */
static void give_end(struct tg_client *client)
{
    client->is_end_given = true;
    give(client, TG_CLIENT_END, TG_SLICE(""));
    client->event.code = ABNORMAL;
}

bool tg_client_frames_next(struct tg_client *client)
{
    struct frame frame;
    while (!client->has_event && client->breach.status == TG_OK && read_frame(client, &frame))
        take_frame(client, &frame);
    if (client->has_event || client->breach.status != TG_OK) return true;
    if (!client->has_ended || client->is_end_given) return false;
    give_end(client);
    return true;
}

/* ---- sending ---- */

enum tg_status tg_client_frames_send(struct tg_client *client, int opcode, bool is_final,
                                     struct tg_slice payload, struct tg_error *error)
{
    unsigned char header[TG_FRAME_HEADER_MAX];
    unsigned char mask[MASK_BYTES];
    size_t length = tg_frame_write_header(header, (enum tg_opcode)opcode, payload.length);
    if (!is_final) header[0] &= (unsigned char)~FIN;
    header[1] |= MASKED;
    enum tg_status status = tg_client_io_random(client, mask, sizeof mask, error);
    if (status != TG_OK) return status;
    struct tg_buf *out = &client->out;
    tg_buf_truncate(out, 0);
    tg_buf_append(out, header, length);
    tg_buf_append(out, mask, sizeof mask);
    size_t start = out->length;
    tg_buf_append_slice(out, payload);
    if (out->has_failed) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory for a frame");
    for (size_t i = 0; i < payload.length; i++)
        out->data[start + i] = (char)((unsigned char)out->data[start + i] ^ mask[i % MASK_BYTES]);
    return tg_client_io_write(client, tg_buf_peek(out), error);
}
