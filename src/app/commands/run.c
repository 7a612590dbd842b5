#include "app/commands/commands.h"
#include "app/gateway.h"
#include "app/print.h"
#include "app/reloader.h"
#include "app/routes.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void print_listening(const char *who, const char *host, uint16_t port)
{
    bool is_ipv6 = strchr(host, ':') != NULL;
    printf("%s listening on http://%s%s%s:%u\n", who, is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
}

static void print_address(const struct tg_gateway *gateway)
{
    const struct tg_config *config = gateway->config;
    print_listening("tidegate", config->host, tg_server_port(gateway->server));
    if (config->api_host[0])
        print_listening("tidegate /api", config->api_host, tg_server_api_port(gateway->server));
}

static void print_failure(const struct tg_gateway *gateway, enum tg_status status,
                          const struct tg_error *error)
{
    if (status == TG_E_SCRIPT)
        tg_print_problems(gateway->first.problems);
    else
        fprintf(stderr, "tidegate: %s\n", error->text);
}

/* What was read of code that does not load has to change first. There is no loop yet to watch with. */
static void wait_for_change(struct tg_gateway *gateway)
{
    struct tg_source *source = &gateway->source.core;
    const struct timespec pause = {.tv_nsec = 100000000};
    while (!source->ops->differs(source, &gateway->first)) nanosleep(&pause, NULL);
}

/* Whoever mends what is broken need not start the program once more. */
static enum tg_status open_when_mended(struct tg_gateway *gateway, const struct tg_cli *cli,
                                       const struct tg_config *config, struct tg_error *error)
{
    for (;;) {
        enum tg_status status = tg_gateway_open(gateway, config, cli->folder, error);
        bool is_waiting = status == TG_E_SCRIPT && cli->is_reloading && access(cli->folder, F_OK) == 0;
        if (!is_waiting) return status;
        tg_print_problems(gateway->first.problems);
        fputs("not started: waiting for the files to change\n", stderr);
        wait_for_change(gateway);
        tg_gateway_close(gateway);
    }
}

static void print_start(const struct tg_reloader *reloader)
{
    print_address(reloader->gateway);
    tg_routes_print_short(&reloader->gateway->worker.generation->registry);
    tg_reloader_print_loaded(reloader);
}

int tg_command_run(const struct tg_cli *cli, const struct tg_config *config)
{
    struct tg_gateway gateway;
    struct tg_reloader reloader = {.is_open = false};
    struct tg_error error;
    enum tg_status status = open_when_mended(&gateway, cli, config, &error);
    if (status == TG_OK) status = tg_reloader_open(&reloader, &gateway, cli, &error);
    if (status == TG_OK) {
        print_start(&reloader);
        tg_gateway_run(&gateway);
    } else {
        print_failure(&gateway, status, &error);
    }
    int exit_status = status == TG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
    tg_reloader_close(&reloader);
    if (!tg_gateway_close(&gateway)) {
        fflush(NULL);
        _exit(exit_status);
    }
    return exit_status;
}
