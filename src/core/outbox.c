/* A list of segments; frames are built at the end of the last one.
 *
 *     buf.data:  | headroom | frame | frame | 2 bytes | payload being appended ...
 *                                           ^ committed               buf.length ^
 *
 * Invariant: what lies beyond `committed` belongs to a frame that was begun and is nobody's until
 * tg_outbox_commit moves `committed` behind it. Only the last segment can have such a tail, and only
 * the last can be empty: a new one is begun when the one before holds TG_SEGMENT_BYTES of frames.
 */
#include "core/outbox.h"

#include "core/transport.h"

#include <assert.h>
#include <stdlib.h>

enum {
    POOL_SEGMENTS = 64,
    /* A segment just below TG_SEGMENT_BYTES still takes a frame, and its buf doubles. */
    POOLED_CAPACITY = 2 * TG_SEGMENT_BYTES,
    /* Most frames are short: their header fits without moving the payload. */
    SHORT_HEADER_BYTES = 2,
};

struct tg_segment {
    struct tg_segment *next;
    struct tg_buf buf;
    size_t committed;  /* bytes of headroom and whole frames */
    uint32_t messages; /* whole frames */
};

void tg_segment_pool_init(struct tg_segment_pool *pool)
{
    *pool = (struct tg_segment_pool){0};
}

static void segment_free(struct tg_segment *segment)
{
    tg_buf_deinit(&segment->buf);
    free(segment);
}

void tg_segment_pool_deinit(struct tg_segment_pool *pool)
{
    while (pool->free) {
        struct tg_segment *segment = pool->free;
        pool->free = segment->next;
        segment_free(segment);
    }
    pool->count = 0;
}

static struct tg_segment *segment_take(struct tg_segment_pool *pool)
{
    struct tg_segment *segment = pool->free;
    if (segment) {
        pool->free = segment->next;
        pool->count--;
    } else {
        segment = calloc(1, sizeof *segment);
        if (!segment) return NULL;
        if (!tg_buf_reserve(&segment->buf, TG_TRANSPORT_HEADROOM + SHORT_HEADER_BYTES)) {
            segment_free(segment);
            return NULL;
        }
    }
    segment->next = NULL;
    segment->messages = 0;
    segment->committed = TG_TRANSPORT_HEADROOM;
    return segment;
}

static void segment_give_back(struct tg_segment_pool *pool, struct tg_segment *segment)
{
    if (pool->count == POOL_SEGMENTS || segment->buf.capacity > POOLED_CAPACITY) {
        segment_free(segment);
        return;
    }
    segment->next = pool->free;
    pool->free = segment;
    pool->count++;
}

void tg_outbox_init(struct tg_outbox *outbox)
{
    *outbox = (struct tg_outbox){0};
}

/* The segment that the next frame goes into. */
static struct tg_segment *tail(struct tg_outbox *outbox, struct tg_segment_pool *pool)
{
    struct tg_segment *last = outbox->last;
    if (last && last->committed - TG_TRANSPORT_HEADROOM < TG_SEGMENT_BYTES) return last;
    struct tg_segment *segment = segment_take(pool);
    if (!segment) return NULL;
    if (last)
        last->next = segment;
    else
        outbox->first = segment;
    return outbox->last = segment;
}

struct tg_buf *tg_outbox_begin(struct tg_outbox *outbox, struct tg_segment_pool *pool)
{
    struct tg_segment *segment = tail(outbox, pool);
    if (!segment) return NULL;
    struct tg_buf *buf = &segment->buf;
    tg_buf_truncate(buf, segment->committed);
    if (!tg_buf_reserve(buf, SHORT_HEADER_BYTES)) return NULL;
    buf->length += SHORT_HEADER_BYTES;
    return buf;
}

/* Puts the header in front of the payload, which moves up when it needs more than was kept free. */
static void write_header(struct tg_buf *buf, size_t start, enum tg_opcode opcode, size_t payload_bytes)
{
    size_t more = tg_frame_header_length(payload_bytes) - SHORT_HEADER_BYTES;
    if (more) {
        if (!tg_buf_reserve(buf, more)) return;
        char *payload = buf->data + start + SHORT_HEADER_BYTES;
        memmove(payload + more, payload, payload_bytes);
        buf->length += more;
    }
    unsigned char header[TG_FRAME_HEADER_MAX];
    memcpy(buf->data + start, header, tg_frame_write_header(header, opcode, payload_bytes));
}

enum tg_status tg_outbox_commit(struct tg_outbox *outbox, enum tg_opcode opcode, size_t max_bytes,
                                uint32_t max_messages)
{
    struct tg_segment *segment = outbox->last;
    struct tg_buf *buf = &segment->buf;
    size_t start = segment->committed;
    assert(buf->length >= start + SHORT_HEADER_BYTES);
    size_t payload_bytes = buf->length - start - SHORT_HEADER_BYTES;
    size_t frame_bytes = tg_frame_header_length(payload_bytes) + payload_bytes;
    enum tg_status status = tg_buf_status(buf);
    if (status != TG_OK) goto dropped;
    status = TG_E_FULL;
    if (outbox->queued_bytes > max_bytes || frame_bytes > max_bytes - outbox->queued_bytes) goto dropped;
    if (outbox->queued_messages >= max_messages) goto dropped;
    write_header(buf, start, opcode, payload_bytes);
    status = tg_buf_status(buf);
    if (status != TG_OK) goto dropped;
    segment->committed = buf->length;
    segment->messages++;
    outbox->queued_bytes += frame_bytes;
    outbox->queued_messages++;
    return TG_OK;
dropped:
    tg_buf_truncate(buf, start);
    return status;
}

bool tg_outbox_peek(const struct tg_outbox *outbox, unsigned char **bytes, size_t *length)
{
    if (outbox->queued_messages == 0) return false;
    const struct tg_segment *segment = outbox->first;
    *bytes = (unsigned char *)segment->buf.data + TG_TRANSPORT_HEADROOM;
    *length = segment->committed - TG_TRANSPORT_HEADROOM;
    return true;
}

void tg_outbox_sent(struct tg_outbox *outbox, struct tg_segment_pool *pool)
{
    struct tg_segment *segment = outbox->first;
    outbox->first = segment->next;
    if (!outbox->first) outbox->last = NULL;
    outbox->queued_bytes -= segment->committed - TG_TRANSPORT_HEADROOM;
    outbox->queued_messages -= segment->messages;
    segment_give_back(pool, segment);
}

void tg_outbox_clear(struct tg_outbox *outbox, struct tg_segment_pool *pool)
{
    while (outbox->first) tg_outbox_sent(outbox, pool);
}
