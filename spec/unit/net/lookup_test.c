/* Streams on a real loop whose names nobody answers for. What peers can do to them is in
 * spec/wire/tcp.test.js. */
#include "net/stream.h"

#include "core/stream.h"
#include "core/worker.h"
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
#include <uv.h>

/* libuv has four threads, half of which may look up names. */
enum { NAMES = 4, LOOKERS = 2 };

struct place {
    struct tg_config config;
    struct tg_net_loop *loop;
    struct tg_worker worker;
    struct tg_net_streams *streams;
    struct tg_stream *opened[NAMES];
};

/* libuv's threads look up names with this one: names are not found before `is_released` is posted. */
static sem_t is_looking_up, is_released;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (strstr(name, ".stuck") == NULL) return real(name, service, hints, found);
    if (hints->ai_flags & AI_NUMERICHOST) return EAI_NONAME;
    sem_post(&is_looking_up);
    sem_wait(&is_released);
    return EAI_NONAME;
}

static void stop(void *user)
{
    uv_stop(tg_net_loop_uv(((struct place *)user)->loop));
}

static struct tg_stream *begin(struct place *place, const char *host, uint32_t timeout_ms)
{
    static const struct tg_stream_events events = {stop, stop, stop};
    const struct tg_stream_target target = {.host = host, .port = 1, .timeout_ms = timeout_ms};
    struct tg_streams *streams = tg_net_streams_core(place->streams);
    struct tg_stream *stream;
    struct tg_error error;
    assert_int_equal(streams->ops->open(streams, &target, &events, place, &stream, &error), TG_OK);
    return stream;
}

/* Every thread that may is busy with a name. */
static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    sem_init(&is_looking_up, 0, 0);
    sem_init(&is_released, 0, 0);
    assert_int_equal(tg_config_init(&place->config), TG_OK);
    assert_int_equal(tg_net_loop_open(&place->loop, NULL), TG_OK);
    assert_int_equal(tg_worker_init(&place->worker, &place->config, tg_net_loop_clock(place->loop),
                                    tg_net_loop_core(place->loop), 1),
                     TG_OK);
    tg_net_loop_attach(place->loop, &place->worker);
    assert_int_equal(tg_net_streams_open(&place->streams, place->loop, &place->worker), TG_OK);
    for (int i = 0; i < NAMES; i++) place->opened[i] = begin(place, "name.stuck", 60000);
    for (int i = 0; i < LOOKERS; i++) sem_wait(&is_looking_up);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < NAMES; i++) sem_post(&is_released);
    assert_true(tg_net_loop_close(place->loop));
    tg_worker_deinit(&place->worker);
    tg_config_deinit(&place->config);
    free(place);
    return 0;
}

static void end_streams(struct place *place)
{
    for (int i = 0; i < NAMES; i++) place->opened[i]->ops->close(place->opened[i]);
    tg_net_streams_close(place->streams);
}

static void an_address_waits_for_nobodys_name(void **state)
{
    struct place *place = *state;
    struct tg_stream *stream = begin(place, "127.0.0.1", 2000); /* nobody listens on port 1 */
    tg_net_loop_run(place->loop);
    assert_string_equal(stream->ops->failure(stream, TG_STREAM_READING), TG_STREAM_REFUSED);
    stream->ops->close(stream);
    end_streams(place);
}

static void an_address_can_be_given_up_at_once(void **state)
{
    struct place *place = *state;
    struct tg_stream *stream = begin(place, "::1", 2000);
    stream->ops->close(stream);
    end_streams(place);
    assert_int_equal(place->worker.metrics.streams, 0);
}

static void the_end_of_the_loop_waits_for_no_name(void **state)
{
    struct place *place = *state;
    end_streams(place);
    assert_false(tg_net_loop_close(place->loop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_waits_for_nobodys_name, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_can_be_given_up_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_the_loop_waits_for_no_name, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
