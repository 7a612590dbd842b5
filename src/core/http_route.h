/* What one load declared with tide.route: which function answers which requests.
 *
 * Part of the registry (registry.h), in whose arena all of it lies. A path may have one route for each
 * method; which path a request is for is decided first, by the order of wire/route.h, then its method.
 */
#ifndef TG_CORE_HTTP_ROUTE_H
#define TG_CORE_HTTP_ROUTE_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/handler.h"
#include "core/texts.h"
#include "wire/origin.h"
#include "wire/route.h"
#include "wire/schema.h"

#include <stdbool.h>
#include <stdint.h>

enum tg_http_method {
    TG_HTTP_GET,
    TG_HTTP_HEAD,
    TG_HTTP_POST,
    TG_HTTP_PUT,
    TG_HTTP_PATCH,
    TG_HTTP_DELETE,
    TG_HTTP_OPTIONS,
    TG_HTTP_METHODS,
    TG_HTTP_UNKNOWN = TG_HTTP_METHODS, /* any other, which no route has */
};

struct tg_http_route {
    enum tg_http_method method;
    struct tg_route *route;
    struct tg_slice name;            /* "POST /login/{name}" */
    struct tg_slice source;          /* file:line of the declaration */
    const struct tg_schema *payload; /* of the body; of kind TG_SCHEMA_NULL: taken as it is */
    const void *script_output;       /* what is declared of what it answers; the script's own, in the arena */
    struct tg_texts headers;         /* of requests, kept beside the common ones, lower case */
    const struct tg_origin *origins; /* whose pages may ask, beside the same origin: patterns */
    uint32_t origin_count;
    bool is_login;           /* a 401 of it is an attempt that failed (attempts.h) */
    uint64_t timeout_ms;     /* 0: handler_timeout_ms */
    uint64_t max_body_bytes; /* 0: max_body_bytes of the settings */
    struct tg_slice summary, description;
    struct tg_texts tags;
    int script_ref;             /* the handler */
    struct tg_handler *handler; /* its counters, in the arena; made by tg_http_routes_add */
};

struct tg_http_routes {
    struct tg_http_route **items; /* in the order in which they are asked */
    uint32_t count;
};

/* What is found for a path and a method. */
struct tg_http_match {
    const struct tg_http_route *route; /* NULL: none has the method */
    struct tg_params params;           /* values borrowed from the path */
    uint32_t methods;                  /* that the path has, as bits; 0: no route is for the path */
};

/* "POST"; NULL for TG_HTTP_UNKNOWN. */
const char *tg_http_method_name(enum tg_http_method method);

/* By its name, which is case-sensitive (RFC 9110 9.1). */
enum tg_http_method tg_http_method_of(struct tg_slice name);

/* Whether a request of this method changes nothing (RFC 9110 9.2.1). */
static inline bool tg_http_method_is_safe(enum tg_http_method method)
{
    return method == TG_HTTP_GET || method == TG_HTTP_HEAD || method == TG_HTTP_OPTIONS;
}

/* Adds a route that lies in `arena`, with the path `pattern` (copied). TG_E_INVALID: a bad pattern, or a path
 * that the gateway keeps for itself. TG_E_EXISTS: another has method and path; `error` names both sources. */
enum tg_status tg_http_routes_add(struct tg_http_routes *routes, struct tg_arena *arena,
                                  struct tg_http_route *route, struct tg_slice pattern,
                                  struct tg_error *error);

/* HEAD finds the route of GET. */
void tg_http_routes_find(const struct tg_http_routes *routes, enum tg_http_method method,
                         struct tg_slice path, struct tg_http_match *match);

/* Appends "GET, HEAD, OPTIONS": all that a path answers (RFC 9110 10.2.1). */
void tg_http_methods_write(uint32_t methods, struct tg_buf *out);

#endif
