/* Formats of strings, by the names that scripts use; what JSON Schema (draft 2020-12, 7.3) means by them.
 *
 * Each follows its own source: RFC 3339 for dates and times, RFC 9562 for UUIDs, RFC 1123 for host
 * names, RFC 5321 for addresses of mail (the part that people have), RFC 3986 for URLs, RFC 4291 for
 * addresses of IPv6. Nothing is looked up: a format says how a text is written, not whether it is true.
 */
#ifndef TG_WIRE_FORMAT_H
#define TG_WIRE_FORMAT_H

#include "base/slice.h"

#include <stdbool.h>

enum tg_format {
    TG_FORMAT_NONE,
    TG_FORMAT_EMAIL,
    TG_FORMAT_URL,  /* absolute, with a host: "https://example.org/a?b#c" */
    TG_FORMAT_UUID, /* 8-4-4-4-12 hexadecimal digits */
    TG_FORMAT_DATE, /* "2025-05-11" */
    TG_FORMAT_TIME, /* "14:30:00Z", "14:30:00.5+02:00": with its offset */
    TG_FORMAT_DATETIME,
    TG_FORMAT_HOSTNAME, /* "localhost", "example.org", "example.org." */
    TG_FORMAT_IPV4,     /* "127.0.0.1"; a number has no leading zeros */
    TG_FORMAT_IPV6,     /* "::1"; without a zone */
    TG_FORMATS,         /* how many there are */
};

/* The name that scripts use ("email"; "url" and "datetime" are called otherwise in JSON Schema: "uri",
 * "date-time"); NULL for TG_FORMAT_NONE. */
const char *tg_format_name(enum tg_format format);

/* The format called `name`; TG_FORMAT_NONE when there is none. */
enum tg_format tg_format_find(struct tg_slice name);

/* Whether `text` (valid UTF-8) is of the format; everything is of TG_FORMAT_NONE. */
bool tg_format_matches(enum tg_format format, struct tg_slice text);

#endif
