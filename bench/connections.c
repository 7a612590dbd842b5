/* Edge-triggered: a socket is registered once, read until a short read and written until it is full.
 *
 * A connection's unsent messages are a distance in the batch's ring of ready frames, so sending any number
 * of them is one write, and a write that was cut goes on where it stopped. With a window, an answer makes
 * room for one message, and all that one turn makes room for go out together. With a rate, message k belongs
 * to connection k modulo `active` and to the time start + k / rate whether or not the server keeps up, so a
 * stall is seen in full.
 * Invariant: an open connection's answered messages never outnumber those it was to send.
 */
#include "connections.h"
#include "connection.h"
#include "process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECEIVE_BYTES = 1 << 20,
    EVENTS_PER_TURN = 256,
    MOST_OPENING = 128, /* at once: well inside any accept queue */
    RATE_BATCH = 64,
    SILENCE_MS = 10000,
};

bool tg_connections_init(struct tg_connections *load, const struct tg_arguments *arguments,
                         struct tg_histogram *latencies)
{
    *load = (struct tg_connections){.arguments = arguments, .latencies = latencies};
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    load->all = calloc(arguments->connections, sizeof *load->all);
    load->active = calloc(arguments->active, sizeof(struct tg_connection *));
    load->received = malloc(RECEIVE_BYTES);
    size_t batch = arguments->rate > 0 ? RATE_BATCH : arguments->window;
    bool is_ready = tg_batch_init(&load->batch, arguments->message, batch);
    return is_ready && load->epoll_fd >= 0 && load->all && load->active && load->received;
}

void tg_connections_deinit(struct tg_connections *load)
{
    for (unsigned i = 0; i < load->started; i++) {
        close(load->all[i].fd);
        free(load->all[i].sent_at);
        free(load->all[i].tail);
    }
    if (load->epoll_fd >= 0) close(load->epoll_fd);
    tg_batch_deinit(&load->batch);
    free(load->received);
    free(load->active);
    free(load->all);
}

/* ---- sending ---- */

/* True with nothing sent when the socket is full: the edge will call again. */
static bool write_some(struct tg_connections *load, struct tg_connection *connection, const char *bytes,
                       size_t length, size_t *sent)
{
    ssize_t count = send(connection->fd, bytes, length, MSG_NOSIGNAL);
    *sent = count > 0 ? (size_t)count : 0;
    if (count < 0 && errno != EAGAIN)
        return tg_connection_fail(load, connection, "send: %s", strerror(errno));
    return true;
}

static bool send_pong(struct tg_connections *load, struct tg_connection *connection)
{
    size_t sent;
    if (!write_some(load, connection, connection->pong, connection->pong_bytes, &sent)) return false;
    if (sent && sent < connection->pong_bytes) return tg_connection_fail(load, connection, "a pong was cut");
    if (sent) connection->pong_bytes = 0;
    return true;
}

static bool flush(struct tg_connections *load, struct tg_connection *connection)
{
    size_t ring_bytes = load->batch.count * load->batch.frame_bytes;
    if (connection->pong_bytes && connection->batch_offset % load->batch.frame_bytes == 0 &&
        !send_pong(load, connection))
        return false;
    while (connection->unsent_bytes) {
        size_t chunk = connection->unsent_bytes < ring_bytes ? connection->unsent_bytes : ring_bytes;
        size_t sent;
        if (!write_some(load, connection, load->batch.bytes + connection->batch_offset, chunk, &sent))
            return false;
        connection->unsent_bytes -= sent;
        connection->batch_offset = (connection->batch_offset + sent) % ring_bytes;
        if (sent < chunk) break;
    }
    return true;
}

/* Queues one message; the caller flushes. */
static void ask(struct tg_connections *load, struct tg_connection *connection)
{
    if (connection->sent_at) connection->sent_at[connection->asked % load->arguments->window] = load->now_ns;
    connection->asked++;
    connection->unsent_bytes += load->batch.frame_bytes;
}

static uint64_t time_of(const struct tg_connections *load, uint64_t message)
{
    return load->start_ns + (uint64_t)((double)message * 1e9 / load->arguments->rate);
}

