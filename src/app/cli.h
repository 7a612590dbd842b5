/* The command line: which command, which folder, which settings.
 *
 *     tidegate run [DIR] [--config FILE] [--SETTING VALUE ...]
 *     tidegate test [DIR] [what busted takes ...]
 *
 * Settings come from defaults < tidegate.lua < environment < flags, each checked as it comes.
 */
#ifndef TG_APP_CLI_H
#define TG_APP_CLI_H

#include "core/config.h"

#include <stdbool.h>

struct tg_cli {
    const char *command;     /* "run", "check", ... */
    const char *folder;      /* the application; "." unless given */
    const char *config_path; /* --config; NULL: FOLDER/tidegate.lua, if there is one */
    const char *output_path; /* --output of `types`; NULL: standard output */
    char *const *flags;      /* what follows the command; of `test` without its folder; of `send-event` and
                              * `broadcast` all of it; borrowed */
    int flag_count;
    bool is_test;        /* flags are busted's: none is a setting */
    bool is_dev_flagged; /* --dev was given */
    bool is_strict;      /* --strict of `check` was given */
    bool is_reloading;   /* --reload of `run` */
    bool is_json;        /* --json of `status`, as the next two */
    const char *url;     /* NULL: what stands in the folder */
    const char *token_file;
};

/* Reads `arguments` (without the program's name), which end with NULL and may be put into another order.
 * TG_E_INVALID with a sentence. */
enum tg_status tg_cli_parse(struct tg_cli *cli, int count, char **arguments, struct tg_error *error);

/* Fills an initialised config from all sources and checks it as a whole. */
enum tg_status tg_cli_configure(const struct tg_cli *cli, char *const *environment, struct tg_config *config,
                                struct tg_error *error);

#endif
