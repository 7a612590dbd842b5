/* The listening socket is made here and not by the library: the library listens on more than the
 * address asked for, gives no reason when it cannot, and cannot stop listening without ending the
 * connections or the context. */
#include "net/socket.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,                  /* the kernel cuts it at net.core.somaxconn */
    DISCARD_BYTES_MAX = 1024 * 1024, /* a peer that sends faster than we read must not hold us up */
};

/* RFC 9293 3.3.2, numbered as in the kernel's include/net/tcp_states.h. <netinet/tcp.h> names them
 * too, but its struct tcp_info ends before tcpi_bytes_acked. */
enum { STATE_TIME_WAIT = 6, STATE_CLOSE = 7, STATE_CLOSE_WAIT = 8, STATE_LAST_ACK = 9, STATE_CLOSING = 11 };

static enum tg_status resolve(const char *host, uint16_t port, struct addrinfo **address,
                              struct tg_error *error)
{
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    int failure = getaddrinfo(host, service, &hints, address);
    if (failure == EAI_MEMORY) return tg_error_set(error, TG_E_NO_MEMORY, "no memory");
    if (failure)
        return tg_error_set(error, TG_E_INVALID, "host: \"%s\" is not an IPv4 or IPv6 address", host);
    return TG_OK;
}

/* 0, or -1 with errno. */
static int bind_and_listen(int fd, const struct addrinfo *address)
{
    static const int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return -1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) return -1;
    if (address->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
        return -1;
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0) return -1;
    return listen(fd, BACKLOG);
}

enum tg_status tg_socket_listen(const char *host, uint16_t port, int *out, struct tg_error *error)
{
    struct addrinfo *address;
    enum tg_status status = resolve(host, port, &address, error);
    if (status != TG_OK) return status;
    bool is_v6 = address->ai_family == AF_INET6;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind_and_listen(fd, address) < 0) {
        status = tg_error_set(error, TG_E_IO, "cannot listen on %s%s%s:%u: %s", is_v6 ? "[" : "", host,
                              is_v6 ? "]" : "", (unsigned)port, strerror(errno));
        if (fd >= 0) close(fd);
    }
    freeaddrinfo(address);
    if (status == TG_OK) *out = fd;
    return status;
}

uint16_t tg_socket_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &length);
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

struct tg_slice tg_socket_peer(int fd, char text[TG_PEER_BYTES])
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[TG_PEER_BYTES - 16], port[8];
    if (getpeername(fd, (struct sockaddr *)&address, &length) < 0 ||
        getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return TG_SLICE("");
    const char *format = address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s";
    int bytes = snprintf(text, TG_PEER_BYTES, format, host, port);
    return (struct tg_slice){text, (size_t)bytes};
}

static bool read_info(int fd, struct tcp_info *info)
{
    socklen_t length = sizeof *info;
    memset(info, 0, sizeof *info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) == 0;
}

bool tg_socket_has_peer_left(int fd)
{
    struct tcp_info info;
    if (!read_info(fd, &info)) return true;
    switch (info.tcpi_state) {
    case STATE_TIME_WAIT:
    case STATE_CLOSE:
    case STATE_CLOSE_WAIT:
    case STATE_LAST_ACK:
    case STATE_CLOSING:
        return true;
    default:
        return false;
    }
}

bool tg_socket_has_input(int fd)
{
    int bytes = 0;
    return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

uint64_t tg_socket_acknowledged_bytes(int fd)
{
    struct tcp_info info;
    return read_info(fd, &info) ? info.tcpi_bytes_acked : 0;
}

void tg_socket_discard_input(int fd)
{
    char bytes[16384];
    size_t total = 0;
    while (total < DISCARD_BYTES_MAX) {
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got <= 0) return;
        total += (size_t)got;
    }
}

void tg_socket_shut(int fd)
{
    shutdown(fd, SHUT_RDWR);
}
