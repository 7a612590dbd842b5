/* The calls; the parts stand in client_io.c (the socket), client_handshake.c and client_frames.c.
 *
 * A breach of the server's is kept and answered again and again: behind it nothing can be trusted. */
#include "net/client.h"

#include "net/client_state.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NO_CODE = 1005, STALLED_BYTES = 1 };

/* ---- beginning and ending ---- */

enum tg_status tg_client_begin(struct tg_client **client, int fd, const struct tg_client_options *options,
                               struct tg_client_answer *answer, struct tg_error *error)
{
    *client = NULL;
    *answer = (struct tg_client_answer){0};
    struct tg_client *begun = calloc(1, sizeof *begun);
    if (!begun) {
        close(fd);
        return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    }
    begun->fd = fd;
    begun->timeout_ms = options->timeout_ms;
    begun->max_message_bytes = options->max_message_bytes;
    begun->random = options->seed;
    begun->began_us = tg_client_io_now_us();
    tg_buf_init(&begun->in);
    tg_buf_init(&begun->message);
    tg_buf_init(&begun->shown);
    tg_buf_init(&begun->out);
    enum tg_status status = tg_client_handshake(begun, options, answer, error);
    if (status != TG_OK) {
        tg_client_free(begun);
        return status;
    }
    *client = begun;
    return TG_OK;
}

enum tg_status tg_client_connect(struct tg_client **client, const struct tg_client_options *options,
                                 struct tg_client_answer *answer, struct tg_error *error)
{
    int fd;
    *client = NULL;
    *answer = (struct tg_client_answer){0};
    enum tg_status status = tg_client_io_connect(options, &fd, error);
    if (status != TG_OK) return status;
    return tg_client_begin(client, fd, options, answer, error);
}

void tg_client_free(struct tg_client *client)
{
    if (!client) return;
    if (client->fd >= 0) close(client->fd);
    tg_buf_deinit(&client->in);
    tg_buf_deinit(&client->message);
    tg_buf_deinit(&client->shown);
    tg_buf_deinit(&client->out);
    free(client);
}

/* ---- sending ---- */

static enum tg_status send_frame(struct tg_client *client, int opcode, bool is_final, struct tg_slice payload,
                                 struct tg_error *error)
{
    if (client->fd < 0) return tg_error_set(error, TG_E_CLOSED, "the connection has ended");
    if (client->is_close_sent) return tg_error_set(error, TG_E_CLOSED, "a close frame has been sent");
    return tg_client_frames_send(client, opcode, is_final, payload, error);
}

enum tg_status tg_client_send(struct tg_client *client, enum tg_opcode opcode, struct tg_slice payload,
                              struct tg_error *error)
{
    return send_frame(client, (int)opcode, true, payload, error);
}

enum tg_status tg_client_send_fragment(struct tg_client *client, int opcode, bool is_final,
                                       struct tg_slice payload, struct tg_error *error)
{
    return send_frame(client, opcode, is_final, payload, error);
}

enum tg_status tg_client_close(struct tg_client *client, uint16_t code, struct tg_slice reason,
                               struct tg_error *error)
{
    unsigned char frame[2 + TG_CONTROL_PAYLOAD_MAX];
    size_t length = tg_frame_write_close(frame, code, reason.data, reason.length);
    struct tg_slice body = {(const char *)frame + 2, code == NO_CODE ? 0 : length - 2};
    enum tg_status status = send_frame(client, TG_OPCODE_CLOSE, true, body, error);
    client->is_close_sent = true;
    return status;
}

void tg_client_drop(struct tg_client *client)
{
    if (client->fd < 0) return;
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(client->fd);
    client->fd = -1;
    client->has_ended = true;
}

/* ---- receiving ---- */

void tg_client_stall(struct tg_client *client)
{
    client->is_stalled = true;
    /* The kernel makes it the least that it allows. */
    if (client->fd >= 0) setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &(int){STALLED_BYTES}, sizeof(int));
}

void tg_client_resume(struct tg_client *client)
{
    client->is_stalled = false;
}

uint64_t tg_client_now_us(const struct tg_client *client)
{
    return tg_client_io_now_us() - client->began_us;
}

uint16_t tg_client_port(const struct tg_client *client)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (client->fd < 0 || getsockname(client->fd, (struct sockaddr *)&address, &length) != 0) return 0;
    if (address.ss_family == AF_INET) return ntohs(((const struct sockaddr_in *)&address)->sin_port);
    return address.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&address)->sin6_port) : 0;
}

bool tg_client_wait(struct tg_client *client, uint32_t timeout_ms)
{
    uint64_t deadline_ms = tg_client_io_now_ms() + timeout_ms;
    while (!tg_client_frames_next(client)) {
        if (client->is_end_given) return true;
        uint64_t now_ms = tg_client_io_now_ms();
        bool has_come =
            tg_client_io_fill(client, now_ms < deadline_ms ? (uint32_t)(deadline_ms - now_ms) : 0);
        if (!has_come && (now_ms >= deadline_ms || client->is_stalled)) return false;
    }
    return true;
}

enum tg_status tg_client_receive(struct tg_client *client, uint32_t timeout_ms, struct tg_client_event *event,
                                 struct tg_error *error)
{
    if (!tg_client_wait(client, timeout_ms))
        return tg_error_set(error, TG_E_SLOW, "nothing has come in %u ms", timeout_ms);
    if (client->has_event) {
        client->has_event = false;
        *event = client->event;
        return TG_OK;
    }
    if (client->breach.status != TG_OK) {
        if (error) *error = client->breach;
        return client->breach.status;
    }
    return tg_error_set(error, TG_E_CLOSED, "the connection has ended");
}
