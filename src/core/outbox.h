/* What is still to be sent to one client: whole frames, in order.
 *
 * Policy: frames are written straight into the last segment, so that all frames of a loop turn lie
 * in one piece and leave with one write. A segment that has reached TG_SEGMENT_BYTES takes no more.
 * Segments come from the worker's pool and go back to it once sent; an empty outbox owns nothing, but
 * for the segment of a frame that was given up (tg_outbox_clear takes it). The limits are checked when
 * a frame is committed; a frame that would pass one is not queued.
 *
 *     struct tg_buf *out = tg_outbox_begin(outbox, pool);   NULL: no memory
 *     tg_json_write_string(out, ...);
 *     status = tg_outbox_commit(outbox, TG_OPCODE_TEXT, max_bytes, max_messages);
 *
 * Between begin and commit the caller may give up without a word: the next begin starts over. So a
 * Lua error that jumps out of a serialiser leaves nothing behind.
 */
#ifndef TG_CORE_OUTBOX_H
#define TG_CORE_OUTBOX_H

#include "base/buf.h"
#include "base/status.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define TG_SEGMENT_BYTES ((size_t)64 * 1024)

struct tg_segment;

/* Free segments of a worker, at most POOL_SEGMENTS of them and none that grew large. */
struct tg_segment_pool {
    struct tg_segment *free;
    uint32_t count;
};

struct tg_outbox {
    struct tg_segment *first; /* NULL: empty */
    struct tg_segment *last;
    size_t queued_bytes;      /* of committed frames */
    uint32_t queued_messages; /* committed frames */
};

void tg_segment_pool_init(struct tg_segment_pool *pool);
void tg_segment_pool_deinit(struct tg_segment_pool *pool);

void tg_outbox_init(struct tg_outbox *outbox);

/* Where the payload of a new frame is appended; NULL without memory. Borrowed until commit. */
struct tg_buf *tg_outbox_begin(struct tg_outbox *outbox, struct tg_segment_pool *pool);

/* Puts the header before what was appended since tg_outbox_begin and queues the frame.
 * TG_E_NO_MEMORY: an append failed. TG_E_FULL: a limit would be passed. Nothing is queued then. */
enum tg_status tg_outbox_commit(struct tg_outbox *outbox, enum tg_opcode opcode, size_t max_bytes,
                                uint32_t max_messages);

/* The next piece to write, TG_TRANSPORT_HEADROOM scratch bytes in front of it; false when empty. */
bool tg_outbox_peek(const struct tg_outbox *outbox, unsigned char **bytes, size_t *length);

/* The piece that was peeked has been written. */
void tg_outbox_sent(struct tg_outbox *outbox, struct tg_segment_pool *pool);

/* Drops all frames. */
void tg_outbox_clear(struct tg_outbox *outbox, struct tg_segment_pool *pool);

#endif
