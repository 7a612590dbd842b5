/* The text in blocks of 64 bytes; the last one or two hold its end, a 1 bit, and its length in bits. */
#include "base/sha1.h"

#include <stdint.h>

enum { BLOCK_BYTES = 64, LENGTH_BYTES = 8, WORDS = 5, ROUNDS = 80 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* RFC 3174 5: the function and the constant of a round. */
static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20) return ((b & c) | (~b & d)) + 0x5A827999;
    if (round < 40) return (b ^ c ^ d) + 0x6ED9EBA1;
    if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
    return (b ^ c ^ d) + 0xCA62C1D6;
}

static void add_block(uint32_t state[WORDS], const unsigned char *block)
{
    uint32_t w[ROUNDS];
    for (size_t i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (size_t i = 16; i < ROUNDS; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t next = rotate(a, 5) + mix(round, b, c, d) + e + w[round];
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void tg_sha1(struct tg_slice text, unsigned char digest[TG_SHA1_BYTES])
{
    uint32_t state[WORDS] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t whole = text.length / BLOCK_BYTES * BLOCK_BYTES, rest = text.length - whole;
    for (size_t i = 0; i < whole; i += BLOCK_BYTES) add_block(state, bytes + i);
    unsigned char last[2 * BLOCK_BYTES] = {0};
    if (rest) memcpy(last, bytes + whole, rest);
    last[rest] = 0x80;
    size_t end = rest < BLOCK_BYTES - LENGTH_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    uint64_t bits = (uint64_t)text.length * 8;
    for (size_t i = 1; i <= LENGTH_BYTES; i++, bits >>= 8) last[end - i] = (unsigned char)bits;
    for (size_t i = 0; i < end; i += BLOCK_BYTES) add_block(state, last + i);
    for (size_t i = 0; i < TG_SHA1_BYTES; i++)
        digest[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
}
