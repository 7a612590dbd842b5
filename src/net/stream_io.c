/* Reading: one chunk per ask, so that a peer that sends faster than anybody reads fills its own buffers.
 * Writing: what the kernel does not take at once is copied, one piece, and nothing more is taken until that
 * has gone. With TLS both buffers are OpenSSL's as well, and no larger.
 *
 * Invariant: `output` is there exactly while a write of libuv's is under way. */
#include "net/stream_state.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024, PIECE_BYTES = 64 * 1024, KEEPALIVE_SECONDS = 60 };

static struct tg_net_stream *of_core(const struct tg_stream *core)
{
    return (struct tg_net_stream *)core; /* its first member */
}

static bool has_failed(const struct tg_net_stream *stream, enum tg_stream_side side)
{
    return stream->failures[side].text[0] != '\0';
}

static bool has_input(const struct tg_net_stream *stream)
{
    return stream->input_start < stream->input_end;
}

static void forget_input(struct tg_net_stream *stream)
{
    free(stream->input);
    stream->input = NULL;
    stream->input_start = stream->input_end = 0;
}

void tg_net_stream_forget_bytes(struct tg_net_stream *stream)
{
    forget_input(stream);
    free(stream->output);
    stream->output = NULL;
}

/* ---- towards the peer ---- */

static void end_writing_when_drained(struct tg_net_stream *stream);
static void pump_tls(struct tg_net_stream *stream);

static void tell_writable(struct tg_net_stream *stream)
{
    if (!stream->is_asked_to_write || !stream->events) return;
    stream->is_asked_to_write = false;
    stream->events->writable(stream->user);
}

static void written(uv_write_t *request, int failure)
{
    struct tg_net_stream *stream = request->data;
    free(stream->output);
    stream->output = NULL;
    if (!stream->is_tcp_open) return; /* it is being closed */
    if (failure) tg_net_stream_fail_side(stream, TG_STREAM_WRITING, tg_net_stream_reason(failure));
    if (stream->tls && !failure) pump_tls(stream);
    if (stream->output) return;
    end_writing_when_drained(stream);
    tell_writable(stream);
}

/* Has libuv write a copy of `bytes`, since the kernel is full. */
static bool write_later(struct tg_net_stream *stream, struct tg_slice bytes)
{
    stream->output = malloc(bytes.length);
    if (!stream->output) {
        tg_net_stream_fail(stream, "not enough memory");
        return false;
    }
    memcpy(stream->output, bytes.data, bytes.length);
    uv_buf_t buffer = uv_buf_init(stream->output, (unsigned)bytes.length);
    int failure = uv_write(&stream->write, (uv_stream_t *)&stream->tcp, &buffer, 1, written);
    if (!failure) {
        stream->metrics->stream_bytes_sent += bytes.length;
        return true;
    }
    free(stream->output);
    stream->output = NULL;
    tg_net_stream_fail_side(stream, TG_STREAM_WRITING, tg_net_stream_reason(failure));
    return false;
}

/* What the kernel takes at once, of nothing else being under way. */
static size_t write_now(struct tg_net_stream *stream, struct tg_slice bytes)
{
    uv_buf_t buffer = uv_buf_init((char *)bytes.data, (unsigned)bytes.length);
    int taken = uv_try_write((uv_stream_t *)&stream->tcp, &buffer, 1);
    if (taken >= 0) {
        stream->metrics->stream_bytes_sent += (size_t)taken;
        return (size_t)taken;
    }
    if (taken != UV_EAGAIN) tg_net_stream_fail_side(stream, TG_STREAM_WRITING, tg_net_stream_reason(taken));
    return 0;
}

/* At once what the kernel takes, and a piece of the rest later. Returns how much that is. */
static size_t send_bytes(struct tg_net_stream *stream, struct tg_slice bytes, size_t max_later)
{
    size_t taken = write_now(stream, bytes);
    struct tg_slice rest = {bytes.data + taken, bytes.length - taken};
    if (rest.length > max_later) rest.length = max_later;
    if (rest.length == 0 || has_failed(stream, TG_STREAM_WRITING) || !write_later(stream, rest)) return taken;
    return taken + rest.length;
}

/* Sends what TLS has to say, all of it, as soon as the last of it has gone. */
static void pump_tls(struct tg_net_stream *stream)
{
    if (stream->output || !stream->is_tcp_open) return;
    struct tg_slice bytes = tg_tls_output(stream->tls);
    if (bytes.length == 0) return;
    send_bytes(stream, bytes, SIZE_MAX);
    tg_tls_output_sent(stream->tls);
}

static size_t write_tls(struct tg_net_stream *stream, struct tg_slice bytes)
{
    if (bytes.length > PIECE_BYTES) bytes.length = PIECE_BYTES;
    if (tg_tls_write(stream->tls, bytes) != TG_TLS_DONE) {
        tg_net_stream_fail(stream, tg_tls_failure(stream->tls));
        return 0;
    }
    pump_tls(stream);
    return has_failed(stream, TG_STREAM_WRITING) ? 0 : bytes.length;
}

