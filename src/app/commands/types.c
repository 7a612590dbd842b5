/* Writes what a language server needs to know of the application's messages. The file is opened when the
 * text is there: an application that does not load leaves the old one as it is. */
#include "app/commands/commands.h"
#include "script/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool write_text(const char *path, const struct tg_buf *text)
{
    FILE *file = path ? fopen(path, "wb") : stdout;
    if (!file) return false;
    bool is_written = fwrite(text->data, 1, text->length, file) == text->length;
    bool is_done = path ? fclose(file) == 0 : fflush(file) == 0;
    return is_written && is_done;
}

int tg_command_types(const struct tg_cli *cli, const struct tg_config *config)
{
    struct tg_host *host = tg_command_load(cli, config);
    if (!host) return EXIT_FAILURE;
    struct tg_buf text;
    tg_buf_init(&text);
    bool is_made = tg_command_tool(host, "tidegate.types", "text", &text);
    bool is_written = is_made && write_text(cli->output_path, &text);
    if (is_made && !is_written)
        fprintf(stderr, "tidegate: %s: cannot be written: %s\n",
                cli->output_path ? cli->output_path : "standard output", strerror(errno));
    tg_buf_deinit(&text);
    tg_host_close(host);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}
