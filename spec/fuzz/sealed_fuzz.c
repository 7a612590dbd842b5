/* A text that is no seal of ours, and a value that is sealed: it comes back whole, and no changed text gives
 * anything. */
#include "wire/sealed.h"

#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

enum { NOW_S = 1000 };

static const struct tg_slice secrets[] = {TG_SLICE("a secret that only the fuzzer knows"),
                                          TG_SLICE("another one, which was used before")};
static const struct tg_seal seal = {secrets, 2, TG_SLICE("fuzz")};

static void check_foreign(struct tg_slice text)
{
    struct tg_buf value;
    uint64_t expires_s;
    tg_buf_init(&value);
    enum tg_sealed_verdict verdict = tg_sealed_read(&seal, text, NOW_S, &value, &expires_s);
    CHECK(verdict == TG_SEALED_MALFORMED || verdict == TG_SEALED_SIGNATURE);
    CHECK(value.length == 0);
    tg_buf_deinit(&value);
}

static void check_own(struct tg_slice value, uint64_t expires_s, size_t changed)
{
    struct tg_buf text, opened;
    uint64_t found_s;
    tg_buf_init(&text);
    tg_buf_init(&opened);
    CHECK(tg_sealed_write(&seal, value, expires_s, &text) == TG_OK);
    enum tg_sealed_verdict verdict = tg_sealed_read(&seal, tg_buf_peek(&text), NOW_S, &opened, &found_s);
    bool has_expired = expires_s && expires_s <= NOW_S;
    CHECK(verdict == (has_expired ? TG_SEALED_EXPIRED : TG_SEALED_OK) && found_s == expires_s);
    if (!has_expired) CHECK(tg_slice_equal(tg_buf_peek(&opened), value));
    text.data[changed % text.length] ^= (char)(1 << changed % 7);
    check_foreign(tg_buf_peek(&text));
    tg_buf_deinit(&text);
    tg_buf_deinit(&opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_slice text = {(const char *)data, size};
    check_foreign(text);
    if (size < 3) return 0;
    uint64_t expires_s = (uint64_t)data[0] * 16;
    check_own((struct tg_slice){text.data + 3, size - 3}, expires_s, (size_t)data[1] << 8 | data[2]);
    return 0;
}
