#include "app/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>

struct tg_host *tg_command_load(const struct tg_cli *cli, const struct tg_config *config)
{
    struct tg_buf errors;
    struct tg_host *host = NULL;
    tg_buf_init(&errors);
    enum tg_status status = tg_host_open(&host, config, cli->folder, 1, &errors);
    if (status == TG_E_SCRIPT)
        fwrite(errors.data, 1, errors.length, stderr);
    else if (status != TG_OK)
        fprintf(stderr, "tidegate: not enough memory\n");
    tg_buf_deinit(&errors);
    return host;
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

int tg_command_check(const struct tg_cli *cli, const struct tg_config *config)
{
    struct tg_host *host = tg_command_load(cli, config);
    if (!host) return EXIT_FAILURE;
    const struct tg_registry *registry = &host->generation.registry;
    uint32_t actions = 0;
    for (uint32_t i = 0; i < registry->consumer_count; i++) actions += registry->consumers[i]->action_count;
    printf("%s: %u consumer%s, %u action%s, %u path%s: no errors\n", cli->folder, registry->consumer_count,
           plural(registry->consumer_count), actions, plural(actions), registry->endpoint_count,
           plural(registry->endpoint_count));
    tg_host_close(host);
    return EXIT_SUCCESS;
}
