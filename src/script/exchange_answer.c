/* Headers are written in byte order of their names: the order of a table's keys differs from run to run. What
 * they hold is checked, since a line break in one would be a header, or an answer, of its own.
 */
#include "script/exchange_answer.h"

#include "base/log.h"
#include "core/dev.h"
#include "core/worker.h"
#include "script/failure_place.h"
#include "script/outgoing.h"
#include "script/place.h"
#include "script/to_json.h"
#include "wire/handshake.h"
#include "wire/json.h"
#include "wire/message.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of all headers together: what every browser and proxy takes. */
enum { HEADERS_BYTES_MAX = 8192 };

_Noreturn static void fail(lua_State *L, const struct tg_exchange *exchange, const char *what)
{
    luaL_error(L, "%s: the handler of '%s' returned %s", exchange->route->source.data,
               exchange->route->name.data, what);
    abort();
}

/* ---- status ---- */

static unsigned read_status(lua_State *L, int index, const struct tg_exchange *exchange)
{
    int is_integer;
    lua_Integer status = lua_tointegerx(L, index, &is_integer);
    if (lua_type(L, index) == LUA_TNUMBER && is_integer && status >= 200 && status <= 599)
        return (unsigned)status;
    const char *got =
        lua_type(L, index) == LUA_TNUMBER ? luaL_tolstring(L, index, NULL) : tg_place_push_kind(L, index);
    fail(L, exchange,
         lua_pushfstring(L,
                         "%s as its status: it is an integer from 200 to 599, as in "
                         "`return 200, { id = 7 }`",
                         got));
}

/* RFC 9110 6.4.1 */
static bool has_no_body(unsigned status)
{
    return status == 204 || status == 205 || status == 304;
}

/* ---- headers ---- */

