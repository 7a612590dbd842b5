/* Three bytes are four digits of six bits each. */
#include "base/base64.h"

enum { GROUP_BYTES = 3, GROUP_DIGITS = 4, DIGIT_BITS = 6, DIGIT_MASK = 63 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void write_group(struct tg_buf *out, const char *bytes, size_t count)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < GROUP_BYTES; i++) bits = bits << 8 | (i < count ? (unsigned char)bytes[i] : 0);
    for (size_t i = 0; i < GROUP_DIGITS; i++) {
        char digit = digits[bits >> (18 - DIGIT_BITS * i) & DIGIT_MASK];
        tg_buf_append(out, i <= count ? &digit : "=", 1);
    }
}

void tg_base64_write(struct tg_buf *out, struct tg_slice bytes)
{
    for (size_t i = 0; i < bytes.length; i += GROUP_BYTES) {
        size_t left = bytes.length - i;
        write_group(out, bytes.data + i, left < GROUP_BYTES ? left : GROUP_BYTES);
    }
}

/* The digit's six bits, or -1. */
static int read_digit(char c)
{
    const char *found = c ? memchr(digits, c, sizeof digits - 1) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* `count` digits (2 to 4) are count - 1 bytes. */
static enum tg_status read_group(struct tg_buf *out, const char *text, size_t count)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < GROUP_DIGITS; i++) {
        int digit = i < count ? read_digit(text[i]) : 0;
        if (digit < 0) return TG_E_INVALID;
        bits = bits << DIGIT_BITS | (uint32_t)digit;
    }
    const char bytes[GROUP_BYTES] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
    tg_buf_append(out, bytes, count - 1);
    return TG_OK;
}

enum tg_status tg_base64_read(struct tg_buf *out, struct tg_slice text)
{
    size_t before = out->length;
    size_t length = text.length;
    if (length % GROUP_DIGITS != 0) return TG_E_INVALID;
    for (int i = 0; i < 2 && length > 0 && text.data[length - 1] == '='; i++) length--;
    for (size_t i = 0; i < length; i += GROUP_DIGITS) {
        size_t count = length - i < GROUP_DIGITS ? length - i : GROUP_DIGITS;
        if (read_group(out, text.data + i, count) == TG_OK) continue;
        tg_buf_truncate(out, before);
        return TG_E_INVALID;
    }
    return tg_buf_status(out);
}
