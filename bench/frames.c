/* Lengths are encoded after RFC 6455 5.2: 7 bits, or 126 and two bytes, or 127 and eight. */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

enum { FIN = 0x80, MASKED = 0x80, LENGTH_BITS = 0x7f, LONGEST_CLIENT_HEADER = 14 };

static size_t put_length(unsigned char *out, size_t length)
{
    if (length < 126) {
        out[0] = (unsigned char)(MASKED | length);
        return 1;
    }
    size_t width = length <= UINT16_MAX ? 2 : 8;
    out[0] = (unsigned char)(MASKED | (width == 2 ? 126 : 127));
    for (size_t i = 0; i < width; i++) out[1 + i] = (unsigned char)(length >> 8 * (width - 1 - i));
    return 1 + width;
}

size_t tg_frame_mask(char *out, enum tg_opcode opcode, const char *payload, size_t length, uint32_t mask)
{
    out[0] = (char)(FIN | (unsigned)opcode);
    char *key = out + 1 + put_length((unsigned char *)out + 1, length);
    memcpy(key, &mask, sizeof mask);
    char *masked = key + sizeof mask;
    for (size_t i = 0; i < length; i++) masked[i] = (char)(payload[i] ^ key[i % 4]);
    return (size_t)(masked - out) + length;
}

bool tg_batch_init(struct tg_batch *batch, const char *message, size_t count)
{
    size_t length = strlen(message);
    *batch = (struct tg_batch){.count = count};
    batch->bytes = malloc(2 * count * (length + LONGEST_CLIENT_HEADER));
    if (!batch->bytes) return false;
    char *end = batch->bytes;
    for (size_t i = 0; i < count; i++) {
        uint32_t mask = 0x9e3779b9u * (uint32_t)(i + 1); /* the same in every run, never 0 */
        batch->frame_bytes = tg_frame_mask(end, TG_OPCODE_TEXT, message, length, mask);
        end += batch->frame_bytes;
    }
    memcpy(end, batch->bytes, (size_t)(end - batch->bytes));
    return true;
}

void tg_batch_deinit(struct tg_batch *batch)
{
    free(batch->bytes);
    *batch = (struct tg_batch){0};
}

ptrdiff_t tg_frame_parse(const char *bytes, size_t length, struct tg_frame *frame)
{
    const unsigned char *at = (const unsigned char *)bytes;
    if (length < 2) return 0;
    if (at[1] & MASKED) return -1;
    size_t payload = at[1] & LENGTH_BITS;
    size_t width = payload < 126 ? 0 : payload == 126 ? 2 : 8;
    if (length < 2 + width) return 0;
    if (width) payload = 0;
    for (size_t i = 0; i < width; i++) payload = payload << 8 | at[2 + i];
    if (length - 2 - width < payload) return 0;
    *frame = (struct tg_frame){.first_byte = at[0], .payload = bytes + 2 + width, .length = payload};
    return (ptrdiff_t)(2 + width + payload);
}