/* What would break the framing of the answer, which is ours. */
static bool is_ours(struct tg_slice name)
{
    static const char *const ours[] = {"connection", "content-length",    "keep-alive", "te",
                                       "trailer",    "transfer-encoding", "upgrade"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (name.length == strlen(ours[i]) && strncasecmp(name.data, ours[i], name.length) == 0) return true;
    return false;
}

/* RFC 9110 5.5: no control characters but the tab. */
static bool is_value(struct tg_slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static bool is_named(struct tg_slice name, const char *other)
{
    return name.length == strlen(other) && strncasecmp(name.data, other, name.length) == 0;
}

struct headers {
    struct tg_exchange *exchange;
    bool has_cache_control, has_content_type_options;
};

/* The value at the top, of the header `name`. [-0, +0, e] */
static void add_value(lua_State *L, struct headers *headers, struct tg_slice name)
{
    struct tg_exchange *exchange = headers->exchange;
    struct tg_http_answer *answer = &exchange->answer;
    struct tg_slice value;
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        fail(L, exchange,
             lua_pushfstring(L, "%s as the header '%s': it is a string, or a list of them",
                             tg_place_push_kind(L, -1), name.data));
    value.data = luaL_tolstring(L, -1, &value.length);
    if (!is_value(value))
        fail(L, exchange,
             lua_pushfstring(L, "a header '%s' with a line break or another control character", name.data));
    if (is_named(name, "content-type")) {
        tg_buf_truncate(&answer->type, 0);
        tg_buf_append_slice(&answer->type, value);
    } else {
        tg_buf_append_slice(&answer->headers, name);
        tg_buf_append_literal(&answer->headers, ": ");
        tg_buf_append_slice(&answer->headers, value);
        tg_buf_append_literal(&answer->headers, "\r\n");
    }
    lua_pop(L, 1);
    headers->has_cache_control |= is_named(name, "cache-control");
    headers->has_content_type_options |= is_named(name, "x-content-type-options");
    if (answer->headers.length + answer->type.length > HEADERS_BYTES_MAX)
        fail(L, exchange, lua_pushfstring(L, "headers of more than %d bytes", HEADERS_BYTES_MAX));
}

/* The value or the list of values on top. */
static void add_header(lua_State *L, struct headers *headers, struct tg_slice name)
{
    if (!tg_handshake_is_token(name))
        fail(L, headers->exchange,
             lua_pushfstring(L, "a header with the name '%s', which is none", name.data));
    if (is_ours(name))
        fail(L, headers->exchange,
             lua_pushfstring(L, "the header '%s', which is the gateway's own: leave it out", name.data));
    if (!lua_istable(L, -1)) {
        add_value(L, headers, name);
        return;
    }
    lua_Unsigned count = lua_rawlen(L, -1);
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        add_value(L, headers, name);
        lua_pop(L, 1);
    }
}

static void write_headers(struct tg_world *world, lua_State *L, int index, struct tg_exchange *exchange)
{
    struct headers headers = {.exchange = exchange};
    if (lua_istable(L, index)) {
        const struct tg_subject subject = {.name = exchange->route->name, .has_place = true};
        const struct tg_path path = {.key = TG_SLICE("headers")};
        struct tg_scratch *scratch = tg_scratch_push(world, L);
        uint32_t count;
        const struct tg_slice *names =
            tg_table_keys(world, L, index, &scratch->arena, &subject, &path, &count);
        for (uint32_t i = 0; i < count; i++) {
            lua_pushlstring(L, names[i].data, names[i].length);
            lua_rawget(L, index);
            add_header(L, &headers, names[i]);
            lua_pop(L, 1);
        }
        tg_world_restart_collector(world);
        tg_scratch_pop(L);
    } else if (!lua_isnil(L, index)) {
        fail(L, exchange,
             lua_pushfstring(L, "%s as its headers: they are a table, name = value",
                             tg_place_push_kind(L, index)));
    }
    if (!headers.has_cache_control)
        tg_buf_append_literal(&exchange->answer.headers, "Cache-Control: no-store\r\n");
    if (!headers.has_content_type_options)
        tg_buf_append_literal(&exchange->answer.headers, "X-Content-Type-Options: nosniff\r\n");
}

/* ---- body ---- */

/* As its declared output, with defaults, and checked like a message that is sent. */
static void write_output(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                         struct tg_buf *out)
{
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    const struct tg_writing writing = {
        .schema = type->payload, .naming = TG_NAMING_DECLARED, .action = type->action};
    if (type->has_defaults) tg_outgoing_fill(world, L, index, type, scratch);
    if (tg_config_checks_outgoing(world->config)) tg_outgoing_check(world, L, index, type, scratch);
    tg_world_push(world, L, TG_REF_KEYS);
    tg_write_payload(world, L, index, lua_gettop(L), &writing, out);
    lua_pop(L, 1);
    tg_scratch_pop(L);
}

static void write_body(struct tg_world *world, lua_State *L, int index, struct tg_exchange *exchange)
{
    struct tg_http_answer *answer = &exchange->answer;
    const struct tg_message_type *output = exchange->route->script_output;
    const char *type = "application/json";
    if (lua_type(L, index) == LUA_TSTRING) {
        struct tg_slice text;
        text.data = lua_tolstring(L, index, &text.length);
        tg_buf_append_slice(&answer->body, text);
        type = "text/plain; charset=utf-8";
    } else if (output && answer->status < 300) {
        write_output(world, L, index, output, &answer->body);
    } else if (lua_istable(L, index)) {
        const struct tg_subject subject = {.name = exchange->route->name, .has_place = true};
        tg_write_any(world, L, index, &subject, "body", &answer->body);
    } else {
        fail(L, exchange,
             lua_pushfstring(L, "%s as its body: it is a string, or a table, which is written as JSON",
                             tg_place_push_kind(L, index)));
    }
    if (answer->type.length == 0) tg_buf_append_slice(&answer->type, tg_slice_of(type));
}

void tg_exchange_write_answer(struct tg_world *world, lua_State *L, struct tg_exchange *exchange)
{
    int status = lua_gettop(L) - 2, body = status + 1, headers = status + 2;
    struct tg_http_answer *answer = &exchange->answer;
    tg_http_answer_begin(answer, read_status(L, status, exchange));
    write_headers(world, L, headers, exchange);
    if (lua_isnil(L, body)) return;
    if (has_no_body(answer->status))
        fail(L, exchange,
             lua_pushfstring(L, "a body with the status %d, which has none", (int)answer->status));
    write_body(world, L, body, exchange);
    if (answer->body.length > world->config->max_answer_bytes)
        fail(L, exchange,
             lua_pushfstring(L, "a body of %d bytes, which is more than max_answer_bytes, %d",
                             (int)answer->body.length, (int)world->config->max_answer_bytes));
    if (answer->body.has_failed || answer->headers.has_failed) luaL_error(L, "not enough memory");
}

/* ---- failures ---- */

static void log_failure(const struct tg_exchange *exchange, const struct tg_failure *failure,
                        const struct tg_failure_place *place)
{
    char source[TG_FAILURE_PLACE_BYTES];
    tg_log(TG_LOG_ERROR, tg_failure_event(failure, "handler_failed"), TG_LOG_EXCHANGE(exchange),
           TG_LOG_S("source", tg_failure_place_text(place, source)), TG_LOG_STR("error", failure->message),
           TG_LOG_STR("traceback", failure->traceback));
}

/* What only development has, in the answer and on pages of ours. */
static void tell_developer(struct tg_exchange *exchange, const struct tg_failure *failure,
                           const struct tg_failure_place *place)
{
    struct tg_buf source;
    uint32_t generation = exchange->generation->number;
    tg_buf_init(&source);
    tg_failure_place_write_source(place, &source);
    const struct tg_detail detail = {.detail = TG_SLICE("Internal server error"),
                                     .traceback = failure->traceback,
                                     .file = place->file,
                                     .line = place->line,
                                     .source = tg_buf_peek(&source),
                                     .generation = generation};
    tg_buf_truncate(&exchange->answer.body, 0);
    tg_message_write_detail_object(&exchange->answer.body, &detail);
    const struct tg_dev_failure told = {.action = exchange->route->name,
                                        .message = failure->message,
                                        .traceback = failure->traceback,
                                        .file = place->file,
                                        .line = place->line,
                                        .source = tg_buf_peek(&source),
                                        .generation = generation};
    tg_dev_tell_failure(exchange->worker->dev, &told);
    tg_buf_deinit(&source);
}

void tg_exchange_write_failure(struct tg_exchange *exchange, const struct tg_failure *failure)
{
    struct tg_worker *worker = exchange->worker;
    struct tg_http_answer *answer = &exchange->answer;
    if (failure->is_declared) {
        tg_http_answer_detail(answer, 400, failure->detail);
        answer->body.length--; /* the brace */
        tg_buf_append_literal(&answer->body, ",\"code\":");
        tg_json_write_string(&answer->body, failure->code);
        tg_buf_append_char(&answer->body, '}');
        return;
    }
    const struct tg_failure_place place = tg_failure_place_find(failure, exchange->route->source);
    worker->metrics.handler_errors++;
    log_failure(exchange, failure, &place);
    tg_http_answer_detail(answer, 500, TG_SLICE("Internal server error"));
    if (tg_config_is_development(worker->config)) tell_developer(exchange, failure, &place);
}
