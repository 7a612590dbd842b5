/* NO_COLOR (no-color.org) is set when it is there and not empty. */
#include "app/print.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool tg_print_has_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (no_colour && no_colour[0]) return false;
    return isatty(fileno(stream)) && !(terminal && strcmp(terminal, "dumb") == 0);
}

void tg_print_write_problems(const struct tg_problems *problems, struct tg_buf *text)
{
    tg_problems_write_text(problems, tg_print_has_colour(stderr), text);
    if (!problems->has_failed && !text->has_failed) return;
    tg_buf_truncate(text, 0);
    tg_buf_append_literal(text, "tidegate: not enough memory\n");
}

void tg_print_problems(const struct tg_problems *problems)
{
    struct tg_buf text;
    tg_buf_init(&text);
    tg_print_write_problems(problems, &text);
    fwrite(text.data, 1, text.length, stderr);
    tg_buf_deinit(&text);
}

/* ---- without waiting ---- */

/* As many whole lines as a pipe takes at once when it takes anything; of a longer line so much. */
static size_t measure_piece(const char *bytes, size_t length)
{
    if (length <= PIPE_BUF) return length;
    const char *end = memrchr(bytes, '\n', PIPE_BUF);
    return end ? (size_t)(end - bytes) + 1 : PIPE_BUF;
}

void tg_print_if_taken(FILE *stream, const struct tg_buf *text)
{
    struct pollfd wanted = {.fd = fileno(stream), .events = POLLOUT};
    const char *bytes = text->data;
    fflush(stream);
    for (size_t left = text->length; left > 0;) {
        size_t length = measure_piece(bytes, left);
        if (poll(&wanted, 1, 0) == 0) return;
        ssize_t written = write(wanted.fd, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return; /* nobody is left to be told */
        bytes += written;
        left -= (size_t)written;
    }
}
