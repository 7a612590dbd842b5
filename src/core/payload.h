/* A frame that many clients get: encoded and framed once, shared by counting references.
 *
 * An outbox that queues it takes a reference, no copy; the last reference that is given up frees it.
 * Nothing changes once it is made.
 */
#ifndef TG_CORE_PAYLOAD_H
#define TG_CORE_PAYLOAD_H

#include "base/slice.h"
#include "wire/frame.h"

#include <stdint.h>

struct tg_payload {
    uint32_t references;
    uint32_t header_bytes;
    size_t frame_bytes;    /* with the header */
    uint64_t *alive_bytes; /* the gauge that counts it */
    unsigned char bytes[]; /* TG_TRANSPORT_HEADROOM scratch bytes, then the frame */
};

/* A frame of `text` with `tail` behind it (both copied; either may be empty), with one reference, the
 * caller's. Its bytes count in `*alive_bytes` (a metric of the worker; borrowed) as long as it lives. NULL
 * without memory. */
struct tg_payload *tg_payload_new(uint64_t *alive_bytes, enum tg_opcode opcode, struct tg_slice text,
                                  struct tg_slice tail);

/* One more reference; answers `payload`. */
static inline struct tg_payload *tg_payload_ref(struct tg_payload *payload)
{
    payload->references++;
    return payload;
}

/* One less; NULL is nothing. */
void tg_payload_unref(struct tg_payload *payload);

/* What it carries, without the header. Borrowed. */
struct tg_slice tg_payload_text(const struct tg_payload *payload);

/* The whole frame, with TG_TRANSPORT_HEADROOM scratch bytes in front of it that are everybody's. */
unsigned char *tg_payload_frame(struct tg_payload *payload);

#endif
