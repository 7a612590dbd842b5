/* Chunks in any sequence, against a reference that keeps the whole text and judges it naively.
 *
 * Input: byte 0 is the size limit, then chunks, each a byte of flags, a byte of length and its bytes.
 */
#include "wire/assembly.h"

#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

enum { FIRST = 1, LAST = 2, BINARY = 4 };

struct reference {
    char text[512]; /* the limit is at most 255 */
    size_t length;
    bool is_open, is_binary;
};

/* RFC 3629 by arithmetic: can the `have` bytes of a sequence of `need` bytes still become a character? */
static bool can_become_character(uint32_t bits, size_t have, size_t need)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t open_bits = 6 * (need - have);
    uint32_t lowest = bits << open_bits, highest = lowest | ((1u << open_bits) - 1);
    if (highest < least[need] || lowest > 0x10FFFF) return false;
    return !(lowest >= 0xD800 && highest <= 0xDFFF);
}

/* Whether some valid text begins with these bytes. */
static bool can_begin_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned char lead = (unsigned char)text[i++];
        if (lead < 0x80) continue;
        size_t need = lead >= 0xF8 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
        if (need == 0) return false;
        uint32_t bits = lead & (0x7Fu >> need);
        if (!can_become_character(bits, 1, need)) return false;
        for (size_t have = 2; have <= need && i < length; have++, i++) {
            if (((unsigned char)text[i] & 0xC0) != 0x80) return false;
            bits = bits << 6 | ((unsigned char)text[i] & 0x3F);
            if (!can_become_character(bits, have, need)) return false;
        }
    }
    return true;
}

static enum tg_status expect(struct reference *reference, const struct tg_chunk *chunk, size_t max_bytes)
{
    if (chunk->is_first == reference->is_open) return TG_E_PROTOCOL;
    if (chunk->is_first) {
        reference->length = 0;
        reference->is_binary = chunk->is_binary;
    }
    if (reference->length + chunk->bytes.length > max_bytes) return TG_E_TOO_LARGE;
    if (chunk->bytes.length)
        memcpy(reference->text + reference->length, chunk->bytes.data, chunk->bytes.length);
    reference->length += chunk->bytes.length;
    reference->is_open = !chunk->is_last;
    if (reference->is_binary) return TG_OK;
    bool is_fine = chunk->is_last ? tg_utf8_is_valid(reference->text, reference->length)
                                  : can_begin_text(reference->text, reference->length);
    return is_fine ? TG_OK : TG_E_UTF8;
}

static void feed(struct tg_assembly *assembly, struct reference *reference, const struct tg_chunk *chunk,
                 size_t max_bytes)
{
    struct tg_slice message;
    bool is_whole;
    enum tg_status expected = expect(reference, chunk, max_bytes);
    CHECK(tg_assembly_feed(assembly, chunk, max_bytes, &message, &is_whole) == expected);
    CHECK(is_whole == (expected == TG_OK && chunk->is_last));
    if (expected != TG_OK) {
        CHECK(!assembly->bytes.data && !assembly->is_open);
        reference->is_open = false;
    }
    if (!is_whole) return;
    CHECK(tg_slice_equal(message, (struct tg_slice){reference->text, reference->length}));
    CHECK(assembly->is_binary == reference->is_binary);
    if (chunk->is_first) CHECK(message.data == chunk->bytes.data && !assembly->bytes.data);
    tg_assembly_done(assembly);
    CHECK(!assembly->bytes.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    size_t max_bytes = data[0];
    struct tg_assembly assembly;
    struct reference reference = {.length = 0};
    tg_assembly_init(&assembly);
    for (size_t at = 1; at + 2 <= size;) {
        uint8_t flags = data[at];
        size_t length = data[at + 1];
        at += 2;
        if (length > size - at) length = size - at;
        struct tg_chunk chunk = {.bytes = {(const char *)data + at, length},
                                 .is_first = flags & FIRST,
                                 .is_last = flags & LAST,
                                 .is_binary = flags & BINARY};
        feed(&assembly, &reference, &chunk, max_bytes);
        at += length;
    }
    tg_assembly_deinit(&assembly);
    return 0;
}
