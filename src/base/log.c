/* A line is put together on the stack, so that logging never allocates and works when memory is out.
 *
 * Invariant: text ends within LINE_ROOM; the bytes behind it are kept for what closes a line, cut or not
 * (a quote, the mark of the cut, the brace, the newline). Text is taken character by character, so that
 * neither a character nor an escape is ever cut in half.
 */
#include "base/log.h"

#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { CLOSING_BYTES = 32, LINE_ROOM = TG_LOG_LINE_BYTES - CLOSING_BYTES };

struct line {
    char bytes[TG_LOG_LINE_BYTES];
    size_t length;
    enum tg_log_format format;
    bool is_cut;
};

static struct {
    int fd;
    enum tg_log_format format;
    enum tg_log_level level;
    struct tg_clock *clock; /* NULL: the system's */
    uint64_t dropped;       /* lines that nobody took since the last that was written */
    struct tg_log_diversion diversion;
    _Atomic uint32_t generation;
} sink = {.fd = STDERR_FILENO, .format = TG_LOG_TEXT, .level = TG_LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warning", "error", "off"};

enum { LEVELS = sizeof level_names / sizeof level_names[0] };

void tg_log_open(int fd, enum tg_log_format format, enum tg_log_level level, struct tg_clock *clock)
{
    sink.fd = fd;
    sink.format = format;
    sink.level = level;
    sink.clock = clock;
    sink.dropped = 0;
}

struct tg_log_diversion tg_log_divert(struct tg_log_diversion diversion)
{
    struct tg_log_diversion before = sink.diversion;
    before.level = sink.level;
    sink.diversion = diversion;
    sink.level = diversion.level;
    return before;
}

void tg_log_set_generation(uint32_t generation)
{
    sink.generation = generation;
}

const char *tg_log_level_name(enum tg_log_level level)
{
    return level_names[level];
}

bool tg_log_is_on(enum tg_log_level level)
{
    return level >= sink.level && level < TG_LOG_OFF;
}

/* All of it or nothing; the first that does not fit cuts the line, and nothing is put after a cut. */
static void put(struct line *line, const char *bytes, size_t length)
{
    if (line->length + length > LINE_ROOM) line->is_cut = true;
    if (line->is_cut) return;
    memcpy(line->bytes + line->length, bytes, length);
    line->length += length;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* What closes a line or a value always fits: it goes where LINE_ROOM keeps room for it. */
static void put_closing(struct line *line, const char *text)
{
    size_t length = strlen(text);
    memcpy(line->bytes + line->length, text, length);
    line->length += length;
}

/* The short escape that text and JSON have in common, or NULL. */
static const char *short_escape(uint32_t code_point)
{
    switch (code_point) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

/* Puts the character at `bytes`, escaped where it must be, and returns how many bytes it was. */
static size_t put_character(struct line *line, const char *bytes, size_t left)
{
    char escape[sizeof "\\uXXXX"];
    uint32_t code_point;
    size_t length = tg_utf8_read(bytes, left, &code_point);
    const char *escaped = length ? short_escape(code_point) : NULL;
    bool is_json = line->format == TG_LOG_JSON;
    if (escaped) {
        put_text(line, escaped);
    } else if (length == 0 && is_json) {
        put_text(line, "\\ufffd"); /* JSON has no way to write a byte */
    } else if (length == 0 || (code_point < 0x80 && tg_utf8_is_unsafe(code_point) && !is_json)) {
        snprintf(escape, sizeof escape, "\\x%02x", (unsigned)(unsigned char)bytes[0]);
        put_text(line, escape);
    } else if (tg_utf8_is_unsafe(code_point)) {
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(code_point & 0xFFFF));
        put_text(line, escape);
    } else {
        put(line, bytes, length);
    }
    return length ? length : 1;
}

static bool is_bare_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._:/@+-", c));
}

static bool is_bare(struct tg_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_bare_character(text.data[i])) return false;
    return text.length > 0;
}

static void put_key(struct line *line, const char *key)
{
    bool is_json = line->format == TG_LOG_JSON;
    if (line->length > 0)
        put_text(line, is_json ? "," : " ");
    else if (is_json)
        put_text(line, "{");
    if (is_json) put_text(line, "\"");
    put_text(line, key);
    put_text(line, is_json ? "\":" : "=");
}

static void put_text_field(struct line *line, const char *key, struct tg_slice text)
{
    size_t start = line->length;
    bool is_quoted = line->format == TG_LOG_JSON || !is_bare(text);
    put_key(line, key);
    if (is_quoted) put_text(line, "\"");
    if (line->is_cut) {
        line->length = start;
        return;
    }
    for (size_t i = 0; i < text.length && !line->is_cut;)
        i += put_character(line, text.data + i, text.length - i);
    if (is_quoted) put_closing(line, "\"");
}

static void put_integer_field(struct line *line, const char *key, int64_t integer)
{
    char digits[sizeof "-9223372036854775808"];
    size_t start = line->length;
    put_key(line, key);
    snprintf(digits, sizeof digits, "%" PRId64, integer);
    put_text(line, digits);
    if (line->is_cut) line->length = start;
}

static void put_time(struct line *line)
{
    char text[TG_CLOCK_TEXT_BYTES];
    tg_clock_write_wall(tg_clock_wall_ms(sink.clock ? sink.clock : tg_clock_system()), text);
    put_text_field(line, "time", tg_slice_of(text));
}

/* The fields in their order, and which code ran. */
static void put_fields(struct line *line, const struct tg_log_field *fields)
{
    uint32_t generation = sink.generation;
    for (const struct tg_log_field *field = fields; field->key && !line->is_cut; field++) {
        if (field->type == TG_LOG_FIELD_INTEGER)
            put_integer_field(line, field->key, field->integer);
        else
            put_text_field(line, field->key, field->text);
        if (strcmp(field->key, "generation") == 0) generation = 0;
    }
    if (generation && !line->is_cut) put_integer_field(line, "generation", generation);
}

/* A reader that has stopped reading must not stop the gateway: lines that it does not take are dropped. A
 * broken descriptor counts as one that takes them, and write() says the rest. */
static bool takes_lines(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    return poll(&wanted, 1, 0) != 0;
}

static void write_out(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return; /* nobody is left to be told */
        bytes += written;
        length -= (size_t)written;
    }
}

void tg_log_write(enum tg_log_level level, const char *event, const struct tg_log_field *fields)
{
    if (sink.diversion.take) {
        sink.diversion.take(sink.diversion.context, level, event, fields);
        return;
    }
    struct line line;
    line.length = 0;
    line.format = sink.format;
    line.is_cut = false;
    put_time(&line);
    put_text_field(&line, "level", tg_slice_of(level_names[level]));
    put_text_field(&line, "event", tg_slice_of(event));
    put_fields(&line, fields);
    bool is_json = line.format == TG_LOG_JSON;
    if (line.is_cut) put_closing(&line, is_json ? ",\"cut\":true" : " cut=true");
    put_closing(&line, is_json ? "}\n" : "\n");
    if (!takes_lines(sink.fd)) {
        sink.dropped++;
        return;
    }
    uint64_t dropped = sink.dropped;
    sink.dropped = 0;
    if (dropped) tg_log(TG_LOG_WARNING, "lines_dropped", TG_LOG_I("lines", dropped));
    write_out(sink.fd, line.bytes, line.length);
}
