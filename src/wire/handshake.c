#include "wire/handshake.h"

#include "base/base64.h"
#include "base/sha1.h"

static bool is_base64_digit(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* The bits of the last digit that lie beyond the 16 bytes are not looked at: decoders ignore them too. */
bool tg_handshake_key_is_valid(struct tg_slice key)
{
    enum { DIGITS = 22, LENGTH = 24 };
    if (key.length != LENGTH) return false;
    for (size_t i = 0; i < DIGITS; i++)
        if (!is_base64_digit(key.data[i])) return false;
    return key.data[DIGITS] == '=' && key.data[DIGITS + 1] == '=';
}

bool tg_handshake_version_is_supported(struct tg_slice version)
{
    while (version.length && version.data[0] == ' ') version.data++, version.length--;
    while (version.length && version.data[version.length - 1] == ' ') version.length--;
    return tg_slice_equal(version, TG_SLICE("13"));
}

static bool is_token_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool tg_handshake_is_token(struct tg_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_token_character(text.data[i])) return false;
    return text.length > 0;
}

/* Takes the next item off a list with commas. */
static bool take_item(struct tg_slice *rest, struct tg_slice *item)
{
    if (rest->length == 0) return false;
    const char *comma = memchr(rest->data, ',', rest->length);
    *item = (struct tg_slice){rest->data, comma ? (size_t)(comma - rest->data) : rest->length};
    size_t used = item->length + (comma != NULL);
    rest->data += used, rest->length -= used;
    while (item->length && strchr(" \t", item->data[0])) item->data++, item->length--;
    while (item->length && strchr(" \t", item->data[item->length - 1])) item->length--;
    return true;
}

static bool offers(struct tg_slice offered, struct tg_slice name)
{
    struct tg_slice item;
    while (take_item(&offered, &item))
        if (tg_slice_equal(item, name)) return true;
    return false;
}

bool tg_handshake_choose_protocol(struct tg_slice offered, const struct tg_slice *names, size_t count,
                                  struct tg_slice *chosen)
{
    struct tg_slice rest = offered, item;
    *chosen = TG_SLICE("");
    while (take_item(&rest, &item))
        if (!tg_handshake_is_token(item)) return false;
    for (size_t i = 0; i < count && !chosen->length; i++)
        if (offers(offered, names[i])) *chosen = names[i];
    return true;
}

struct tg_slice tg_handshake_first_protocol(struct tg_slice offered)
{
    struct tg_slice item = TG_SLICE("");
    take_item(&offered, &item);
    return item;
}

void tg_handshake_write_accept(struct tg_buf *out, struct tg_slice key)
{
    static const struct tg_slice guid = TG_SLICE("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    char text[128];
    unsigned char digest[TG_SHA1_BYTES];
    size_t length = key.length < sizeof text - guid.length ? key.length : sizeof text - guid.length;
    if (length) memcpy(text, key.data, length);
    memcpy(text + length, guid.data, guid.length);
    tg_sha1((struct tg_slice){text, length + guid.length}, digest);
    tg_base64_write(out, (struct tg_slice){(const char *)digest, sizeof digest});
}

static bool is_file_character(char c)
{
    return (unsigned char)c >= 0x20 && c != 0x7F && c != '\\';
}

bool tg_static_path(struct tg_slice path, struct tg_slice *relative, bool *needs_index)
{
    if (path.length == 0 || path.data[0] != '/') return false;
    for (size_t i = 1; i < path.length; i++) {
        char c = path.data[i];
        if (!is_file_character(c)) return false;
        bool begins_segment = path.data[i - 1] == '/';
        if (begins_segment && (c == '/' || c == '.')) return false;
    }
    *relative = (struct tg_slice){path.data + 1, path.length - 1};
    *needs_index = path.data[path.length - 1] == '/';
    return true;
}
