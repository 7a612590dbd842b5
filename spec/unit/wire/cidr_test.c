/* Addresses, with and without ports, and blocks of them. */
#include "wire/cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What `text` is written as once it has been read; NULL: it is none. */
static void assert_endpoint(const char *text, const char *expected)
{
    struct tg_address address;
    uint16_t port;
    char written[TG_ADDRESS_TEXT_BYTES];
    bool is_read = tg_endpoint_read(tg_slice_of(text), &address, &port);
    if (!is_read || !expected) {
        assert_int_equal(is_read, expected != NULL);
        return;
    }
    struct tg_slice slice = tg_endpoint_write(&address, port, written);
    assert_string_equal(written, expected);
    assert_int_equal(slice.length, strlen(expected));
}

static void reads_an_address_with_and_without_a_port(void **state)
{
    (void)state;
    assert_endpoint("192.0.2.1", "192.0.2.1");
    assert_endpoint("192.0.2.1:4711", "192.0.2.1:4711");
    assert_endpoint("2001:DB8::1", "[2001:db8::1]");
    assert_endpoint("[2001:db8::1]", "[2001:db8::1]");
    assert_endpoint("[2001:db8::1]:443", "[2001:db8::1]:443");
    assert_endpoint("[fe80::1%eth0]:65535", "[fe80::1]:65535");
}

static void takes_the_two_spellings_of_an_ipv4_address_for_one(void **state)
{
    (void)state;
    assert_endpoint("::ffff:192.0.2.1", "192.0.2.1");
    assert_endpoint("[::ffff:192.0.2.1]:80", "192.0.2.1:80");
    assert_endpoint("::192.0.2.1", "[::192.0.2.1]");
}

static void refuses_what_is_no_address(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "unknown",
        "_hidden",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.04",
        "0x7f.0.0.1",
        "1.2.3.256",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4:",
        "1.2.3.4:0",
        "1.2.3.4:-1",
        "1.2.3.4:1 ",
        "1.2.3.4:65536",
        "1.2.3.4:0x10",
        "[1.2.3.4]",
        "[1.2.3.4]:80",
        "[::1",
        "::1]",
        "[::1]80",
        "[::1]:",
        "[::1]:123456",
        "[]",
        "[]:80",
        "[%eth0]",
        ":80",
        ":::",
        "2001:db8::1%eth0",
        "1.2.3.4/8",
        "example.org",
        "127.1",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_endpoint(wrong[i], NULL);
    struct tg_address address;
    assert_false(tg_address_read((struct tg_slice){"1.2.3.4\0", 8}, &address));
}

static bool has(const char *block, const char *address)
{
    struct tg_cidr read;
    struct tg_address one;
    assert_true(tg_cidr_read(tg_slice_of(block), &read));
    assert_true(tg_address_read(tg_slice_of(address), &one));
    return tg_cidr_has(&read, &one);
}

static void knows_which_addresses_a_block_has(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.255.255"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("192.0.2.128/25", "192.0.2.128"));
    assert_false(has("192.0.2.128/25", "192.0.2.127"));
    assert_true(has("192.0.2.7", "192.0.2.7"));
    assert_false(has("192.0.2.7", "192.0.2.6"));
    assert_true(has("0.0.0.0/0", "203.0.113.9"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("::1", "::1"));
    assert_false(has("::1", "::2"));
}

/* An operator who writes 0.0.0.0/0 means IPv4; one who writes ::/0 means everything. */
static void keeps_ipv4_and_ipv6_apart(void **state)
{
    (void)state;
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("::/0", "192.0.2.1"));
    assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_true(has("::ffff:10.0.0.0/104", "10.1.2.3"));
}

static void refuses_what_is_no_block(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",           "/8",          "10.0.0.0/",    "10.0.0.0/33", "10.0.0.1/8",    "10.0.0.0/08",
        "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129",      "2001:db8::/16", "[::1]/128",
        "10.0.0/8",   "10.0.0.0:80", "10.0.0.0/ 8",  "*",           "10.0.0.0/0008",
    };
    struct tg_cidr block;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(tg_cidr_read(tg_slice_of(wrong[i]), &block));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_address_with_and_without_a_port),
        cmocka_unit_test(takes_the_two_spellings_of_an_ipv4_address_for_one),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(knows_which_addresses_a_block_has),
        cmocka_unit_test(keeps_ipv4_and_ipv6_apart),
        cmocka_unit_test(refuses_what_is_no_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
