/* Numbers are compared exactly: an integer is never rounded to a double first. */
#include "wire/value.h"

const struct tg_value *tg_value_get(const struct tg_value *object, struct tg_slice key)
{
    for (uint32_t i = 0; i < object->length; i++)
        if (tg_slice_equal(tg_member_key(&object->members[i]), key)) return &object->members[i].value;
    return NULL;
}

bool tg_value_to_integer(const struct tg_value *value, int64_t *integer)
{
    if (value->type == TG_VALUE_INTEGER) {
        *integer = value->integer;
        return true;
    }
    /* Both bounds are doubles; the upper one is the first that does not fit any more. */
    if (value->type != TG_VALUE_NUMBER || !(value->number >= -0x1p63 && value->number < 0x1p63)) return false;
    *integer = (int64_t)value->number;
    return (double)*integer == value->number;
}

static bool numbers_equal(const struct tg_value *a, const struct tg_value *b)
{
    if (a->type == TG_VALUE_NUMBER && b->type == TG_VALUE_NUMBER) return a->number == b->number;
    int64_t x, y;
    return tg_value_to_integer(a, &x) && tg_value_to_integer(b, &y) && x == y;
}

static bool arrays_equal(const struct tg_value *a, const struct tg_value *b)
{
    if (a->length != b->length) return false;
    for (uint32_t i = 0; i < a->length; i++)
        if (!tg_value_equal(&a->items[i], &b->items[i])) return false;
    return true;
}

/* Keys are unique in each, so equal counts and one inclusion are enough. */
static bool objects_equal(const struct tg_value *a, const struct tg_value *b)
{
    if (a->length != b->length) return false;
    for (uint32_t i = 0; i < a->length; i++) {
        const struct tg_value *other = tg_value_get(b, tg_member_key(&a->members[i]));
        if (!other || !tg_value_equal(&a->members[i].value, other)) return false;
    }
    return true;
}

static bool is_numeric(const struct tg_value *value)
{
    return value->type == TG_VALUE_INTEGER || value->type == TG_VALUE_NUMBER;
}

bool tg_value_equal(const struct tg_value *a, const struct tg_value *b)
{
    if (is_numeric(a) && is_numeric(b)) return numbers_equal(a, b);
    if (a->type != b->type) return false;
    switch (a->type) {
    case TG_VALUE_BOOLEAN:
        return a->boolean == b->boolean;
    case TG_VALUE_STRING:
        return tg_slice_equal(tg_value_string(a), tg_value_string(b));
    case TG_VALUE_ARRAY:
        return arrays_equal(a, b);
    case TG_VALUE_OBJECT:
        return objects_equal(a, b);
    default:
        return true; /* null; numbers were compared above */
    }
}
