/* The key is always the same, so the answer to it is known and nothing is hashed (RFC 6455 1.3 prints both).
 */
#include "connection.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { SOURCE_ADDRESSES = 16 };

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

bool tg_connection_fail(struct tg_connections *load, const struct tg_connection *connection,
                        const char *format, ...)
{
    size_t used = 0;
    if (connection)
        used = (size_t)snprintf(load->failure, sizeof load->failure,
                                "connection %u: ", (unsigned)(connection - load->all));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(load->failure + used, sizeof load->failure - used, format, arguments);
    va_end(arguments);
    return false;
}

/* One source address has 28,000 ports; on loopback there are more addresses for the asking. */
static bool bind_source(const struct tg_connections *load, const struct tg_connection *connection)
{
    const struct sockaddr_in *server = &load->arguments->address;
    if (ntohl(server->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET) return true;
    uint32_t host = INADDR_LOOPBACK + 1 + (uint32_t)(connection - load->all) % SOURCE_ADDRESSES;
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr = {htonl(host)}};
    int is_on = 1; /* the port is chosen by connect, where the server's address makes it unique */
    setsockopt(connection->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &is_on, sizeof is_on);
    return bind(connection->fd, (struct sockaddr *)&source, sizeof source) == 0;
}

bool tg_connection_begin(struct tg_connections *load)
{
    struct tg_connection *connection = &load->all[load->started];
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) return tg_connection_fail(load, connection, "socket: %s", strerror(errno));
    load->started++;
    connection->stage = TG_STAGE_CONNECTING;
    connection->welcomes_left = load->arguments->welcomes;
    int is_on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &is_on, sizeof is_on);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    const struct sockaddr *server = (const struct sockaddr *)&load->arguments->address;
    if (!bind_source(load, connection) ||
        (connect(connection->fd, server, sizeof load->arguments->address) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        return tg_connection_fail(load, connection, "connect: %s", strerror(errno));
    return true;
}

bool tg_connection_request(struct tg_connections *load, struct tg_connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return tg_connection_fail(load, connection, "connect: %s", strerror(error));
    const char *host = load->arguments->url + strlen("ws://");
    char request[4096];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %.*s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n\r\n",
                          load->arguments->path, (int)strcspn(host, "/"), host);
    if (length < 0 || (size_t)length >= sizeof request)
        return tg_connection_fail(load, connection, "the path is too long");
    if (send(connection->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        return tg_connection_fail(load, connection, "the request could not be sent");
    connection->stage = TG_STAGE_SHAKING;
    return true;
}

void tg_connection_settle(struct tg_connections *load, struct tg_connection *connection)
{
    connection->stage = connection->welcomes_left ? TG_STAGE_WELCOMING : TG_STAGE_OPEN;
    if (connection->stage == TG_STAGE_OPEN) load->opened++;
}

bool tg_connection_response(struct tg_connections *load, struct tg_connection *connection, size_t length,
                            size_t *used)
{
    const char *end = memmem(load->received, length, "\r\n\r\n", 4);
    *used = end ? (size_t)(end + 4 - load->received) : 0;
    if (!end) return true;
    const char *line_end = memmem(load->received, length, "\r\n", 2);
    if (length < 12 || memcmp(load->received, "HTTP/1.1 101", 12) != 0)
        return tg_connection_fail(load, connection, "refused: %.*s", (int)(line_end - load->received),
                                  load->received);
    if (!memmem(load->received, *used, ACCEPT, strlen(ACCEPT)))
        return tg_connection_fail(load, connection, "the answer to the key is wrong");
    tg_connection_settle(load, connection);
    return true;
}
