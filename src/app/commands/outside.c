/* `tidegate send-event` and `tidegate broadcast`: one request to /api of a running gateway.
 *
 * Which gateway: --url, or the one in development that has left its address in the folder. Which token:
 * --token-file, or the setting api_token of the environment or the folder's tidegate.lua, or what that
 * gateway has left.
 */
#include "app/commands/commands.h"
#include "app/local.h"
#include "app/order.h"
#include "net/post.h"
#include "wire/json.h"
#include "wire/value.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "  tidegate send-event ACTION [PAYLOAD] (--to ID | --group NAME ... | --consumer NAME | --user ID) "
    "[DIR]\n"
    "  tidegate broadcast ACTION [PAYLOAD] --group NAME ... [DIR]\n"
    "\n"
    "PAYLOAD is JSON, or - for what stands in standard input. DIR is what the gateway serves (default: this\n"
    "folder): in development it leaves its address and a token there, in .tidegate.\n"
    "\n"
    "  --to ID                 the connection with this id\n"
    "  --group NAME            connections in the group; may stand more than once\n"
    "  --consumer NAME         all connections of the consumer\n"
    "  --user ID               all connections of the user\n"
    "  --url URL               of another gateway: https://chat.example.com\n"
    "  --token-file FILE       its token is the first line of FILE; otherwise TIDEGATE_API_TOKEN\n";

/* One call of a command. */
struct call {
    struct tg_order order;
    struct tg_config config;
    struct tg_buf url, token; /* with a zero at the end */
    struct tg_buf body, answer;
    long status;
    struct tg_error error;
};

static void finish_text(struct tg_buf *text)
{
    tg_buf_append_char(text, '\0');
}

/* ---- where and who ---- */

static enum tg_status configure(struct call *call)
{
    const struct tg_cli cli = {.folder = call->order.folder, .is_dev_flagged = true};
    if (tg_config_init(&call->config) != TG_OK)
        return tg_error_set(&call->error, TG_E_NO_MEMORY, "not enough memory");
    return tg_cli_configure(&cli, environ, &call->config, &call->error);
}

/* TG_E_NOT_FOUND: no gateway has left it there. */
static enum tg_status read_left(struct call *call, const char *name, struct tg_buf *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/.tidegate/%s", call->order.folder, name);
    return tg_local_read(path, text, &call->error);
}

static enum tg_status find_url(struct call *call)
{
    const char *folder = call->order.folder;
    enum tg_status status = TG_OK;
    if (call->order.url)
        tg_buf_append_slice(&call->url, tg_slice_of(call->order.url));
    else
        status = read_left(call, TG_LOCAL_ADDRESS, &call->url);
    if (status == TG_E_NOT_FOUND)
        return tg_error_set(
            &call->error, status,
            "no gateway in development serves '%s': `tidegate run --dev %s` starts one, --url "
            "names another",
            folder, folder);
    if (status != TG_OK) return status;
    while (call->url.length && call->url.data[call->url.length - 1] == '/')
        tg_buf_truncate(&call->url, call->url.length - 1);
    return TG_OK;
}

static enum tg_status find_token(struct call *call)
{
    if (call->order.token_file) return tg_local_read(call->order.token_file, &call->token, &call->error);
    if (call->config.api_token[0]) {
        tg_buf_append_slice(&call->token, tg_slice_of(call->config.api_token));
        return TG_OK;
    }
    enum tg_status status = read_left(call, TG_LOCAL_TOKEN, &call->token);
    if (status != TG_E_NOT_FOUND) return status;
    return tg_error_set(
        &call->error, status,
        "there is no token for %.*s: set TIDEGATE_API_TOKEN, or name a file with --token-file",
        TG_SLICE_ARG(tg_buf_peek(&call->url)));
}

/* ---- what came of it ---- */

static bool is_text(const struct tg_value *value, const char *text)
{
    return value->type == TG_VALUE_STRING &&
           tg_slice_equal((struct tg_slice){value->string, value->length}, tg_slice_of(text));
}

static void print_path(const struct tg_value *loc)
{
    for (uint32_t i = 0; i < loc->length; i++) {
        const struct tg_value *step = &loc->items[i];
        if (step->type == TG_VALUE_STRING)
            fprintf(stderr, "%s%.*s", i ? "." : "", (int)step->length, step->string);
        else if (step->type == TG_VALUE_INTEGER)
            fprintf(stderr, "[%" PRId64 "]", step->integer);
    }
    if (loc->length) fputs(": ", stderr);
}

/* The sentence for clients speaks of tags. */
static void print_unknown(const struct tg_order *order)
{
    fprintf(stderr,
            order->is_broadcast ? "  no consumer declares to send the message '%s'\n"
                                : "  no consumer handles or relays the event '%s'\n",
            order->action);
}

/* The items of {"errors":[{"type":"...","loc":[...],"msg":"..."}]}. */
static void print_errors(const struct tg_order *order, const struct tg_value *errors)
{
    for (uint32_t i = 0; errors->type == TG_VALUE_ARRAY && i < errors->length; i++) {
        const struct tg_value *item = &errors->items[i];
        if (item->type != TG_VALUE_OBJECT) continue;
        const struct tg_value *type = tg_value_get(item, TG_SLICE("type"));
        const struct tg_value *loc = tg_value_get(item, TG_SLICE("loc"));
        const struct tg_value *msg = tg_value_get(item, TG_SLICE("msg"));
        if (type && is_text(type, "union_tag_invalid") && loc && loc->length == 2) {
            print_unknown(order);
            continue;
        }
        fputs("  ", stderr);
        if (loc && loc->type == TG_VALUE_ARRAY) print_path(loc);
        if (msg && msg->type == TG_VALUE_STRING) fprintf(stderr, "%.*s", (int)msg->length, msg->string);
        fputc('\n', stderr);
    }
}

