/* inet_pton reads the addresses themselves: it is strict, and takes no octal, short or decorated forms of
 * IPv4, which other readers would understand otherwise.
 */
#include "wire/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { V4_OFFSET = 12, V4_BITS_BEFORE = 96, ADDRESS_BITS = 128 };

static const unsigned char v4_mapped[V4_OFFSET] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool tg_address_read(struct tg_slice text, struct tg_address *address)
{
    char copy[INET6_ADDRSTRLEN];
    struct tg_address read;
    if (text.length == 0 || text.length >= sizeof copy || memchr(text.data, '\0', text.length)) return false;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    memcpy(read.bytes, v4_mapped, sizeof v4_mapped);
    if (inet_pton(AF_INET, copy, read.bytes + V4_OFFSET) != 1 && inet_pton(AF_INET6, copy, read.bytes) != 1)
        return false;
    *address = read;
    return true;
}

bool tg_address_is_v4(const struct tg_address *address)
{
    return memcmp(address->bytes, v4_mapped, sizeof v4_mapped) == 0;
}

/* A port of one to five digits, with the ':' before it; nothing is no port. */
static bool read_port(struct tg_slice text, uint16_t *port)
{
    enum { DIGITS_MAX = 5 };
    unsigned value = 0;
    *port = 0;
    if (text.length == 0) return true;
    if (text.data[0] != ':' || text.length < 2 || text.length > DIGITS_MAX + 1) return false;
    for (size_t i = 1; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    *port = (uint16_t)value;
    return value > 0 && value <= UINT16_MAX;
}

static struct tg_slice before(struct tg_slice text, const char *end)
{
    return (struct tg_slice){text.data, (size_t)(end - text.data)};
}

static struct tg_slice from(struct tg_slice text, const char *begin)
{
    return (struct tg_slice){begin, (size_t)(text.data + text.length - begin)};
}

static bool read_bracketed(struct tg_slice text, struct tg_address *address, uint16_t *port)
{
    const char *end = memchr(text.data, ']', text.length);
    if (!end) return false;
    struct tg_slice inside = before((struct tg_slice){text.data + 1, text.length - 1}, end);
    const char *zone = memchr(inside.data, '%', inside.length);
    if (zone) inside = before(inside, zone);
    bool is_v6 = memchr(inside.data, ':', inside.length) != NULL;
    return is_v6 && tg_address_read(inside, address) && read_port(from(text, end + 1), port);
}

bool tg_endpoint_read(struct tg_slice text, struct tg_address *address, uint16_t *port)
{
    *port = 0;
    if (text.length == 0) return false;
    if (text.data[0] == '[') return read_bracketed(text, address, port);
    if (tg_address_read(text, address)) return true;
    const char *colon = memchr(text.data, ':', text.length);
    return colon && tg_address_read(before(text, colon), address) && read_port(from(text, colon), port);
}

struct tg_slice tg_endpoint_write(const struct tg_address *address, uint16_t port,
                                  char text[TG_ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "";
    bool is_v4 = tg_address_is_v4(address);
    if (is_v4)
        inet_ntop(AF_INET, address->bytes + V4_OFFSET, host, sizeof host);
    else
        inet_ntop(AF_INET6, address->bytes, host, sizeof host);
    int length = snprintf(text, TG_ADDRESS_TEXT_BYTES, is_v4 ? "%s" : "[%s]", host);
    if (port) length += snprintf(text + length, TG_ADDRESS_TEXT_BYTES - (size_t)length, ":%u", port);
    return (struct tg_slice){text, (size_t)length};
}

/* ---- blocks ---- */

/* Byte i of the mask of a prefix. */
static unsigned char mask_byte(unsigned bits, unsigned i)
{
    if (bits >= (i + 1) * 8) return 0xFF;
    if (bits <= i * 8) return 0;
    return (unsigned char)(0xFF << (8 - bits % 8));
}

static bool read_bits(struct tg_slice text, unsigned most, unsigned *bits)
{
    unsigned value = 0;
    if (text.length == 0 || text.length > 3 || (text.length > 1 && text.data[0] == '0')) return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    *bits = value;
    return value <= most;
}

bool tg_cidr_read(struct tg_slice text, struct tg_cidr *block)
{
    struct tg_cidr read = {.bits = ADDRESS_BITS};
    const char *slash = text.length ? memchr(text.data, '/', text.length) : NULL;
    struct tg_slice address = slash ? before(text, slash) : text;
    if (!tg_address_read(address, &read.first)) return false;
    /* How it is written decides: "::ffff:10.0.0.0" counts its prefix from 128 bits. */
    bool is_v4 = !memchr(address.data, ':', address.length);
    unsigned written = is_v4 ? V4_BITS_BEFORE : 0, bits = 0;
    if (slash) {
        if (!read_bits(from(text, slash + 1), ADDRESS_BITS - written, &bits)) return false;
        read.bits = written + bits;
    }
    for (unsigned i = 0; i < sizeof read.first.bytes; i++)
        if (read.first.bytes[i] & (unsigned char)~mask_byte(read.bits, i)) return false;
    *block = read;
    return true;
}

bool tg_cidr_has(const struct tg_cidr *block, const struct tg_address *address)
{
    for (unsigned i = 0; i < sizeof address->bytes && i * 8 < block->bits; i++)
        if ((address->bytes[i] ^ block->first.bytes[i]) & mask_byte(block->bits, i)) return false;
    return true;
}
