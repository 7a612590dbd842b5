/* `tidegate send-event` and `tidegate broadcast`: one request to /api of a running gateway. */
#include "app/commands/commands.h"
#include "app/order.h"
#include "app/remote.h"
#include "wire/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    struct tg_remote remote;
};

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
    if (call->remote.status == 404 && detail && !strcmp(call->order.to, "connection")) {
        fprintf(stderr, "tidegate: there is no connection %s\n", call->order.name);
    } else if (errors) {
        fprintf(stderr, "tidegate: it was refused, and nobody got it:\n");
        print_errors(&call->order, errors);
    } else {
        tg_remote_print_refusal(&call->remote, answer);
    }
}

static int print_answer(const struct call *call)
{
    struct tg_arena arena;
    int64_t receivers;
    tg_arena_init(&arena, 0);
    const struct tg_value *answer = tg_remote_read(&call->remote, &arena);
    const struct tg_value *count = answer ? tg_value_get(answer, TG_SLICE("receivers")) : NULL;
    int exit_status = EXIT_FAILURE;
    if (call->remote.status == 200 && count && tg_value_to_integer(count, &receivers))
        exit_status = print_receivers(receivers);
    else
        print_refusal(call, answer);
    tg_arena_deinit(&arena);
    return exit_status;
}

/* ---- the call ---- */

static int send_order(struct call *call)
{
    const struct tg_order *order = &call->order;
    struct tg_remote *remote = &call->remote;
    struct tg_buf body;
    tg_buf_init(&body);
    tg_order_write(order, &body);
    tg_remote_init(remote, order->folder, order->url, order->token_file);
    enum tg_status status =
        body.has_failed
            ? tg_error_set(&remote->error, TG_E_NO_MEMORY, "not enough memory")
            : tg_remote_ask(remote, order->is_broadcast ? "broadcast" : "events", tg_buf_peek(&body));
    if (status != TG_OK) fprintf(stderr, "tidegate: %s\n", remote->error.text);
    int exit_status = status == TG_OK ? print_answer(call) : EXIT_FAILURE;
    tg_buf_deinit(&body);
    tg_remote_deinit(remote);
    return exit_status;
}

static int run(const struct tg_cli *cli, bool is_broadcast)
{
    struct call call;
    struct tg_error error;
    int exit_status = EXIT_SUCCESS;
    enum tg_status status = tg_order_read(&call.order, is_broadcast, cli->flag_count, cli->flags, &error);
    if (status != TG_OK) {
        fprintf(stderr, "tidegate: %s\n", error.text);
        exit_status = EXIT_FAILURE;
    } else if (call.order.is_help) {
        fputs(usage, stdout);
    } else {
        exit_status = send_order(&call);
    }
    tg_order_deinit(&call.order);
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
