/* Paths of consumers: "/ws/room/{room_name}", "/orders/{id:int}", matched segment by segment; and the
 * patterns of topics, "room:{room_name}", which are the same with ':' between the segments.
 *
 * A parameter fills a whole segment, at least one byte of it: {name} anything but '/', {name:int} a decimal
 * int64_t (an optional '-' and digits, zeros in front included: "-0" and "007" are numbers, "+1" is none),
 * {name:slug} letters, digits, '-' and '_', {name:uuid} 8-4-4-4-12 hex digits,
 * {name:path} the rest, slashes included (last segment only).
 * The path to match is taken as the HTTP library hands it over, decoded once. In a topic ':' is what '/' is
 * in a path, and '/' is a letter like others.
 */
#ifndef TG_WIRE_ROUTE_H
#define TG_WIRE_ROUTE_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define TG_ROUTE_PARAMS_MAX 16
#define TG_ROUTE_SEGMENTS_MAX 64

enum tg_param_type { TG_PARAM_STRING, TG_PARAM_INTEGER, TG_PARAM_SLUG, TG_PARAM_UUID, TG_PARAM_PATH };

struct tg_route_segment {
    struct tg_slice text; /* the literal, or the parameter's name */
    bool is_param;
    enum tg_param_type type;
};

struct tg_route {
    struct tg_slice pattern; /* as declared */
    struct tg_route_segment *segments;
    uint32_t count;
    char separator; /* '/', or ':' of a topic */
};

struct tg_param {
    struct tg_slice name;  /* borrowed from the route */
    struct tg_slice value; /* borrowed from the path */
    enum tg_param_type type;
    int64_t integer; /* for TG_PARAM_INTEGER */
};

struct tg_params {
    struct tg_param items[TG_ROUTE_PARAMS_MAX];
    uint32_t count;
};

/* Compiles `pattern` (copied) into the arena. TG_E_INVALID: `error` says what and where.
 * A pattern begins with '/'; names are identifiers, each once; empty segments are refused but for
 * one at the end ("/ws/echo/" is not "/ws/echo"). */
enum tg_status tg_route_parse(struct tg_arena *arena, struct tg_slice pattern, struct tg_route **route,
                              struct tg_error *error);

/* The same for the pattern of a topic: no ':' in front, and no empty segment at all. */
enum tg_status tg_route_parse_topic(struct tg_arena *arena, struct tg_slice pattern, struct tg_route **route,
                                    struct tg_error *error);

/* Whether `path` is one of the route's; then `params` is filled. */
bool tg_route_match(const struct tg_route *route, struct tg_slice path, struct tg_params *params);

/* Which of two routes is asked first: literals before int, uuid, slug, string, path, from the left.
 * 0: they accept the same paths and differ at most in the names of parameters. */
int tg_route_compare(const struct tg_route *a, const struct tg_route *b);

#endif
