/* Whom proxies forward, and whom they are believed about. */
#include "core/proxy.h"

#include "core/config.h"
#include "wire/pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PROXY TG_SLICE("10.0.0.1:3000")

static char trusted[] = "10.0.0.0/8, 2001:db8:1::/48 ,192.0.2.7";

static struct tg_client resolve(enum tg_forwarded kind, struct tg_slice peer, const char *way,
                                const char *proto)
{
    const struct tg_config config = {.trusted_proxies = trusted, .forwarded_header = kind};
    struct tg_pair items[2];
    struct tg_pairs headers = {items, 0};
    static struct tg_client client;
    if (way)
        items[headers.count++] = (struct tg_pair){
            kind == TG_FORWARDED_X ? TG_SLICE("x-forwarded-for") : TG_SLICE("forwarded"), tg_slice_of(way)};
    if (proto) items[headers.count++] = (struct tg_pair){TG_SLICE("x-forwarded-proto"), tg_slice_of(proto)};
    tg_proxy_resolve(&config, peer, false, &headers, &client);
    return client;
}

static void expect(enum tg_forwarded kind, struct tg_slice from, const char *way, const char *proto,
                   const char *peer, bool is_secure)
{
    struct tg_client client = resolve(kind, from, way, proto);
    assert_int_equal(client.peer.length, strlen(peer));
    assert_memory_equal(client.peer.data, peer, client.peer.length);
    assert_int_equal(client.is_secure, is_secure);
}

static void expect_x(const char *way, const char *proto, const char *peer, bool is_secure)
{
    expect(TG_FORWARDED_X, PROXY, way, proto, peer, is_secure);
}

static void expect_rfc(const char *way, const char *peer, bool is_secure)
{
    expect(TG_FORWARDED_RFC7239, PROXY, way, NULL, peer, is_secure);
}

static void takes_the_client_from_a_trusted_proxy(void **state)
{
    (void)state;
    expect_x("203.0.113.9", "https", "203.0.113.9", true);
    expect_x("203.0.113.9:4711", "http", "203.0.113.9:4711", false);
    expect_x("2001:db8:cafe::17", "HTTPS", "[2001:db8:cafe::17]", true);
    expect_x("[2001:db8:cafe::17]:443", NULL, "[2001:db8:cafe::17]:443", false);
}

static void believes_nobody_else(void **state)
{
    (void)state;
    expect(TG_FORWARDED_X, TG_SLICE("203.0.113.1:1"), "198.51.100.1", "https", "203.0.113.1:1", false);
    expect(TG_FORWARDED_RFC7239, TG_SLICE("203.0.113.1:1"), "for=198.51.100.1;proto=https", NULL,
           "203.0.113.1:1", false);
    expect(TG_FORWARDED_X, TG_SLICE(""), "198.51.100.1", "https", "", false);
}

static void knows_a_trusted_proxy_by_whatever_block_it_is_in(void **state)
{
    (void)state;
    expect(TG_FORWARDED_X, TG_SLICE("192.0.2.7:1"), "203.0.113.9", NULL, "203.0.113.9", false);
    expect(TG_FORWARDED_X, TG_SLICE("192.0.2.8:1"), "203.0.113.9", NULL, "192.0.2.8:1", false);
    expect(TG_FORWARDED_X, TG_SLICE("[2001:db8:1::5]:1"), "203.0.113.9", NULL, "203.0.113.9", false);
    expect(TG_FORWARDED_X, TG_SLICE("[::ffff:10.0.0.9]:1"), "203.0.113.9", NULL, "203.0.113.9", false);
}

/* Whatever the client itself has sent stands on the left. */
static void goes_left_only_as_long_as_proxies_are_trusted(void **state)
{
    (void)state;
    expect_x("127.0.0.1, 203.0.113.9", NULL, "203.0.113.9", false);
    expect_x("127.0.0.1, 203.0.113.9, 10.0.0.2, 10.0.0.3", NULL, "203.0.113.9", false);
    expect_x("10.0.0.4, 10.0.0.2", NULL, "10.0.0.4", false);
    expect_rfc("for=127.0.0.1, for=203.0.113.9, for=10.0.0.2", "203.0.113.9", false);
}