static bool send_what_is_due(struct tg_connections *load)
{
    unsigned active = load->arguments->active;
    uint64_t first = load->scheduled;
    while (time_of(load, load->scheduled) <= load->now_ns)
        ask(load, load->active[load->scheduled++ % active]);
    uint64_t touched = load->scheduled - first < active ? load->scheduled - first : active;
    for (uint64_t i = 0; i < touched; i++)
        if (!flush(load, load->active[(first + i) % active])) return false;
    return true;
}

/* ---- receiving ---- */

static bool on_answer(struct tg_connections *load, struct tg_connection *connection, struct tg_frame frame)
{
    const struct tg_arguments *arguments = load->arguments;
    if (connection->answered == connection->asked)
        return tg_connection_fail(load, connection, "a frame came unasked");
    if (connection->answered == 0 && arguments->expected &&
        !memmem(frame.payload, frame.length, arguments->expected, strlen(arguments->expected)))
        return tg_connection_fail(load, connection, "answered %.*s",
                                  (int)(frame.length > 180 ? 180 : frame.length), frame.payload);
    uint64_t asked_ns = connection->sent_at
                            ? connection->sent_at[connection->answered % arguments->window]
                            : time_of(load, connection->answered * arguments->active + connection->turn);
    tg_histogram_record(load->latencies, load->now_ns - asked_ns);
    connection->answered++;
    load->answered++;
    if (connection->sent_at) ask(load, connection);
    return true;
}

static bool on_frame(struct tg_connections *load, struct tg_connection *connection, struct tg_frame frame)
{
    switch (frame.first_byte) { /* FIN set, no extension bits */
    case 0x80 | TG_OPCODE_TEXT:
        if (connection->stage == TG_STAGE_OPEN) return on_answer(load, connection, frame);
        if (--connection->welcomes_left == 0) tg_connection_settle(load, connection);
        return true;
    case 0x80 | TG_OPCODE_PING:
        if (frame.length > TG_LONGEST_CONTROL)
            return tg_connection_fail(load, connection, "a ping is too long");
        connection->pong_bytes = tg_frame_mask(connection->pong, TG_OPCODE_PONG, frame.payload, frame.length,
                                               (uint32_t)load->now_ns);
        return true;
    case 0x80 | TG_OPCODE_CLOSE:
        if (frame.length < 2) return tg_connection_fail(load, connection, "closed without a code");
        return tg_connection_fail(load, connection, "closed with %u",
                                  (unsigned)(unsigned char)frame.payload[0] << 8 |
                                      (unsigned char)frame.payload[1]);
    default:
        return tg_connection_fail(load, connection, "a frame begins with 0x%02x", frame.first_byte);
    }
}

static bool consume(struct tg_connections *load, struct tg_connection *connection, size_t length,
                    size_t *consumed)
{
    size_t used = 0;
    if (connection->stage == TG_STAGE_SHAKING && !tg_connection_response(load, connection, length, &used))
        return false;
    while (connection->stage > TG_STAGE_SHAKING) {
        struct tg_frame frame;
        ptrdiff_t bytes = tg_frame_parse(load->received + used, length - used, &frame);
        if (bytes < 0) return tg_connection_fail(load, connection, "a frame of the server is masked");
        if (bytes == 0) break;
        used += (size_t)bytes;
        if (!on_frame(load, connection, frame)) return false;
    }
    *consumed = used;
    return true;
}

static size_t take_tail(struct tg_connections *load, struct tg_connection *connection)
{
    size_t bytes = connection->tail_bytes;
    if (bytes) memcpy(load->received, connection->tail, bytes);
    free(connection->tail);
    connection->tail = NULL;
    connection->tail_bytes = 0;
    return bytes;
}

static bool keep_tail(struct tg_connections *load, struct tg_connection *connection, size_t bytes)
{
    if (bytes == 0) return true;
    connection->tail = malloc(bytes);
    if (!connection->tail) return tg_connection_fail(load, connection, "out of memory");
    memcpy(connection->tail, load->received, bytes);
    connection->tail_bytes = bytes;
    return true;
}

