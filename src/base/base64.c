/* Three bytes are four digits of six bits each. */
#include "base/base64.h"

enum { GROUP_BYTES = 3, GROUP_DIGITS = 4, DIGIT_BITS = 6, DIGIT_MASK = 63, NO_DIGIT = 64 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* `count` bytes (1 to 3) are count + 1 digits. */
static void encode_group(char text[GROUP_DIGITS], const char *alphabet, const char *bytes, size_t count)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < GROUP_BYTES; i++) bits = bits << 8 | (i < count ? (unsigned char)bytes[i] : 0);
    for (size_t i = 0; i <= count; i++) text[i] = alphabet[bits >> (18 - DIGIT_BITS * i) & DIGIT_MASK];
}

void tg_base64_write(struct tg_buf *out, struct tg_slice bytes)
{
    for (size_t i = 0; i < bytes.length; i += GROUP_BYTES) {
        size_t left = bytes.length - i;
        char text[GROUP_DIGITS] = {'=', '=', '=', '='};
        encode_group(text, digits, bytes.data + i, left < GROUP_BYTES ? left : GROUP_BYTES);
        tg_buf_append(out, text, sizeof text);
    }
}

void tg_base64url_write(struct tg_buf *out, struct tg_slice bytes)
{
    for (size_t i = 0; i < bytes.length; i += GROUP_BYTES) {
        size_t left = bytes.length - i, count = left < GROUP_BYTES ? left : GROUP_BYTES;
        char text[GROUP_DIGITS];
        encode_group(text, url_digits, bytes.data + i, count);
        tg_buf_append(out, text, count + 1);
    }
}

/* The digit's six bits, or NO_DIGIT. */
static uint32_t read_digit(const char *alphabet, char c)
{
    if (c >= 'A' && c <= 'Z') return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z') return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0') + 52;
    if (c == alphabet[62]) return 62;
    return c == alphabet[63] ? 63 : NO_DIGIT;
}

/* `count` digits (2 to 4) are count - 1 bytes; what is left of the last digit may have to be zero. */
static enum tg_status read_group(struct tg_buf *out, const char *alphabet, const char *text, size_t count)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < GROUP_DIGITS; i++) {
        uint32_t digit = i < count ? read_digit(alphabet, text[i]) : 0;
        if (digit == NO_DIGIT) return TG_E_INVALID;
        bits = bits << DIGIT_BITS | digit;
    }
    if (alphabet == url_digits && count < GROUP_DIGITS && bits & (0xffffffu >> (8 * (count - 1))))
        return TG_E_INVALID;
    const char bytes[GROUP_BYTES] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
    tg_buf_append(out, bytes, count - 1);
    return TG_OK;
}

static enum tg_status read_groups(struct tg_buf *out, const char *alphabet, const char *text, size_t length)
{
    size_t before = out->length;
    size_t rest = length % GROUP_DIGITS;
    if (rest == 1) return TG_E_INVALID;
    tg_buf_reserve(out, length / GROUP_DIGITS * GROUP_BYTES + (rest ? rest - 1 : 0));
    for (size_t i = 0; i < length; i += GROUP_DIGITS) {
        size_t count = length - i < GROUP_DIGITS ? length - i : GROUP_DIGITS;
        if (read_group(out, alphabet, text + i, count) == TG_OK) continue;
        tg_buf_truncate(out, before);
        return TG_E_INVALID;
    }
    return tg_buf_status(out);
}

enum tg_status tg_base64_read(struct tg_buf *out, struct tg_slice text)
{
    size_t length = text.length;
    if (length % GROUP_DIGITS != 0) return TG_E_INVALID;
    for (int i = 0; i < 2 && length > 0 && text.data[length - 1] == '='; i++) length--;
    return read_groups(out, digits, text.data, length);
}

enum tg_status tg_base64url_read(struct tg_buf *out, struct tg_slice text)
{
    return read_groups(out, url_digits, text.data, text.length);
}
