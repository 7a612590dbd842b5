/* Answers that a spec has prepared for requests of tide.http and for programs of tide.process.
 *
 * A stub is a pattern of Lua, or the text itself, and an answer: a table, or a function that makes one. The
 * one that was made last is asked first.
 */
#ifndef TG_KIT_STUB_H
#define TG_KIT_STUB_H

#include "base/slice.h"
#include "base/status.h"

#include <lua.h>

#include <stdint.h>

struct tg_kit_app;

struct tg_kit_question {
    const char *kind;        /* "http", "process" */
    struct tg_slice subject; /* what patterns are matched with: "GET https://example.org/" */
    /* Pushes the table that a function of the spec's is called with. [-0, +1, e] */
    void (*push_request)(lua_State *L, void *context);
    /* Reads the answer, a table on top; an error is the spec's mistake. [-0, +0, e] */
    void (*read)(lua_State *L, void *context);
    void *context;
};

/* Finds the stub and has its answer read. TG_E_NOT_FOUND: there is none. TG_E_SCRIPT: `error` says what is
 * wrong with it. Never raises. */
enum tg_status tg_kit_stub_ask(struct tg_kit_app *app, const struct tg_kit_question *question,
                               struct tg_error *error);

/* app:stub_http(pattern, answer), app:stub_process(pattern, answer) */
int tg_kit_stub_http(lua_State *L);
int tg_kit_stub_process(lua_State *L);

/* Seconds in the field `delay` of the answer on top, as milliseconds. [-0, +0, e] */
uint64_t tg_kit_stub_delay_ms(lua_State *L);

#endif
