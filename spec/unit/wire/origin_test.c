/* Which page may connect: origins, hosts, and what a consumer declares of them. */
#include "wire/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool is_origin(const char *text)
{
    struct tg_origin origin;
    return tg_origin_read(tg_slice_of(text), &origin);
}

static bool is_same(const char *host, bool is_secure, const char *text)
{
    struct tg_origin own, origin;
    return tg_origin_of_host(tg_slice_of(host), is_secure, &own) &&
           tg_origin_read(tg_slice_of(text), &origin) && tg_origin_matches(&own, &origin);
}

static bool lets_in(const char *declared, const char *text)
{
    struct tg_origin pattern, origin;
    assert_null(tg_origin_read_pattern(tg_slice_of(declared), &pattern));
    assert_true(tg_origin_read(tg_slice_of(text), &origin));
    return tg_origin_matches(&pattern, &origin);
}

static void reads_what_a_browser_sends(void **state)
{
    (void)state;
    assert_true(is_origin("https://example.org"));
    assert_true(is_origin("http://localhost:8000"));
    assert_true(is_origin("http://127.0.0.1"));
    assert_true(is_origin("http://[::1]:8000"));
    assert_true(is_origin("https://xn--bcher-kva.example"));
    assert_true(is_origin("chrome-extension://abcdefghijklmnop"));
    assert_true(is_origin("capacitor://localhost"));
}

static void takes_nothing_else_for_an_origin(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "null",
        "*",
        "example.org",
        "//example.org",
        "https://",
        "https:///",
        "https://example.org/",
        "https://example.org/a",
        "https://example.org?a",
        "https://example.org#a",
        "https://user@example.org",
        "https://example.org:",
        "https://example.org:0",
        "https://example.org:65536",
        "https://example.org:8o",
        "https://example..org",
        "https://.example.org",
        "https://[::1",
        "https://[1.2.3.4]",
        "https://[::1]:443:1",
        "https://[fe80::1%eth0]",
        "https://exa mple.org",
        "https://\xC3\xBC.example",
        "1https://example.org",
        " https://example.org",
        "https://example.org ",
        "https://a.example, https://b.example",
        "https://a.example https://b.example",
        "https://*.example.org",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_false(is_origin(wrong[i]));
    struct tg_origin origin;
    assert_false(tg_origin_read((struct tg_slice){"https://a\0.example", 18}, &origin));
}

static void is_the_same_when_scheme_host_and_port_are(void **state)
{
    (void)state;
    assert_true(is_same("example.org", true, "https://example.org"));
    assert_true(is_same("example.org:443", true, "https://example.org"));
    assert_true(is_same("example.org", true, "https://example.org:443"));
    assert_true(is_same("EXAMPLE.org", false, "http://Example.ORG"));
    assert_true(is_same("127.0.0.1:8000", false, "http://127.0.0.1:8000"));
    assert_true(is_same("[::1]:8000", false, "http://[0:0:0:0:0:0:0:1]:8000"));
    assert_false(is_same("example.org", false, "https://example.org"));
    assert_false(is_same("example.org", true, "http://example.org"));
    assert_false(is_same("example.org:8000", false, "http://example.org"));
    assert_false(is_same("example.org", false, "http://example.org:8000"));
    assert_false(is_same("example.org", true, "https://www.example.org"));
    assert_false(is_same("example.org.", true, "https://example.org"));
    assert_false(is_same("example.org", true, "https://example.org.evil.example"));
    assert_false(is_same("localhost:8000", false, "http://127.0.0.1:8000"));
    assert_false(is_same("example.org", true, "wss://example.org"));
}

