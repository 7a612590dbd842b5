/* What is no flag is told apart by what it is: the first is the action; JSON, or '-', is the payload; the
 * rest is the folder.
 */
#include "app/order.h"

#include "base/utf8.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    INPUT_BYTES_MAX = 1 << 30, /* as the highest api_max_bytes */
    DEPTH_MAX = 512,           /* as the highest max_json_depth */
};

static bool is_flag(const char *argument)
{
    return argument[0] == '-' && argument[1] == '-';
}

/* ---- flags ---- */

static enum tg_status set_target(struct tg_order *order, const char *to, const char *name,
                                 struct tg_error *error)
{
    bool is_group = strcmp(to, "groups") == 0;
    if (order->is_broadcast && !is_group)
        return tg_error_set(error, TG_E_INVALID, "a broadcast goes to groups: --group NAME");
    if (order->to && !(is_group && strcmp(order->to, to) == 0))
        return tg_error_set(error, TG_E_INVALID,
                            "one of --to, --group, --consumer and --user; only --group may stand twice");
    if (is_group && order->groups.length) tg_buf_append_char(&order->groups, ',');
    if (is_group) tg_json_write_string(&order->groups, tg_slice_of(name));
    order->to = to;
    order->name = name;
    return TG_OK;
}

static enum tg_status set_flag(struct tg_order *order, struct tg_slice flag, const char *value,
                               struct tg_error *error)
{
    static const struct {
        struct tg_slice flag;
        const char *to;
    } targets[] = {{TG_SLICE("--to"), "connection"},
                   {TG_SLICE("--group"), "groups"},
                   {TG_SLICE("--consumer"), "consumer"},
                   {TG_SLICE("--user"), "user"}};
    if (!value) return tg_error_set(error, TG_E_INVALID, "%.*s needs a value", TG_SLICE_ARG(flag));
    if (!tg_utf8_is_valid(value, strlen(value)))
        return tg_error_set(error, TG_E_INVALID, "%.*s: its value is not UTF-8", TG_SLICE_ARG(flag));
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        if (tg_slice_equal(targets[i].flag, flag)) return set_target(order, targets[i].to, value, error);
    if (tg_slice_equal(flag, TG_SLICE("--url")))
        order->url = value;
    else if (tg_slice_equal(flag, TG_SLICE("--token-file")))
        order->token_file = value;
    else
        return tg_error_set(error, TG_E_INVALID, "there is no %.*s; `tidegate %s --help` lists what there is",
                            TG_SLICE_ARG(flag), order->is_broadcast ? "broadcast" : "send-event");
    return TG_OK;
}

/* ---- the payload ---- */

/* False: it is none, and `error` says why. */
static bool is_json(struct tg_slice text, struct tg_error *error)
{
    struct tg_arena arena;
    struct tg_value value;
    tg_arena_init(&arena, 0);
    bool is_right = tg_json_parse(text, DEPTH_MAX, &arena, &value, error) == TG_OK;
    tg_arena_deinit(&arena);
    return is_right;
}

