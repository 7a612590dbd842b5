#include "base/buf.h"
#include "support/alloc.h"
#include "wire/pairs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct tg_arena arena;
static struct tg_pairs pairs;

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

static void read_query(struct tg_slice query)
{
    assert_int_equal(tg_query_parse(query, &arena, &pairs), TG_OK);
}

static void read_cookies(struct tg_slice header)
{
    assert_int_equal(tg_cookie_parse(header, &arena, &pairs), TG_OK);
}

static void assert_value(struct tg_slice name, struct tg_slice expected)
{
    struct tg_slice value = tg_pairs_get(&pairs, name);
    assert_non_null(value.data);
    if (!tg_slice_equal(value, expected)) fail_msg("got %.*s", TG_SLICE_ARG(value));
}

#define VALUE(name, expected) assert_value(TG_SLICE(name), TG_SLICE(expected))

static void assert_none(const char *name)
{
    assert_null(tg_pairs_get(&pairs, tg_slice_of(name)).data);
}

static void reads_the_items_of_a_query(void **state)
{
    (void)state;
    read_query(TG_SLICE("a=1&b=two&c=x=y"));
    assert_int_equal(pairs.count, 3);
    VALUE("a", "1");
    VALUE("b", "two");
    VALUE("c", "x=y");
    assert_none("d");
}

static void reads_nothing_from_an_empty_text(void **state)
{
    (void)state;
    read_query((struct tg_slice){0});
    assert_int_equal(pairs.count, 0);
    assert_none("");
    read_cookies(TG_SLICE(""));
    assert_int_equal(pairs.count, 0);
}

static void tells_an_empty_value_from_none(void **state)
{
    (void)state;
    read_query(TG_SLICE("a=&&b&"));
    assert_int_equal(pairs.count, 2);
    VALUE("a", "");
    VALUE("b", "");
    assert_none("c");
}

static void finds_the_first_of_two_equal_names(void **state)
{
    (void)state;
    read_query(TG_SLICE("a=1&a=2&%61=3"));
    assert_int_equal(pairs.count, 3);
    VALUE("a", "1");
}

static void decodes_names_and_values(void **state)
{
    (void)state;
    read_query(TG_SLICE("first+name=J%C3%B6rg+M%c3%b6&sum=1%2B1&nul=a%00b"));
    VALUE("first name", "J\xC3\xB6rg M\xC3\xB6");
    VALUE("sum", "1+1");
    VALUE("nul", "a\0b");
}

static void decodes_once(void **state)
{
    (void)state;
    read_query(TG_SLICE("a=%2541&b=%26c%3D1"));
    VALUE("a", "%41");
    VALUE("b", "&c=1");
    assert_none("c");
}

static void leaves_a_broken_escape_as_it_is(void **state)
{
    (void)state;
    read_query(TG_SLICE("a=100%&b=%4&c=%zz&d=%%41&e=%4g"));
    VALUE("a", "100%");
    VALUE("b", "%4");
    VALUE("c", "%zz");
    VALUE("d", "%A");
    VALUE("e", "%4g");
}

static void drops_what_is_not_utf8_after_decoding(void **state)
{
    (void)state;
    read_query(TG_SLICE("a=%FF&b=\xED\xA0\x80&%C3=1&c=fine"));
    assert_int_equal(pairs.count, 1);
    VALUE("c", "fine");
}

static void borrows_what_needs_no_decoding(void **state)
{
    (void)state;
    struct tg_slice query = TG_SLICE("a=plain&b=de+coded");
    read_query(query);
    assert_ptr_equal(tg_pairs_get(&pairs, TG_SLICE("a")).data, query.data + 2);
    VALUE("b", "de coded");
}

static void reads_the_cookies_of_a_header(void **state)
{
    (void)state;
    read_cookies(TG_SLICE("session=abc=; theme=\"dark\";\tlang = de ;last=1"));
    assert_int_equal(pairs.count, 4);
    VALUE("session", "abc=");
    VALUE("theme", "dark");
    VALUE("lang", "de");
    VALUE("last", "1");
}

static void decodes_nothing_in_a_cookie(void **state)
{
    (void)state;
    read_cookies(TG_SLICE("a=%41+b"));
    VALUE("a", "%41+b");
}

static void removes_one_whole_pair_of_quotes(void **state)
{
    (void)state;
    read_cookies(TG_SLICE("a=\"\"; b=\"; c=\"\"x\"\"; d=\"x"));
    VALUE("a", "");
    VALUE("b", "\"");
    VALUE("c", "\"x\"");
    VALUE("d", "\"x");
}

static void skips_cookies_that_make_no_sense(void **state)
{
    (void)state;
    read_cookies(TG_SLICE("; ;flag; =nameless;a=1;;"));
    assert_int_equal(pairs.count, 1);
    VALUE("a", "1");
}

static struct tg_slice numbered(struct tg_buf *buf, char separator, int count)
{
    tg_buf_init(buf);
    for (int i = 0; i < count; i++) tg_buf_printf(buf, "k%d=%d%c", i, i, separator);
    return tg_buf_peek(buf);
}

static void keeps_the_first_128_items(void **state)
{
    (void)state;
    struct tg_buf buf;
    read_query(numbered(&buf, '&', 300));
    assert_int_equal(pairs.count, TG_PAIRS_MAX);
    VALUE("k127", "127");
    assert_none("k128");
    tg_buf_deinit(&buf);
    read_cookies(numbered(&buf, ';', 300));
    assert_int_equal(pairs.count, TG_PAIRS_MAX);
    VALUE("k127", "127");
    assert_none("k128");
    tg_buf_deinit(&buf);
}

/* `context` is how much of the arena's first chunk was taken before: the fuller it is, the later an
 * allocation of the parser is the one that needs another chunk. */
static enum tg_status parse_both(void *context)
{
    struct tg_arena own;
    struct tg_pairs query, cookies;
    tg_arena_init(&own, 0);
    enum tg_status status = tg_arena_alloc(&own, *(size_t *)context) ? TG_OK : TG_E_NO_MEMORY;
    if (status == TG_OK) status = tg_query_parse(TG_SLICE("a+b=1&c=%41"), &own, &query);
    if (status == TG_OK) status = tg_cookie_parse(TG_SLICE("a=1;b=2"), &own, &cookies);
    if (status != TG_OK) {
        assert_int_equal(tg_query_parse(TG_SLICE("a+b=1&c=%41"), &own, &query), TG_OK);
        assert_int_equal(query.count, 2);
    }
    tg_arena_deinit(&own);
    return status;
}

static void survives_any_allocation_that_fails(void **state)
{
    (void)state;
    for (size_t taken = 4096 - 160; taken <= 4096; taken += 8)
        assert_true(tg_alloc_sweep(parse_both, &taken) >= 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_the_items_of_a_query),         TEST(reads_nothing_from_an_empty_text),
        TEST(tells_an_empty_value_from_none),     TEST(finds_the_first_of_two_equal_names),
        TEST(decodes_names_and_values),           TEST(decodes_once),
        TEST(leaves_a_broken_escape_as_it_is),    TEST(drops_what_is_not_utf8_after_decoding),
        TEST(borrows_what_needs_no_decoding),     TEST(reads_the_cookies_of_a_header),
        TEST(decodes_nothing_in_a_cookie),        TEST(removes_one_whole_pair_of_quotes),
        TEST(skips_cookies_that_make_no_sense),   TEST(keeps_the_first_128_items),
        TEST(survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
