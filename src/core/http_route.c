/* Routes are kept in the order of tg_route_compare, as endpoints are; those of one path, one for each method,
 * stand side by side. The first that matches says which path it is. */
#include "core/http_route.h"

#include <string.h>

static const char *const names[TG_HTTP_METHODS] = {"GET",   "HEAD",   "POST",   "PUT",
                                                   "PATCH", "DELETE", "OPTIONS"};

const char *tg_http_method_name(enum tg_http_method method)
{
    return method < TG_HTTP_METHODS ? names[method] : NULL;
}

enum tg_http_method tg_http_method_of(struct tg_slice name)
{
    for (int method = 0; method < TG_HTTP_METHODS; method++)
        if (tg_slice_equal(name, tg_slice_of(names[method]))) return (enum tg_http_method)method;
    return TG_HTTP_UNKNOWN;
}

/* ---- declaring ---- */

/* What the gateway answers itself, before any route is asked. */
static bool is_reserved(struct tg_slice path)
{
    static const struct tg_slice alone[] = {TG_SLICE("/healthz"), TG_SLICE("/readyz"), TG_SLICE("/metrics"),
                                            TG_SLICE("/api"), TG_SLICE("/tidegate")};
    static const struct tg_slice below[] = {TG_SLICE("/api/"), TG_SLICE("/tidegate/")};
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
        if (tg_slice_equal(path, alone[i])) return true;
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        if (path.length > below[i].length && memcmp(path.data, below[i].data, below[i].length) == 0)
            return true;
    return false;
}

/* Room for the next power of two of the count, so that no capacity is kept. */
static bool make_room(struct tg_http_routes *routes, struct tg_arena *arena)
{
    bool is_full = (routes->count & (routes->count - 1)) == 0;
    if (!is_full) return true;
    size_t room = routes->count ? 2 * (size_t)routes->count : 1;
    struct tg_http_route **grown = tg_arena_calloc(arena, room, sizeof(void *));
    if (!grown) return false;
    if (routes->count) memcpy(grown, routes->items, routes->count * sizeof(void *));
    routes->items = grown;
    return true;
}

/* The name "POST /login" and the counters. */
static enum tg_status name_route(struct tg_http_route *route, struct tg_arena *arena)
{
    const char *method = names[route->method];
    size_t method_bytes = strlen(method), bytes = method_bytes + 1 + route->route->pattern.length;
    char *name = tg_arena_alloc(arena, bytes + 1);
    route->handler = tg_arena_calloc(arena, 1, sizeof *route->handler);
    if (!name || !route->handler) return TG_E_NO_MEMORY;
    memcpy(name, method, method_bytes);
    name[method_bytes] = ' ';
    memcpy(name + method_bytes + 1, route->route->pattern.data, route->route->pattern.length);
    name[bytes] = '\0';
    route->name = (struct tg_slice){name, bytes};
    *route->handler =
        (struct tg_handler){.consumer = route->route->pattern, .name = tg_slice_of(method), .is_route = true};
    return TG_OK;
}

enum tg_status tg_http_routes_add(struct tg_http_routes *routes, struct tg_arena *arena,
                                  struct tg_http_route *route, struct tg_slice pattern,
                                  struct tg_error *error)
{
    enum tg_status status = tg_route_parse(arena, pattern, &route->route, error);
    if (status != TG_OK) return status;
    if (is_reserved(pattern))
        return tg_error_set(error, TG_E_INVALID,
                            "The path \"%.*s\" is the gateway's own: /api, /tidegate and what is below them, "
                            "/healthz, /readyz, /metrics. Choose another.",
                            TG_SLICE_ARG(pattern));
    uint32_t at = 0;
    for (; at < routes->count; at++) {
        const struct tg_http_route *there = routes->items[at];
        int order = tg_route_compare(route->route, there->route);
        if (order == 0 && there->method == route->method)
            return tg_error_set(error, TG_E_EXISTS,
                                "The routes %.*s (%.*s) and %s %.*s (%.*s) are the same to a client: change "
                                "or remove one.",
                                TG_SLICE_ARG(there->name), TG_SLICE_ARG(there->source), names[route->method],
                                TG_SLICE_ARG(pattern), TG_SLICE_ARG(route->source));
        if (order < 0) break;
    }
    status = name_route(route, arena);
    if (status != TG_OK || !make_room(routes, arena)) return TG_E_NO_MEMORY;
    memmove(routes->items + at + 1, routes->items + at, (routes->count - at) * sizeof(void *));
    routes->items[at] = route;
    routes->count++;
    return TG_OK;
}

/* ---- finding ---- */

static bool serves(const struct tg_http_route *route, enum tg_http_method method)
{
    return route->method == method || (route->method == TG_HTTP_GET && method == TG_HTTP_HEAD);
}

void tg_http_routes_find(const struct tg_http_routes *routes, enum tg_http_method method,
                         struct tg_slice path, struct tg_http_match *match)
{
    const struct tg_http_route *first = NULL;
    *match = (struct tg_http_match){0};
    if (!path.data) return;
    for (uint32_t i = 0; i < routes->count; i++) {
        const struct tg_http_route *route = routes->items[i];
        struct tg_params params;
        if (first && tg_route_compare(first->route, route->route) != 0) return;
        if (!tg_route_match(route->route, path, &params)) continue;
        first = route;
        match->methods |= 1u << route->method;
        if (!serves(route, method)) continue;
        match->route = route;
        match->params = params;
    }
}

void tg_http_methods_write(uint32_t methods, struct tg_buf *out)
{
    if (methods & 1u << TG_HTTP_GET) methods |= 1u << TG_HTTP_HEAD;
    methods |= 1u << TG_HTTP_OPTIONS;
    bool is_first = true;
    for (int method = 0; method < TG_HTTP_METHODS; method++) {
        if (!(methods & 1u << method)) continue;
        tg_buf_printf(out, is_first ? "%s" : ", %s", names[method]);
        is_first = false;
    }
}
