/* One client speaks, all of them hear: rounds of `--window` messages that come back to every connection.
 *
 *     fanload [--hello FRAME] <options of wsload> URL
 *
 * A round begins when all have all of the round before. What a member has to get is known to the byte after
 * the first round, in which the frames are taken apart; then bytes are counted, so that the load costs less
 * than what it measures. Too many bytes end the run. `--hello` is sent by each client when it is open and
 * answered with one frame (Socket.IO's connect). It prints the server's CPU per delivery in microseconds, and
 * the deliveries.
 */
#include "connection.h"
#include "connections.h"
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 256, READ_BYTES = 1 << 18, SILENCE_MS = 10000 };

struct crowd {
    struct tg_connections load;
    const struct tg_arguments *arguments;
    int epoll_fd;
    size_t frame_bytes; /* of what a member gets; 0: not known yet */
    size_t *missing;    /* owned: bytes of this round, by member */
    unsigned waiting;   /* members with some missing */
    uint64_t deliveries;
};

static bool fail(const char *what)
{
    fprintf(stderr, "fanload: %s\n", what);
    return false;
}

static bool say(const struct crowd *crowd, unsigned member, const char *text, unsigned count)
{
    size_t length = strlen(text), bytes = 0;
    char *frames = malloc((length + 14) * count);
    if (!frames) return fail("out of memory");
    for (unsigned i = 0; i < count; i++)
        bytes += tg_frame_mask(frames + bytes, TG_OPCODE_TEXT, text, length, 0x12345678u + i);
    ssize_t sent = send(crowd->load.all[member].fd, frames, bytes, MSG_NOSIGNAL);
    free(frames);
    return sent == (ssize_t)bytes || fail("a message was cut");
}

/* The next frame of the member, whole, from a socket on which nothing else is under way. */
static bool hear_frame(struct crowd *crowd, unsigned member)
{
    char bytes[4096];
    size_t have = 0;
    struct tg_frame frame;
    ptrdiff_t used = 0;
    for (int i = 0; used == 0 && i < SILENCE_MS; i++) {
        ssize_t count = recv(crowd->load.all[member].fd, bytes + have, sizeof bytes - have, 0);
        if (count == 0 || (count < 0 && errno != EAGAIN)) return fail("the server hung up");
        if (count < 0) {
            usleep(1000);
            continue;
        }
        have += (size_t)count;
        used = tg_frame_parse(bytes, have, &frame);
    }
    if (used <= 0 || (size_t)used != have) return fail("one frame was expected");
    crowd->frame_bytes = (size_t)used;
    return true;
}

static bool greet(struct crowd *crowd, const char *hello)
{
    for (unsigned i = 0; hello && i < crowd->arguments->connections; i++)
        if (!say(crowd, i, hello, 1) || !hear_frame(crowd, i)) return false;
    crowd->frame_bytes = 0;
    return true;
}

static bool take_over(struct crowd *crowd)
{
    unsigned members = crowd->arguments->connections;
    crowd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    crowd->missing = calloc(members, sizeof *crowd->missing);
    if (crowd->epoll_fd < 0 || !crowd->missing) return fail("out of memory");
    for (unsigned i = 0; i < members; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(crowd->epoll_fd, EPOLL_CTL_ADD, crowd->load.all[i].fd, &event) != 0)
            return fail("epoll_ctl failed");
    }
    return true;
}

static bool hear(struct crowd *crowd, unsigned member)
{
    static char bytes[READ_BYTES];
    ssize_t count = recv(crowd->load.all[member].fd, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) return fail("the server hung up");
    if ((size_t)count > crowd->missing[member]) return fail("more came than was sent");
    crowd->missing[member] -= (size_t)count;
    if (crowd->missing[member] == 0) crowd->waiting--;
    return true;
}

static bool round_trip(struct crowd *crowd)
{
    const struct tg_arguments *arguments = crowd->arguments;
    crowd->waiting = arguments->connections;
    for (unsigned i = 0; i < arguments->connections; i++)
        crowd->missing[i] = crowd->frame_bytes * arguments->window;
    if (!say(crowd, 0, arguments->message, arguments->window)) return false;
    while (crowd->waiting) {
        struct epoll_event events[EVENTS_PER_TURN];
        int count = epoll_wait(crowd->epoll_fd, events, EVENTS_PER_TURN, SILENCE_MS);
        if (count <= 0) return fail("not all came");
        for (int i = 0; i < count; i++)
            if (!hear(crowd, events[i].data.u32)) return false;
    }
    crowd->deliveries += (uint64_t)arguments->connections * arguments->window;
    return true;
}

/* Everybody gets one message, taken apart: all of the same length. */
static bool learn(struct crowd *crowd)
{
    if (!say(crowd, 0, crowd->arguments->message, 1)) return false;
    size_t first = 0;
    for (unsigned i = 0; i < crowd->arguments->connections; i++) {
        if (!hear_frame(crowd, i)) return false;
        if (!first) first = crowd->frame_bytes;
        if (crowd->frame_bytes != first) return fail("members got different frames");
    }
    return true;
}

static bool run_for(struct crowd *crowd, double seconds)
{
    uint64_t end_ns = tg_now_ns() + (uint64_t)(seconds * 1e9);
    while (tg_now_ns() < end_ns)
        if (!round_trip(crowd)) return false;
    return true;
}

static bool measure(struct crowd *crowd)
{
    const struct tg_arguments *arguments = crowd->arguments;
    if (!run_for(crowd, arguments->warmup_seconds)) return false;
    crowd->deliveries = 0;
    uint64_t before_ns, after_ns;
    if (!tg_process_cpu_ns(arguments->server_pid, &before_ns)) return fail("--server-pid is needed");
    if (!run_for(crowd, arguments->seconds)) return false;
    if (!tg_process_cpu_ns(arguments->server_pid, &after_ns)) return fail("the server has ended");
    printf("%.4f %llu\n", (double)(after_ns - before_ns) / 1e3 / (double)crowd->deliveries,
           (unsigned long long)crowd->deliveries);
    return true;
}

int main(int argc, char **argv)
{
    const char *hello = NULL;
    if (argc > 2 && strcmp(argv[1], "--hello") == 0) {
        hello = argv[2];
        argv[2] = argv[0];
        argv += 2, argc -= 2;
    }
    struct tg_arguments arguments;
    if (!tg_arguments_parse(&arguments, argc, argv)) return 2;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    struct tg_histogram latencies;
    struct crowd crowd = {.arguments = &arguments};
    tg_histogram_reset(&latencies);
    bool is_good = tg_connections_init(&crowd.load, &arguments, &latencies) &&
                   tg_connections_open(&crowd.load, arguments.connections) && greet(&crowd, hello) &&
                   learn(&crowd) && take_over(&crowd) && measure(&crowd);
    if (crowd.load.failure[0]) fprintf(stderr, "fanload: %s\n", crowd.load.failure);
    tg_connections_deinit(&crowd.load);
    free(crowd.missing);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
