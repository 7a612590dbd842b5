#include "wire/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define LABEL_63 X60 "xxx"

struct row {
    struct tg_slice text;
    bool is_right;
};

#define RIGHT(text)                                                                                          \
    {                                                                                                        \
        {(text), sizeof(text) - 1}, true                                                                     \
    }
#define WRONG(text)                                                                                          \
    {                                                                                                        \
        {(text), sizeof(text) - 1}, false                                                                    \
    }

static void assert_rows(enum tg_format format, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tg_format_matches(format, rows[i].text) != rows[i].is_right)
            fail_msg("%s \"%.*s\" should be %s", tg_format_name(format), TG_SLICE_ARG(rows[i].text),
                     rows[i].is_right ? "right" : "wrong");
}

#define ASSERT_ROWS(format, rows) assert_rows((format), (rows), sizeof(rows) / sizeof(rows)[0])

static void finds_each_format_by_its_name(void **state)
{
    (void)state;
    for (int format = TG_FORMAT_NONE + 1; format < TG_FORMATS; format++)
        assert_int_equal(tg_format_find(tg_slice_of(tg_format_name((enum tg_format)format))), format);
    assert_int_equal(tg_format_find(TG_SLICE("datetime")), TG_FORMAT_DATETIME);
    assert_int_equal(tg_format_find(TG_SLICE("Email")), TG_FORMAT_NONE);
    assert_int_equal(tg_format_find(TG_SLICE("")), TG_FORMAT_NONE);
    assert_null(tg_format_name(TG_FORMAT_NONE));
}

static void takes_everything_for_no_format(void **state)
{
    (void)state;
    assert_true(tg_format_matches(TG_FORMAT_NONE, TG_SLICE("\x01")));
    assert_true(tg_format_matches(TG_FORMAT_NONE, (struct tg_slice){0}));
}

static void no_format_takes_the_empty_text_or_a_nul(void **state)
{
    (void)state;
    for (int format = TG_FORMAT_NONE + 1; format < TG_FORMATS; format++) {
        assert_false(tg_format_matches((enum tg_format)format, TG_SLICE("")));
        assert_false(tg_format_matches((enum tg_format)format, (struct tg_slice){0}));
        assert_false(tg_format_matches((enum tg_format)format, TG_SLICE("\0")));
    }
}

static void dates_are_days_that_exist(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("2025-05-11"),   RIGHT("0000-01-01"),     RIGHT("9999-12-31"),        RIGHT("2024-02-29"),
        RIGHT("2000-02-29"),   WRONG("1900-02-29"),     WRONG("2025-02-29"),        WRONG("2024-02-30"),
        WRONG("2025-04-31"),   RIGHT("2025-04-30"),     WRONG("2025-13-01"),        WRONG("2025-00-01"),
        WRONG("2025-01-00"),   WRONG("2025-01-32"),     WRONG("2025-1-1"),          WRONG("25-01-01"),
        WRONG("12025-01-01"),  WRONG("2025/01/01"),     WRONG("20250101"),          WRONG("2025-05-11Z"),
        WRONG("2025-05-11\n"), WRONG(" 2025-05-11"),    WRONG("-025-05-11"),        WRONG("2025-05"),
        WRONG("2025-05-1"),    WRONG("2025-05-\x31\0"), WRONG("2025-05-1\xD9\xA1"),
    };
    ASSERT_ROWS(TG_FORMAT_DATE, rows);
}

static void times_have_an_offset(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("14:30:00Z"),
        RIGHT("14:30:00z"),
        RIGHT("00:00:00+00:00"),
        RIGHT("23:59:59-23:59"),
        RIGHT("14:30:00.5+02:00"),
        RIGHT("14:30:00.000000000001Z"),
        WRONG("14:30:00"),
        WRONG("14:30Z"),
        WRONG("14:30:00.Z"),
        WRONG("14:30:00,5Z"),
        WRONG("24:00:00Z"),
        WRONG("14:60:00Z"),
        WRONG("14:30:61Z"),
        WRONG("14:30:00+24:00"),
        WRONG("14:30:00+02:60"),
        WRONG("14:30:00+0200"),
        WRONG("14:30:00+02"),
        WRONG("14:30:00 Z"),
        WRONG("14:30:00ZZ"),
        WRONG("1:30:00Z"),
        WRONG("14:30:00+2:00"),
        WRONG("14-30-00Z"),
        WRONG("14:30:00+02:00:00"),
        WRONG("T14:30:00Z"),
        WRONG("14:30:00\xE2\x88\x92"
              "02:00"),
    };
    ASSERT_ROWS(TG_FORMAT_TIME, rows);
}

