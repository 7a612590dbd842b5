/* The floor: what a WebSocket echo costs when nothing is checked.
 *
 * One thread, one epoll, one read and one write per connection and turn. Frames are unmasked where they lie;
 * a server's header is never longer than the client's was, so the echo of a whole read is built in place, in
 * front of what is still to be parsed. No UTF-8, no JSON, no limits: no real server can be meant to match it.
 * With --fanout the echo goes to all clients instead, still in one write each.
 * Invariant of echo(): `out` never overtakes `in`.
 */
#include "sha1.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, EVENTS_PER_TURN = 256, BACKLOG = 4096, KEY_BYTES = 24 };

struct held {
    char *bytes; /* owned; NULL when there is nothing */
    size_t length;
};

struct client {
    int fd;
    struct client *previous, *next; /* in a ring with server.clients */
    bool is_upgraded;
    struct held unparsed; /* the beginning of a frame */
    struct held unsent;   /* what the kernel did not take; until it does, nothing is read */
};

struct server {
    int epoll_fd;
    int listen_fd;
    char *buffer;
    struct client clients; /* the ring's beginning; nobody's */
    bool is_fanout;
};

static void drop(struct held *held)
{
    free(held->bytes);
    *held = (struct held){0};
}

static bool hold(struct held *held, const char *bytes, size_t length)
{
    drop(held);
    if (length == 0) return true;
    held->bytes = malloc(length);
    if (!held->bytes) return false;
    memcpy(held->bytes, bytes, length);
    held->length = length;
    return true;
}

static void hang_up(struct client *client)
{
    close(client->fd);
    client->previous->next = client->next;
    client->next->previous = client->previous;
    drop(&client->unparsed);
    drop(&client->unsent);
    free(client);
}

/* ---- the handshake ---- */

static void encode_base64(const uint8_t digest[20], char out[28])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t padded[21] = {0};
    memcpy(padded, digest, 20);
    for (unsigned i = 0; i < 7; i++) {
        uint32_t group = (uint32_t)padded[3 * i] << 16 | (uint32_t)padded[3 * i + 1] << 8 | padded[3 * i + 2];
        for (unsigned j = 0; j < 4; j++) out[4 * i + j] = digits[group >> (18 - 6 * j) & 63];
    }
    out[27] = '=';
}

/* RFC 6455 4.2.2 (5.4) */
static int write_response(char *out, size_t size, const char key[KEY_BYTES])
{
    char keyed[KEY_BYTES + 36 + 1], accept[28];
    uint8_t digest[20];
    memcpy(keyed, key, KEY_BYTES);
    memcpy(keyed + KEY_BYTES, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37);
    tg_sha1(keyed, KEY_BYTES + 36, digest);
    encode_base64(digest, accept);
    return snprintf(out, size,
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: %.28s\r\n\r\n",
                    accept);
}

static const char *find_key(const char *head, const char *end)
{
    static const char name[] = "\r\nSec-WebSocket-Key:";
    for (; end - head > (ptrdiff_t)(sizeof name + KEY_BYTES); head++) {
        if (strncasecmp(head, name, sizeof name - 1) != 0) continue;
        const char *key = head + sizeof name - 1;
        while (*key == ' ') key++;
        return end - key >= KEY_BYTES ? key : NULL;
    }
    return NULL;
}

/* Returns the bytes of the request's head; 0 when more is needed; -1 when it is no upgrade. */
static ptrdiff_t shake_hands(struct client *client, const char *head, size_t length)
{
    const char *end = memmem(head, length, "\r\n\r\n", 4);
    if (!end) return 0;
    const char *key = find_key(head, end + 4);
    char response[256];
    if (!key) return -1;
    int bytes = write_response(response, sizeof response, key);
    if (send(client->fd, response, (size_t)bytes, MSG_NOSIGNAL) != bytes) return -1;
    client->is_upgraded = true;
    return end + 4 - head;
}

/* ---- the echo ---- */

/* To a lower or the same address, eight bytes a step. */
static void unmask(char *to, const char *from, size_t length, uint32_t mask)
{
    uint64_t wide = (uint64_t)mask << 32 | mask;
    while (length >= sizeof wide) {
        uint64_t word;
        memcpy(&word, from, sizeof word);
        word ^= wide;
        memcpy(to, &word, sizeof word);
        from += sizeof word, to += sizeof word, length -= sizeof word;
    }
    char key[sizeof mask];
    memcpy(key, &mask, sizeof mask);
    for (size_t i = 0; i < length; i++) to[i] = (char)(from[i] ^ key[i % sizeof mask]);
}

/* Turns the whole frames among `length` bytes into their echo, at the front of `bytes`. `*used` is what they
 * took; returns what the echo takes. */