static int print_receivers(int64_t count)
{
    if (count == 0)
        puts("nobody got it: no connection is there that it is for");
    else
        printf("%" PRId64 " connection%s got it\n", count, count == 1 ? "" : "s");
    return EXIT_SUCCESS;
}

static void print_refusal(const struct call *call, const struct tg_value *answer)
{
    const struct tg_value *errors = answer ? tg_value_get(answer, TG_SLICE("errors")) : NULL;
    const struct tg_value *detail = answer ? tg_value_get(answer, TG_SLICE("detail")) : NULL;
    const char *url = call->url.data;
    bool is_told = detail && detail->type == TG_VALUE_STRING;
    if (call->status == 401)
        fprintf(stderr,
                "tidegate: %s does not take this token: it is that of another gateway, or an old one\n", url);
    else if (call->status == 403 && is_told)
        fprintf(stderr,
                "tidegate: /api is off at %s: set api_token there, in its environment as "
                "TIDEGATE_API_TOKEN\n",
                url);
    else if (call->status == 404 && is_told && !strcmp(call->order.to, "connection"))
        fprintf(stderr, "tidegate: there is no connection %s\n", call->order.name);
    else if (errors)
        fprintf(stderr, "tidegate: it was refused, and nobody got it:\n");
    else
        fprintf(stderr, "tidegate: %s answered %ld%s%.*s\n", url, call->status, is_told ? ": " : "",
                is_told ? (int)detail->length : 0, is_told ? detail->string : "");
    if (errors) print_errors(&call->order, errors);
}

static int print_answer(const struct call *call)
{
    enum { DEPTH_MAX = 8 };
    struct tg_arena arena;
    struct tg_value parsed;
    struct tg_error error;
    int64_t receivers;
    tg_arena_init(&arena, 0);
    const struct tg_value *answer = NULL;
    if (tg_json_parse(tg_buf_peek(&call->answer), DEPTH_MAX, &arena, &parsed, &error) == TG_OK &&
        parsed.type == TG_VALUE_OBJECT)
        answer = &parsed;
    const struct tg_value *count = answer ? tg_value_get(answer, TG_SLICE("receivers")) : NULL;
    int exit_status = EXIT_FAILURE;
    if (call->status == 200 && count && tg_value_to_integer(count, &receivers))
        exit_status = print_receivers(receivers);
    else
        print_refusal(call, answer);
    tg_arena_deinit(&arena);
    return exit_status;
}

/* ---- the call ---- */

static enum tg_status prepare(struct call *call)
{
    enum tg_status status = configure(call);
    if (status == TG_OK) status = find_url(call);
    if (status == TG_OK) status = find_token(call);
    if (status != TG_OK) return status;
    finish_text(&call->url);
    finish_text(&call->token);
    tg_order_write(&call->order, &call->body);
    if (call->url.has_failed || call->token.has_failed || call->body.has_failed)
        return tg_error_set(&call->error, TG_E_NO_MEMORY, "not enough memory");
    return TG_OK;
}

static enum tg_status send_request(struct call *call)
{
    struct tg_buf url;
    struct tg_error why;
    tg_buf_init(&url);
    tg_buf_printf(&url, "%s/api/%s", call->url.data, call->order.is_broadcast ? "broadcast" : "events");
    finish_text(&url);
    const struct tg_post post = {url.data, call->token.data, tg_buf_peek(&call->body),
                                 call->config.fetch_ca_file};
    enum tg_status status = url.has_failed ? tg_error_set(&why, TG_E_NO_MEMORY, "not enough memory")
                                           : tg_post_send(&post, &call->status, &call->answer, &why);
    tg_buf_deinit(&url);
    if (status == TG_OK) return TG_OK;
    if (call->order.url)
        return tg_error_set(&call->error, status, "no gateway answers at %s: %s", call->url.data, why.text);
    return tg_error_set(&call->error, status,
                        "no gateway answers at %s: %s; `tidegate run --dev %s` starts one", call->url.data,
                        why.text, call->order.folder);
}

static int run(const struct tg_cli *cli, bool is_broadcast)
{
    struct call call = {.error = {.text = ""}};
    struct tg_buf *const texts[] = {&call.url, &call.token, &call.body, &call.answer};
    int exit_status = EXIT_FAILURE;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) tg_buf_init(texts[i]);
    enum tg_status status =
        tg_order_read(&call.order, is_broadcast, cli->flag_count, cli->flags, &call.error);
    if (status == TG_OK && call.order.is_help) {
        fputs(usage, stdout);
        exit_status = EXIT_SUCCESS;
    } else {
        if (status == TG_OK) status = prepare(&call);
        if (status == TG_OK) status = send_request(&call);
        if (status == TG_OK)
            exit_status = print_answer(&call);
        else
            fprintf(stderr, "tidegate: %s\n", call.error.text);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) tg_buf_deinit(texts[i]);
    tg_order_deinit(&call.order);
    tg_config_deinit(&call.config);
    return exit_status;
}

int tg_command_send_event(const struct tg_cli *cli, const struct tg_config *config)
{
    (void)config;
    return run(cli, false);
}

int tg_command_broadcast(const struct tg_cli *cli, const struct tg_config *config)
{
    (void)config;
    return run(cli, true);
}
