/* What both specs of the JSON text need: an arena, a place to write, and the last thing that was parsed. */
#ifndef TG_UNIT_SUPPORT_JSON_FIXTURE_H
#define TG_UNIT_SUPPORT_JSON_FIXTURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "wire/value.h"

enum { JSON_MAX_DEPTH = 64 };

struct json_fixture {
    struct tg_arena arena;
    struct tg_buf out;
    struct tg_value value;
    struct tg_error error;
};

/* For cmocka: `*state` is a struct json_fixture. */
int json_set_up(void **state);
int json_tear_down(void **state);

/* Parses into `value`; what was parsed before is gone. */
enum tg_status json_parse(struct json_fixture *fixture, struct tg_slice text);

/* The same for text that must be accepted. */
struct tg_value *json_parse_good(struct json_fixture *fixture, struct tg_slice text);

/* The value as text, in `out`. */
struct tg_slice json_write_out(struct json_fixture *fixture, const struct tg_value *value);

#endif
