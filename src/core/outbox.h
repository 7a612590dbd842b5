/* What is still to be sent to one client: whole frames, in order, in pieces of two kinds.
 *
 * A *segment* owns the bytes of this client's own frames, which are written straight into the last one, so
 * that all of a loop turn lie in one piece and leave with one write; one that has reached TG_SEGMENT_BYTES
 * takes no more. A *share* refers to a payload that other clients get too: nothing is copied while it is
 * queued. Where small pieces are neighbours they are gathered at the moment of writing, so that they leave
 * with one write too.
 *
 * Pieces come from the worker's pool and go back to it once sent; an empty outbox owns nothing, but for the
 * segment of a frame that was given up (tg_outbox_clear takes it). The limits are checked when a frame is
 * committed or shared; a frame that would pass one is not queued.
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
#include "core/payload.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define TG_SEGMENT_BYTES ((size_t)64 * 1024)

/* What is gathered at most, and the largest piece that is worth copying for it. */
#define TG_GATHER_BYTES ((size_t)64 * 1024)
#define TG_GATHER_PIECE_BYTES ((size_t)16 * 1024)

struct tg_piece;

/* Free pieces of a worker, a bounded number of each kind and no segment that grew large, and the place where
 * pieces are gathered. */
struct tg_segment_pool {
    struct tg_piece *segments, *shares;
    uint32_t segment_count, share_count;
    unsigned char *gathered; /* owned; NULL until it is needed */
};

struct tg_outbox {
    struct tg_piece *first; /* NULL: empty */
    struct tg_piece *last;
    size_t queued_bytes;      /* of committed and shared frames */
    uint32_t queued_messages; /* those frames */
};

/* What is to be written next. */
struct tg_outbox_view {
    unsigned char *bytes; /* TG_TRANSPORT_HEADROOM scratch bytes in front of it; until the next call */
    size_t length;
    struct tg_piece *last; /* of the pieces that lie in it */
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

/* Queues a frame that others get too, with a reference of its own. As commit. */
enum tg_status tg_outbox_share(struct tg_outbox *outbox, struct tg_segment_pool *pool,
                               struct tg_payload *payload, size_t max_bytes, uint32_t max_messages);

/* The next bytes to write, whole frames; false when empty. */
bool tg_outbox_peek(const struct tg_outbox *outbox, struct tg_segment_pool *pool,
                    struct tg_outbox_view *view);

/* What was peeked has been written. */
void tg_outbox_sent(struct tg_outbox *outbox, struct tg_segment_pool *pool,
                    const struct tg_outbox_view *view);

/* Drops all frames. */
void tg_outbox_clear(struct tg_outbox *outbox, struct tg_segment_pool *pool);

#endif