static enum tg_status read_input(struct tg_order *order, struct tg_error *error)
{
    enum { PIECE_BYTES = 65536 };
    char piece[PIECE_BYTES];
    struct tg_error why;
    for (size_t length; (length = fread(piece, 1, sizeof piece, stdin)) > 0;) {
        tg_buf_append(&order->payload, piece, length);
        if (order->payload.length > INPUT_BYTES_MAX)
            return tg_error_set(error, TG_E_INVALID, "standard input has more than 1 GiB");
    }
    if (ferror(stdin)) return tg_error_set(error, TG_E_IO, "standard input cannot be read");
    if (order->payload.has_failed) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    if (is_json(tg_buf_peek(&order->payload), &why)) return TG_OK;
    return tg_error_set(error, TG_E_INVALID, "standard input is no payload: %s", why.text);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* What is no flag, and not the action. */
static enum tg_status read_other(struct tg_order *order, const char *argument, bool *has_payload,
                                 bool *has_folder, struct tg_error *error)
{
    struct tg_error why;
    if (!*has_payload && !*has_folder) {
        *has_payload = true;
        if (strcmp(argument, "-") == 0) return read_input(order, error);
        if (is_json(tg_slice_of(argument), &why)) {
            tg_buf_append_slice(&order->payload, tg_slice_of(argument));
            return TG_OK;
        }
        *has_payload = false;
        if (!is_folder(argument))
            return tg_error_set(error, TG_E_INVALID,
                                "'%.80s' is no payload (%s) and no folder; a text has quotes in JSON: "
                                "'\"text\"'",
                                argument, why.text);
    }
    if (*has_folder || !is_folder(argument))
        return tg_error_set(error, TG_E_INVALID, "what is '%.80s'? %s", argument,
                            *has_folder ? "one folder at most" : "it is no folder");
    *has_folder = true;
    order->folder = argument;
    return TG_OK;
}

/* ---- all ---- */

static enum tg_status check(const struct tg_order *order, struct tg_error *error)
{
    const char *command = order->is_broadcast ? "broadcast" : "send-event";
    if (order->groups.has_failed || order->payload.has_failed)
        return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    if (!order->action)
        return tg_error_set(error, TG_E_INVALID, "%s: which one? `tidegate %s ACTION [PAYLOAD] --group NAME`",
                            command, command);
    if (!tg_utf8_is_valid(order->action, strlen(order->action)))
        return tg_error_set(error, TG_E_INVALID, "the action is not UTF-8");
    if (!order->to)
        return tg_error_set(error, TG_E_INVALID, "%s: to whom? %s", command,
                            order->is_broadcast ? "--group NAME, once or more"
                                                : "--to ID, --group NAME, --consumer NAME or --user ID");
    return TG_OK;
}

enum tg_status tg_order_read(struct tg_order *order, bool is_broadcast, int count, char *const *arguments,
                             struct tg_error *error)
{
    bool has_payload = false, has_folder = false;
    enum tg_status status = TG_OK;
    *order = (struct tg_order){.is_broadcast = is_broadcast, .folder = "."};
    tg_buf_init(&order->payload);
    tg_buf_init(&order->groups);
    for (int i = 0; i < count && status == TG_OK; i++) {
        const char *argument = arguments[i];
        if (strcmp(argument, "--help") == 0) {
            order->is_help = true;
            return TG_OK;
        }
        if (is_flag(argument)) {
            const char *equals = strchr(argument, '=');
            const char *value = equals ? equals + 1 : i + 1 < count ? arguments[++i] : NULL;
            struct tg_slice flag = {argument, equals ? (size_t)(equals - argument) : strlen(argument)};
            status = set_flag(order, flag, value, error);
        } else if (!order->action) {
            order->action = argument;
        } else {
            status = read_other(order, argument, &has_payload, &has_folder, error);
        }
    }
    return status == TG_OK ? check(order, error) : status;
}

void tg_order_deinit(struct tg_order *order)
{
    tg_buf_deinit(&order->payload);
    tg_buf_deinit(&order->groups);
}

void tg_order_write(const struct tg_order *order, struct tg_buf *body)
{
    tg_buf_append_char(body, '{');
    if (!order->is_broadcast) tg_buf_printf(body, "\"to\":{");
    tg_buf_printf(body, "\"%s\":", order->to);
    if (order->groups.length) {
        tg_buf_append_char(body, '[');
        tg_buf_append_slice(body, tg_buf_peek(&order->groups));
        tg_buf_append_char(body, ']');
    } else {
        tg_json_write_string(body, tg_slice_of(order->name));
    }
    if (!order->is_broadcast) tg_buf_append_char(body, '}');
    tg_buf_printf(body, ",\"%s\":{\"action\":", order->is_broadcast ? "message" : "event");
    tg_json_write_string(body, tg_slice_of(order->action));
    if (order->payload.length) {
        tg_buf_append_literal(body, ",\"payload\":");
        tg_buf_append_slice(body, tg_buf_peek(&order->payload));
    }
    tg_buf_append_literal(body, "}}");
}
