#include "base/buf.h"
#include "support/alloc.h"
#include "wire/route.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct tg_arena arena;
static struct tg_params params;

static int set_up(void **state)
{
    (void)state;
    tg_arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tg_arena_deinit(&arena);
    return 0;
}

static struct tg_route *parsed(const char *pattern)
{
    struct tg_route *route = NULL;
    struct tg_error error = {.status = TG_OK};
    if (tg_route_parse(&arena, tg_slice_of(pattern), &route, &error) != TG_OK) fail_msg("%s", error.text);
    return route;
}

static bool matches(const char *pattern, const char *path)
{
    return tg_route_match(parsed(pattern), tg_slice_of(path), &params);
}

static void assert_param(uint32_t index, const char *name, const char *value)
{
    assert_true(index < params.count);
    assert_true(tg_slice_equal(params.items[index].name, tg_slice_of(name)));
    assert_true(tg_slice_equal(params.items[index].value, tg_slice_of(value)));
}

static void assert_refused(struct tg_slice pattern, size_t offset, const char *why)
{
    struct tg_route *route = NULL;
    struct tg_error error;
    assert_int_equal(tg_route_parse(&arena, pattern, &route, &error), TG_E_INVALID);
    assert_null(route);
    if (error.offset != offset || !strstr(error.text, why)) fail_msg("%zu: %s", error.offset, error.text);
}

#define REFUSED(pattern, offset, why) assert_refused(TG_SLICE(pattern), (offset), (why))

static void matches_a_literal_path_whole(void **state)
{
    (void)state;
    assert_true(matches("/ws/echo", "/ws/echo"));
    assert_int_equal(params.count, 0);
    assert_false(matches("/ws/echo", "/ws"));
    assert_false(matches("/ws/echo", "/ws/echo/more"));
    assert_false(matches("/ws/echo", "/ws/Echo"));
    assert_false(matches("/ws/echo", "ws/echo"));
    assert_false(matches("/ws/echo", ""));
}

static void tells_a_slash_at_the_end_apart(void **state)
{
    (void)state;
    assert_true(matches("/", "/"));
    assert_false(matches("/", "//"));
    assert_true(matches("/ws/", "/ws/"));
    assert_false(matches("/ws/", "/ws"));
    assert_false(matches("/ws", "/ws/"));
}

static void fills_a_parameter_with_its_segment(void **state)
{
    (void)state;
    assert_true(matches("/ws/room/{room_name}", "/ws/room/caf\xC3\xA9 1"));
    assert_param(0, "room_name", "caf\xC3\xA9 1");
    assert_false(matches("/ws/room/{room_name}", "/ws/room/"));
    assert_false(matches("/ws/room/{room_name}", "/ws/room/a/b"));
}

static void fills_several_parameters_in_order(void **state)
{
    (void)state;
    assert_true(matches("/{a}/x/{b:int}/", "/one/x/2/"));
    assert_int_equal(params.count, 2);
    assert_param(0, "a", "one");
    assert_param(1, "b", "2");
    assert_int_equal(params.items[1].type, TG_PARAM_INTEGER);
    assert_int_equal(params.items[1].integer, 2);
}

static void assert_integer(const char *path, int64_t expected)
{
    assert_true(matches("/{id:int}", path));
    assert_true(params.items[0].integer == expected);
}

static void reads_every_integer_of_64_bits(void **state)
{
    (void)state;
    assert_integer("/0", 0);
    assert_integer("/-0", 0);
    assert_integer("/007", 7);
    assert_integer("/-42", -42);
    assert_integer("/9223372036854775807", INT64_MAX);
    assert_integer("/-9223372036854775808", INT64_MIN);
    assert_integer("/000000000000000000000000001", 1);
}

static void matches_no_integer_beyond_64_bits(void **state)
{
    (void)state;
    assert_false(matches("/{id:int}", "/9223372036854775808"));
    assert_false(matches("/{id:int}", "/-9223372036854775809"));
    assert_false(matches("/{id:int}", "/99999999999999999999"));
}

