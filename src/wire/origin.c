/* A browser writes an origin in one way only (RFC 6454 6.2): lower case, no default port, no path. What is
 * written otherwise is read as well as long as its meaning is clear, since people declare origins too.
 */
#include "wire/origin.h"

#include "wire/cidr.h"

#include <strings.h>

enum { HOST_BYTES_MAX = 255, PORT_HTTP = 80, PORT_HTTPS = 443 };

#define SCHEME_END "://"

static bool equals(struct tg_slice a, struct tg_slice b)
{
    return a.length == b.length && (a.length == 0 || strncasecmp(a.data, b.data, a.length) == 0);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint16_t default_port(struct tg_slice scheme)
{
    if (equals(scheme, TG_SLICE("http"))) return PORT_HTTP;
    return equals(scheme, TG_SLICE("https")) ? PORT_HTTPS : 0;
}

/* RFC 3986 3.1 */
static bool is_scheme(struct tg_slice text)
{
    if (text.length == 0 || !is_letter(text.data[0])) return false;
    for (size_t i = 1; i < text.length; i++) {
        char c = text.data[i];
        if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return false;
    }
    return true;
}

/* A name of labels, or an IPv6 address in brackets. Names in other scripts come as xn--; '_' stands in names
 * of test hosts. */
static bool is_host(struct tg_slice text)
{
    struct tg_address address;
    uint16_t port;
    if (text.length == 0 || text.length > HOST_BYTES_MAX) return false;
    if (text.data[0] == '[')
        return tg_endpoint_read(text, &address, &port) && port == 0 && !memchr(text.data, '%', text.length);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool is_dot = c == '.' && i > 0 && text.data[i - 1] != '.';
        if (!is_dot && !is_letter(c) && !is_digit(c) && c != '-' && c != '_') return false;
    }
    return true;
}

/* Splits "host:port", and reads the port; without one it stays. */
static bool split_port(struct tg_slice *host, uint16_t *port)
{
    const char *bracket = memchr(host->data, ']', host->length);
    const char *begin = bracket ? bracket : host->data, *end = host->data + host->length;
    const char *colon = memchr(begin, ':', (size_t)(end - begin));
    unsigned value = 0;
    if (!colon) return true;
    host->length = (size_t)(colon - host->data);
    if (end - colon < 2 || end - colon > 6) return false;
    for (const char *p = colon + 1; p < end; p++) {
        if (!is_digit(*p)) return false;
        value = value * 10 + (unsigned)(*p - '0');
    }
    *port = (uint16_t)value;
    return value > 0 && value <= UINT16_MAX;
}

/* Takes "scheme://" off the front of `text`. */
static bool take_scheme(struct tg_slice *text, struct tg_slice *scheme)
{
    const char *end = text->length ? memmem(text->data, text->length, SCHEME_END, strlen(SCHEME_END)) : NULL;
    if (!end) return false;
    *scheme = (struct tg_slice){text->data, (size_t)(end - text->data)};
    text->data += scheme->length + strlen(SCHEME_END);
    text->length -= scheme->length + strlen(SCHEME_END);
    return is_scheme(*scheme);
}

bool tg_origin_read(struct tg_slice text, struct tg_origin *origin)
{
    *origin = (struct tg_origin){0};
    if (!take_scheme(&text, &origin->scheme)) return false;
    origin->port = default_port(origin->scheme);
    origin->host = text;
    return text.length && split_port(&origin->host, &origin->port) && is_host(origin->host);
}

bool tg_origin_of_host(struct tg_slice host, bool is_secure, struct tg_origin *origin)
{
    *origin = (struct tg_origin){.scheme = is_secure ? TG_SLICE("https") : TG_SLICE("http"), .host = host};
    origin->port = default_port(origin->scheme);
    return host.length && split_port(&origin->host, &origin->port) && is_host(origin->host);
}

/* ---- patterns ---- */

static const char *find_fault(struct tg_slice rest)
{
    if (rest.length == 0) return "has no host";
    if (memchr(rest.data, '/', rest.length))
        return "has a path, and an origin has none, not even a \"/\" at its end";
    if (memchr(rest.data, '@', rest.length)) return "has a user name, and an origin has none";
    if (memchr(rest.data, '*', rest.length))
        return "has a \"*\" that does not stand for whole labels in front, as in https://*.example.org";
    return "has no host that could be one, or a port that is none";
}

const char *tg_origin_read_pattern(struct tg_slice text, struct tg_origin *pattern)
{
    *pattern = (struct tg_origin){0};
    if (tg_slice_equal(text, TG_SLICE("*"))) {
        pattern->is_any = true;
        return NULL;
    }
    if (equals(text, TG_SLICE("null")))
        return "is the origin of every page that hides its own; \"*\" lets in all, if that is meant";
    if (!take_scheme(&text, &pattern->scheme))
        return "does not begin with a scheme, as in https://example.org";
    pattern->is_below = text.length > 2 && memcmp(text.data, "*.", 2) == 0;
    pattern->host = text;
    if (pattern->is_below) pattern->host = (struct tg_slice){text.data + 2, text.length - 2};
    struct tg_slice rest = pattern->host;
    pattern->port = default_port(pattern->scheme);
    if (!rest.length || !split_port(&pattern->host, &pattern->port) || !is_host(pattern->host))
        return find_fault(rest);
    if (pattern->is_below && !memchr(pattern->host.data, '.', pattern->host.length))
        return "is all of a top-level domain; name the hosts, or the domain below it";
    return NULL;
}

static bool is_same_host(struct tg_slice a, struct tg_slice b)
{
    struct tg_address left, right;
    uint16_t port;
    if (equals(a, b)) return true;
    return a.length && b.length && a.data[0] == '[' && b.data[0] == '[' &&
           tg_endpoint_read(a, &left, &port) && tg_endpoint_read(b, &right, &port) &&
           memcmp(left.bytes, right.bytes, sizeof left.bytes) == 0;
}

/* "a.example.org" and "a.b.example.org" are below "example.org". */
static bool is_below(struct tg_slice host, struct tg_slice domain)
{
    if (host.length < domain.length + 2) return false;
    size_t labels = host.length - domain.length;
    return host.data[labels - 1] == '.' &&
           equals((struct tg_slice){host.data + labels, domain.length}, domain);
}

bool tg_origin_is_near(const struct tg_origin *origin)
{
    struct tg_address address;
    uint16_t port;
    return !memchr(origin->host.data, '.', origin->host.length) ||
           tg_endpoint_read(origin->host, &address, &port) || is_below(origin->host, TG_SLICE("localhost")) ||
           is_below(origin->host, TG_SLICE("local"));
}

bool tg_origin_matches(const struct tg_origin *pattern, const struct tg_origin *origin)
{
    if (pattern->is_any) return true;
    if (pattern->port != origin->port || !equals(pattern->scheme, origin->scheme)) return false;
    return pattern->is_below ? is_below(origin->host, pattern->host)
                             : is_same_host(pattern->host, origin->host);
}
