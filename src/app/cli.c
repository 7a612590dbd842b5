/* A flag is the name of a setting with dashes; its value follows as `--name value` or `--name=value`.
 * --config, --dev (short for --mode development), --help and the flags of single commands are no settings;
 * --reload means --mode development, too.
 * --static is short for --static-dir, --record for --record-file. */
#include "app/cli.h"

#include "script/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct flag {
    char name[64]; /* as a setting: underscores */
    struct tg_slice value;
    bool is_set; /* a value was given */
};

static bool is_flag(const char *argument)
{
    return argument[0] == '-' && argument[1] == '-' && argument[2];
}

/* Splits "--max-errors=5"; the value may also be the next argument, which is the caller's to take. */
static void split_flag(const char *argument, struct flag *flag)
{
    const char *name = argument + 2;
    size_t length = strcspn(name, "=");
    size_t kept = length < sizeof flag->name - 1 ? length : sizeof flag->name - 1;
    memcpy(flag->name, name, kept);
    flag->name[kept] = '\0';
    for (char *dash = flag->name; (dash = strchr(dash, '-'));) *dash = '_';
    flag->is_set = name[length] == '=';
    flag->value = flag->is_set ? tg_slice_of(name + length + 1) : (struct tg_slice){0};
}

static bool takes_no_value(const char *name)
{
    static const char *const names[] = {"dev", "help", "strict", "reload", "json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* The only command that takes the flag; NULL for a flag of all commands. */
static const char *command_of_flag(const char *name)
{
    static const struct {
        const char *flag, *command;
    } flags[] = {{"output", "types"}, {"strict", "check"},      {"reload", "run"},
                 {"json", "status"},  {"token_file", "status"}, {"url", "status"}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(name, flags[i].flag) == 0) return flags[i].command;
    return NULL;
}

/* Whether the flag is read here, and is no setting. */
static bool is_own_flag(const char *name)
{
    return strcmp(name, "config") == 0 || strcmp(name, "help") == 0 || command_of_flag(name);
}

/* Reads the flag at `*position` with its value and moves past both. */
static enum tg_status next_flag(char *const *arguments, int count, int *position, struct flag *flag,
                                struct tg_error *error)
{
    const char *argument = arguments[(*position)++];
    split_flag(argument, flag);
    if (takes_no_value(flag->name)) {
        if (!flag->is_set) return TG_OK;
        return tg_error_set(error, TG_E_INVALID, "--%s takes no value", flag->name);
    }
    if (flag->is_set) return TG_OK;
    if (*position == count || is_flag(arguments[*position]))
        return tg_error_set(error, TG_E_INVALID, "%s needs a value", argument);
    flag->value = tg_slice_of(arguments[(*position)++]);
    return TG_OK;
}

static enum tg_status note_flag(struct tg_cli *cli, const struct flag *flag, struct tg_error *error)
{
    const char *command = command_of_flag(flag->name);
    if (command && strcmp(cli->command, command) != 0 && strcmp(cli->command, "help") != 0)
        return tg_error_set(error, TG_E_INVALID, "--%s is a flag of `tidegate %s`, not of `tidegate %s`",
                            flag->name, command, cli->command);
    if (strcmp(cli->command, "status") == 0 && !is_own_flag(flag->name))
        return tg_error_set(error, TG_E_INVALID, "--%s is no flag of `tidegate status`", flag->name);
    if (strcmp(flag->name, "dev") == 0) cli->is_dev_flagged = true;
    if (strcmp(flag->name, "help") == 0) cli->command = "help";
    if (strcmp(flag->name, "config") == 0) cli->config_path = flag->value.data;
    if (strcmp(flag->name, "output") == 0) cli->output_path = flag->value.data;
    if (strcmp(flag->name, "strict") == 0) cli->is_strict = true;
    if (strcmp(flag->name, "reload") == 0) cli->is_reloading = true;
    if (strcmp(flag->name, "json") == 0) cli->is_json = true;
    if (strcmp(flag->name, "url") == 0) cli->url = flag->value.data;
    if (strcmp(flag->name, "token_file") == 0) cli->token_file = flag->value.data;
    return TG_OK;
}

/* The first argument that is none of our own flags is the folder, if it is one. It is taken out of the list.
 */
static void parse_test(struct tg_cli *cli, char **flags)
{
    static const char *const own[] = {"-c", "--coverage", "--coverage=", "--watch", "--loaded="};
    struct stat status;
    cli->is_test = true;
    cli->is_dev_flagged = true;
    int at = 0;
    for (bool is_own = true; is_own && at < cli->flag_count; at += is_own) {
        is_own = false;
        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
            size_t length = strlen(own[i]);
            bool has_value = own[i][length - 1] == '=';
            is_own |= strncmp(flags[at], own[i], has_value ? length : length + 1) == 0;
        }
    }
    if (at == cli->flag_count || *flags[at] == '-') return;
    if (stat(flags[at], &status) != 0 || !S_ISDIR(status.st_mode)) return;
    cli->folder = flags[at];
    memmove(flags + at, flags + at + 1, (size_t)(cli->flag_count-- - at) * sizeof *flags);
}

/* Commands that read their arguments themselves: app/order.h. */
static bool is_outside(const char *command)
{
    return strcmp(command, "send-event") == 0 || strcmp(command, "broadcast") == 0;
}

enum tg_status tg_cli_parse(struct tg_cli *cli, int count, char **arguments, struct tg_error *error)
{
    *cli = (struct tg_cli){.folder = "."};
    if (count == 0) return tg_error_set(error, TG_E_INVALID, "which command? `tidegate help` lists them");
    cli->command = arguments[0];
    cli->flags = arguments + 1;
    cli->flag_count = count - 1;
    if (strcmp(cli->command, "--version") == 0) cli->command = "version";
    if (strcmp(cli->command, "test") == 0) {
        parse_test(cli, arguments + 1);
        return TG_OK;
    }
    if (is_outside(cli->command)) return TG_OK;
    bool has_folder = false;
    for (int i = 1; i < count;) {
        struct flag flag;
        if (!is_flag(arguments[i])) {
            if (has_folder)
                return tg_error_set(error, TG_E_INVALID, "one folder at most: what is '%s'?", arguments[i]);
            has_folder = true;
            cli->folder = arguments[i++];
            continue;
        }
        enum tg_status status = next_flag(arguments, count, &i, &flag, error);
        if (status == TG_OK) status = note_flag(cli, &flag, error);
        if (status != TG_OK) return status;
    }
    if (is_flag(cli->command)) cli->command = "help";
    return TG_OK;
}

static enum tg_status set_file(const struct tg_cli *cli, struct tg_config *config, struct tg_error *error)
{
    if (cli->config_path) return tg_settings_load(cli->config_path, config, error);
    char path[4096];
    snprintf(path, sizeof path, "%s/tidegate.lua", cli->folder);
    return access(path, F_OK) == 0 ? tg_settings_load(path, config, error) : TG_OK;
}

static enum tg_status set_flags(const struct tg_cli *cli, struct tg_config *config, struct tg_error *error)
{
    if (cli->is_test)
        return tg_config_set(config, "tidegate test", TG_SLICE("mode"), TG_SLICE("development"), error);
    if (cli->is_reloading) {
        enum tg_status status =
            tg_config_set(config, "--reload", TG_SLICE("mode"), TG_SLICE("development"), error);
        if (status != TG_OK) return status;
    }
    for (int i = 0; i < cli->flag_count;) {
        struct flag flag;
        if (!is_flag(cli->flags[i])) {
            i++;
            continue;
        }
        const char *origin = cli->flags[i];
        enum tg_status status = next_flag(cli->flags, cli->flag_count, &i, &flag, error);
        if (status != TG_OK) return status;
        if (is_own_flag(flag.name)) continue;
        if (strcmp(flag.name, "dev") == 0) {
            snprintf(flag.name, sizeof flag.name, "mode");
            flag.value = TG_SLICE("development");
        }
        if (strcmp(flag.name, "static") == 0) snprintf(flag.name, sizeof flag.name, "static_dir");
        if (strcmp(flag.name, "record") == 0) snprintf(flag.name, sizeof flag.name, "record_file");
        status = tg_config_set(config, origin, tg_slice_of(flag.name), flag.value, error);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

enum tg_status tg_cli_configure(const struct tg_cli *cli, char *const *environment, struct tg_config *config,
                                struct tg_error *error)
{
    enum tg_status status = set_file(cli, config, error);
    if (status == TG_OK) status = tg_config_set_environment(config, environment, error);
    if (status == TG_OK) status = set_flags(cli, config, error);
    if (status == TG_OK) status = tg_config_check(config, error);
    if (status != TG_OK) return status;
    if (cli->is_reloading && !tg_config_is_development(config))
        return tg_error_set(
            error, TG_E_INVALID,
            "--reload is for development: in production SIGHUP and POST /api/reload load anew");
    if (tg_config_is_development(config) && !is_loopback(config->host) && !cli->is_dev_flagged)
        return tg_error_set(
            error, TG_E_INVALID,
            "development shows tracebacks to every client: on %s, which is not a loopback address, "
            "it needs the flag --dev",
            config->host);
    return TG_OK;
}
