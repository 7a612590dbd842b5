/* A list of pieces; own frames are built at the end of the last one, if that is a segment.
 *
 *     buf.data:  | headroom | frame | frame | 2 bytes | payload being appended ...
 *                                           ^ committed               buf.length ^
 *
 * Invariant: what lies beyond `committed` belongs to a frame that was begun and is nobody's until
 * tg_outbox_commit moves `committed` behind it. A segment without frames is one whose frame was given up; it
 * may stand anywhere, and is passed over.
 */
#include "core/outbox.h"

#include "core/transport.h"

#include <assert.h>
#include <stdlib.h>

enum {
    POOL_SEGMENTS = 64,
    /* What 1,000 clients have queued after eight messages to all of them. */
    POOL_SHARES = 8192,
    /* A segment just below TG_SEGMENT_BYTES still takes a frame, and its buf doubles. */
    POOLED_CAPACITY = 2 * TG_SEGMENT_BYTES,
    /* Most frames are short: their header fits without moving the payload. */
    SHORT_HEADER_BYTES = 2,
};

/* A share is no more than this. */
struct tg_piece {
    struct tg_piece *next;
    struct tg_payload *payload; /* a reference; NULL: the piece is the beginning of a segment */
};

struct segment {
    struct tg_piece piece; /* first */
    struct tg_buf buf;
    size_t committed;  /* bytes of headroom and whole frames */
    uint32_t messages; /* whole frames */
};

static struct segment *segment_of(struct tg_piece *piece)
{
    assert(!piece->payload);
    return (struct segment *)piece;
}

/* ---- the pool ---- */

void tg_segment_pool_init(struct tg_segment_pool *pool)
{
    *pool = (struct tg_segment_pool){0};
}

static void segment_free(struct segment *segment)
{
    tg_buf_deinit(&segment->buf);
    free(segment);
}

static struct tg_piece *pop(struct tg_piece **top)
{
    struct tg_piece *piece = *top;
    if (piece) *top = piece->next;
    return piece;
}

void tg_segment_pool_deinit(struct tg_segment_pool *pool)
{
    for (struct tg_piece *piece; (piece = pop(&pool->segments));) segment_free(segment_of(piece));
    for (struct tg_piece *piece; (piece = pop(&pool->shares));) free(piece);
    free(pool->gathered);
    tg_segment_pool_init(pool);
}

static struct segment *segment_new(void)
{
    struct segment *segment = calloc(1, sizeof *segment);
    if (!segment) return NULL;
    if (tg_buf_reserve(&segment->buf, TG_TRANSPORT_HEADROOM + SHORT_HEADER_BYTES)) return segment;
    segment_free(segment);
    return NULL;
}

static struct tg_piece *segment_take(struct tg_segment_pool *pool)
{
    struct tg_piece *piece = pop(&pool->segments);
    struct segment *segment;
    if (piece) {
        segment = segment_of(piece);
        pool->segment_count--;
    } else {
        segment = segment_new();
        if (!segment) return NULL;
    }
    segment->messages = 0;
    segment->committed = TG_TRANSPORT_HEADROOM;
    return &segment->piece;
}

static void segment_give_back(struct tg_segment_pool *pool, struct segment *segment)
{
    if (pool->segment_count == POOL_SEGMENTS || segment->buf.capacity > POOLED_CAPACITY) {
        segment_free(segment);
        return;
    }
    segment->piece.next = pool->segments;
    pool->segments = &segment->piece;
    pool->segment_count++;
}

static struct tg_piece *share_take(struct tg_segment_pool *pool)
{
    struct tg_piece *piece = pop(&pool->shares);
    if (!piece) return malloc(sizeof *piece);
    pool->share_count--;
    return piece;
}

static void share_give_back(struct tg_segment_pool *pool, struct tg_piece *piece)
{
    tg_payload_unref(piece->payload);
    if (pool->share_count == POOL_SHARES) {
        free(piece);
        return;
    }
    piece->next = pool->shares;
    pool->shares = piece;
    pool->share_count++;
}

/* ---- filling ---- */

void tg_outbox_init(struct tg_outbox *outbox)
{
    *outbox = (struct tg_outbox){0};
}

static void append(struct tg_outbox *outbox, struct tg_piece *piece)
{
    piece->next = NULL;
    if (outbox->last)
        outbox->last->next = piece;
    else
        outbox->first = piece;
    outbox->last = piece;
}

/* The segment that the next frame goes into. */
static struct segment *tail(struct tg_outbox *outbox, struct tg_segment_pool *pool)
{
    struct tg_piece *last = outbox->last;
    if (last && !last->payload) {
        struct segment *segment = segment_of(last);
        if (segment->committed - TG_TRANSPORT_HEADROOM < TG_SEGMENT_BYTES) return segment;
    }
    struct tg_piece *piece = segment_take(pool);
    if (!piece) return NULL;
    append(outbox, piece);
    return segment_of(piece);
}

