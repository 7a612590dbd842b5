#include "core/fetch.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void no_end(struct tg_fetch *fetch)
{
    (void)fetch;
    fail_msg("nothing was begun, and it ended");
}

static int setup(void **state)
{
    struct tg_fetch *fetch = malloc(sizeof *fetch);
    tg_fetch_init(fetch, no_end);
    fetch->max_bytes = 10;
    *state = fetch;
    return 0;
}

static int teardown(void **state)
{
    tg_fetch_deinit(*state);
    free(*state);
    return 0;
}

static bool add(struct tg_fetch *fetch, const char *line)
{
    return tg_fetch_add_header(fetch, tg_slice_of(line));
}

static void add_all(struct tg_fetch *fetch, const char *const *lines)
{
    for (; *lines; lines++) assert_true(add(fetch, *lines));
}

/* `expected`: "name=value;" of each header. */
static void expect_headers(const struct tg_fetch *fetch, const char *expected)
{
    char found[4096] = "";
    struct tg_pair header;
    for (size_t position = 0; tg_fetch_next_header(fetch, &position, &header);) {
        size_t length = strlen(found);
        snprintf(found + length, sizeof found - length, "%.*s=%.*s;", TG_SLICE_ARG(header.name),
                 TG_SLICE_ARG(header.value));
    }
    assert_string_equal(found, expected);
}

static void keeps_headers_in_order_with_names_in_lower_case(void **state)
{
    add_all(*state,
            (const char *const[]){"HTTP/1.1 200 OK\r\n", "Content-Type: text/plain\r\n", "X-Empty:\r\n",
                                  "SET-COOKIE:a=1\r\n", "Set-Cookie:  b=2 \r\n", "\r\n", NULL});
    expect_headers(*state, "content-type=text/plain;x-empty=;set-cookie=a=1;set-cookie=b=2;");
}

static void forgets_the_headers_and_the_body_of_the_answer_before(void **state)
{
    struct tg_fetch *fetch = *state;
    add_all(fetch, (const char *const[]){"HTTP/1.1 302 Found\r\n", "Location: /b\r\n", "\r\n", NULL});
    assert_true(tg_fetch_add_body(fetch, TG_SLICE("moved")));
    add_all(fetch, (const char *const[]){"HTTP/1.1 200 OK\r\n", "X-A: 1\r\n", "\r\n", NULL});
    assert_true(tg_fetch_add_body(fetch, TG_SLICE("here")));
    expect_headers(fetch, "x-a=1;");
    assert_true(tg_slice_equal(tg_buf_peek(&fetch->body), TG_SLICE("here")));
}

static void drops_trailers_and_lines_without_a_name(void **state)
{
    add_all(*state, (const char *const[]){"HTTP/1.1 200 OK\r\n", "X-A: 1\r\n", "nonsense\r\n", "\r\n",
                                          "X-A: 2\r\n", "\r\n", NULL});
    expect_headers(*state, "x-a=1;");
}

static void joins_a_folded_line_to_the_one_before(void **state)
{
    add_all(*state, (const char *const[]){"HTTP/1.1 200 OK\r\n", " lost\r\n", "X-A: 1\r\n", "\t 2\r\n",
                                          "\r\n", NULL});
    expect_headers(*state, "x-a=1 2;");
}

static void refuses_a_zero_byte_in_a_header(void **state)
{
    struct tg_fetch *fetch = *state;
    assert_true(add(fetch, "HTTP/1.1 200 OK\r\n"));
    assert_false(tg_fetch_add_header(fetch, TG_SLICE("X-A: a\0b\r\n")));
    assert_int_equal(fetch->status, TG_E_INVALID);
    assert_string_equal(fetch->error.text, "response: a header has a zero byte");
}

static void bounds_the_number_of_headers_over_all_answers(void **state)
{
    struct tg_fetch *fetch = *state;
    for (int i = 0; i < TG_FETCH_HEADERS_MAX / 2; i++) {
        assert_true(add(fetch, "HTTP/1.1 103 Early Hints\r\n"));
        assert_true(add(fetch, "\r\n"));
    }
    assert_false(add(fetch, "HTTP/1.1 200 OK\r\n"));
    assert_int_equal(fetch->status, TG_E_TOO_LARGE);
}

static void bounds_the_bytes_of_all_headers(void **state)
{
    struct tg_fetch *fetch = *state;
    static char line[16 * 1024];
    memset(line, 'a', sizeof line);
    line[3] = ':';
    assert_true(add(fetch, "HTTP/1.1 200 OK\r\n"));
    for (int i = 0; i < 3; i++) assert_true(tg_fetch_add_header(fetch, (struct tg_slice){line, sizeof line}));
    assert_false(tg_fetch_add_header(fetch, (struct tg_slice){line, sizeof line}));
    assert_int_equal(fetch->status, TG_E_TOO_LARGE);
    assert_string_equal(fetch->error.text,
                        "too large: the answer has more than 256 headers, or more than 64 kB of them");
}

static void refuses_a_body_that_is_compressed_twice(void **state)
{
    struct tg_fetch *fetch = *state;
    add_all(fetch,
            (const char *const[]){"HTTP/1.1 302 Found\r\n", "Content-Encoding: gzip\r\n", "\r\n",
                                  "HTTP/1.1 200 OK\r\n", "Transfer-Encoding: gzip, chunked\r\n", NULL});
    assert_false(add(fetch, "Content-Encoding: identity ,gzip\r\n"));
    assert_string_equal(fetch->error.text, "response: the body is compressed more than once");
}

static void bounds_the_body(void **state)
{
    struct tg_fetch *fetch = *state;
    assert_true(tg_fetch_add_body(fetch, TG_SLICE("1234567")));
    assert_true(tg_fetch_add_body(fetch, TG_SLICE("890")));
    assert_true(tg_fetch_add_body(fetch, TG_SLICE("")));
    assert_false(tg_fetch_add_body(fetch, TG_SLICE("1")));
    assert_int_equal(fetch->status, TG_E_TOO_LARGE);
    assert_string_equal(fetch->error.text, "too large: the body has more than 10 bytes");
    assert_int_equal(fetch->body.length, 10);
}

/* An answer with one header and a body, from the start. */
static enum tg_status take_answer(void *context)
{
    (void)context;
    struct tg_fetch fetch;
    tg_fetch_init(&fetch, no_end);
    fetch.max_bytes = 1000;
    bool is_fine = add(&fetch, "HTTP/1.1 200 OK\r\n") && add(&fetch, "X-A: 1\r\n") && add(&fetch, " 2\r\n") &&
                   add(&fetch, "\r\n") && tg_fetch_add_body(&fetch, TG_SLICE("body"));
    enum tg_status status = fetch.status;
    assert_int_equal(is_fine, status == TG_OK);
    tg_fetch_deinit(&fetch);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    assert_int_equal(tg_alloc_sweep(take_answer, NULL), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(keeps_headers_in_order_with_names_in_lower_case),
        TEST(forgets_the_headers_and_the_body_of_the_answer_before),
        TEST(drops_trailers_and_lines_without_a_name),
        TEST(joins_a_folded_line_to_the_one_before),
        TEST(refuses_a_zero_byte_in_a_header),
        TEST(bounds_the_number_of_headers_over_all_answers),
        TEST(bounds_the_bytes_of_all_headers),
        TEST(refuses_a_body_that_is_compressed_twice),
        TEST(bounds_the_body),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