static void a_leap_second_ends_a_day_of_utc(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("23:59:60Z"),      RIGHT("23:59:60.5Z"),    RIGHT("15:59:60-08:00"), RIGHT("01:29:60+01:30"),
        RIGHT("00:59:60+01:00"), RIGHT("23:29:60+23:30"), RIGHT("23:58:60-00:01"), RIGHT("00:58:60+00:59"),
        WRONG("23:59:60+01:00"), WRONG("22:59:60Z"),      WRONG("23:58:60Z"),      WRONG("00:00:60Z"),
        WRONG("00:59:60-01:00"), WRONG("23:59:60"),
    };
    ASSERT_ROWS(TG_FORMAT_TIME, rows);
}

static void a_datetime_is_a_date_and_a_time(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("2025-05-11T14:30:00Z"),
        RIGHT("2025-05-11t14:30:00z"),
        RIGHT("2025-05-11T14:30:00+02:00"),
        RIGHT("1990-12-31T15:59:60-08:00"),
        WRONG("2025-05-11 14:30:00Z"),
        WRONG("2025-05-11T14:30:00"),
        WRONG("2025-05-11"),
        WRONG("14:30:00Z"),
        WRONG("2025-02-30T14:30:00Z"),
        WRONG("2025-05-11T25:30:00Z"),
        WRONG("2025-05-11TT14:30:00Z"),
        WRONG("2025-05-11T"),
        WRONG("2025-05-11T14:30:00Z\n"),
        WRONG("2025-W19-7T14:30:00Z"),
    };
    ASSERT_ROWS(TG_FORMAT_DATETIME, rows);
}

static void uuids_are_five_groups_of_hexadecimal_digits(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        RIGHT("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"),
        RIGHT("00000000-0000-0000-0000-000000000000"),
        RIGHT("ffffffff-ffff-ffff-ffff-ffffffffffff"),
        WRONG("f81d4fae7dec11d0a76500a0c91e6bf6"),
        WRONG("g81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        WRONG("f81d4fa-e7dec-11d0-a765-00a0c91e6bf6"),
        WRONG("f81d4fae-7dec-11d0-a765-00a0c91e6bf"),
        WRONG("f81d4fae-7dec-11d0-a765-00a0c91e6bf6a"),
        WRONG("{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}"),
        WRONG("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    };
    ASSERT_ROWS(TG_FORMAT_UUID, rows);
}

static void hostnames_are_labels_between_dots(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("localhost"),
        RIGHT("example.org"),
        RIGHT("example.org."),
        RIGHT("xn--bcher-kva.example"),
        RIGHT("3com.com"),
        RIGHT("a"),
        RIGHT("1.2.3.4"),
        RIGHT("a--b"),
        RIGHT("EXAMPLE.org"),
        RIGHT(LABEL_63 ".org"),
        WRONG("x" LABEL_63 ".org"),
        WRONG("-a.org"),
        WRONG("a-.org"),
        WRONG("a..org"),
        WRONG(".org"),
        WRONG("."),
        WRONG("org.."),
        WRONG("a_b.org"),
        WRONG("a b"),
        WRONG("b\xC3\xBC"
              "cher.example"),
        WRONG("example.org\n"),
        WRONG("a/b"),
        /* 253 bytes, the same with the dot at its end, and 254 */
        RIGHT(LABEL_63 "." LABEL_63 "." LABEL_63 "." X60 "x"),
        RIGHT(LABEL_63 "." LABEL_63 "." LABEL_63 "." X60 "x."),
        WRONG(LABEL_63 "." LABEL_63 "." LABEL_63 "." X60 "xx"),
    };
    ASSERT_ROWS(TG_FORMAT_HOSTNAME, rows);
}

static void emails_are_a_dot_atom_and_a_domain(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("ann@example.org"),
        RIGHT("ann.lee+list@mail.example.co.uk"),
        RIGHT("!#$%&'*+-/=?^_`{|}~@a.b"),
        RIGHT("1@2.3"),
        RIGHT("Ann@EXAMPLE.ORG"),
        RIGHT(X60 "xxxx@a.org"),
        WRONG(X60 "xxxxx@a.org"),
        WRONG("ann"),
        WRONG("ann@"),
        WRONG("@example.org"),
        WRONG("ann@localhost"),
        WRONG("ann@example.org."),
        WRONG(".ann@example.org"),
        WRONG("ann.@example.org"),
        WRONG("an..n@example.org"),
        WRONG("ann@@example.org"),
        WRONG("ann@example@org.de"),
        WRONG("ann lee@example.org"),
        WRONG("\"ann lee\"@example.org"),
        WRONG("ann@[127.0.0.1]"),
        WRONG("Ann <ann@example.org>"),
        WRONG("ann@-a.org"),
        WRONG("ann@a-.org"),
        WRONG("ann@a_b.org"),
        WRONG("b\xC3\xBC"
              "cher@a.org"),
        WRONG("ann@b\xC3\xBC"
              "cher.org"),
        WRONG("ann@example.org\n"),
        WRONG("ann@.org"),
        WRONG("ann@x" LABEL_63 ".org"),
        WRONG("an\0n@example.org"),
        /* 254 bytes, and 255 */
        RIGHT("a@" LABEL_63 "." LABEL_63 "." LABEL_63 "." X60),
        WRONG("ab@" LABEL_63 "." LABEL_63 "." LABEL_63 "." X60),
    };
    ASSERT_ROWS(TG_FORMAT_EMAIL, rows);
}