static size_t echo(char *bytes, size_t length, size_t *used)
{
    char *in = bytes, *out = bytes, *end = bytes + length;
    while (end - in >= 6) {
        const unsigned char *header = (const unsigned char *)in;
        size_t payload = header[1] & 0x7f, width = payload < 126 ? 0 : payload == 126 ? 2 : 8;
        if ((size_t)(end - in) < 6 + width) break;
        if (width) payload = 0;
        for (size_t i = 0; i < width; i++) payload = payload << 8 | header[2 + i];
        if ((size_t)(end - in) - 6 - width < payload) break;
        uint32_t mask;
        memcpy(&mask, in + 2 + width, sizeof mask);
        bool is_ping = (header[0] & 0x0f) == 9;
        char first = (char)(is_ping ? (header[0] & 0xf0) | 10 : header[0]), second = (char)(header[1] & 0x7f);
        memmove(out + 2, in + 2, width);
        out[0] = first, out[1] = second;
        unmask(out + 2 + width, in + 6 + width, payload, mask);
        in += 6 + width + payload;
        out += 2 + width + payload;
    }
    *used = (size_t)(in - bytes);
    return (size_t)(out - bytes);
}

static bool watch(const struct server *server, struct client *client, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};
    return epoll_ctl(server->epoll_fd, operation, client->fd, &event) == 0;
}

/* All that follow return false when the connection is over. */

static bool send_echo(const struct server *server, struct client *client, const char *bytes, size_t length)
{
    ssize_t count = send(client->fd, bytes, length, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return false;
    size_t sent = count > 0 ? (size_t)count : 0;
    if (sent == length) return true;
    return hold(&client->unsent, bytes + sent, length - sent) &&
           watch(server, client, EPOLL_CTL_MOD, EPOLLOUT);
}

/* To everybody. A client that is behind, or cannot be reached, is the caller's failure: nothing is kept. */
static bool send_to_all(struct server *server, const char *bytes, size_t length)
{
    for (struct client *client = server->clients.next; client != &server->clients; client = client->next)
        if (client->is_upgraded && send(client->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
            return false;
    return true;
}

static bool resume(const struct server *server, struct client *client)
{
    struct held unsent = client->unsent;
    client->unsent = (struct held){0};
    bool is_alive = send_echo(server, client, unsent.bytes, unsent.length);
    free(unsent.bytes);
    if (!is_alive || client->unsent.bytes) return is_alive;
    return watch(server, client, EPOLL_CTL_MOD, EPOLLIN);
}

static bool receive(struct server *server, struct client *client)
{
    char *start = server->buffer;
    size_t have = client->unparsed.length;
    if (have) memcpy(start, client->unparsed.bytes, have);
    ssize_t count = recv(client->fd, start + have, READ_BYTES - have, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    char *end = start + have + count;
    if (!client->is_upgraded) {
        ptrdiff_t head = shake_hands(client, start, (size_t)(end - start));
        if (head < 0) return false;
        start += head;
    }
    size_t used = 0;
    size_t length = client->is_upgraded ? echo(start, (size_t)(end - start), &used) : 0;
    if (!hold(&client->unparsed, start + used, (size_t)(end - start) - used)) return false;
    if (length == 0) return true;
    return server->is_fanout ? send_to_all(server, start, length) : send_echo(server, client, start, length);
}

/* ---- the loop ---- */

static void accept_clients(struct server *server)
{
    int fd;
    while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int is_on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &is_on, sizeof is_on);
        struct client *client = calloc(1, sizeof *client);
        if (!client) {
            close(fd);
            continue;
        }
        client->fd = fd;
        client->next = &server->clients;
        client->previous = server->clients.previous;
        client->previous->next = server->clients.previous = client;
        if (!watch(server, client, EPOLL_CTL_ADD, EPOLLIN)) hang_up(client);
    }
}

static void serve(struct server *server)
{
    for (;;) {
        struct epoll_event events[EVENTS_PER_TURN];
        int count = epoll_wait(server->epoll_fd, events, EVENTS_PER_TURN, -1);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (!client)
                accept_clients(server);
            else if (!(client->unsent.bytes ? resume(server, client) : receive(server, client)))
                hang_up(client);
        }
    }
}

static bool open_server(struct server *server, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}; /* NULL: the listener */
    server->buffer = malloc(READ_BYTES);
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return server->buffer && bind(server->listen_fd, (struct sockaddr *)address, size) == 0 &&
           listen(server->listen_fd, BACKLOG) == 0 &&
           getsockname(server->listen_fd, (struct sockaddr *)address, &size) == 0 &&
           epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->listen_fd, &event) == 0;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    struct server server = {.is_fanout = argc > 1 && strcmp(argv[1], "--fanout") == 0};
    server.clients.next = server.clients.previous = &server.clients;
    argv += server.is_fanout;
    argc -= server.is_fanout;
    in_port_t port = argc > 1 ? (in_port_t)strtoul(argv[1], NULL, 10) : 0;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (!open_server(&server, &address)) {
        perror("floor");
        return EXIT_FAILURE;
    }
    printf("listening on %u\n", ntohs(address.sin_port));
    fflush(stdout);
    serve(&server);
}
