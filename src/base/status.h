/* What a function can answer besides success.
 *
 * A function that can fail returns an `enum tg_status`: TG_OK, or one of the negative values.
 * Detail for a person (what, where) goes into the trailing `struct tg_error *`, which may be NULL.
 * Close codes are derived from the status here and nowhere else.
 */
#ifndef TG_BASE_STATUS_H
#define TG_BASE_STATUS_H

#include <stddef.h>
#include <stdint.h>

enum tg_status {
    TG_OK = 0,
    TG_E_NO_MEMORY = -1, /* an allocation failed; the object is as it was before the call */
    TG_E_INVALID = -2,   /* the input breaks a rule of its format */
    TG_E_UTF8 = -3,      /* text that is not UTF-8 */
    TG_E_TOO_LARGE = -4, /* longer than its named limit */
    TG_E_TOO_DEEP = -5,  /* nested deeper than its named limit */
    TG_E_FULL = -6,      /* a bounded queue or table is full */
    TG_E_CLOSED = -7,    /* the connection has ended or is ending */
    TG_E_NOT_FOUND = -8,
    TG_E_EXISTS = -9,    /* declared twice */
    TG_E_PROTOCOL = -10, /* the peer broke RFC 6455 */
    TG_E_SCRIPT = -11,   /* Lua code raised */
    TG_E_IO = -12,       /* the operating system refused; the text carries its reason */
    TG_E_SLOW = -13,     /* the client reads too slowly */
};

/* Room for one sentence to a person; longer text is cut at a UTF-8 boundary. */
#define TG_ERROR_TEXT_BYTES 512

struct tg_error {
    enum tg_status status;
    size_t offset; /* bytes from the start of the input, where that makes sense */
    char text[TG_ERROR_TEXT_BYTES];
};

/* Fills `error` (which may be NULL) and returns `status`, so that `return tg_error_set(...)` works. */
enum tg_status tg_error_set(struct tg_error *error, enum tg_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A short stable name ("no_memory"), for logs and metrics. */
const char *tg_status_name(enum tg_status status);

/* The RFC 6455 7.4 close code that tells a client of this status; 1011 where none is nearer. */
uint16_t tg_status_close_code(enum tg_status status);

#endif
