/* RFC 6455 5.2: the header of a frame that a server sends (final, never masked). */
#ifndef TG_WIRE_FRAME_H
#define TG_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum tg_opcode {
    TG_OPCODE_TEXT = 0x1,
    TG_OPCODE_BINARY = 0x2,
    TG_OPCODE_CLOSE = 0x8,
    TG_OPCODE_PING = 0x9,
    TG_OPCODE_PONG = 0xA,
};

#define TG_FRAME_HEADER_MAX 10

/* RFC 6455 5.5: what a control frame may carry, and a close reason after its two bytes of code. */
#define TG_CONTROL_PAYLOAD_MAX 125
#define TG_CLOSE_REASON_MAX 123

/* How long the header of a frame with this payload is: 2, 4 or 10 bytes. */
static inline size_t tg_frame_header_length(uint64_t payload_bytes)
{
    return payload_bytes < 126 ? 2 : payload_bytes <= UINT16_MAX ? 4 : 10;
}

/* Writes the header and returns its length. */
size_t tg_frame_write_header(unsigned char out[TG_FRAME_HEADER_MAX], enum tg_opcode opcode,
                             uint64_t payload_bytes);

/* A whole close frame. `reason` is cut at TG_CLOSE_REASON_MAX bytes, never inside a character;
 * it must be UTF-8. Returns the frame's length. RFC 6455 5.5.1 */
size_t tg_frame_write_close(unsigned char out[2 + TG_CONTROL_PAYLOAD_MAX], uint16_t code, const char *reason,
                            size_t reason_bytes);

/* Whether an endpoint may send this code: RFC 6455 7.4, 1000 to 1014 less the reserved, 3000 to 4999. */
int tg_close_code_is_sendable(unsigned code);

#endif