static size_t stream_write(struct tg_stream *core, struct tg_slice bytes)
{
    struct tg_net_stream *stream = of_core(core);
    if (bytes.length == 0 || has_failed(stream, TG_STREAM_WRITING)) return 0;
    size_t taken = 0;
    if (!stream->output)
        taken = stream->tls ? write_tls(stream, bytes) : send_bytes(stream, bytes, PIECE_BYTES);
    stream->is_asked_to_write = stream->output != NULL;
    return taken;
}

static bool stream_is_drained(const struct tg_stream *core)
{
    return !of_core(core)->output;
}

/* ---- from the peer ---- */

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    (void)handle;
    buffer->base = malloc(CHUNK_BYTES);
    buffer->len = buffer->base ? CHUNK_BYTES : 0;
}

/* Puts the next bytes out of TLS into `input`, if there are any. */
static void decrypt(struct tg_net_stream *stream)
{
    if (has_input(stream) || has_failed(stream, TG_STREAM_READING)) return;
    if (!stream->input) stream->input = malloc(CHUNK_BYTES);
    if (!stream->input) {
        tg_net_stream_fail(stream, "not enough memory");
        return;
    }
    size_t length = 0;
    enum tg_tls_progress progress = tg_tls_read(stream->tls, stream->input, CHUNK_BYTES, &length);
    stream->input_start = 0;
    stream->input_end = length;
    if (progress == TG_TLS_ENDED) tg_net_stream_fail_side(stream, TG_STREAM_READING, TG_STREAM_CLOSED);
    if (progress == TG_TLS_FAILED) tg_net_stream_fail(stream, tg_tls_failure(stream->tls));
    if (length == 0) forget_input(stream);
    pump_tls(stream); /* the peer may have asked for new keys */
}

static void tell_readable(struct tg_net_stream *stream)
{
    if (stream->is_tcp_open) uv_read_stop((uv_stream_t *)&stream->tcp);
    if (!stream->is_asked_to_read) return;
    stream->is_asked_to_read = false;
    stream->events->readable(stream->user);
}

static void go_on_shaking(struct tg_net_stream *stream)
{
    enum tg_tls_progress progress = tg_tls_handshake(stream->tls);
    pump_tls(stream); /* also what tells the peer why it was refused */
    if (progress == TG_TLS_WAITS && !has_failed(stream, TG_STREAM_WRITING)) return;
    if (progress == TG_TLS_FAILED) tg_net_stream_fail(stream, tg_tls_failure(stream->tls));
    if (progress == TG_TLS_ENDED) tg_net_stream_fail(stream, TG_STREAM_CLOSED);
    uv_read_stop((uv_stream_t *)&stream->tcp);
    tg_net_stream_opened(stream);
}

/* More for TLS: some bytes, or the end of TCP. */
static void take_encrypted(struct tg_net_stream *stream, struct tg_slice bytes, int failure)
{
    if (failure)
        tg_tls_feed_end(stream->tls);
    else if (!tg_tls_feed(stream->tls, bytes))
        tg_net_stream_fail(stream, "not enough memory");
    if (stream->phase == TG_STREAM_SHAKING) {
        go_on_shaking(stream);
        return;
    }
    /* What came before the end is still to be read: TLS itself tells where that is, and whether it was meant.
     */
    if (failure && failure != UV_EOF)
        tg_net_stream_fail_side(stream, TG_STREAM_WRITING, tg_net_stream_reason(failure));
    decrypt(stream);
    if (has_input(stream) || has_failed(stream, TG_STREAM_READING)) tell_readable(stream);
}

static void take_plain(struct tg_net_stream *stream, char *room, size_t length, int failure)
{
    if (failure) {
        free(room);
        tg_net_stream_fail_side(stream, TG_STREAM_READING, tg_net_stream_reason(failure));
        if (failure != UV_EOF)
            tg_net_stream_fail_side(stream, TG_STREAM_WRITING, tg_net_stream_reason(failure));
    } else {
        stream->input = room;
        stream->input_end = length;
    }
    tell_readable(stream);
}

static void received(uv_stream_t *tcp, ssize_t length, const uv_buf_t *buffer)
{
    struct tg_net_stream *stream = tcp->data;
    if (length == 0) { /* nothing after all */
        free(buffer->base);
        return;
    }
    int failure = length < 0 ? (int)length : 0;
    size_t bytes = failure ? 0 : (size_t)length;
    stream->metrics->stream_bytes_received += bytes;
    if (!stream->tls) {
        take_plain(stream, buffer->base, bytes, failure);
        return;
    }
    take_encrypted(stream, (struct tg_slice){buffer->base, bytes}, failure);
    free(buffer->base);
}

