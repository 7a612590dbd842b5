/* Runs of ASCII are skipped eight bytes at a time; everything else goes byte by byte. */
#include "base/utf8.h"

#include <string.h>

static size_t ascii_run(const char *bytes, size_t length)
{
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        if (word & 0x8080808080808080u) break;
    }
    while (i < length && !((unsigned char)bytes[i] & 0x80)) i++;
    return i;
}

/* RFC 3629 4: the ranges of the byte after each lead byte. False for a byte that cannot lead. */
static bool begin(struct tg_utf8 *utf8, unsigned char lead)
{
    if (lead < 0xC2 || lead > 0xF4) return false;
    utf8->pending = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    utf8->low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    utf8->high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return true;
}

size_t tg_utf8_feed(struct tg_utf8 *utf8, const char *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        unsigned char byte = (unsigned char)bytes[i];
        if (utf8->pending == 0) {
            i += ascii_run(bytes + i, length - i);
            if (i == length) break;
            if (!begin(utf8, (unsigned char)bytes[i])) return i;
        } else {
            if (byte < utf8->low || byte > utf8->high) return i;
            utf8->pending--;
            utf8->low = 0x80;
            utf8->high = 0xBF;
        }
        i++;
    }
    return length;
}

bool tg_utf8_is_valid(const char *bytes, size_t length)
{
    struct tg_utf8 utf8 = {0};
    return tg_utf8_feed(&utf8, bytes, length) == length && tg_utf8_is_complete(&utf8);
}

size_t tg_utf8_count(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

size_t tg_utf8_read(const char *bytes, size_t length, uint32_t *code_point)
{
    struct tg_utf8 utf8 = {0};
    *code_point = 0;
    for (size_t i = 0; i < length && i < 4; i++) {
        if (tg_utf8_feed(&utf8, bytes + i, 1) != 1) return 0;
        uint32_t byte = (unsigned char)bytes[i];
        uint32_t lead_mask = utf8.pending ? 0x3Fu >> utf8.pending : 0x7Fu;
        *code_point = i == 0 ? byte & lead_mask : *code_point << 6 | (byte & 0x3F);
        if (tg_utf8_is_complete(&utf8)) return i + 1;
    }
    return 0;
}

bool tg_utf8_is_unsafe(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F) || code_point == 0x061C ||
           code_point == 0x200E || code_point == 0x200F || (code_point >= 0x2028 && code_point <= 0x202E) ||
           (code_point >= 0x2066 && code_point <= 0x2069);
}

size_t tg_utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--, code_point >>= 6) out[i] = (char)(0x80 | (code_point & 0x3F));
    out[0] = (char)(lead[length] | code_point);
    return length;
}
