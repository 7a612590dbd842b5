/* What the library is told, and why:
 *  - its own loop is ours (LWS_SERVER_OPTION_LIBUV, foreign_loops);
 *  - its validity timers are off: each would be an entry in one sorted list, walked at every accept;
 *    core has a timing wheel;
 *  - no fd_limit_per_thread: with one, it looks sockets up by walking a list;
 *  - rx_buffer_size is allocated for every WebSocket and is what one read takes; tx_packet_size
 *    bounds what one write hands to the kernel before the rest is copied: so nothing does. */
#include "net/server.h"

#include "base/log.h"
#include "net/api_http.h"
#include "net/head.h"
#include "net/http.h"
#include "net/listener.h"
#include "net/state.h"
#include "net/subprotocol.h"
#include "net/ws.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD_BYTES_MAX = 16384,
    RX_BUFFER_BYTES = 1024,
    TX_BYTES_MAX = 1 << 30,
    SERVICE_BUFFER_BYTES = 16384,
    HANDSHAKE_SECONDS = 10, /* from accept to the end of the request's head */
    KEEPALIVE_SECONDS = 30,
    ARENA_KEEP_BYTES = 64 * 1024,
};

#define CLOSE_NS_MAX 2000000000ull /* see tg_server_close */

/* ---- the library's callbacks ---- */

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    struct tg_server *server = lws_context_user(lws_get_context(wsi));
    if (tg_ws_wants(reason)) return tg_ws_callback(server, wsi, reason, user, in, length);
    switch (reason) {
    case LWS_CALLBACK_GET_THREAD_ID:
        if (server->pings.is_listening) tg_ws_events_changed(lws_wsi_user(wsi));
        return TG_PING_THREAD_ID;
    case LWS_CALLBACK_HTTP:
        return tg_http_request(server, wsi);
    case LWS_CALLBACK_HTTP_BODY:
        return tg_api_http_body(server, wsi, (struct tg_slice){in, length});
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return tg_api_http_complete(server, wsi);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return tg_api_http_writable(server, wsi);
    case LWS_CALLBACK_CLOSED_HTTP:
        tg_api_http_forget(server, wsi);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return tg_http_check_upgrade(server, wsi);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        tg_subprotocol_answer(server);
        return 0;
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        return lws_http_transaction_completed(wsi) ? -1 : 0;
    case LWS_CALLBACK_RAW_ADOPT:
        /* A CONNECT request turns a connection into a raw one. */
        return -1;
    default:
        return 0;
    }
}

/* "[time] E: text\n": our own line has a time and a level. What the library calls an error is often
 * a client's mistake, so nothing is more than a warning. */
static void log_line(int level, const char *line)
{
    (void)level;
    const char *bracket = strchr(line, ']');
    const char *text = bracket ? strstr(bracket, ": ") : NULL;
    text = text ? text + 2 : line;
    tg_log(TG_LOG_WARNING, "libwebsockets",
           TG_LOG_STR("text", ((struct tg_slice){text, strcspn(text, "\n")})));
}

/* ---- life ---- */

static enum tg_status open_library(struct tg_server *server, struct tg_error *error)
{
    static const lws_retry_bo_t no_validity_timers = {.secs_since_valid_ping = 0,
                                                      .secs_since_valid_hangup = 0};
    const struct lws_protocols protocols[] = {
        {.name = server->subprotocol,
         .callback = callback,
         .per_session_data_size = sizeof(struct tg_session),
         .rx_buffer_size = RX_BUFFER_BYTES,
         .tx_packet_size = TX_BYTES_MAX},
        {0},
    };
    void *loops[] = {tg_net_loop_uv(server->loop)};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV,
        .foreign_loops = loops,
        .user = server,
        .pcontext = &server->context,
        .retry_and_idle_policy = &no_validity_timers,
        .max_http_header_data2 = HEAD_BYTES_MAX,
        .pt_serv_buf_size = SERVICE_BUFFER_BYTES,
        .timeout_secs = HANDSHAKE_SECONDS,
        .timeout_secs_ah_idle = HANDSHAKE_SECONDS,
        .keepalive_timeout = KEEPALIVE_SECONDS,
        .gid = -1,
        .uid = -1,
    };
    lws_set_log_level(LLL_ERR | LLL_WARN, log_line);
    server->context = lws_create_context(&info);
    server->vhost = server->context ? lws_get_vhost_by_name(server->context, "default") : NULL;
    if (!server->vhost) return tg_error_set(error, TG_E_IO, "libwebsockets cannot be started; see the log");
    tg_pings_listen(&server->pings, server->context);
    return TG_OK;
}

