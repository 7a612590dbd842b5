#include "app/commands/commands.h"
#include "app/print.h"
#include "script/tool.h"

#include <stdio.h>
#include <stdlib.h>

struct tg_host *tg_command_load(const struct tg_cli *cli, const struct tg_config *config)
{
    struct tg_problems problems;
    struct tg_host *host = NULL;
    tg_problems_init(&problems);
    enum tg_status status = tg_host_open(&host, config, cli->folder, 1, &problems);
    if (status == TG_E_SCRIPT)
        tg_print_problems(&problems);
    else if (status != TG_OK)
        fprintf(stderr, "tidegate: not enough memory\n");
    tg_problems_deinit(&problems);
    return host;
}

bool tg_command_tool(struct tg_host *host, const char *module, const char *function, struct tg_buf *text)
{
    enum tg_status status = tg_tool_call(host, module, function, text);
    if (status == TG_E_SCRIPT)
        fprintf(stderr, "tidegate: %.*s\n", TG_SLICE_ARG(tg_buf_peek(text)));
    else if (status != TG_OK)
        fprintf(stderr, "tidegate: not enough memory\n");
    return status == TG_OK;
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static uint32_t count_lines(const struct tg_buf *text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text->length; i++) count += text->data[i] == '\n';
    return count;
}

/* What many applications have none of is told where there is some. */
static void print_more(uint32_t count, const char *name)
{
    if (count) printf("%u %s%s, ", count, name, plural(count));
}

static void print_summary(const char *folder, const struct tg_registry *registry, uint32_t warnings)
{
    uint32_t actions = 0, events = 0;
    for (uint32_t i = 0; i < registry->consumer_count; i++) {
        actions += registry->consumers[i]->action_count;
        events += registry->consumers[i]->event_count;
    }
    for (uint32_t i = 0; i < registry->topic_count; i++) {
        actions += registry->topics[i]->stream.action_count;
        events += registry->topics[i]->stream.event_count;
    }
    printf("%s: %u consumer%s, %u action%s, ", folder, registry->consumer_count,
           plural(registry->consumer_count), actions, plural(actions));
    print_more(events, "event");
    print_more(registry->topic_count, "topic");
    print_more(registry->routes.count, "route");
    printf("%u path%s: no errors, ", registry->endpoint_count, plural(registry->endpoint_count));
    if (warnings)
        printf("%u warning%s\n", warnings, plural(warnings));
    else
        printf("no warnings\n");
}

int tg_command_check(const struct tg_cli *cli, const struct tg_config *config)
{
    struct tg_host *host = tg_command_load(cli, config);
    if (!host) return EXIT_FAILURE;
    struct tg_buf warnings;
    tg_buf_init(&warnings);
    bool is_looked_over = tg_command_tool(host, "tidegate.lint", "warnings", &warnings);
    uint32_t count = is_looked_over ? count_lines(&warnings) : 0;
    if (is_looked_over) {
        fwrite(warnings.data, 1, warnings.length, stderr);
        print_summary(cli->folder, &host->generation.registry, count);
    }
    tg_buf_deinit(&warnings);
    tg_host_close(host);
    return is_looked_over && !(cli->is_strict && count) ? EXIT_SUCCESS : EXIT_FAILURE;
}
