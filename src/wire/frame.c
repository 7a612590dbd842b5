#include "wire/frame.h"

#include <string.h>

enum { FIN = 0x80 };

static size_t write_big_endian(unsigned char *out, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--, number >>= 8) out[i - 1] = (unsigned char)(number & 0xFF);
    return bytes;
}

size_t tg_frame_write_header(unsigned char out[TG_FRAME_HEADER_MAX], enum tg_opcode opcode,
                             uint64_t payload_bytes)
{
    out[0] = (unsigned char)(FIN | opcode);
    switch (tg_frame_header_length(payload_bytes)) {
    case 2:
        out[1] = (unsigned char)payload_bytes;
        return 2;
    case 4:
        out[1] = 126;
        return 2 + write_big_endian(out + 2, payload_bytes, 2);
    default:
        out[1] = 127;
        return 2 + write_big_endian(out + 2, payload_bytes, 8);
    }
}

/* The longest beginning of `text` that fits and ends between two characters. */
static size_t cut_at_character(const char *text, size_t length, size_t max)
{
    if (length <= max) return length;
    size_t cut = max;
    while (cut > 0 && ((unsigned char)text[cut] & 0xC0) == 0x80) cut--;
    return cut;
}

size_t tg_frame_write_close(unsigned char out[2 + TG_CONTROL_PAYLOAD_MAX], uint16_t code, const char *reason,
                            size_t reason_bytes)
{
    size_t kept = cut_at_character(reason, reason_bytes, TG_CLOSE_REASON_MAX);
    size_t at = tg_frame_write_header(out, TG_OPCODE_CLOSE, 2 + kept);
    at += write_big_endian(out + at, code, 2);
    if (kept > 0) memcpy(out + at, reason, kept);
    return at + kept;
}

int tg_close_code_is_sendable(unsigned code)
{
    /* RFC 6455 7.4.1: 1004 has no meaning yet, 1005, 1006 and 1015 never travel. */
    if (code == 1004 || code == 1005 || code == 1006) return 0;
    return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}
