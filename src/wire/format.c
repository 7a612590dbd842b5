/* Each format is read from left to right by a `skip_` or `take_` for each part of its grammar; what is
 * left over at the end makes it wrong. The text may hold any character, U+0000 too.
 */
#include "wire/format.h"

#include <arpa/inet.h>
#include <stdint.h>

/* RFC 1035 2.3.4, RFC 1123 2.1; the length of a name is counted without the dot at its end. */
enum { LABEL_BYTES_MAX = 63, HOSTNAME_BYTES_MAX = 253 };

/* RFC 5321 4.5.3.1.1, and 4.5.3.1.3 less the angle brackets of a path. */
enum { EMAIL_LOCAL_BYTES_MAX = 64, EMAIL_BYTES_MAX = 254 };

enum { PORT_MAX = 65535 };

/* ---- characters ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alphanumeric(char c)
{
    return is_letter(c) || is_digit(c);
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* U+0000 is in no set, though strchr would find it in each. */
static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

/* ---- reading ---- */

static bool take_char(struct tg_slice *rest, char c)
{
    if (rest->length == 0 || rest->data[0] != c) return false;
    rest->data++;
    rest->length--;
    return true;
}

/* What stands before the first of the characters in `ends`, or everything. */
static struct tg_slice take_until(struct tg_slice *rest, const char *ends)
{
    size_t length = 0;
    while (length < rest->length && !is_one_of(rest->data[length], ends)) length++;
    struct tg_slice taken = {rest->data, length};
    rest->data += length;
    rest->length -= length;
    return taken;
}

/* A number of exactly two digits, from `min` to `max`. */
static bool take_two_digits(struct tg_slice *rest, int min, int max, int *value)
{
    if (rest->length < 2 || !is_digit(rest->data[0]) || !is_digit(rest->data[1])) return false;
    *value = 10 * (rest->data[0] - '0') + rest->data[1] - '0';
    rest->data += 2;
    rest->length -= 2;
    return *value >= min && *value <= max;
}

/* ---- RFC 3339 5.6: dates and times ---- */

/* RFC 3339 appendix C. */
static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && is_leap_year ? 29 : days[month - 1];
}

static bool take_date(struct tg_slice *rest)
{
    int century, year, month, day;
    if (!take_two_digits(rest, 0, 99, &century) || !take_two_digits(rest, 0, 99, &year)) return false;
    if (!take_char(rest, '-') || !take_two_digits(rest, 1, 12, &month)) return false;
    return take_char(rest, '-') && take_two_digits(rest, 1, days_in(100 * century + year, month), &day);
}

/* Minutes that the local time is ahead of UTC. */
static bool take_offset(struct tg_slice *rest, int *minutes)
{
    *minutes = 0;
    if (take_char(rest, 'Z') || take_char(rest, 'z')) return true;
    int hour, minute;
    bool is_behind = take_char(rest, '-');
    if (!is_behind && !take_char(rest, '+')) return false;
    if (!take_two_digits(rest, 0, 23, &hour) || !take_char(rest, ':')) return false;
    if (!take_two_digits(rest, 0, 59, &minute)) return false;
    *minutes = (is_behind ? -1 : 1) * (60 * hour + minute);
    return true;
}

static bool skip_fraction(struct tg_slice *rest)
{
    if (!take_char(rest, '.')) return true;
    size_t digits = 0;
    while (digits < rest->length && is_digit(rest->data[digits])) digits++;
    rest->data += digits;
    rest->length -= digits;
    return digits > 0;
}

/* RFC 3339 5.7: a leap second is the last of a day in UTC. */
static bool is_end_of_utc_day(int hour, int minute, int offset_minutes)
{
    enum { DAY_MINUTES = 24 * 60 };
    return (60 * hour + minute - offset_minutes + DAY_MINUTES) % DAY_MINUTES == DAY_MINUTES - 1;
}

static bool is_time(struct tg_slice text)
{
    int hour, minute, second, offset_minutes;
    if (!take_two_digits(&text, 0, 23, &hour) || !take_char(&text, ':')) return false;
    if (!take_two_digits(&text, 0, 59, &minute) || !take_char(&text, ':')) return false;
    if (!take_two_digits(&text, 0, 60, &second) || !skip_fraction(&text)) return false;
    if (!take_offset(&text, &offset_minutes) || text.length > 0) return false;
    return second < 60 || is_end_of_utc_day(hour, minute, offset_minutes);
}

static bool is_date(struct tg_slice text)
{
    return take_date(&text) && text.length == 0;
}

static bool is_datetime(struct tg_slice text)
{
    return take_date(&text) && (take_char(&text, 'T') || take_char(&text, 't')) && is_time(text);
}

/* ---- RFC 9562 4: UUIDs, of any version ---- */

static bool is_uuid(struct tg_slice text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.length != sizeof shape - 1) return false;
    for (size_t i = 0; i < text.length; i++)
        if (shape[i] == '-' ? text.data[i] != '-' : !is_hex(text.data[i])) return false;
    return true;
}

/* ---- RFC 1123 2.1: host names; RFC 5321 4.1.2: addresses of mail ---- */

static bool is_label(struct tg_slice text)
{
    if (text.length == 0 || text.length > LABEL_BYTES_MAX) return false;
    for (size_t i = 0; i < text.length; i++)
        if (!is_alphanumeric(text.data[i]) && text.data[i] != '-') return false;
    return text.data[0] != '-' && text.data[text.length - 1] != '-';
}

/* How many labels stand between the dots; 0: one of them is none. */
static size_t count_labels(struct tg_slice text)
{
    size_t labels = 0;
    do {
        if (!is_label(take_until(&text, "."))) return 0;
        labels++;
    } while (take_char(&text, '.'));
    return labels;
}

