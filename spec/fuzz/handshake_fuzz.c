/* What a client writes into an upgrade request: byte 0 chooses the field, the rest is its text. */
#include "wire/handshake.h"
#include "wire/pairs.h"

#include "base/utf8.h"

#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

static bool lies_in(struct tg_slice part, struct tg_slice whole)
{
    return part.data >= whole.data && part.data + part.length <= whole.data + whole.length;
}

static bool contains(struct tg_slice text, struct tg_slice part)
{
    return memmem(text.data, text.length, part.data, part.length) != NULL;
}

static void check_key(struct tg_slice key)
{
    if (!tg_handshake_key_is_valid(key)) return;
    CHECK(key.length == 24 && key.data[22] == '=' && key.data[23] == '=');
    CHECK(!memchr(key.data, '=', 22) && !memchr(key.data, ' ', 24) && !memchr(key.data, 0, 24));
}

static void check_version(struct tg_slice version)
{
    bool has_13 = contains(version, TG_SLICE("13"));
    size_t others = 0;
    for (size_t i = 0; i < version.length; i++) others += version.data[i] != ' ';
    CHECK(tg_handshake_version_is_supported(version) == (has_13 && others == 2));
}

/* Segment by segment, as a file system would walk. */
static void check_static_path(struct tg_slice path)
{
    struct tg_slice relative;
    bool needs_index;
    if (!tg_static_path(path, &relative, &needs_index)) return;
    CHECK(lies_in(relative, path) && relative.length == path.length - 1);
    CHECK(!memchr(relative.data, 0, relative.length) && !memchr(relative.data, '\\', relative.length));
    CHECK(needs_index == (relative.length == 0 || relative.data[relative.length - 1] == '/'));
    CHECK(!contains(path, TG_SLICE("//")) && !contains(path, TG_SLICE("/.")));
}

static void check_first_is_found(const struct tg_pairs *pairs)
{
    CHECK(pairs->count <= TG_PAIRS_MAX);
    for (uint32_t i = 0; i < pairs->count; i++) {
        struct tg_slice found = tg_pairs_get(pairs, pairs->items[i].name);
        uint32_t first = 0;
        while (!tg_slice_equal(pairs->items[first].name, pairs->items[i].name)) first++;
        CHECK(found.data && found.data == pairs->items[first].value.data);
    }
    CHECK(pairs->count > 0 || !tg_pairs_get(pairs, TG_SLICE("a")).data);
}

static bool is_text(struct tg_slice slice)
{
    return slice.data && tg_utf8_is_valid(slice.data, slice.length);
}

static void check_query(struct tg_slice query, struct tg_arena *arena)
{
    struct tg_pairs pairs;
    CHECK(tg_query_parse(query, arena, &pairs) == TG_OK);
    for (uint32_t i = 0; i < pairs.count; i++)
        CHECK(is_text(pairs.items[i].name) && is_text(pairs.items[i].value));
    check_first_is_found(&pairs);
}

static void check_cookies(struct tg_slice header, struct tg_arena *arena)
{
    struct tg_pairs pairs;
    CHECK(tg_cookie_parse(header, arena, &pairs) == TG_OK);
    for (uint32_t i = 0; i < pairs.count; i++) {
        struct tg_pair pair = pairs.items[i];
        CHECK(lies_in(pair.name, header) && lies_in(pair.value, header) && pair.name.length > 0);
        CHECK(!memchr(pair.name.data, '=', pair.name.length) &&
              !memchr(pair.value.data, ';', pair.value.length));
    }
    check_first_is_found(&pairs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct tg_slice text = {(const char *)data + 1, size - 1};
    struct tg_arena arena;
    tg_arena_init(&arena, 0);
    switch (data[0]) {
    case 'k':
        check_key(text);
        break;
    case 'v':
        check_version(text);
        break;
    case 's':
        check_static_path(text);
        break;
    case 'q':
        check_query(text, &arena);
        break;
    case 'c':
        check_cookies(text, &arena);
        break;
    default:
        break;
    }
    tg_arena_deinit(&arena);
    return 0;
}