struct tg_buf *tg_outbox_begin(struct tg_outbox *outbox, struct tg_segment_pool *pool)
{
    struct segment *segment = tail(outbox, pool);
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

static bool has_room(const struct tg_outbox *outbox, size_t frame_bytes, size_t max_bytes,
                     uint32_t max_messages)
{
    return outbox->queued_bytes <= max_bytes && frame_bytes <= max_bytes - outbox->queued_bytes &&
           outbox->queued_messages < max_messages;
}

enum tg_status tg_outbox_commit(struct tg_outbox *outbox, enum tg_opcode opcode, size_t max_bytes,
                                uint32_t max_messages)
{
    struct segment *segment = segment_of(outbox->last);
    struct tg_buf *buf = &segment->buf;
    size_t start = segment->committed;
    assert(buf->length >= start + SHORT_HEADER_BYTES);
    size_t payload_bytes = buf->length - start - SHORT_HEADER_BYTES;
    size_t frame_bytes = tg_frame_header_length(payload_bytes) + payload_bytes;
    enum tg_status status = tg_buf_status(buf);
    if (status != TG_OK) goto dropped;
    status = TG_E_FULL;
    if (!has_room(outbox, frame_bytes, max_bytes, max_messages)) goto dropped;
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

enum tg_status tg_outbox_share(struct tg_outbox *outbox, struct tg_segment_pool *pool,
                               struct tg_payload *payload, size_t max_bytes, uint32_t max_messages)
{
    if (!has_room(outbox, payload->frame_bytes, max_bytes, max_messages)) return TG_E_FULL;
    struct tg_piece *piece = share_take(pool);
    if (!piece) return TG_E_NO_MEMORY;
    piece->payload = tg_payload_ref(payload);
    append(outbox, piece);
    outbox->queued_bytes += payload->frame_bytes;
    outbox->queued_messages++;
    return TG_OK;
}

/* ---- emptying ---- */

static size_t piece_bytes(struct tg_piece *piece)
{
    return piece->payload ? piece->payload->frame_bytes
                          : segment_of(piece)->committed - TG_TRANSPORT_HEADROOM;
}

static unsigned char *piece_data(struct tg_piece *piece)
{
    if (piece->payload) return tg_payload_frame(piece->payload);
    return (unsigned char *)segment_of(piece)->buf.data + TG_TRANSPORT_HEADROOM;
}

/* The next piece that has something in it; NULL: none. */
static struct tg_piece *filled(struct tg_piece *piece)
{
    while (piece && piece_bytes(piece) == 0) piece = piece->next;
    return piece;
}

static bool is_worth_gathering(struct tg_piece *piece, size_t gathered_bytes)
{
    size_t bytes = piece_bytes(piece);
    return bytes <= TG_GATHER_PIECE_BYTES && bytes <= TG_GATHER_BYTES - gathered_bytes;
}

/* Copies what follows `view`, its piece first, behind one another. */
static void gather(struct tg_segment_pool *pool, struct tg_outbox_view *view)
{
    unsigned char *start = pool->gathered + TG_TRANSPORT_HEADROOM;
    size_t length = 0;
    struct tg_piece *piece = view->last;
    do {
        memcpy(start + length, piece_data(piece), piece_bytes(piece));
        length += piece_bytes(piece);
        view->last = piece;
        piece = filled(piece->next);
    } while (piece && is_worth_gathering(piece, length));
    view->bytes = start;
    view->length = length;
}

bool tg_outbox_peek(const struct tg_outbox *outbox, struct tg_segment_pool *pool, struct tg_outbox_view *view)
{
    if (outbox->queued_messages == 0) return false;
    struct tg_piece *piece = filled(outbox->first);
    *view = (struct tg_outbox_view){piece_data(piece), piece_bytes(piece), piece};
    struct tg_piece *next = filled(piece->next);
    if (!next || !is_worth_gathering(piece, 0) || !is_worth_gathering(next, view->length)) return true;
    /* Without memory for it they leave one by one. */
    if (!pool->gathered) pool->gathered = malloc(TG_TRANSPORT_HEADROOM + TG_GATHER_BYTES);
    if (pool->gathered) gather(pool, view);
    return true;
}

static void drop_first(struct tg_outbox *outbox, struct tg_segment_pool *pool)
{
    struct tg_piece *piece = pop(&outbox->first);
    if (!outbox->first) outbox->last = NULL;
    outbox->queued_bytes -= piece_bytes(piece);
    if (piece->payload) {
        outbox->queued_messages--;
        share_give_back(pool, piece);
    } else {
        struct segment *segment = segment_of(piece);
        outbox->queued_messages -= segment->messages;
        segment_give_back(pool, segment);
    }
}

void tg_outbox_sent(struct tg_outbox *outbox, struct tg_segment_pool *pool, const struct tg_outbox_view *view)
{
    const struct tg_piece *piece;
    do {
        piece = outbox->first;
        drop_first(outbox, pool);
    } while (piece != view->last);
}

void tg_outbox_clear(struct tg_outbox *outbox, struct tg_segment_pool *pool)
{
    while (outbox->first) drop_first(outbox, pool);
}
