/* Sockets are accepted here and handed to the library (see socket.c for why). All are of one vhost: the
 * library chooses a vhost by the Host header, which is the client's to write.
 */
#include "net/listener.h"

#include "base/log.h"
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_TURN = 64, /* then those that are connected get their turn */
    LAST_TURNS = 64,       /* of accepting: what the longest queue holds, and no end to those who go on */
    PAUSE_MS = 100,
    REFUSAL_LOG_MS = 1000,
};

static void on_listener(uv_poll_t *handle, int status, int events);

static void resume_accepting(uv_timer_t *timer)
{
    uv_poll_start(&((struct tg_listener *)timer->data)->poll, UV_READABLE, on_listener);
}

/* Nobody can be taken from the kernel's queue, which would wake us again and again. */
static void pause_accepting(struct tg_listener *listener)
{
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->pause, resume_accepting, PAUSE_MS, 0);
}

static void count_refusal(struct tg_server *server)
{
    struct tg_metrics *metrics = &server->worker->metrics;
    metrics->connections_refused++;
    uint64_t now_ms = tg_worker_now_ms(server->worker);
    if (now_ms < server->next_refusal_log_ms) return;
    server->next_refusal_log_ms = now_ms + REFUSAL_LOG_MS;
    tg_log(TG_LOG_WARNING, "out_of_descriptors", TG_LOG_I("connections", metrics->connections),
           TG_LOG_I("refused", metrics->connections_refused));
}

static void open_spare(struct tg_server *server)
{
    if (server->spare_fd < 0) server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors, the spare one is given up to take a client from the kernel's queue and send it
 * away. False: nobody was there (accept4 asks for a descriptor before it looks), or it cannot be done. */
static bool refuse_one(struct tg_listener *listener)
{
    struct tg_server *server = listener->server;
    open_spare(server);
    if (server->spare_fd < 0) {
        pause_accepting(listener);
        return false;
    }
    close(server->spare_fd);
    server->spare_fd = -1;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) close(fd);
    open_spare(server);
    if (fd >= 0) count_refusal(server);
    return fd >= 0;
}

static void adopt(struct tg_listener *listener, int fd)
{
    struct lws *wsi = lws_adopt_socket_vhost(listener->server->vhost, fd); /* closes it when it cannot */
    if (wsi) lws_set_opaque_user_data(wsi, listener);
}

/* True: there may be more. */
static bool accept_some(struct tg_listener *listener)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            adopt(listener, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            if (!refuse_one(listener)) return false;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return false;
        }
    }
    return true;
}

static void on_listener(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    accept_some(handle->data);
}

static void poll_closed(uv_handle_t *handle)
{
    ((struct tg_listener *)handle->data)->is_open = false;
}

enum tg_status tg_listener_open(struct tg_listener *listener, const char *host, uint16_t port,
                                struct tg_error *error)
{
    uv_loop_t *uv = tg_net_loop_uv(listener->server->loop);
    enum tg_status status = tg_socket_listen(host, port, &listener->fd, error);
    if (status != TG_OK) return status;
    listener->port = tg_socket_port(listener->fd);
    open_spare(listener->server);
    int failure = uv_poll_init(uv, &listener->poll, listener->fd);
    if (failure) return tg_error_set(error, TG_E_IO, "cannot listen: %s", uv_strerror(failure));
    uv_timer_init(uv, &listener->pause);
    listener->poll.data = listener->pause.data = listener;
    listener->is_open = true;
    failure = uv_poll_start(&listener->poll, UV_READABLE, on_listener);
    if (failure) return tg_error_set(error, TG_E_IO, "cannot listen: %s", uv_strerror(failure));
    return TG_OK;
}

void tg_listener_close(struct tg_listener *listener)
{
    if (listener->fd < 0) return;
    if (listener->is_open) {
        /* Whom the kernel has told that they are connected gets an answer. */
        for (int turn = 0; turn < LAST_TURNS && accept_some(listener); turn++) continue;
        uv_close((uv_handle_t *)&listener->pause, NULL);
        uv_close((uv_handle_t *)&listener->poll, poll_closed);
    }
    close(listener->fd);
    listener->fd = -1;
}

bool tg_listener_is_for_api(struct lws *wsi)
{
    const struct tg_listener *listener = lws_get_opaque_user_data(wsi);
    return listener && listener == &listener->server->listeners[TG_LISTENER_API];
}
