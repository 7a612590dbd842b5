/* From the options of app:connect to what an HTTP library would have made of a request. */
#ifndef TG_KIT_REQUEST_H
#define TG_KIT_REQUEST_H

#include "base/arena.h"
#include "core/registry.h"
#include "core/request.h"

#include <lua.h>

/* Reads path, query, peer and headers of the table at `index` into `parts`; all slices lie in the arena.
 * Raises what is no request. The path is decoded as net/head.c has it decoded; its data is NULL where that
 * one trusts none. [-0, +0, e] */
void tg_kit_request_read(lua_State *L, int index, struct tg_arena *arena, struct tg_request *parts);

/* Leaves only the headers that are kept of a request to a consumer, or a route, which has declared these. */
void tg_kit_request_keep(struct tg_request *parts, const struct tg_texts *declared);

/* The value of a header, by its name in lower case; empty: there is none. */
struct tg_slice tg_kit_request_header(const struct tg_request *parts, const char *name);

#endif