static void ipv4_is_four_numbers_without_leading_zeros(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("127.0.0.1"),   RIGHT("0.0.0.0"),  RIGHT("255.255.255.255"), WRONG("256.0.0.1"),
        WRONG("127.0.0.01"),  WRONG("00.0.0.0"), WRONG("127.0.1"),         WRONG("127.0.0.0.1"),
        WRONG("127.0.0.1\n"), WRONG("127.0.0."), WRONG(" 127.0.0.1"),      WRONG("0x7f.0.0.1"),
        WRONG("2130706433"),  WRONG("::1"),      WRONG("127.0.0.1/8"),     WRONG("127.0.0.1\0"),
        WRONG("-1.0.0.0"),    WRONG("127..0.1"), WRONG("+127.0.0.1"),
    };
    ASSERT_ROWS(TG_FORMAT_IPV4, rows);
}

static void ipv6_is_eight_groups_or_fewer_and_a_gap(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("::"),
        RIGHT("::1"),
        RIGHT("1::"),
        RIGHT("2001:db8::8:800:200C:417A"),
        RIGHT("1:2:3:4:5:6:7:8"),
        RIGHT("1:2:3:4:5:6:7::"),
        RIGHT("::2:3:4:5:6:7:8"),
        RIGHT("::ffff:192.0.2.1"),
        RIGHT("1:2:3:4:5:6:1.2.3.4"),
        RIGHT("0000:0000::0000"),
        RIGHT("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"),
        WRONG("1:2:3:4:5:6:7"),
        WRONG("1:2:3:4:5:6:7:8:9"),
        WRONG("1:2:3:4:5:6:7:8::"),
        WRONG("1::2::3"),
        WRONG(":1"),
        WRONG("1:"),
        WRONG(":::"),
        WRONG("12345::"),
        WRONG("g::"),
        WRONG("::1%eth0"),
        WRONG("[::1]"),
        WRONG("::1/128"),
        WRONG("::1.2.3"),
        WRONG("::1.2.3.04"),
        WRONG("::256.0.0.1"),
        WRONG("1.2.3.4"),
        WRONG("::1\n"),
        WRONG("1.2.3.4::"),
        WRONG("::1\0"),
        WRONG("1:2:3:4:5:6:7:1.2.3.4"),
    };
    ASSERT_ROWS(TG_FORMAT_IPV6, rows);
}

