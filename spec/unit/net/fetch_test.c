/* The fetcher on a real loop, which a server of one canned answer shares with it. What a server can do to it
 * besides is in spec/wire/http_client_hostile.test.js. */
#include "net/fetch.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdio.h>
#include <uv.h>

enum { SILENCE_MS = 60000, FETCHES = 3 };

struct asked {
    struct tg_fetch fetch; /* first */
    struct place *place;
};

struct place {
    struct tg_config config;
    struct tg_net_loop *loop;
    struct tg_worker worker;
    struct tg_fetcher *fetcher;
    uv_tcp_t server;
    char url[64];
    const char *answer; /* to each request; NULL: none */
    int requests, hung_up, done;
    struct asked asked[FETCHES];
};

/* libcurl's threads look up names with this one: a name that ends in ".stuck" is never found before
 * `is_released` is posted. */
static sem_t is_looking_up, is_released, has_left;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    (void)name, (void)service, (void)hints, (void)found;
    sem_post(&is_looking_up);
    sem_wait(&is_released);
    sem_post(&has_left);
    return EAI_NONAME;
}

/* ---- the server ---- */

struct peer {
    uv_tcp_t tcp; /* first */
    struct place *place;
    char bytes[4096];
    uv_write_t write;
};

static void stop(struct place *place)
{
    struct tg_loop *core = tg_net_loop_core(place->loop);
    core->ops->stop(core);
}

static void free_peer(uv_handle_t *handle)
{
    free(handle);
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    (void)wanted;
    struct peer *peer = (struct peer *)handle;
    *room = uv_buf_init(peer->bytes, sizeof peer->bytes);
}

static void on_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    (void)bytes;
    struct peer *peer = (struct peer *)stream;
    if (count < 0) {
        peer->place->hung_up++;
        uv_close((uv_handle_t *)stream, free_peer);
        stop(peer->place);
        return;
    }
    peer->place->requests++;
    if (!peer->place->answer) {
        stop(peer->place);
        return;
    }
    const uv_buf_t answer = uv_buf_init((char *)peer->place->answer, (unsigned)strlen(peer->place->answer));
    assert_int_equal(uv_write(&peer->write, stream, &answer, 1, NULL), 0);
}

static void on_client(uv_stream_t *server, int failure)
{
    assert_int_equal(failure, 0);
    struct peer *peer = calloc(1, sizeof *peer);
    peer->place = server->data;
    assert_int_equal(uv_tcp_init(server->loop, &peer->tcp), 0);
    assert_int_equal(uv_accept(server, (uv_stream_t *)&peer->tcp), 0);
    assert_int_equal(uv_read_start((uv_stream_t *)&peer->tcp, give_room, on_bytes), 0);
}

static void listen_anywhere(struct place *place)
{
    struct sockaddr_in address;
    int length = sizeof address;
    assert_int_equal(uv_tcp_init(tg_net_loop_uv(place->loop), &place->server), 0);
    place->server.data = place;
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &address), 0);
    assert_int_equal(uv_tcp_bind(&place->server, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&place->server, 16, on_client), 0);
    assert_int_equal(uv_tcp_getsockname(&place->server, (struct sockaddr *)&address, &length), 0);
    snprintf(place->url, sizeof place->url, "http://127.0.0.1:%d/a?b=c", ntohs(address.sin_port));
}

/* ---- the fetcher ---- */

static void on_done(struct tg_fetch *fetch)
{
    struct place *place = ((struct asked *)fetch)->place;
    place->done++;
    stop(place);
}

static enum tg_status begin(struct place *place, int index, const char *url, uint64_t timeout_ms)
{
    const struct tg_fetch_request request = {
        .url = tg_slice_of(url), .method = TG_SLICE("GET"), .timeout_ms = timeout_ms, .max_bytes = 1000};
    struct tg_fetch *fetch = &place->asked[index].fetch;
    place->asked[index].place = place;
    tg_fetch_init(fetch, on_done);
    return place->fetcher->ops->start(place->fetcher, fetch, &request, &fetch->error);
}

