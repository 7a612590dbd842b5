/* The bytes of RFC 6455, both ways, as a load generator needs them.
 *
 * Nothing is shared with the server's own framing: a mistake there must not be hidden by the same
 * mistake here.
 */
#ifndef TG_BENCH_FRAMES_H
#define TG_BENCH_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tg_opcode {
    TG_OPCODE_TEXT = 1,
    TG_OPCODE_BINARY = 2,
    TG_OPCODE_CLOSE = 8,
    TG_OPCODE_PING = 9,
    TG_OPCODE_PONG = 10,
};

/* One message as `count` masked frames in a row, each under a mask of its own. */
struct tg_batch {
    char *bytes; /* owned; the row twice, so that any `count` frames from any offset are contiguous */
    size_t frame_bytes;
    size_t count;
};

/* Copies the message. False without memory. */
bool tg_batch_init(struct tg_batch *batch, const char *message, size_t count);

void tg_batch_deinit(struct tg_batch *batch);

/* Writes one masked client frame into `out`, which has room for `length` + 14; returns its bytes. */
size_t tg_frame_mask(char *out, enum tg_opcode opcode, const char *payload, size_t length, uint32_t mask);

struct tg_frame {
    unsigned first_byte; /* FIN, RSV1 to RSV3, opcode */
    const char *payload; /* borrowed from the bytes that were parsed */
    size_t length;
};

/* Takes one unmasked server frame off the front. Returns its bytes; 0 when more is needed; -1 when it
 * is masked, which RFC 6455 5.1 forbids a server. */
ptrdiff_t tg_frame_parse(const char *bytes, size_t length, struct tg_frame *frame);

#endif