static bool is_hostname(struct tg_slice text)
{
    if (text.length > 0 && text.data[text.length - 1] == '.') text.length--;
    return text.length <= HOSTNAME_BYTES_MAX && count_labels(text) > 0;
}

/* RFC 5322 3.2.3 */
static bool is_atom(struct tg_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_alphanumeric(text.data[i]) && !is_one_of(text.data[i], "!#$%&'*+-/=?^_`{|}~")) return false;
    return text.length > 0;
}

static bool is_dot_atom(struct tg_slice text)
{
    do {
        if (!is_atom(take_until(&text, "."))) return false;
    } while (take_char(&text, '.'));
    return true;
}

/* A domain of one label is somebody's own network, or a mistake. */
static bool is_email(struct tg_slice text)
{
    if (text.length > EMAIL_BYTES_MAX) return false;
    struct tg_slice local = take_until(&text, "@");
    if (local.length > EMAIL_LOCAL_BYTES_MAX || !is_dot_atom(local)) return false;
    return take_char(&text, '@') && text.length <= HOSTNAME_BYTES_MAX && count_labels(text) >= 2;
}

/* ---- addresses of IP ---- */

/* inet_pton takes what the RFCs say, without leading zeros in IPv4; it wants a terminated text. */
static bool is_address(int family, struct tg_slice text)
{
    char terminated[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (text.length == 0 || text.length >= sizeof terminated) return false;
    memcpy(terminated, text.data, text.length);
    terminated[text.length] = '\0';
    return strlen(terminated) == text.length && inet_pton(family, terminated, address) == 1;
}

/* ---- RFC 3986: URLs ---- */

/* Whether the text has nothing but unreserved characters (2.3), sub-delims (2.2), percent-encoded bytes
 * (2.1) and those in `more`. */
static bool is_made_of(struct tg_slice text, const char *more)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%') {
            if (text.length - i < 3 || !is_hex(text.data[i + 1]) || !is_hex(text.data[i + 2])) return false;
            i += 2;
        } else if (!is_alphanumeric(c) && !is_one_of(c, "-._~!$&'()*+,;=") && !is_one_of(c, more)) {
            return false;
        }
    }
    return true;
}

/* 3.1 */
static bool is_scheme(struct tg_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_alphanumeric(text.data[i]) && !is_one_of(text.data[i], "+-.")) return false;
    return text.length > 0 && is_letter(text.data[0]);
}

/* 3.2.2; a text of digits and dots that is no address of IPv4 is a name. */
static bool take_host(struct tg_slice *rest)
{
    if (take_char(rest, '[')) return is_address(AF_INET6, take_until(rest, "]")) && take_char(rest, ']');
    struct tg_slice name = take_until(rest, ":");
    return name.length > 0 && is_made_of(name, "");
}

/* 3.2.3: the colon may stand there without a number. */
static bool is_port(struct tg_slice text)
{
    uint32_t port = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.data[i])) return false;
        port = 10 * port + (uint32_t)(text.data[i] - '0');
        if (port > PORT_MAX) return false;
    }
    return true;
}

/* 3.2 */
static bool is_authority(struct tg_slice text)
{
    struct tg_slice rest = text, userinfo = take_until(&rest, "@");
    if (take_char(&rest, '@')) {
        if (!is_made_of(userinfo, ":")) return false;
        text = rest;
    }
    if (!take_host(&text)) return false;
    return text.length == 0 || (take_char(&text, ':') && is_port(text));
}

static bool is_url(struct tg_slice text)
{
    if (!is_scheme(take_until(&text, ":"))) return false;
    if (!take_char(&text, ':') || !take_char(&text, '/') || !take_char(&text, '/')) return false;
    if (!is_authority(take_until(&text, "/?#"))) return false;
    if (!is_made_of(take_until(&text, "?#"), ":@/")) return false;
    if (take_char(&text, '?') && !is_made_of(take_until(&text, "#"), ":@/?")) return false;
    return take_char(&text, '#') ? is_made_of(text, ":@/?") : text.length == 0;
}

/* ---- all of them ---- */

static const char *const names[TG_FORMATS] = {
    [TG_FORMAT_EMAIL] = "email", [TG_FORMAT_URL] = "url",   [TG_FORMAT_UUID] = "uuid",
    [TG_FORMAT_DATE] = "date",   [TG_FORMAT_TIME] = "time", [TG_FORMAT_DATETIME] = "datetime",
    [TG_FORMAT_IPV4] = "ipv4",   [TG_FORMAT_IPV6] = "ipv6", [TG_FORMAT_HOSTNAME] = "hostname",
};

const char *tg_format_name(enum tg_format format)
{
    return names[format];
}

enum tg_format tg_format_find(struct tg_slice name)
{
    for (int format = TG_FORMAT_NONE + 1; format < TG_FORMATS; format++)
        if (tg_slice_equal(name, tg_slice_of(names[format]))) return (enum tg_format)format;
    return TG_FORMAT_NONE;
}

bool tg_format_matches(enum tg_format format, struct tg_slice text)
{
    switch (format) {
    case TG_FORMAT_EMAIL:
        return is_email(text);
    case TG_FORMAT_URL:
        return is_url(text);
    case TG_FORMAT_UUID:
        return is_uuid(text);
    case TG_FORMAT_DATE:
        return is_date(text);
    case TG_FORMAT_TIME:
        return is_time(text);
    case TG_FORMAT_DATETIME:
        return is_datetime(text);
    case TG_FORMAT_HOSTNAME:
        return is_hostname(text);
    case TG_FORMAT_IPV4:
        return is_address(AF_INET, text);
    case TG_FORMAT_IPV6:
        return is_address(AF_INET6, text);
    default:
        return true;
    }
}
