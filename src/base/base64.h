/* Base64 (RFC 4648 4), with padding. */
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

#endif