static void matches_nothing_else_as_an_integer(void **state)
{
    (void)state;
    static const char *const others[] = {"/",    "/-",  "/+1", "/--1", "/1.0",
                                         "/1e3", "/ 1", "/1 ", "/0x1", "/1/"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_false(matches("/{id:int}", others[i]));
}

static void matches_slugs(void **state)
{
    (void)state;
    assert_true(matches("/{s:slug}", "/Ab-9_z"));
    assert_param(0, "s", "Ab-9_z");
    assert_false(matches("/{s:slug}", "/"));
    assert_false(matches("/{s:slug}", "/a.b"));
    assert_false(matches("/{s:slug}", "/\xC3\xA9"));
}

static void matches_uuids_of_either_case(void **state)
{
    (void)state;
    assert_true(matches("/{id:uuid}", "/123e4567-e89b-12d3-a456-426614174000"));
    assert_true(matches("/{id:uuid}", "/123E4567-E89B-12D3-A456-42661417ABCF"));
    assert_false(matches("/{id:uuid}", "/123e4567-e89b-12d3-a456-42661417400"));
    assert_false(matches("/{id:uuid}", "/123e4567-e89b-12d3-a456-4266141740000"));
    assert_false(matches("/{id:uuid}", "/123e4567e-89b-12d3-a456-426614174000"));
    assert_false(matches("/{id:uuid}", "/123e4567-e89b-12d3-a456-42661417400g"));
}

static void takes_the_rest_into_a_path(void **state)
{
    (void)state;
    assert_true(matches("/files/{rest:path}", "/files/a//b/"));
    assert_param(0, "rest", "a//b/");
    assert_true(matches("/files/{rest:path}", "/files/a"));
    assert_false(matches("/files/{rest:path}", "/files/"));
    assert_false(matches("/files/{rest:path}", "/files"));
}

static void outlives_the_text_of_its_pattern(void **state)
{
    (void)state;
    char pattern[] = "/{name}";
    struct tg_route *route = parsed(pattern);
    memset(pattern, 'x', sizeof pattern - 1);
    assert_true(tg_route_match(route, TG_SLICE("/v"), &params));
    assert_param(0, "name", "v");
    assert_true(tg_slice_equal(route->pattern, TG_SLICE("/{name}")));
}

static void refuses_a_path_without_a_slash_in_front(void **state)
{
    (void)state;
    REFUSED("", 0, "begins with '/'");
    REFUSED("ws/echo", 0, "begins with '/'");
    assert_refused((struct tg_slice){0}, 0, "begins with '/'");
}

static void refuses_an_empty_segment_inside(void **state)
{
    (void)state;
    REFUSED("/a//b", 3, "is empty");
    REFUSED("//", 1, "is empty");
}

static void refuses_a_parameter_beside_other_text(void **state)
{
    (void)state;
    REFUSED("/room-{id}", 1, "fills a whole segment");
    REFUSED("/a/{x}{y}", 3, "fills a whole segment");
    REFUSED("/a/{x", 3, "fills a whole segment");
    REFUSED("/a/x}", 3, "fills a whole segment");
}

static void refuses_a_name_that_is_no_identifier(void **state)
{
    (void)state;
    REFUSED("/{}", 2, "a parameter's name");
    REFUSED("/{:int}", 2, "a parameter's name");
    REFUSED("/{1a}", 2, "a parameter's name");
    REFUSED("/{a-b}", 2, "a parameter's name");
    REFUSED("/{\xC3\xA9}", 2, "a parameter's name");
}

static void refuses_a_name_that_stands_twice(void **state)
{
    (void)state;
    REFUSED("/{id}/x/{id:int}", 9, "twice");
}

static void refuses_a_type_that_does_not_exist(void **state)
{
    (void)state;
    REFUSED("/orders/{id:number}", 12, "int, slug, uuid or path");
    REFUSED("/{id:}", 5, "int, slug, uuid or path");
}

static void refuses_a_path_parameter_before_the_end(void **state)
{
    (void)state;
    REFUSED("/{rest:path}/edit", 1, "stands last");
    REFUSED("/{rest:path}/", 1, "stands last");
}

static void refuses_what_no_path_can_be(void **state)
{
    (void)state;
    REFUSED("/a?b=1", 1, "no query");
    REFUSED("/a#b", 1, "no query");
    REFUSED("/a\nb", 1, "control characters");
    REFUSED("/a\0b", 1, "control characters");
    REFUSED("/x/../a", 3, "clients resolve");
    REFUSED("/.", 1, "clients resolve");
    REFUSED("/\xFF", 0, "UTF-8");
}

static struct tg_slice repeated(struct tg_buf *buf, const char *format, int count)
{
    tg_buf_init(buf);
    for (int i = 0; i < count; i++) tg_buf_printf(buf, "/%c%c%s", 'a' + i / 26, 'a' + i % 26, format);
    return tg_buf_peek(buf);
}

static void takes_64_segments_and_no_more(void **state)
{
    (void)state;
    struct tg_buf buf;
    struct tg_route *route;
    assert_int_equal(tg_route_parse(&arena, repeated(&buf, "", 64), &route, NULL), TG_OK);
    assert_int_equal(route->count, 64);
    assert_true(tg_route_match(route, tg_buf_peek(&buf), &params));
    tg_buf_deinit(&buf);
    assert_refused(repeated(&buf, "", 65), 193, "at most 64 segments");
    tg_buf_deinit(&buf);
}

static struct tg_slice params_pattern(struct tg_buf *buf, int count)
{
    tg_buf_init(buf);
    for (int i = 0; i < count; i++) tg_buf_printf(buf, "/{%c}", 'a' + i);
    return tg_buf_peek(buf);
}

static void takes_16_parameters_and_no_more(void **state)
{
    (void)state;
    struct tg_buf buf;
    struct tg_route *route;
    assert_int_equal(tg_route_parse(&arena, params_pattern(&buf, 16), &route, NULL), TG_OK);
    assert_true(tg_route_match(route, TG_SLICE("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16"), &params));
    assert_int_equal(params.count, 16);
    assert_param(15, "p", "16");
    tg_buf_deinit(&buf);
    assert_refused(params_pattern(&buf, 17), 66, "at most 16 parameters");
    tg_buf_deinit(&buf);
}

static void asks_the_more_specific_route_first(void **state)
{
    (void)state;
    static const char *const ordered[] = {
        "/",      "/a",       "/a/",         "/a/b", "/a/c",       "/a/{x:int}", "/a/{x:uuid}", "/a/{x:slug}",
        "/a/{x}", "/a/{x}/b", "/a/{x:path}", "/b",   "/{x:int}/a", "/{x}/{y}/z", "/{x:path}"};
    enum { COUNT = sizeof ordered / sizeof *ordered };
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++)
            assert_int_equal(tg_route_compare(parsed(ordered[i]), parsed(ordered[j])), i < j ? -1 : i > j);
}

