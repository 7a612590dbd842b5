/* A stream on a loop of its own, towards a socket of this very thread: what the loopback device has taken can
 * be read at once. Servers that do odd things are in spec/wire/tcp.test.js. */
#include "net/stream.h"

#include "support/alloc.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct talk {
    struct tg_net_loop *loop;
    struct tg_config config;
    struct tg_worker worker;
    struct tg_net_streams *streams;
    struct tg_stream *stream;
    int listener, peer;
    uint16_t port;
    char heard[64];
    size_t heard_bytes;
    enum tg_status status;
};

static void finish(struct talk *talk, enum tg_status status)
{
    talk->status = status;
    struct tg_loop *loop = tg_net_loop_core(talk->loop);
    loop->ops->stop(loop);
}

/* The peer gets what was sent, and answers with it, twice. */
static void answer(struct talk *talk)
{
    char bytes[32];
    ssize_t length = recv(talk->peer, bytes, sizeof bytes, 0);
    assert_int_equal(length, 5);
    assert_int_equal(send(talk->peer, bytes, 5, 0), 5);
    assert_int_equal(send(talk->peer, bytes, 5, 0), 5);
    shutdown(talk->peer, SHUT_WR);
}

static void on_opened(void *user)
{
    struct talk *talk = user;
    const struct tg_stream_ops *ops = talk->stream->ops;
    const char *failure = ops->failure(talk->stream, TG_STREAM_WRITING);
    if (failure) {
        assert_string_equal(failure, TG_STREAM_REFUSED);
        finish(talk, TG_E_IO);
        return;
    }
    talk->peer = accept(talk->listener, NULL, NULL);
    assert_true(talk->peer >= 0);
    assert_int_equal(ops->write(talk->stream, TG_SLICE("hello")), 5);
    assert_true(ops->is_drained(talk->stream));
    answer(talk);
    assert_true(ops->ask_readable(talk->stream));
}

static void on_readable(void *user)
{
    struct talk *talk = user;
    const struct tg_stream_ops *ops = talk->stream->ops;
    for (;;) {
        struct tg_slice bytes = ops->peek(talk->stream);
        if (bytes.length == 0) break;
        memcpy(talk->heard + talk->heard_bytes, bytes.data, 1);
        talk->heard_bytes++;
        ops->consume(talk->stream, 1);
    }
    const char *failure = ops->failure(talk->stream, TG_STREAM_READING);
    if (!failure)
        assert_true(ops->ask_readable(talk->stream));
    else
        finish(talk, strcmp(failure, TG_STREAM_CLOSED) == 0 ? TG_OK : TG_E_NO_MEMORY);
}

static void on_writable(void *user)
{
    (void)user;
}

static void listen_on_loopback(struct talk *talk)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof address;
    talk->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(talk->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(talk->listener, 1), 0);
    assert_int_equal(getsockname(talk->listener, (struct sockaddr *)&address, &bytes), 0);
    talk->port = ntohs(address.sin_port);
}

static enum tg_status open_all(struct talk *talk)
{
    static const struct tg_stream_events events = {on_opened, on_readable, on_writable};
    const struct tg_stream_target target = {.host = "127.0.0.1", .port = talk->port, .timeout_ms = 60000};
    struct tg_error error;
    enum tg_status status = tg_config_init(&talk->config);
    if (status != TG_OK) return status;
    status = tg_net_loop_open(&talk->loop, &error);
    if (status != TG_OK) return status;
    tg_worker_init(&talk->worker, &talk->config, tg_net_loop_clock(talk->loop), tg_net_loop_core(talk->loop),
                   1);
    status = tg_net_streams_open(&talk->streams, talk->loop, &talk->worker);
    if (status != TG_OK) return status;
    struct tg_streams *streams = tg_net_streams_core(talk->streams);
    return streams->ops->open(streams, &target, &events, talk, &talk->stream, &error);
}

static void close_all(struct talk *talk)
{
    if (talk->stream) talk->stream->ops->close(talk->stream);
    if (talk->streams) {
        assert_int_equal(talk->worker.metrics.streams, 0);
        tg_net_streams_close(talk->streams);
    }
    if (talk->loop) {
        tg_worker_deinit(&talk->worker);
        tg_net_loop_close(talk->loop);
    }
    tg_config_deinit(&talk->config);
    if (talk->peer >= 0) close(talk->peer);
}

static enum tg_status converse(void *context)
{
    struct talk *talk = context;
    const struct talk fresh = {.listener = talk->listener, .port = talk->port, .peer = -1};
    *talk = fresh;
    talk->status = open_all(talk);
    if (talk->status == TG_OK) tg_net_loop_run(talk->loop);
    enum tg_status status = talk->status;
    close_all(talk);
    return status;
}

static void talks_and_hears_the_end(void **state)
{
    (void)state;
    struct talk talk = {0};
    listen_on_loopback(&talk);
    assert_int_equal(converse(&talk), TG_OK);
    assert_int_equal(talk.heard_bytes, 10);
    assert_memory_equal(talk.heard, "hellohello", 10);
    assert_int_equal(talk.worker.metrics.streams_opened, 1);
    assert_int_equal(talk.worker.metrics.stream_bytes_sent, 5);
    assert_int_equal(talk.worker.metrics.stream_bytes_received, 10);
    close(talk.listener);
}

static void tells_that_nobody_listens(void **state)
{
    (void)state;
    struct talk talk = {0};
    listen_on_loopback(&talk);
    close(talk.listener);
    assert_int_equal(converse(&talk), TG_E_IO);
}

/* The script's half goes after the loop. */
static void outlives_its_loop(void **state)
{
    (void)state;
    struct talk talk = {.peer = -1};
    listen_on_loopback(&talk);
    assert_int_equal(open_all(&talk), TG_OK);
    tg_net_loop_run(talk.loop);
    struct tg_stream *stream = talk.stream;
    talk.stream = NULL;
    tg_net_streams_close(talk.streams);
    talk.streams = NULL;
    close_all(&talk);
    assert_string_equal(stream->ops->failure(stream, TG_STREAM_WRITING), TG_STREAM_CLOSED);
    assert_int_equal(stream->ops->write(stream, TG_SLICE("x")), 0);
    assert_int_equal(stream->ops->peek(stream).length, 0);
    assert_false(stream->ops->ask_readable(stream));
    stream->ops->close(stream);
    close(talk.listener);
}

static void lives_through_the_end_of_memory(void **state)
{
    (void)state;
    struct talk talk = {0};
    listen_on_loopback(&talk);
    assert_true(tg_alloc_sweep(converse, &talk) > 3);
    close(talk.listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talks_and_hears_the_end),
        cmocka_unit_test(tells_that_nobody_listens),
        cmocka_unit_test(outlives_its_loop),
        cmocka_unit_test(lives_through_the_end_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
