/* Base64 (RFC 4648): with padding (4), and for URLs and tokens without it (5). */
#ifndef TG_BASE_BASE64_H
#define TG_BASE_BASE64_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

/* Appends `bytes` as text. */
void tg_base64_write(struct tg_buf *out, struct tg_slice bytes);

/* Appends what `text` stands for. TG_E_INVALID: a length that is no multiple of four, a character that is no
 * digit, padding that is not at the end; nothing is appended then. TG_E_NO_MEMORY. */
enum tg_status tg_base64_read(struct tg_buf *out, struct tg_slice text);

/* The same with - and _ for + and /, and without padding. */
void tg_base64url_write(struct tg_buf *out, struct tg_slice bytes);

/* Refuses also bits behind the last byte that are not zero: no two texts stand for the same bytes. */
enum tg_status tg_base64url_read(struct tg_buf *out, struct tg_slice text);

#endif
