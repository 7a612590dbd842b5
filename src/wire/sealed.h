/* Sealed texts: a value that a client keeps for us, in a cookie for instance, and cannot change.
 *
 *     s1.VALUE.EXPIRES.SIGNATURE
 *
 * The value in base64url, when it expires as Unix seconds (0: never), and HMAC-SHA256 of all in front of it
 * with its purpose. Whoever has it can read the value. It has only characters that a cookie may have
 * (RFC 6265 4.1.1), and one value has one text.
 */
#ifndef TG_WIRE_SEALED_H
#define TG_WIRE_SEALED_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdint.h>

/* What a secret must have, so that it cannot be guessed. */
enum { TG_SECRET_BYTES_MIN = 32 };

enum tg_sealed_verdict {
    TG_SEALED_OK,
    TG_SEALED_MALFORMED,
    TG_SEALED_SIGNATURE, /* somebody else's, for another purpose, or changed */
    TG_SEALED_EXPIRED,
    TG_SEALED_NO_MEMORY,
};

struct tg_seal {
    const struct tg_slice *secrets; /* the first signs, all verify */
    uint32_t secret_count;          /* 1 or more */
    struct tg_slice purpose;        /* without a zero byte: a sealed text of another purpose does not count */
};

/* Appends the sealed text; `expires_s` 0: never. TG_E_NO_MEMORY. */
enum tg_status tg_sealed_write(const struct tg_seal *seal, struct tg_slice value, uint64_t expires_s,
                               struct tg_buf *out);

/* Appends the value to `out`, and tells when it expires (0: never). It counts until that second begins. */
enum tg_sealed_verdict tg_sealed_read(const struct tg_seal *seal, struct tg_slice text, uint64_t now_s,
                                      struct tg_buf *out, uint64_t *expires_s);

#endif
