#include "app/cli.h"
#include "app/commands/commands.h"
#include "base/log.h"
#include "net/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(const struct tg_cli *cli, const struct tg_config *config);
    bool needs_config;
} commands[] = {
    {"run", tg_command_run, true},
    {"check", tg_command_check, true},
    {"routes", tg_command_routes, true},
    {"types", tg_command_types, true},
    {"test", tg_command_test, true},
    {"send-event", tg_command_send_event, false},
    {"broadcast", tg_command_broadcast, false},
    {"status", tg_command_status, false},
    {"help", tg_command_help, false},
    {"version", tg_command_version, false},
};

static int run_command(const struct tg_cli *cli, struct tg_config *config, struct tg_error *error)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(cli->command, commands[i].name) != 0) continue;
        if (commands[i].needs_config && tg_cli_configure(cli, environ, config, error) != TG_OK)
            return EXIT_FAILURE;
        tg_log_open(STDERR_FILENO, config->log_format, config->log_level, tg_clock_system());
        return commands[i].run(cli, config);
    }
    tg_error_set(error, TG_E_INVALID, "there is no command '%s': try `tidegate help`", cli->command);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct tg_cli cli;
    struct tg_config config;
    struct tg_error error = {.status = TG_OK, .text = ""};
    if (argc == 2 && strcmp(argv[1], TG_KEEPER_ARGUMENT) == 0) return tg_keeper_run();
    if (tg_cli_parse(&cli, argc - 1, argv + 1, &error) != TG_OK || tg_config_init(&config) != TG_OK) {
        fprintf(stderr, "tidegate: %s\n", error.text[0] ? error.text : "not enough memory");
        return EXIT_FAILURE;
    }
    int status = run_command(&cli, &config, &error);
    if (error.status != TG_OK && error.text[0] && status != EXIT_SUCCESS)
        fprintf(stderr, "tidegate: %s\n", error.text);
    tg_config_deinit(&config);
    return status;
}
