/* NO_COLOR (no-color.org) is set when it is there and not empty. */
#include "app/print.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool tg_print_has_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (no_colour && no_colour[0]) return false;
    return isatty(fileno(stream)) && !(terminal && strcmp(terminal, "dumb") == 0);
}

void tg_print_problems(const struct tg_problems *problems)
{
    struct tg_buf text;
    tg_buf_init(&text);
    tg_problems_write_text(problems, tg_print_has_colour(stderr), &text);
    if (problems->has_failed || text.has_failed) fprintf(stderr, "tidegate: not enough memory\n");
    fwrite(text.data, 1, text.length, stderr);
    tg_buf_deinit(&text);
}
