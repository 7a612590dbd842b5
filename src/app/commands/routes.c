#include "app/routes.h"
#include "app/commands/commands.h"

#include <stdlib.h>

int tg_command_routes(const struct tg_cli *cli, const struct tg_config *config)
{
    struct tg_host *host = tg_command_load(cli, config);
    if (!host) return EXIT_FAILURE;
    tg_routes_print(&host->generation.registry);
    tg_host_close(host);
    return EXIT_SUCCESS;
}
