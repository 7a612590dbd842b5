/* A pattern and a text: the first byte says how long the pattern is, the rest is the text. Formats get the
 * text too.
 *
 * What is taken compiles again from its own source with the same verdict, and a match says yes, no, or that
 * the steps were not enough; with more steps a verdict does not change.
 */
#include "base/utf8.h"
#include "wire/format.h"
#include "wire/pattern.h"

#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

enum { FEW_STEPS = 100, MAX_STEPS = 10000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum tg_status match(const struct tg_pattern *pattern, struct tg_slice text, uint32_t max_steps)
{
    enum tg_status status = tg_pattern_match(pattern, text, max_steps);
    CHECK(status == TG_OK || status == TG_E_NOT_FOUND || status == TG_E_TOO_LARGE);
    return status;
}

static void check_pattern(struct tg_slice source, struct tg_slice text)
{
    struct tg_patterns patterns;
    const struct tg_pattern *pattern = NULL;
    struct tg_error error = {.status = TG_OK};
    tg_patterns_init(&patterns, MAX_STEPS);
    enum tg_status status = tg_pattern_compile(&patterns, source, &pattern, &error);
    CHECK(status == TG_OK || status == TG_E_INVALID);
    CHECK(error.status == status && error.offset <= source.length);
    CHECK(tg_pattern_check(source, NULL) == status);
    if (status == TG_OK) {
        CHECK(tg_slice_equal(tg_pattern_source(pattern), source));
        enum tg_status few = match(pattern, text, FEW_STEPS), more = match(pattern, text, 0);
        CHECK(few == more || few == TG_E_TOO_LARGE);
    } else {
        CHECK(tg_utf8_is_valid(error.text, strlen(error.text)));
    }
    tg_patterns_deinit(&patterns);
}

static void check_formats(struct tg_slice text)
{
    for (int format = TG_FORMAT_NONE; format < TG_FORMATS; format++) {
        bool is_right = tg_format_matches((enum tg_format)format, text);
        if (format == TG_FORMAT_NONE || !is_right) continue;
        for (size_t i = 0; i < text.length; i++) CHECK(text.data[i] > ' ' && text.data[i] < 0x7F);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    size_t length = data[0] < size - 1 ? data[0] : size - 1;
    struct tg_slice source = {(const char *)data + 1, length};
    struct tg_slice text = {(const char *)data + 1 + length, size - 1 - length};
    if (!tg_utf8_is_valid(text.data, text.length)) text.length = 0;
    check_pattern(source, text);
    check_formats(text);
    return 0;
}
