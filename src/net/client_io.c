/* The socket does not block; waiting is poll's affair, with the time that is left. */
#include "net/client_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* KEPT_MAX: while it sends, a client keeps so many bytes that nobody has received; then it reads no more. */
enum { READ_BYTES = 64 * 1024, KEPT_MAX = 64 * 1024 * 1024 };

uint64_t tg_client_io_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* xorshift64*: foreseeable, which is what a seed is for. */
static unsigned char next_byte(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (unsigned char)(*state * 0x2545F4914F6CDD1Du >> 56);
}

enum tg_status tg_client_io_random(struct tg_client *client, void *bytes, size_t length,
                                   struct tg_error *error)
{
    if (client->random) {
        for (size_t i = 0; i < length; i++) ((unsigned char *)bytes)[i] = next_byte(&client->random);
        return TG_OK;
    }
    if (getrandom(bytes, length, 0) == (ssize_t)length) return TG_OK;
    return tg_error_set(error, TG_E_IO, "the system has no random bytes: %s", strerror(errno));
}

/* ---- reading ---- */

/* What has been used goes when it is the greater part, so that each byte is moved once. */
static void forget_used(struct tg_client *client)
{
    if (client->in_at < client->in.length / 2) return;
    size_t left = client->in.length - client->in_at;
    if (left) memmove(client->in.data, client->in.data + client->in_at, left);
    tg_buf_truncate(&client->in, left);
    client->in_at = 0;
}

static bool wait_for(const struct tg_client *client, short events, uint32_t wait_ms, short *come)
{
    struct pollfd poller = {.fd = client->fd, .events = events};
    int result;
    do result = poll(&poller, 1, (int)wait_ms);
    while (result < 0 && errno == EINTR);
    if (come) *come = poller.revents;
    return result > 0;
}

bool tg_client_io_fill(struct tg_client *client, uint32_t wait_ms)
{
    if (client->is_stalled || client->has_ended || client->fd < 0) return false;
    if (!wait_for(client, POLLIN, wait_ms, NULL)) return false;
    forget_used(client);
    char *room = tg_buf_reserve(&client->in, READ_BYTES);
    if (!room) {
        tg_error_set(&client->breach, TG_E_NO_MEMORY, "not enough memory for what the server sends");
        return true;
    }
    ssize_t length = recv(client->fd, room, READ_BYTES, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (length > 0)
        client->in.length += (size_t)length;
    else
        client->has_ended = true;
    return true;
}

/* ---- writing ---- */

/* The time that is left, 0 when none is. */
static uint32_t left_ms(uint64_t deadline_ms)
{
    uint64_t now_ms = tg_client_io_now_ms();
    return now_ms < deadline_ms ? (uint32_t)(deadline_ms - now_ms) : 0;
}

/* The kernel is full: waits until it is not. */
static bool wait_for_room(struct tg_client *client, uint64_t deadline_ms)
{
    bool reads = !client->is_stalled && !client->has_ended && client->in.length < KEPT_MAX;
    short come;
    if (!wait_for(client, reads ? POLLOUT | POLLIN : POLLOUT, left_ms(deadline_ms), &come)) return false;
    if (reads && (come & POLLIN)) tg_client_io_fill(client, 0);
    return true;
}

enum tg_status tg_client_io_write(struct tg_client *client, struct tg_slice bytes, struct tg_error *error)
{
    uint64_t deadline_ms = tg_client_io_now_ms() + client->timeout_ms;
    size_t sent = 0;
    while (sent < bytes.length) {
        if (client->fd < 0) return tg_error_set(error, TG_E_CLOSED, "the connection has ended");
        ssize_t length =
            send(client->fd, bytes.data + sent, bytes.length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (length >= 0)
            sent += (size_t)length;
        else if (errno == EPIPE || errno == ECONNRESET)
            return tg_error_set(error, TG_E_CLOSED, "the server has ended the connection");
        else if (errno != EAGAIN && errno != EINTR)
            return tg_error_set(error, TG_E_IO, "cannot send: %s", strerror(errno));
        else if (!wait_for_room(client, deadline_ms))
            return tg_error_set(error, TG_E_SLOW, "the server took nothing for %u ms", client->timeout_ms);
    }
    return TG_OK;
}

/* ---- connecting ---- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    };
    socklen_t length;
};

static bool read_address(const struct tg_client_options *options, struct address *address)
{
    *address = (struct address){.length = 0};
    if (inet_pton(AF_INET, options->host, &address->ipv4.sin_addr) == 1) {
        address->ipv4.sin_family = AF_INET;
        address->ipv4.sin_port = htons(options->port);
        address->length = sizeof address->ipv4;
    } else if (inet_pton(AF_INET6, options->host, &address->ipv6.sin6_addr) == 1) {
        address->ipv6.sin6_family = AF_INET6;
        address->ipv6.sin6_port = htons(options->port);
        address->length = sizeof address->ipv6;
    }
    return address->length > 0;
}

/* The answer to a connect that was begun: 0, or what poll or the socket says. */
static int finish_connect(int fd, uint32_t timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLOUT};
    int result;
    do result = poll(&poller, 1, (int)timeout_ms);
    while (result < 0 && errno == EINTR);
    if (result <= 0) return result == 0 ? ETIMEDOUT : errno;
    int reason = 0;
    socklen_t length = sizeof reason;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &length) == 0 ? reason : errno;
}

enum tg_status tg_client_io_connect(const struct tg_client_options *options, int *fd, struct tg_error *error)
{
    struct address address;
    if (!read_address(options, &address))
        return tg_error_set(error, TG_E_INVALID, "\"%s\" is no address", options->host);
    *fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0) return tg_error_set(error, TG_E_IO, "no socket: %s", strerror(errno));
    /* Before the connection is made: its window is told then. */
    int bytes = (int)options->receive_bytes;
    if (bytes) setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    int reason = connect(*fd, &address.any, address.length) == 0 ? 0 : errno;
    if (reason == EINPROGRESS || reason == EINTR) reason = finish_connect(*fd, options->timeout_ms);
    if (reason == 0) return TG_OK;
    close(*fd);
    return tg_error_set(error, reason == ETIMEDOUT ? TG_E_SLOW : TG_E_IO, "cannot connect to %s port %u: %s",
                        options->host, options->port, strerror(reason));
}
