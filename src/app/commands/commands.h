/* The commands of the program, one file each. Each returns the exit status. */
#ifndef TG_APP_COMMANDS_H
#define TG_APP_COMMANDS_H

#include "app/cli.h"
#include "core/config.h"
#include "script/host.h"

int tg_command_run(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_check(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_routes(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_types(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_test(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_send_event(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_broadcast(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_status(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_help(const struct tg_cli *cli, const struct tg_config *config);
int tg_command_version(const struct tg_cli *cli, const struct tg_config *config);

/* Loads the application without serving it; prints what is wrong with it. NULL then. */
struct tg_host *tg_command_load(const struct tg_cli *cli, const struct tg_config *config);

/* Appends to `text` what a function of tidegate's Lua says of the application (script/tool.h); prints why
 * when it cannot, and returns false. */
bool tg_command_tool(struct tg_host *host, const char *module, const char *function, struct tg_buf *text);

#endif
