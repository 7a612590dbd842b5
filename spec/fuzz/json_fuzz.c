/* Any bytes to the parser; what it takes must come back the same from the writer. */
#include "base/utf8.h"
#include "wire/json.h"

#include <stdint.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

static void write_and_read_again(const struct tg_value *value)
{
    struct tg_buf text;
    struct tg_arena arena;
    struct tg_value again;
    tg_buf_init(&text);
    tg_arena_init(&arena, 0);
    tg_json_write_value(&text, value);
    require(tg_json_parse(tg_buf_peek(&text), MAX_DEPTH, &arena, &again, NULL) == TG_OK);
    require(tg_value_equal(value, &again));
    tg_arena_deinit(&arena);
    tg_buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_arena arena;
    struct tg_value value;
    struct tg_error error;
    tg_arena_init(&arena, 0);
    struct tg_slice text = {(const char *)data, size};
    enum tg_status status = tg_json_parse(text, MAX_DEPTH, &arena, &value, &error);
    if (status == TG_OK) {
        write_and_read_again(&value);
    } else {
        require(status == TG_E_INVALID || status == TG_E_TOO_DEEP);
        require(error.status == status && error.offset <= size);
        require(tg_utf8_is_valid(error.text, strlen(error.text)));
    }
    tg_arena_deinit(&arena);
    return 0;
}