static void finds_routes_that_accept_the_same_paths(void **state)
{
    (void)state;
    assert_int_equal(tg_route_compare(parsed("/a/{x}/{y:int}"), parsed("/a/{u}/{v:int}")), 0);
    assert_int_not_equal(tg_route_compare(parsed("/a/{x}"), parsed("/a/{x:slug}")), 0);
    assert_int_not_equal(tg_route_compare(parsed("/a/{x}"), parsed("/a/{x}/")), 0);
}

/* `context` is how much of the arena's first chunk was taken before: the fuller it is, the later an
 * allocation of the parser is the one that needs another chunk. */
static enum tg_status parse_once(void *context)
{
    struct tg_arena own;
    tg_arena_init(&own, 0);
    struct tg_route *route = NULL;
    struct tg_slice pattern = TG_SLICE("/orders/{id:int}/items");
    enum tg_status status = tg_arena_alloc(&own, *(size_t *)context)
                                ? tg_route_parse(&own, pattern, &route, NULL)
                                : TG_E_NO_MEMORY;
    if (status != TG_OK) {
        assert_null(route);
        assert_int_equal(tg_route_parse(&own, pattern, &route, NULL), TG_OK);
    }
    assert_true(tg_route_match(route, TG_SLICE("/orders/7/items"), &params));
    tg_arena_deinit(&own);
    return status;
}

