#include "core/request.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_slice(actual, expected)                                                                       \
    do {                                                                                                     \
        struct tg_slice slice_ = (actual);                                                                   \
        assert_int_equal(slice_.length, strlen(expected));                                                   \
        assert_memory_equal(slice_.data, expected, slice_.length);                                           \
    } while (0)

/* What a handshake hands over, in memory that is overwritten after the copy. */
struct source {
    char text[256];
    size_t used;
    struct tg_pair headers[2];
    struct tg_param params[2];
    struct tg_request parts;
};

static struct tg_slice put(struct source *source, const char *text)
{
    struct tg_slice slice = {source->text + source->used, strlen(text)};
    memcpy(source->text + source->used, text, slice.length);
    source->used += slice.length;
    return slice;
}

static void source_init(struct source *source)
{
    *source = (struct source){0};
    source->headers[0] = (struct tg_pair){put(source, "cookie"), put(source, "a=1; b=2")};
    source->headers[1] = (struct tg_pair){put(source, "x-empty"), put(source, "")};
    source->params[0] =
        (struct tg_param){put(source, "room"), put(source, "blue"), .type = TG_PARAM_SLUG, .integer = 0};
    source->params[1] =
        (struct tg_param){put(source, "id"), put(source, "-42"), .type = TG_PARAM_INTEGER, .integer = -42};
    source->parts = (struct tg_request){
        .path = put(source, "/ws/room/blue/-42"),
        .query = put(source, "token=x%20y"),
        .peer = put(source, "[2001:db8::1]:4711"),
        .headers = {source->headers, 2},
        .params = source->params,
        .param_count = 2,
    };
}

static void keeps_everything_after_the_source_is_gone(void **state)
{
    (void)state;
    struct source *source = malloc(sizeof *source);
    source_init(source);
    struct tg_request *request = tg_request_new(&source->parts);
    assert_non_null(request);
    memset(source, 'X', sizeof *source);
    free(source);
    assert_slice(request->path, "/ws/room/blue/-42");
    assert_slice(request->query, "token=x%20y");
    assert_slice(request->peer, "[2001:db8::1]:4711");
    assert_int_equal(request->headers.count, 2);
    assert_slice(request->headers.items[0].name, "cookie");
    assert_slice(request->headers.items[0].value, "a=1; b=2");
    assert_slice(request->headers.items[1].name, "x-empty");
    assert_slice(request->headers.items[1].value, "");
    assert_int_equal(request->param_count, 2);
    assert_slice(request->params[0].name, "room");
    assert_slice(request->params[0].value, "blue");
    assert_int_equal(request->params[0].type, TG_PARAM_SLUG);
    assert_slice(request->params[1].name, "id");
    assert_slice(request->params[1].value, "-42");
    assert_int_equal(request->params[1].type, TG_PARAM_INTEGER);
    assert_int_equal(request->params[1].integer, -42);
    free(request);
}

static void accepts_a_request_that_has_nothing_but_a_path(void **state)
{
    (void)state;
    const struct tg_request parts = {.path = TG_SLICE("/")};
    struct tg_request *request = tg_request_new(&parts);
    assert_non_null(request);
    assert_slice(request->path, "/");
    assert_int_equal(request->query.length, 0);
    assert_int_equal(request->peer.length, 0);
    assert_int_equal(request->headers.count, 0);
    assert_int_equal(request->param_count, 0);
    free(request);
}

static enum tg_status copy_once(void *context)
{
    struct tg_request *request = tg_request_new(context);
    if (!request) return TG_E_NO_MEMORY;
    free(request);
    return TG_OK;
}

static void takes_one_allocation(void **state)
{
    (void)state;
    struct source source;
    source_init(&source);
    assert_int_equal(tg_alloc_sweep(copy_once, &source.parts), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_everything_after_the_source_is_gone),
        cmocka_unit_test(accepts_a_request_that_has_nothing_but_a_path),
        cmocka_unit_test(takes_one_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