static enum tg_status find_static_root(struct tg_server *server, const char *folder, struct tg_error *error)
{
    if (!folder) return TG_OK;
    server->static_root = realpath(folder, NULL);
    if (!server->static_root)
        return tg_error_set(error, TG_E_IO, "static files: %s: %s", folder, strerror(errno));
    struct stat info;
    if (stat(server->static_root, &info) < 0 || !S_ISDIR(info.st_mode))
        return tg_error_set(error, TG_E_IO, "static files: %s: is not a folder", folder);
    /* A '/' and a name are appended to it. */
    if (strcmp(server->static_root, "/") == 0) server->static_root[0] = '\0';
    return TG_OK;
}

static enum tg_status open_listeners(struct tg_server *server, const struct tg_server_options *options,
                                     struct tg_error *error)
{
    struct tg_listener *listeners = server->listeners;
    enum tg_status status =
        tg_listener_open(&listeners[TG_LISTENER_MAIN], options->host, options->port, error);
    if (status == TG_OK && options->api && options->api_host[0])
        status = tg_listener_open(&listeners[TG_LISTENER_API], options->api_host, options->api_port, error);
    server->is_listening = status == TG_OK;
    return status;
}

enum tg_status tg_server_open(struct tg_server **out, struct tg_net_loop *loop, struct tg_worker *worker,
                              const struct tg_server_options *options, struct tg_error *error)
{
    struct tg_server *server = calloc(1, sizeof *server);
    if (!server) return tg_error_set(error, TG_E_NO_MEMORY, "no memory for the server");
    *out = server;
    server->loop = loop;
    server->worker = worker;
    server->spare_fd = -1;
    server->api = options->api;
    tg_list_init(&server->bodies);
    for (int i = 0; i < TG_LISTENERS; i++)
        server->listeners[i] = (struct tg_listener){.server = server, .fd = -1};
    tg_head_init(server);
    tg_arena_init(&server->arena, ARENA_KEEP_BYTES);
    tg_pings_open(&server->pings, tg_net_loop_uv(loop));
    enum tg_status status = find_static_root(server, options->static_dir, error);
    if (status == TG_OK) status = open_library(server, error);
    if (status == TG_OK) status = open_listeners(server, options, error);
    return status;
}

uint16_t tg_server_port(const struct tg_server *server)
{
    return server->listeners[TG_LISTENER_MAIN].port;
}

uint16_t tg_server_api_port(const struct tg_server *server)
{
    uint16_t own = server->listeners[TG_LISTENER_API].port;
    return own ? own : tg_server_port(server);
}

void tg_server_stop_listening(struct tg_server *server)
{
    for (int i = 0; i < TG_LISTENERS; i++) tg_listener_close(&server->listeners[i]);
    server->is_listening = false;
}

static void note_closing(uv_handle_t *handle, void *is_any_closing)
{
    if (uv_is_closing(handle)) *(bool *)is_any_closing = true;
}

/* libuv lets go of a handle in a later turn. On a loop that is not its own the library wants to be
 * told once more then: the first call closes the sockets, a later one frees the context and sets our
 * pointer to NULL (pcontext). */
static bool close_library(struct tg_server *server)
{
    uv_loop_t *uv = tg_net_loop_uv(server->loop);
    const uint64_t deadline_ns = uv_hrtime() + CLOSE_NS_MAX;
    bool is_any_closing = false;
    while (server->context || is_any_closing) {
        if (uv_hrtime() > deadline_ns) return false;
        if (!is_any_closing) lws_context_destroy(server->context);
        uv_run(uv, UV_RUN_NOWAIT);
        is_any_closing = false;
        uv_walk(uv, note_closing, &is_any_closing);
    }
    return true;
}

bool tg_server_close(struct tg_server *server)
{
    server->is_closing = true;
    tg_server_stop_listening(server);
    tg_pings_close(&server->pings);
    if (!close_library(server)) return false;
    for (int i = 0; i < TG_LISTENERS; i++) assert(!server->listeners[i].is_open);
    if (server->spare_fd >= 0) close(server->spare_fd);
    tg_arena_deinit(&server->arena);
    free(server->granted.request);
    free(server->static_root);
    free(server);
    return true;
}