static void stops_at_what_makes_no_sense(void **state)
{
    (void)state;
    static const char *const ways[] = {"unknown", "203.0.113.9, ", "a b", "203.0.113.9:x", "300.0.0.1"};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        expect_x(ways[i], NULL, "10.0.0.1:3000", false);
        assert_true(resolve(TG_FORWARDED_X, PROXY, ways[i], NULL).is_malformed);
    }
    expect_x("unknown, 10.0.0.2", NULL, "10.0.0.2", false);
    expect_rfc("for=_hidden", "10.0.0.1:3000", false);
    expect_rfc("for=\"evil, for=10.0.0.2", "10.0.0.2", false);
    expect_rfc("for=203.0.113.9;proto=https;", "203.0.113.9", true);
    expect_rfc("for=203.0.113.9 proto=https", "10.0.0.1:3000", false);
    assert_false(resolve(TG_FORWARDED_X, PROXY, "203.0.113.9", "https").is_malformed);
}

static void is_the_socket_itself_when_the_proxy_says_nothing(void **state)
{
    (void)state;
    expect_x(NULL, NULL, "10.0.0.1:3000", false);
    expect_x(NULL, "https", "10.0.0.1:3000", true);
    expect_rfc(NULL, "10.0.0.1:3000", false);
}

static void takes_the_scheme_from_the_proxy_that_saw_the_client(void **state)
{
    (void)state;
    expect_x("203.0.113.9, 10.0.0.2", "https, http", "203.0.113.9", true);
    expect_x("127.0.0.1, 203.0.113.9, 10.0.0.2", "http, https, http", "203.0.113.9", true);
    expect_x("203.0.113.9, 10.0.0.2", "https", "203.0.113.9", true);
    expect_x("203.0.113.9", "https, http", "203.0.113.9", false);
    expect_rfc("for=203.0.113.9;proto=https, for=10.0.0.2;proto=http", "203.0.113.9", true);
    expect_rfc("for=1.1.1.1;proto=https, for=203.0.113.9;proto=http", "203.0.113.9", false);
    expect_x("203.0.113.9", "spdy", "203.0.113.9", false);
    assert_true(resolve(TG_FORWARDED_X, PROXY, "203.0.113.9", "spdy").is_malformed);
}

/* A proxy that writes one of the headers passes the other on as the client sent it. */
static void reads_the_one_header_that_the_setting_names(void **state)
{
    (void)state;
    const struct tg_config config = {.trusted_proxies = trusted, .forwarded_header = TG_FORWARDED_RFC7239};
    struct tg_pair items[] = {{TG_SLICE("x-forwarded-for"), TG_SLICE("198.51.100.1")},
                              {TG_SLICE("x-forwarded-proto"), TG_SLICE("https")},
                              {TG_SLICE("forwarded"), TG_SLICE("for=203.0.113.9;proto=http")}};
    const struct tg_pairs headers = {items, 3};
    struct tg_client client;
    tg_proxy_resolve(&config, PROXY, false, &headers, &client);
    assert_true(tg_slice_equal(client.peer, TG_SLICE("203.0.113.9")));
    assert_false(client.is_secure);
}

static void checks_the_setting(void **state)
{
    (void)state;
    struct tg_error error;
    assert_int_equal(tg_proxy_check("", &error), TG_OK);
    assert_int_equal(tg_proxy_check(" 10.0.0.0/8 , ::1,", &error), TG_OK);
    assert_int_equal(tg_proxy_check("10.0.0.0/8, proxy.local", &error), TG_E_INVALID);
    assert_string_equal(error.text,
                        "trusted_proxies: \"proxy.local\" is neither an address nor a block of them; write "
                        "10.0.0.0/8, 2001:db8::/32 or 192.0.2.7, with no bit set behind the prefix");
    assert_int_equal(tg_proxy_check("10.0.0.1/8", &error), TG_E_INVALID);
    assert_int_equal(tg_proxy_check("10.0.0.0/8 ::1", &error), TG_E_INVALID);
    assert_int_equal(tg_proxy_check("10.0.0.0/8,,::1", &error), TG_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_client_from_a_trusted_proxy),
        cmocka_unit_test(believes_nobody_else),
        cmocka_unit_test(knows_a_trusted_proxy_by_whatever_block_it_is_in),
        cmocka_unit_test(goes_left_only_as_long_as_proxies_are_trusted),
        cmocka_unit_test(stops_at_what_makes_no_sense),
        cmocka_unit_test(is_the_socket_itself_when_the_proxy_says_nothing),
        cmocka_unit_test(takes_the_scheme_from_the_proxy_that_saw_the_client),
        cmocka_unit_test(reads_the_one_header_that_the_setting_names),
        cmocka_unit_test(checks_the_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
