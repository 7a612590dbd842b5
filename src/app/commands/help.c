#include "app/commands/commands.h"

#include "core/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "tidegate, a WebSocket gateway that is scripted in Lua\n"
    "\n"
    "  tidegate run [DIR]      serve the application in DIR (default: this folder)\n"
    "  tidegate check [DIR]    load it, serve nothing; exit status 1 with all errors; tell what looks wrong\n"
    "  tidegate routes [DIR]   list its paths, consumers and actions\n"
    "  tidegate types [DIR]    write definitions of its messages for lua-language-server\n"
    "  tidegate test [DIR]     run its specs; tidegate test --help has the options\n"
    "  tidegate send-event ACTION [PAYLOAD]  send an event to connections of a running gateway\n"
    "  tidegate broadcast ACTION [PAYLOAD]   send a message to groups of one; --help lists the options of "
    "both\n"
    "  tidegate status [DIR]   say how a running gateway is: generations of the code, their connections\n"
    "  tidegate version        print the version\n"
    "\n"
    "Settings come from the defaults below, then FILE (DIR/tidegate.lua), then the environment\n"
    "(--max-errors is TIDEGATE_MAX_ERRORS), then flags. A later source wins.\n"
    "\n"
    "  --config FILE           read settings from FILE instead of DIR/tidegate.lua\n"
    "  --dev                   short for --mode development\n"
    "  --static DIR            short for --static-dir DIR\n"
    "  --record FILE           short for --record-file FILE\n"
    "\n"
    "  --reload                of run: in development, load the code anew when a file of it changes\n"
    "  --json                  of status: print what /api/status answers; --url and --token-file as of "
    "send-event\n"
    "  --strict                of check: warnings end with exit status 1, too\n"
    "  --output FILE           of types: write into FILE instead of to standard output\n";

static void print_setting(const struct tg_setting *setting)
{
    char flag[64];
    size_t length = strlen(setting->name);
    for (size_t i = 0; i <= length; i++) flag[i] = setting->name[i];
    for (char *dash = flag; (dash = strchr(dash, '_'));) *dash = '-';
    printf("\n  --%s %s (default: %s)\n", flag,
           setting->type == TG_SETTING_INTEGER  ? "N"
           : setting->type == TG_SETTING_CHOICE ? "NAME"
           : setting->type == TG_SETTING_SET    ? "NAMES"
                                                : "TEXT",
           setting->default_text[0] ? setting->default_text : "none");
    if (setting->choices) {
        printf("      %s of:", setting->type == TG_SETTING_SET ? "any" : "one");
        for (const char *const *choice = setting->choices; *choice; choice++)
            printf(" %s%s", *choice, choice[1] ? "," : "\n");
    }
    printf("      %s\n", setting->help);
}

int tg_command_help(const struct tg_cli *cli, const struct tg_config *config)
{
    (void)cli;
    (void)config;
    fputs(head, stdout);
    size_t count;
    const struct tg_setting *settings = tg_settings(&count);
    for (size_t i = 0; i < count; i++) print_setting(&settings[i]);
    return EXIT_SUCCESS;
}

int tg_command_version(const struct tg_cli *cli, const struct tg_config *config)
{
    (void)cli;
    (void)config;
    printf("tidegate %s\n", TG_VERSION);
    return EXIT_SUCCESS;
}
