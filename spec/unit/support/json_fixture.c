#include "support/json_fixture.h"

#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

int json_set_up(void **state)
{
    struct json_fixture *fixture = calloc(1, sizeof *fixture);
    tg_arena_init(&fixture->arena, 1 << 20);
    tg_buf_init(&fixture->out);
    *state = fixture;
    return 0;
}

int json_tear_down(void **state)
{
    struct json_fixture *fixture = *state;
    tg_arena_deinit(&fixture->arena);
    tg_buf_deinit(&fixture->out);
    free(fixture);
    return 0;
}

enum tg_status json_parse(struct json_fixture *fixture, struct tg_slice text)
{
    tg_arena_reset(&fixture->arena);
    fixture->error = (struct tg_error){0};
    return tg_json_parse(text, JSON_MAX_DEPTH, &fixture->arena, &fixture->value, &fixture->error);
}

struct tg_value *json_parse_good(struct json_fixture *fixture, struct tg_slice text)
{
    if (json_parse(fixture, text) != TG_OK) fail_msg("%.*s: %s", TG_SLICE_ARG(text), fixture->error.text);
    return &fixture->value;
}

struct tg_slice json_write_out(struct json_fixture *fixture, const struct tg_value *value)
{
    tg_buf_truncate(&fixture->out, 0);
    tg_json_write_value(&fixture->out, value);
    assert_int_equal(tg_buf_status(&fixture->out), TG_OK);
    return tg_buf_peek(&fixture->out);
}