static struct tg_slice stream_peek(struct tg_stream *core)
{
    struct tg_net_stream *stream = of_core(core);
    if (stream->tls && stream->phase == TG_STREAM_IS_OPEN) decrypt(stream);
    if (!has_input(stream)) return (struct tg_slice){0};
    return (struct tg_slice){stream->input + stream->input_start, stream->input_end - stream->input_start};
}

static void stream_consume(struct tg_stream *core, size_t bytes)
{
    struct tg_net_stream *stream = of_core(core);
    stream->input_start += bytes;
    if (!has_input(stream)) forget_input(stream);
}

static bool stream_ask_readable(struct tg_stream *core)
{
    struct tg_net_stream *stream = of_core(core);
    if (has_failed(stream, TG_STREAM_READING)) return false;
    stream->is_asked_to_read = true;
    int failure = uv_read_start((uv_stream_t *)&stream->tcp, make_room, received);
    if (!failure || failure == UV_EALREADY) return true;
    stream->is_asked_to_read = false;
    tg_net_stream_fail_side(stream, TG_STREAM_READING, tg_net_stream_reason(failure));
    return false;
}

void tg_net_stream_shake(struct tg_net_stream *stream)
{
    int failure = uv_read_start((uv_stream_t *)&stream->tcp, make_room, received);
    if (failure) tg_net_stream_fail(stream, tg_net_stream_reason(failure));
    go_on_shaking(stream);
}

/* ---- the end ---- */

static void ended(uv_shutdown_t *request, int failure)
{
    (void)request;
    (void)failure;
}

/* RFC 8446 6.1: TLS says so first. */
static void end_writing_when_drained(struct tg_net_stream *stream)
{
    if (!stream->is_write_ending || stream->output || !stream->is_tcp_open) return;
    stream->is_write_ending = false;
    if (uv_is_writable((uv_stream_t *)&stream->tcp))
        uv_shutdown(&stream->ending, (uv_stream_t *)&stream->tcp, ended);
}

static void stream_shutdown(struct tg_stream *core, enum tg_stream_side side)
{
    struct tg_net_stream *stream = of_core(core);
    bool is_new = !has_failed(stream, side);
    tg_net_stream_fail_side(stream, side, TG_STREAM_CLOSED);
    if (!is_new) return;
    if (side == TG_STREAM_READING) {
        stream->is_asked_to_read = false;
        if (stream->is_tcp_open) uv_read_stop((uv_stream_t *)&stream->tcp);
        forget_input(stream);
        return;
    }
    if (stream->tls) {
        tg_tls_finish(stream->tls);
        pump_tls(stream);
    }
    stream->is_write_ending = true;
    end_writing_when_drained(stream);
}

static void stream_close(struct tg_stream *core)
{
    struct tg_net_stream *stream = of_core(core);
    if (stream->tls && stream->phase == TG_STREAM_IS_OPEN && !has_failed(stream, TG_STREAM_WRITING)) {
        tg_tls_finish(stream->tls);
        pump_tls(stream);
    }
    stream->events = NULL;
    tg_net_stream_release(stream);
}

/* ---- questions ---- */

static const char *stream_failure(const struct tg_stream *core, enum tg_stream_side side)
{
    const struct tg_net_stream *stream = of_core(core);
    return has_failed(stream, side) ? stream->failures[side].text : NULL;
}

static bool stream_name(const struct tg_stream *core, bool of_peer, struct tg_stream_name *name)
{
    const struct tg_net_stream *stream = of_core(core);
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    int bytes = sizeof address;
    if (!stream->is_tcp_open) return false;
    int failure = of_peer ? uv_tcp_getpeername(&stream->tcp, &address.any, &bytes)
                          : uv_tcp_getsockname(&stream->tcp, &address.any, &bytes);
    if (failure) return false;
    name->is_ipv6 = address.any.sa_family == AF_INET6;
    name->port = ntohs(name->is_ipv6 ? address.v6.sin6_port : address.v4.sin_port);
    return (name->is_ipv6 ? uv_ip6_name(&address.v6, name->address, sizeof name->address)
                          : uv_ip4_name(&address.v4, name->address, sizeof name->address)) == 0;
}

static bool stream_set_nodelay(struct tg_stream *core, bool is_on)
{
    struct tg_net_stream *stream = of_core(core);
    return stream->is_tcp_open && uv_tcp_nodelay(&stream->tcp, is_on) == 0;
}

static bool stream_set_keepalive(struct tg_stream *core, bool is_on)
{
    struct tg_net_stream *stream = of_core(core);
    return stream->is_tcp_open && uv_tcp_keepalive(&stream->tcp, is_on, KEEPALIVE_SECONDS) == 0;
}

const struct tg_stream_ops tg_net_stream_ops = {
    .failure = stream_failure,
    .peek = stream_peek,
    .consume = stream_consume,
    .ask_readable = stream_ask_readable,
    .write = stream_write,
    .is_drained = stream_is_drained,
    .shutdown = stream_shutdown,
    .name = stream_name,
    .set_nodelay = stream_set_nodelay,
    .set_keepalive = stream_set_keepalive,
    .close = stream_close,
};