static void run(struct place *place)
{
    tg_net_loop_run(place->loop);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    sem_init(&is_looking_up, 0, 0);
    sem_init(&is_released, 0, 0);
    sem_init(&has_left, 0, 0);
    assert_int_equal(tg_config_init(&place->config), TG_OK);
    assert_int_equal(tg_net_loop_open(&place->loop, NULL), TG_OK);
    assert_int_equal(tg_worker_init(&place->worker, &place->config, tg_net_loop_clock(place->loop),
                                    tg_net_loop_core(place->loop), 1),
                     TG_OK);
    tg_net_loop_attach(place->loop, &place->worker);
    assert_int_equal(tg_fetcher_open(&place->fetcher, place->loop, &place->worker, NULL), TG_OK);
    listen_anywhere(place);
    *state = place;
    return 0;
}

static void close_peer(uv_handle_t *handle, void *context)
{
    if (handle != (uv_handle_t *)context && handle->type == UV_TCP && !uv_is_closing(handle))
        uv_close(handle, free_peer);
}

static int teardown(void **state)
{
    struct place *place = *state;
    tg_fetcher_close(place->fetcher);
    for (int i = 0; i < FETCHES; i++) tg_fetch_deinit(&place->asked[i].fetch);
    assert_int_equal(place->worker.metrics.fetches_running, 0);
    assert_int_equal(place->worker.metrics.fetches_waiting, 0);
    uv_walk(tg_net_loop_uv(place->loop), close_peer, &place->server);
    tg_worker_deinit(&place->worker);
    tg_net_loop_close(place->loop);
    tg_config_deinit(&place->config);
    free(place);
    return 0;
}

/* ---- tests ---- */

static void brings_an_answer(void **state)
{
    struct place *place = *state;
    place->answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello";
    assert_int_equal(begin(place, 0, place->url, SILENCE_MS), TG_OK);
    assert_int_equal(place->done, 0);
    run(place);
    const struct tg_fetch *fetch = &place->asked[0].fetch;
    assert_int_equal(place->done, 1);
    assert_int_equal(fetch->status, TG_OK);
    assert_int_equal(fetch->http_status, 404);
    assert_true(tg_slice_equal(tg_buf_peek(&fetch->body), TG_SLICE("hello")));
    assert_true(tg_slice_equal(tg_buf_peek(&fetch->url), tg_slice_of(place->url)));
    assert_null(fetch->fetcher);
    assert_int_equal(place->worker.metrics.fetches, 1);
    assert_int_equal(place->worker.metrics.fetch_errors, 0);
}

static void says_that_no_answer_came_in_time(void **state)
{
    struct place *place = *state;
    assert_int_equal(begin(place, 0, place->url, 20), TG_OK);
    while (!place->done) run(place);
    assert_int_equal(place->asked[0].fetch.status, TG_E_IO);
    assert_string_equal(place->asked[0].fetch.error.text, "timeout: no whole answer after 20 ms");
    assert_int_equal(place->worker.metrics.fetch_timeouts, 1);
    assert_int_equal(place->worker.metrics.fetch_errors, 1);
}

static void hangs_up_when_it_is_cancelled(void **state)
{
    struct place *place = *state;
    assert_int_equal(begin(place, 0, place->url, SILENCE_MS), TG_OK);
    while (!place->requests) run(place);
    place->fetcher->ops->cancel(place->fetcher, &place->asked[0].fetch);
    assert_null(place->asked[0].fetch.fetcher);
    while (!place->hung_up) run(place);
    assert_int_equal(place->done, 0);
}

/* libcurl waits for the thread that looks up a name, unless it is told not to. */
static void does_not_wait_for_a_name_when_it_is_cancelled(void **state)
{
    struct place *place = *state;
    assert_int_equal(begin(place, 0, "http://name.stuck/", 20), TG_OK);
    while (!place->done) run(place);
    assert_string_equal(place->asked[0].fetch.error.text, "timeout: no whole answer after 20 ms");
    sem_wait(&is_looking_up);
    sem_post(&is_released);
    sem_wait(&has_left);
}

static void says_that_a_name_cannot_be_found(void **state)
{
    struct place *place = *state;
    sem_post(&is_released);
    assert_int_equal(begin(place, 0, "http://name.stuck/", SILENCE_MS), TG_OK);
    run(place);
    assert_string_equal(place->asked[0].fetch.error.text, "connect: Could not resolve host: name.stuck");
}

