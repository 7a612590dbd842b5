/* The lists that proxies write, read from the right. */
#include "wire/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

typedef bool take_function(struct tg_slice *, struct tg_slice *);

/* `expected`: the items in the order in which they come off, with '|' behind each. */
static void assert_taken(take_function *take, const char *list, const char *expected)
{
    char text[512] = "";
    struct tg_slice rest = tg_slice_of(list), item;
    while (take(&rest, &item))
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s|", TG_SLICE_ARG(item));
    assert_string_equal(text, expected);
}

static void takes_items_off_the_right(void **state)
{
    (void)state;
    assert_taken(tg_forwarded_take, "", "");
    assert_taken(tg_forwarded_take, "a", "a|");
    assert_taken(tg_forwarded_take, "a, b ,\tc", "c|b|a|");
    assert_taken(tg_forwarded_take, "a,,b", "b||a|");
    assert_taken(tg_forwarded_take, "a,", "|a|");
    assert_taken(tg_forwarded_take, " ", "|");
}

static void leaves_the_commas_of_quoted_texts(void **state)
{
    (void)state;
    assert_taken(tg_forwarded_take_element, "for=a;by=\"x,y\", for=b", "for=b|for=a;by=\"x,y\"|");
    assert_taken(tg_forwarded_take_element, "for=\"a\\\",b\"", "for=\"a\\\",b\"|");
    assert_taken(tg_forwarded_take_element, "", "");
}

/* The client writes a quote that never ends, so that what the proxy adds would be inside it. */
static void does_not_let_the_left_swallow_the_right(void **state)
{
    (void)state;
    assert_taken(tg_forwarded_take_element, "for=\"evil, for=192.0.2.1;proto=https",
                 "for=192.0.2.1;proto=https|for=\"evil|");
    assert_taken(tg_forwarded_take_element, "for=\\\"evil\", for=\"[2001:db8::1]:80\"",
                 "for=\"[2001:db8::1]:80\"|for=\\\"evil\"|");
}

static void assert_hop(const char *element, const char *node, const char *proto)
{
    struct tg_hop hop;
    assert_true(tg_forwarded_read(tg_slice_of(element), &hop));
    assert_true(tg_slice_equal(hop.node, tg_slice_of(node)));
    assert_true(tg_slice_equal(hop.proto, tg_slice_of(proto)));
}

/* RFC 7239 4 and 7.1 */
static void reads_the_elements_of_the_rfc(void **state)
{
    (void)state;
    assert_hop("for=\"_gazonk\"", "_gazonk", "");
    assert_hop("For=\"[2001:db8:cafe::17]:4711\"", "[2001:db8:cafe::17]:4711", "");
    assert_hop("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60", "http");
    assert_hop("for=192.0.2.43", "192.0.2.43", "");
    assert_hop("for=unknown", "unknown", "");
    assert_hop("proto=https", "", "https");
    assert_hop("by=a;host=b;secret=\"c;d=e\";FOR=1.2.3.4;Proto=HTTPS", "1.2.3.4", "HTTPS");
    assert_hop("for=1.2.3.4 ; proto=http", "1.2.3.4", "http");
    assert_hop("for=1.2.3.4;", "1.2.3.4", "");
}

static void refuses_what_is_no_element(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "for",           "for=",         "=a",         "for=a b",        "for=a;for=b", "proto=a;PROTO=b",
        "for=\"a",       "for=\"a\\b\"", "for=[::1]",  "for=1.2.3.4:80", "for =a",      "for= a",
        "for=a,proto=b", ";for=a",       "for=\"a\"b",
    };
    struct tg_hop hop;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(tg_forwarded_read(tg_slice_of(wrong[i]), &hop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_items_off_the_right),
        cmocka_unit_test(leaves_the_commas_of_quoted_texts),
        cmocka_unit_test(does_not_let_the_left_swallow_the_right),
        cmocka_unit_test(reads_the_elements_of_the_rfc),
        cmocka_unit_test(refuses_what_is_no_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
