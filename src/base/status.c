/* One row per status keeps its three faces (name, close code, HTTP status) together. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    enum tg_status status;
    const char *name;
    uint16_t close_code;
    unsigned http;
} table[] = {
    {TG_OK, "ok", 1000, 200},
    {TG_E_NO_MEMORY, "no_memory", 1011, 503},
    {TG_E_INVALID, "invalid", 1008, 400},
    {TG_E_UTF8, "utf8", 1007, 400},
    {TG_E_TOO_LARGE, "too_large", 1009, 413},
    {TG_E_TOO_DEEP, "too_deep", 1008, 400},
    {TG_E_FULL, "full", 1013, 503},
    {TG_E_CLOSED, "closed", 1001, 503},
    {TG_E_NOT_FOUND, "not_found", 4404, 404},
    {TG_E_EXISTS, "exists", 1011, 409},
    {TG_E_PROTOCOL, "protocol", 1002, 400},
    {TG_E_SCRIPT, "script", 1011, 500},
    {TG_E_IO, "io", 1011, 500},
    {TG_E_SLOW, "slow", 1013, 503},
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

unsigned tg_status_http(enum tg_status status)
{
    size_t row = row_of(status);
    return row < ROWS ? table[row].http : 500;
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