static void has_the_others_wait_for_a_place_and_refuses_what_is_too_much(void **state)
{
    struct place *place = *state;
    place->config.fetch_max_concurrent = 1;
    place->config.fetch_max_waiting = 1;
    assert_int_equal(begin(place, 0, place->url, SILENCE_MS), TG_OK);
    assert_int_equal(begin(place, 1, place->url, SILENCE_MS), TG_OK);
    assert_int_equal(begin(place, 2, place->url, SILENCE_MS), TG_E_FULL);
    assert_string_equal(place->asked[2].fetch.error.text,
                        "busy: fetch_max_waiting requests are waiting already");
    assert_int_equal(place->worker.metrics.fetches_waiting, 1);
    assert_int_equal(place->worker.metrics.fetches_refused, 1);
    while (place->requests < 1) run(place);
    place->answer = "HTTP/1.1 204 No Content\r\n\r\n";
    place->fetcher->ops->cancel(place->fetcher, &place->asked[0].fetch);
    assert_int_equal(place->worker.metrics.fetches_waiting, 0);
    while (!place->done) run(place);
    assert_int_equal(place->asked[1].fetch.http_status, 204);
}

static void forgets_one_that_is_cancelled_while_it_waits(void **state)
{
    struct place *place = *state;
    place->config.fetch_max_concurrent = 1;
    assert_int_equal(begin(place, 0, place->url, SILENCE_MS), TG_OK);
    assert_int_equal(begin(place, 1, place->url, SILENCE_MS), TG_OK);
    tg_fetch_deinit(&place->asked[1].fetch);
    place->answer = "HTTP/1.1 204 No Content\r\n\r\n";
    run(place);
    assert_int_equal(place->asked[0].fetch.http_status, 204);
    assert_int_equal(place->requests, 1);
}

static void ends_what_is_under_way_when_it_is_closed(void **state)
{
    struct place *place = *state;
    place->config.fetch_max_concurrent = 1;
    assert_int_equal(begin(place, 0, place->url, SILENCE_MS), TG_OK);
    assert_int_equal(begin(place, 1, place->url, SILENCE_MS), TG_OK);
    while (!place->requests) run(place);
    /* teardown closes it */
}

static void refuses_what_is_no_request(void **state)
{
    static const struct {
        const char *url, *method, *value, *error;
    } cases[] = {
        {"localhost/", "GET", "", "url: Bad scheme"},
        {"ftp://localhost/", "GET", "", "url: only http and https are fetched, not ftp"},
        {"http://", "GET", "", "url: No host part in the URL"},
        {"http://a b/", "GET", "", "url: Bad hostname"},
        {"http://localhost/\r\nX: y", "GET", "", "url: it has a line break or a zero byte"},
        {"http://localhost/", "GET\n", "", "headers: there is a line break or a zero byte in one"},
        {"http://localhost/", "GET", "a\r\nX: y", "headers: there is a line break or a zero byte in one"},
    };
    struct place *place = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tg_pair header = {TG_SLICE("X-A"), tg_slice_of(cases[i].value)};
        const struct tg_fetch_request request = {.url = tg_slice_of(cases[i].url),
                                                 .method = tg_slice_of(cases[i].method),
                                                 .headers = &header,
                                                 .header_count = 1,
                                                 .timeout_ms = SILENCE_MS,
                                                 .max_bytes = 1000};
        struct tg_fetch *fetch = &place->asked[0].fetch;
        tg_fetch_init(fetch, on_done);
        assert_int_equal(place->fetcher->ops->start(place->fetcher, fetch, &request, &fetch->error),
                         TG_E_INVALID);
        assert_string_equal(fetch->error.text, cases[i].error);
        assert_null(fetch->fetcher);
    }
}

static enum tg_status begin_and_cancel(void *context)
{
    struct place *place = context;
    enum tg_status status = begin(place, 0, place->url, SILENCE_MS);
    if (status != TG_OK) assert_string_equal(place->asked[0].fetch.error.text, "not enough memory");
    tg_fetch_deinit(&place->asked[0].fetch);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    assert_true(tg_alloc_sweep(begin_and_cancel, *state) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(brings_an_answer),
        TEST(says_that_no_answer_came_in_time),
        TEST(hangs_up_when_it_is_cancelled),
        TEST(does_not_wait_for_a_name_when_it_is_cancelled),
        TEST(says_that_a_name_cannot_be_found),
        TEST(has_the_others_wait_for_a_place_and_refuses_what_is_too_much),
        TEST(forgets_one_that_is_cancelled_while_it_waits),
        TEST(ends_what_is_under_way_when_it_is_closed),
        TEST(refuses_what_is_no_request),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
