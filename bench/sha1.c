/* The whole text and its padding (RFC 3174 4) fit into two blocks, so there is no streaming. */
#include "sha1.h"

#include <assert.h>
#include <string.h>

enum { BLOCK_BYTES = 64, PADDING_BYTES = 9 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void mix(uint32_t state[5], const uint8_t *block)
{
    uint32_t words[80];
    for (unsigned t = 0; t < 16; t++)
        words[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
                   (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (unsigned t = 16; t < 80; t++)
        words[t] = rotate(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (unsigned t = 0; t < 80; t++) { /* RFC 3174 5 */
        static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
        uint32_t f = t < 20              ? (b & c) | (~b & d)
                     : t < 40 || t >= 60 ? b ^ c ^ d
                                         : (b & c) | (b & d) | (c & d);
        uint32_t next = rotate(a, 5) + f + e + words[t] + constants[t / 20];
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void tg_sha1(const char *bytes, size_t length, uint8_t digest[20])
{
    assert(length + PADDING_BYTES <= 2 * BLOCK_BYTES);
    uint8_t padded[2 * BLOCK_BYTES] = {0};
    size_t total = length + PADDING_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    memcpy(padded, bytes, length);
    padded[length] = 0x80;
    padded[total - 2] = (uint8_t)(length * 8 >> 8);
    padded[total - 1] = (uint8_t)(length * 8);
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for (size_t at = 0; at < total; at += BLOCK_BYTES) mix(state, padded + at);
    for (unsigned i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}