static void is_near_when_nobody_else_can_own_the_name(void **state)
{
    static const struct {
        const char *text;
        bool is_near;
    } rows[] = {
        {"http://localhost", true},
        {"http://localhost:8000", true},
        {"http://LocalHost", true},
        {"http://app.localhost:1", true},
        {"http://box", true},
        {"http://box.local", true},
        {"http://127.0.0.1:8000", true},
        {"http://192.0.2.7", true},
        {"http://[::1]:8000", true},
        {"http://evil.example", false},
        {"http://localhost.evil", false},
        {"http://a.xlocalhost", false},
        {"http://127.0.0.1.nip.io", false},
        {"http://box.", false},
        {"http://1.2.3", false},
        {"http://.local", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_origin origin;
        bool is_near = tg_origin_read(tg_slice_of(rows[i].text), &origin) && tg_origin_is_near(&origin);
        if (is_near != rows[i].is_near) fail_msg("%s", rows[i].text);
    }
}

static void has_no_origin_without_a_host(void **state)
{
    (void)state;
    assert_false(is_same("", false, "http://example.org"));
    assert_false(is_same("example.org/a", false, "http://example.org"));
    assert_false(is_same("example.org, example.org", false, "http://example.org"));
    assert_false(is_same("user@example.org", false, "http://example.org"));
}

static void lets_in_what_is_declared(void **state)
{
    (void)state;
    assert_true(lets_in("https://example.org", "https://example.org"));
    assert_true(lets_in("HTTPS://Example.ORG:443", "https://example.org"));
    assert_true(lets_in("http://localhost:5173", "http://localhost:5173"));
    assert_true(lets_in("tauri://localhost", "tauri://localhost"));
    assert_true(lets_in("*", "https://anything.example:1"));
    assert_false(lets_in("https://example.org", "http://example.org"));
    assert_false(lets_in("https://example.org", "https://example.org:8443"));
    assert_false(lets_in("https://example.org", "https://sub.example.org"));
    assert_false(lets_in("https://example.org:1", "https://example.org:2"));
}

static void lets_in_every_host_below_a_wildcard_but_not_its_own(void **state)
{
    (void)state;
    assert_true(lets_in("https://*.example.org", "https://a.example.org"));
    assert_true(lets_in("https://*.example.org", "https://a.b.example.org"));
    assert_true(lets_in("https://*.example.org:8443", "https://A.Example.org:8443"));
    assert_false(lets_in("https://*.example.org", "https://example.org"));
    assert_false(lets_in("https://*.example.org", "https://aexample.org"));
    assert_false(lets_in("https://*.example.org", "https://a.example.org.evil.example"));
    assert_false(lets_in("https://*.example.org", "http://a.example.org"));
    assert_false(lets_in("https://*.example.org", "https://a.example.org:8443"));
}

static void says_what_is_wrong_with_a_declared_origin(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } wrong[] = {
        {"example.org", "does not begin with a scheme, as in https://example.org"},
        {"", "does not begin with a scheme, as in https://example.org"},
        {"https://", "has no host"},
        {"https://example.org/", "has a path, and an origin has none, not even a \"/\" at its end"},
        {"https://*.example.org/a", "has a path, and an origin has none, not even a \"/\" at its end"},
        {"https://me@example.org", "has a user name, and an origin has none"},
        {"https://a*.example.org",
         "has a \"*\" that does not stand for whole labels in front, as in https://*.example.org"},
        {"https://*",
         "has a \"*\" that does not stand for whole labels in front, as in https://*.example.org"},
        {"https://*.org", "is all of a top-level domain; name the hosts, or the domain below it"},
        {"https://example.org:99999", "has no host that could be one, or a port that is none"},
        {"https://exa mple.org", "has no host that could be one, or a port that is none"},
        {"null", "is the origin of every page that hides its own; \"*\" lets in all, if that is meant"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct tg_origin pattern;
        const char *fault = tg_origin_read_pattern(tg_slice_of(wrong[i].text), &pattern);
        assert_non_null(fault);
        assert_string_equal(fault, wrong[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_a_browser_sends),
        cmocka_unit_test(takes_nothing_else_for_an_origin),
        cmocka_unit_test(is_the_same_when_scheme_host_and_port_are),
        cmocka_unit_test(is_near_when_nobody_else_can_own_the_name),
        cmocka_unit_test(has_no_origin_without_a_host),
        cmocka_unit_test(lets_in_what_is_declared),
        cmocka_unit_test(lets_in_every_host_below_a_wildcard_but_not_its_own),
        cmocka_unit_test(says_what_is_wrong_with_a_declared_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