static void survives_any_allocation_that_fails(void **state)
{
    (void)state;
    for (size_t taken = 4096 - 256; taken <= 4096; taken += 8)
        assert_true(tg_alloc_sweep(parse_once, &taken) >= 1);
}

/* ---- topics ---- */

static bool is_topic(const char *pattern, const char *name)
{
    struct tg_route *route = NULL;
    struct tg_error error = {.status = TG_OK};
    if (tg_route_parse_topic(&arena, tg_slice_of(pattern), &route, &error) != TG_OK)
        fail_msg("%s", error.text);
    return tg_route_match(route, tg_slice_of(name), &params);
}

static void matches_the_names_of_a_topic(void **state)
{
    (void)state;
    assert_true(is_topic("room:{room_name}", "room:a/b ?#"));
    assert_param(0, "room_name", "a/b ?#");
    assert_true(is_topic("lobby", "lobby"));
    assert_true(is_topic("a:{x:int}:b:{y:slug}", "a:-7:b:c_d"));
    assert_param(0, "x", "-7");
    assert_int_equal(params.items[0].integer, -7);
    assert_param(1, "y", "c_d");
    assert_true(is_topic("{kind}:{rest:path}", "a:b:c"));
    assert_param(1, "rest", "b:c");
    assert_false(is_topic("room:{room_name}", "room:a:b"));
    assert_false(is_topic("room:{room_name}", "room:"));
    assert_false(is_topic("room:{room_name}", "room"));
    assert_false(is_topic("room:{room_name}", ""));
    assert_false(is_topic("room:{id:int}", "room:x"));
    assert_false(is_topic("lobby", "/lobby"));
}

static void refuses_a_bad_pattern_of_a_topic(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        size_t offset;
        const char *why;
    } rows[] = {
        {"", 0, "a segment is empty"},
        {"room:", 5, "a segment is empty"},
        {":room", 0, "a segment is empty"},
        {"a::b", 2, "a segment is empty"},
        {"room:{a", 5, "a parameter fills a whole segment, as in room:{name}"},
        {"room-{a}", 0, "a parameter fills a whole segment, as in room:{name}"},
        {"room:{a:text}", 8, "the type of a parameter is int, slug, uuid or path"},
        {"{a}:{a}", 5, "this parameter stands here twice"},
        {"{a:path}:b", 0, "stands last"},
        {"a\nb", 0, "no control characters"},
        {"\xFF", 0, "it is UTF-8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_route *route = NULL;
        struct tg_error error;
        enum tg_status status = tg_route_parse_topic(&arena, tg_slice_of(rows[i].pattern), &route, &error);
        assert_int_equal(status, TG_E_INVALID);
        bool is_named = strncmp(error.text, "The topic pattern \"", 19) == 0;
        if (!is_named || error.offset != rows[i].offset || !strstr(error.text, rows[i].why))
            fail_msg("%zu: %s", error.offset, error.text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(matches_a_literal_path_whole),
        TEST(tells_a_slash_at_the_end_apart),
        TEST(fills_a_parameter_with_its_segment),
        TEST(fills_several_parameters_in_order),
        TEST(reads_every_integer_of_64_bits),
        TEST(matches_no_integer_beyond_64_bits),
        TEST(matches_nothing_else_as_an_integer),
        TEST(matches_slugs),
        TEST(matches_uuids_of_either_case),
        TEST(takes_the_rest_into_a_path),
        TEST(outlives_the_text_of_its_pattern),
        TEST(refuses_a_path_without_a_slash_in_front),
        TEST(refuses_an_empty_segment_inside),
        TEST(refuses_a_parameter_beside_other_text),
        TEST(refuses_a_name_that_is_no_identifier),
        TEST(refuses_a_name_that_stands_twice),
        TEST(refuses_a_type_that_does_not_exist),
        TEST(refuses_a_path_parameter_before_the_end),
        TEST(refuses_what_no_path_can_be),
        TEST(takes_64_segments_and_no_more),
        TEST(takes_16_parameters_and_no_more),
        TEST(asks_the_more_specific_route_first),
        TEST(finds_routes_that_accept_the_same_paths),
        TEST(matches_the_names_of_a_topic),
        TEST(refuses_a_bad_pattern_of_a_topic),
        TEST(survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
