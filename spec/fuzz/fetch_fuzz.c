/* The head that another server answers with, line by line, as libcurl hands it over; a body behind each. */
#include "core/fetch.h"

#include <ctype.h>
#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

enum { MAX_BYTES = 64 };

static void no_end(struct tg_fetch *fetch)
{
    (void)fetch;
    abort();
}

/* The headers are all there is in the buffer, with names in lower case and no line breaks. */
static void check_headers(const struct tg_fetch *fetch)
{
    struct tg_pair header;
    size_t position = 0;
    uint32_t count = 0;
    while (tg_fetch_next_header(fetch, &position, &header)) {
        count++;
        for (size_t i = 0; i < header.name.length; i++)
            CHECK(tolower((unsigned char)header.name.data[i]) == (unsigned char)header.name.data[i]);
        CHECK(!memchr(header.name.data, ':', header.name.length));
        CHECK(!memchr(header.value.data, '\n', header.value.length));
    }
    CHECK(position == fetch->headers.length);
    CHECK(count <= fetch->header_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_fetch fetch;
    tg_fetch_init(&fetch, no_end);
    fetch.max_bytes = MAX_BYTES;
    bool is_fine = true;
    while (is_fine && size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end - data) + 1 : size;
        is_fine = tg_fetch_add_header(&fetch, (struct tg_slice){(const char *)data, length});
        if (is_fine && fetch.is_head_complete)
            is_fine = tg_fetch_add_body(&fetch, (struct tg_slice){(const char *)data, length});
        data += length;
        size -= length;
    }
    CHECK(is_fine == (fetch.status == TG_OK));
    CHECK(fetch.body.length <= MAX_BYTES && fetch.headers.length <= (size_t)2 * TG_FETCH_HEADER_BYTES_MAX);
    CHECK(!is_fine || (fetch.header_count <= TG_FETCH_HEADERS_MAX && fetch.encodings <= 1));
    check_headers(&fetch);
    tg_fetch_deinit(&fetch);
    return 0;
}