static bool receive(struct tg_connections *load, struct tg_connection *connection)
{
    size_t have = take_tail(load, connection);
    for (bool is_drained = false; !is_drained;) {
        size_t room = RECEIVE_BYTES - have;
        ssize_t count = recv(connection->fd, load->received + have, room, 0);
        if (count < 0 && errno == EAGAIN) break;
        if (count < 0) return tg_connection_fail(load, connection, "recv: %s", strerror(errno));
        if (count == 0) return tg_connection_fail(load, connection, "the server hung up");
        is_drained = (size_t)count < room;
        have += (size_t)count;
        size_t used = 0;
        if (!consume(load, connection, have, &used)) return false;
        have -= used;
        memmove(load->received, load->received + used, have);
        if (have == RECEIVE_BYTES) return tg_connection_fail(load, connection, "an answer is too long");
    }
    return keep_tail(load, connection, have);
}

/* ---- the loop ---- */

static bool handle(struct tg_connections *load, struct tg_connection *connection, uint32_t events)
{
    if (connection->stage == TG_STAGE_CONNECTING)
        return !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) || tg_connection_request(load, connection);
    load->now_ns = tg_now_ns();
    if (events & ~(uint32_t)EPOLLOUT && !receive(load, connection)) return false;
    return flush(load, connection);
}

static bool wait_and_handle(struct tg_connections *load, int timeout_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(load->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);
    if (count < 0 && errno != EINTR) return tg_connection_fail(load, NULL, "epoll_wait: %s", strerror(errno));
    load->now_ns = tg_now_ns();
    if (count > 0) load->heard_ns = load->now_ns;
    if (load->now_ns - load->heard_ns > (uint64_t)SILENCE_MS * 1000000u)
        return tg_connection_fail(load, NULL, "nothing came for %d seconds", SILENCE_MS / 1000);
    for (int i = 0; i < count; i++)
        if (!handle(load, events[i].data.ptr, events[i].events)) return false;
    return true;
}

bool tg_connections_open(struct tg_connections *load, unsigned count)
{
    load->heard_ns = tg_now_ns();
    while (load->opened < count) {
        while (load->started < count && load->started - load->opened < MOST_OPENING)
            if (!tg_connection_begin(load)) return false;
        if (!wait_and_handle(load, SILENCE_MS)) return false;
    }
    return true;
}

bool tg_connections_start(struct tg_connections *load)
{
    const struct tg_arguments *arguments = load->arguments;
    load->heard_ns = load->now_ns = load->start_ns = tg_now_ns();
    for (unsigned turn = 0; turn < arguments->active; turn++) {
        struct tg_connection *connection = &load->all[(uint64_t)turn * load->opened / arguments->active];
        load->active[turn] = connection;
        connection->turn = turn;
        if (arguments->rate > 0) continue;
        connection->sent_at = calloc(arguments->window, sizeof *connection->sent_at);
        if (!connection->sent_at) return tg_connection_fail(load, connection, "out of memory");
        for (unsigned i = 0; i < arguments->window; i++) ask(load, connection);
        if (!flush(load, connection)) return false;
    }
    return true;
}

/* Below a millisecond epoll's timeout is too coarse to hit a message's time, so the loop spins. */
static int timeout_until_due(const struct tg_connections *load, uint64_t now_ns)
{
    uint64_t due_ns = time_of(load, load->scheduled);
    return due_ns > now_ns ? (int)((due_ns - now_ns) / 1000000u) : 0;
}

bool tg_connections_run(struct tg_connections *load, uint64_t deadline_ns, uint64_t answers)
{
    bool has_rate = load->arguments->rate > 0;
    while (load->answered < answers) {
        uint64_t now_ns = load->now_ns = tg_now_ns();
        if (now_ns >= deadline_ns) break;
        if (has_rate && !send_what_is_due(load)) return false;
        int left_ms = (int)((deadline_ns - now_ns) / 1000000u) + 1;
        int due_ms = has_rate ? timeout_until_due(load, now_ns) : left_ms;
        if (!wait_and_handle(load, due_ms < left_ms ? due_ms : left_ms)) return false;
    }
    return true;
}
