/* One row per status keeps its two faces (name, close code) together. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum tg_status status;
    uint16_t close_code;
} table[] = {
    {"ok", TG_OK, 1000},           {"no_memory", TG_E_NO_MEMORY, 1011}, {"invalid", TG_E_INVALID, 1008},
    {"utf8", TG_E_UTF8, 1007},     {"too_large", TG_E_TOO_LARGE, 1009}, {"too_deep", TG_E_TOO_DEEP, 1008},
    {"full", TG_E_FULL, 1013},     {"closed", TG_E_CLOSED, 1001},       {"not_found", TG_E_NOT_FOUND, 4404},
    {"exists", TG_E_EXISTS, 1011}, {"protocol", TG_E_PROTOCOL, 1002},   {"script", TG_E_SCRIPT, 1011},
    {"io", TG_E_IO, 1011},         {"slow", TG_E_SLOW, 1013},
};

enum { ROWS = sizeof table / sizeof table[0] };

static size_t row_of(enum tg_status status)
{
    for (size_t i = 0; i < ROWS; i++)
        if (table[i].status == status) return i;
    return ROWS;
}

const char *tg_status_name(enum tg_status status)
{
    size_t row = row_of(status);
    return row < ROWS ? table[row].name : "unknown";
}

uint16_t tg_status_close_code(enum tg_status status)
{
    size_t row = row_of(status);
    return row < ROWS ? table[row].close_code : 1011;
}

/* vsnprintf may have cut a character in half: take the half away. */
static void cut_at_character(char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
    if (start == 0) return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length - (start - 1) < need) text[start - 1] = '\0';
}

enum tg_status tg_error_set(struct tg_error *error, enum tg_status status, const char *format, ...)
{
    if (!error) return status;
    error->status = status;
    error->offset = 0;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (wanted < 0) error->text[0] = '\0';
    if (wanted >= (int)sizeof error->text) cut_at_character(error->text, sizeof error->text - 1);
    return status;
}
