/* What is read of a request before a connection is granted: byte 0 chooses which part, the rest is its text.
 */
#include "wire/cidr.h"
#include "wire/forwarded.h"
#include "wire/handshake.h"
#include "wire/origin.h"

#include <stdint.h>
#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

static bool lies_in(struct tg_slice part, struct tg_slice whole)
{
    return part.length == 0 ||
           (part.data >= whole.data && part.data + part.length <= whole.data + whole.length);
}

static bool has(struct tg_slice text, const char *characters)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] && strchr(characters, text.data[i])) return true;
    return false;
}

/* What was read is written so that it is read as the same again. */
static void check_endpoint(struct tg_slice text)
{
    struct tg_address address, again;
    uint16_t port, port_again;
    char written[TG_ADDRESS_TEXT_BYTES];
    if (!tg_endpoint_read(text, &address, &port)) return;
    struct tg_slice slice = tg_endpoint_write(&address, port, written);
    CHECK(slice.length < sizeof written);
    CHECK(tg_endpoint_read(slice, &again, &port_again));
    CHECK(port_again == port && memcmp(address.bytes, again.bytes, sizeof again.bytes) == 0);
}

static void check_block(struct tg_slice text)
{
    struct tg_cidr block;
    if (!tg_cidr_read(text, &block)) return;
    struct tg_address inside = block.first, outside = block.first;
    CHECK(block.bits <= 128 && tg_cidr_has(&block, &inside));
    for (unsigned i = block.bits; i < 128; i++) inside.bytes[i / 8] |= (unsigned char)(0x80 >> i % 8);
    CHECK(tg_cidr_has(&block, &inside));
    if (block.bits == 0) return;
    outside.bytes[(block.bits - 1) / 8] ^= (unsigned char)(0x80 >> (block.bits - 1) % 8);
    CHECK(!tg_cidr_has(&block, &outside));
}

/* An origin is the same as itself, and as nothing that the text could be mistaken for. */
static void check_origin(struct tg_slice text)
{
    struct tg_origin origin, own;
    if (!tg_origin_read(text, &origin)) return;
    CHECK(lies_in(origin.scheme, text) && lies_in(origin.host, text));
    CHECK(!has(origin.host, "/?#@*, \t%") && origin.scheme.length && origin.host.length);
    CHECK(!origin.is_any && !origin.is_below && tg_origin_matches(&origin, &origin));
    CHECK(!tg_origin_read_pattern(text, &own) && tg_origin_matches(&own, &origin));
}

static void check_pattern(struct tg_slice text)
{
    struct tg_origin pattern, origin;
    if (tg_origin_read_pattern(text, &pattern) || pattern.is_any) return;
    CHECK(lies_in(pattern.scheme, text) && lies_in(pattern.host, text) && !has(pattern.host, "/*"));
    origin = pattern;
    origin.is_below = false;
    CHECK(tg_origin_matches(&pattern, &origin) == !pattern.is_below);
}

static void check_host(struct tg_slice text)
{
    struct tg_origin plain, secure;
    bool is_host = tg_origin_of_host(text, false, &plain);
    CHECK(tg_origin_of_host(text, true, &secure) == is_host);
    CHECK(!is_host || !tg_origin_matches(&plain, &secure));
}

/* Items come off the right, each in what is left of the list. */
static void check_list(struct tg_slice list, bool (*take)(struct tg_slice *, struct tg_slice *))
{
    struct tg_slice rest = list, item;
    struct tg_hop hop;
    for (size_t before = rest.length; take(&rest, &item); before = rest.length) {
        CHECK(rest.length < before && rest.data == list.data && lies_in(item, list));
        if (!tg_forwarded_read(item, &hop)) continue;
        CHECK(lies_in(hop.node, item) && lies_in(hop.proto, item));
        CHECK(!has(hop.node, "\"\\") && !has(hop.proto, "\"\\"));
    }
    CHECK(rest.length == 0);
}

/* Whatever a client writes in front, the element that the proxy has added comes off first. */
static void check_added(struct tg_slice text)
{
    static const struct tg_slice added = TG_SLICE(", for=\"[2001:db8::1]:80\";proto=https");
    char *all = malloc(text.length + added.length);
    CHECK(all != NULL);
    if (text.length) memcpy(all, text.data, text.length);
    memcpy(all + text.length, added.data, added.length);
    struct tg_slice rest = {all, text.length + added.length}, element;
    struct tg_hop hop;
    CHECK(tg_forwarded_take_element(&rest, &element) && tg_forwarded_read(element, &hop));
    CHECK(tg_slice_equal(hop.node, TG_SLICE("[2001:db8::1]:80")));
    CHECK(tg_slice_equal(hop.proto, TG_SLICE("https")) && rest.length == text.length);
    free(all);
}

static void check_protocols(struct tg_slice offered)
{
    static const struct tg_slice names[] = {TG_SLICE("chat.v2"), TG_SLICE("chat.v1")};
    struct tg_slice chosen;
    if (!tg_handshake_choose_protocol(offered, names, 2, &chosen)) return;
    struct tg_slice first = tg_handshake_first_protocol(offered);
    CHECK(offered.length == 0 || tg_handshake_is_token(first));
    CHECK(!chosen.length || memmem(offered.data, offered.length, chosen.data, chosen.length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct tg_slice text = {(const char *)data + 1, size - 1};
    switch (data[0]) {
    case 'e':
        check_endpoint(text);
        break;
    case 'b':
        check_block(text);
        break;
    case 'o':
        check_origin(text);
        break;
    case 'p':
        check_pattern(text);
        break;
    case 'h':
        check_host(text);
        break;
    case 'x':
        check_list(text, tg_forwarded_take);
        break;
    case 'f':
        check_list(text, tg_forwarded_take_element);
        check_added(text);
        break;
    case 's':
        check_protocols(text);
        break;
    default:
        break;
    }
    return 0;
}