static void urls_have_a_scheme_and_a_host(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("https://example.org"),
        RIGHT("https://example.org/a?b#c"),
        RIGHT("ws+unix://h"),
        RIGHT("http://a/?q=1&r=/?:@"),
        RIGHT("http://a#"),
        RIGHT("http://a?"),
        RIGHT("HTTP://A/"),
        RIGHT("http://a//b/../c;d=1,2/"),
        RIGHT("http://127.0.0.1/"),
        RIGHT("http://1.2.3.400/"),
        RIGHT("http://a_b.~c/"),
        WRONG("example.org"),
        WRONG("//example.org"),
        WRONG("https:example.org"),
        WRONG("https:/example.org"),
        WRONG("https://"),
        WRONG("https:///path"),
        WRONG("https://?q"),
        WRONG("mailto:ann@example.org"),
        WRONG("1http://a"),
        WRONG("://a"),
        WRONG("+a://a"),
        WRONG("h_t://a"),
        WRONG("http://a b"),
        WRONG("http://a/b c"),
        WRONG("http://a/<b>"),
        WRONG("http://a/#b#c"),
        WRONG("http://a/b\\c"),
        WRONG("http://a/\"b\""),
        WRONG("http://a/[b]"),
        WRONG("http://a?[b]"),
        WRONG("http://a/{b}"),
        WRONG("http://a/|"),
        WRONG("http://a/^"),
        WRONG("http://a/`"),
        WRONG("http://a/\n"),
        WRONG("http://a/b\xC3\xBC"),
        WRONG("http://b\xC3\xBC.org"),
        WRONG("http://a\\b"),
        WRONG("http://a/b\0"),
        WRONG(" http://a"),
    };
    ASSERT_ROWS(TG_FORMAT_URL, rows);
}

static void urls_encode_bytes_by_two_hexadecimal_digits(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("http://a/%20"), RIGHT("http://a%2d/"), RIGHT("http://%41@a/"), RIGHT("http://a?%fF#%0a"),
        WRONG("http://a/%"),   WRONG("http://a/%2"),  WRONG("http://a/%2g"),  WRONG("http://a/%g2"),
        WRONG("http://a%2/"),  WRONG("http://%@a/"),  WRONG("http://a?%"),    WRONG("http://a#%1"),
    };
    ASSERT_ROWS(TG_FORMAT_URL, rows);
}

static void urls_may_have_a_user_a_port_and_an_address(void **state)
{
    (void)state;
    static const struct row rows[] = {
        RIGHT("http://ann@a"),
        RIGHT("http://ann:pw:x@a:80/"),
        RIGHT("http://@a"),
        RIGHT("http://a:0"),
        RIGHT("http://a:65535/"),
        RIGHT("http://a:00080?"),
        RIGHT("http://a:/"),
        RIGHT("http://[::1]"),
        RIGHT("http://u@[2001:db8::1]:80/x"),
        WRONG("http://a:65536"),
        WRONG("http://a:99999999999999999999"),
        WRONG("http://a:8o"),
        WRONG("http://a:-1"),
        WRONG("http://a:80:80"),
        WRONG("http://a@b@c"),
        WRONG("http://ann@"),
        WRONG("http://ann@:80"),
        WRONG("http://:80"),
        WRONG("http://[::1"),
        WRONG("http://::1"),
        WRONG("http://[]"),
        WRONG("http://[::1%25eth0]"),
        WRONG("http://[::1]80"),
        WRONG("http://[1.2.3.4]"),
        WRONG("http://[v1.a]"),
        WRONG("http://a[::1]"),
        WRONG("http://[a@b]"),
    };
    ASSERT_ROWS(TG_FORMAT_URL, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_each_format_by_its_name),
        cmocka_unit_test(takes_everything_for_no_format),
        cmocka_unit_test(no_format_takes_the_empty_text_or_a_nul),
        cmocka_unit_test(dates_are_days_that_exist),
        cmocka_unit_test(times_have_an_offset),
        cmocka_unit_test(a_leap_second_ends_a_day_of_utc),
        cmocka_unit_test(a_datetime_is_a_date_and_a_time),
        cmocka_unit_test(uuids_are_five_groups_of_hexadecimal_digits),
        cmocka_unit_test(hostnames_are_labels_between_dots),
        cmocka_unit_test(emails_are_a_dot_atom_and_a_domain),
        cmocka_unit_test(ipv4_is_four_numbers_without_leading_zeros),
        cmocka_unit_test(ipv6_is_eight_groups_or_fewer_and_a_gap),
        cmocka_unit_test(urls_have_a_scheme_and_a_host),
        cmocka_unit_test(urls_encode_bytes_by_two_hexadecimal_digits),
        cmocka_unit_test(urls_may_have_a_user_a_port_and_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
