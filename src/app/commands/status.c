/* `tidegate status`: GET /api/status of a running gateway, for people or as it came. */
#include "app/commands/commands.h"
#include "app/remote.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0, or "": it is not there. */
static int64_t number_of(const struct tg_value *object, const char *key)
{
    int64_t number = 0;
    const struct tg_value *value = tg_value_get(object, tg_slice_of(key));
    return value && tg_value_to_integer(value, &number) ? number : 0;
}

static struct tg_slice text_of(const struct tg_value *object, const char *key)
{
    const struct tg_value *value = tg_value_get(object, tg_slice_of(key));
    return value && value->type == TG_VALUE_STRING ? tg_value_string(value) : (struct tg_slice){0};
}

static void print_count(int64_t count, const char *name)
{
    printf("%" PRId64 " %s%s", count, name, count == 1 ? "" : "s");
}

/* The largest unit that there is one of, and the next: "2 d 3 h". */
static void print_duration(int64_t seconds)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    size_t unit = 0;
    while (unit < 3 && seconds < units[unit].seconds) unit++;
    printf("%" PRId64 " %s", seconds / units[unit].seconds, units[unit].name);
    int64_t left = seconds % units[unit].seconds;
    if (unit < 3 && left >= units[unit + 1].seconds)
        printf(" %" PRId64 " %s", left / units[unit + 1].seconds, units[unit + 1].name);
}

static void print_generation(const struct tg_value *generation)
{
    printf("  generation %" PRId64 " (%.*s): ", number_of(generation, "number"),
           TG_SLICE_ARG(text_of(generation, "state")));
    print_count(number_of(generation, "connections"), "connection");
    fputs(", ", stdout);
    print_count(number_of(generation, "tasks"), "task");
    fputs(", for ", stdout);
    print_duration(number_of(generation, "age_seconds"));
    putchar('\n');
}

/* In one line, whatever the code has put into its message. */
static void print_problem(const struct tg_value *problem)
{
    struct tg_slice file = text_of(problem, "file");
    struct tg_buf text;
    tg_buf_init(&text);
    tg_json_write_line(&text, file);
    if (file.length) tg_buf_printf(&text, ":%" PRId64 ": ", number_of(problem, "line"));
    tg_json_write_line(&text, text_of(problem, "message"));
    printf("    %.*s\n", TG_SLICE_ARG(tg_buf_peek(&text)));
    tg_buf_deinit(&text);
}

static void print_last(const struct tg_value *last)
{
    static const struct {
        struct tg_slice outcome;
        const char *text;
    } texts[] = {
        {TG_SLICE("ok"), "done"},
        {TG_SLICE("back"), "the files are those that serve again"},
        {TG_SLICE("restless"), "not done, files changed while they were read"},
        {TG_SLICE("failed"), "it did not load"},
    };
    const struct tg_value *problems = tg_value_get(last, TG_SLICE("problems"));
    struct tg_slice outcome = text_of(last, "outcome");
    const char *text = "";
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (tg_slice_equal(outcome, texts[i].outcome)) text = texts[i].text;
    printf("  last reload (%.*s): %s, in %" PRId64 " ms\n", TG_SLICE_ARG(text_of(last, "why")), text,
           number_of(last, "took_ms"));
    for (uint32_t i = 0; problems && problems->type == TG_VALUE_ARRAY && i < problems->length; i++)
        print_problem(&problems->items[i]);
}

static void print_status(const struct tg_remote *remote, const struct tg_value *status)
{
    const struct tg_value *generations = tg_value_get(status, TG_SLICE("generations"));
    const struct tg_value *last = tg_value_get(status, TG_SLICE("last_reload"));
    printf("tidegate %.*s at %s, %.*s, up for ", TG_SLICE_ARG(text_of(status, "version")), remote->url.data,
           TG_SLICE_ARG(text_of(status, "mode")));
    print_duration(number_of(status, "uptime_seconds"));
    fputs(": ", stdout);
    print_count(number_of(status, "connections"), "connection");
    putchar('\n');
    for (uint32_t i = 0; generations && generations->type == TG_VALUE_ARRAY && i < generations->length; i++)
        print_generation(&generations->items[i]);
    if (last && last->type == TG_VALUE_OBJECT) print_last(last);
}

static int print_answer(const struct tg_remote *remote, bool is_json)
{
    struct tg_arena arena;
    tg_arena_init(&arena, 0);
    const struct tg_value *answer = tg_remote_read(remote, &arena);
    int exit_status = answer && remote->status == 200 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (exit_status != EXIT_SUCCESS)
        tg_remote_print_refusal(remote, answer);
    else if (is_json)
        printf("%.*s\n", TG_SLICE_ARG(tg_buf_peek(&remote->answer)));
    else
        print_status(remote, answer);
    tg_arena_deinit(&arena);
    return exit_status;
}

int tg_command_status(const struct tg_cli *cli, const struct tg_config *config)
{
    (void)config;
    struct tg_remote remote;
    tg_remote_init(&remote, cli->folder, cli->url, cli->token_file);
    int exit_status = EXIT_FAILURE;
    if (tg_remote_ask(&remote, "status", (struct tg_slice){0}) == TG_OK)
        exit_status = print_answer(&remote, cli->is_json);
    else
        fprintf(stderr, "tidegate: %s\n", remote.error.text);
    tg_remote_deinit(&remote);
    return exit_status;
}
