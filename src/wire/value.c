/* Numbers are compared exactly: an integer is never rounded to a double first.
 *
 * Equal items are found by sorting: `compare` is a total order in which 0 is what tg_value_equal calls
 * equal, for values whose members are sorted by key (`sorted_copy`). It looks at no more than the smaller of
 * two values holds, and a merge consumes an item with every comparison: so each level of the sort costs no
 * more than the size of everything.
 */
#include "wire/value.h"

#include <string.h>

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

/* The same search from a place on, and around: mostly the first look is enough. */
static const struct tg_value *get_from(const struct tg_value *object, uint32_t from, struct tg_slice key)
{
    for (uint32_t i = 0; i < object->length; i++) {
        const struct tg_member *member = &object->members[(from + i) % object->length];
        if (tg_slice_equal(tg_member_key(member), key)) return &member->value;
    }
    return NULL;
}

/* Keys are unique in each, so equal counts and one inclusion are enough. */
static bool objects_equal(const struct tg_value *a, const struct tg_value *b)
{
    if (a->length != b->length) return false;
    for (uint32_t i = 0; i < a->length; i++) {
        const struct tg_value *other = get_from(b, i, tg_member_key(&a->members[i]));
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

/* ---- a total order ---- */

static int order_of(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_numbers(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int compare_mixed(int64_t integer, double number)
{
    if (number >= 0x1p63) return -1;
    if (number < -0x1p63) return 1;
    int64_t whole = (int64_t)number;
    if (integer != whole) return integer < whole ? -1 : 1;
    return compare_numbers((double)whole, number); /* exact: `number` was near enough to have a fraction */
}

static int compare_numeric(const struct tg_value *a, const struct tg_value *b)
{
    bool a_is_integer = a->type == TG_VALUE_INTEGER, b_is_integer = b->type == TG_VALUE_INTEGER;
    if (a_is_integer && b_is_integer) return a->integer < b->integer ? -1 : a->integer > b->integer;
    if (a_is_integer) return compare_mixed(a->integer, b->number);
    if (b_is_integer) return -compare_mixed(b->integer, a->number);
    return compare_numbers(a->number, b->number);
}

/* By length first: nothing has to be read of texts that differ in it. */
static int compare_texts(struct tg_slice a, struct tg_slice b)
{
    if (a.length != b.length) return order_of(a.length, b.length);
    return a.length ? memcmp(a.data, b.data, a.length) : 0;
}

static int compare(const struct tg_value *a, const struct tg_value *b);

static int compare_arrays(const struct tg_value *a, const struct tg_value *b)
{
    int order = order_of(a->length, b->length);
    for (uint32_t i = 0; i < a->length && order == 0; i++) order = compare(&a->items[i], &b->items[i]);
    return order;
}

static int compare_keys(const struct tg_member *a, const struct tg_member *b)
{
    return compare_texts(tg_member_key(a), tg_member_key(b));
}

/* Members are sorted by their keys. */
static int compare_objects(const struct tg_value *a, const struct tg_value *b)
{
    int order = order_of(a->length, b->length);
    for (uint32_t i = 0; i < a->length && order == 0; i++) {
        order = compare_keys(&a->members[i], &b->members[i]);
        if (order == 0) order = compare(&a->members[i].value, &b->members[i].value);
    }
    return order;
}

static int compare(const struct tg_value *a, const struct tg_value *b)
{
    if (is_numeric(a) && is_numeric(b)) return compare_numeric(a, b);
    if (a->type != b->type) return order_of(a->type, b->type);
    switch (a->type) {
    case TG_VALUE_BOOLEAN:
        return (int)a->boolean - (int)b->boolean;
    case TG_VALUE_STRING:
        return compare_texts(tg_value_string(a), tg_value_string(b));
    case TG_VALUE_ARRAY:
        return compare_arrays(a, b);
    case TG_VALUE_OBJECT:
        return compare_objects(a, b);
    default:
        return 0; /* null; numbers were compared above */
    }
}

/* ---- sorting ---- */

static int compare_items(const void *a, const void *b)
{
    return compare(a, b);
}

static int compare_members(const void *a, const void *b)
{
    return compare_keys(a, b);
}

/* Merges two sorted runs, from[low, middle) and from[middle, high). Of equals the left goes first. */
static void merge(const void **from, const void **to, size_t low, size_t middle, size_t high,
                  int (*order)(const void *a, const void *b))
{
    size_t left = low, right = middle;
    while (left < middle && right < high)
        if (order(from[left], from[right]) <= 0)
            to[low++] = from[left++];
        else
            to[low++] = from[right++];
    memcpy(to + low, from + left, (middle - left) * sizeof *to);
    memcpy(to + low + (middle - left), from + right, (high - right) * sizeof *to);
}

/* Pointers to the elements of an array, sorted, stable; NULL without memory. */
static const void **sort(const void *array, size_t count, size_t bytes,
                         int (*order)(const void *a, const void *b), struct tg_arena *arena)
{
    const void **from = tg_arena_calloc(arena, count, sizeof *from);
    const void **to = tg_arena_calloc(arena, count, sizeof *to);
    if (!from || !to) return NULL;
    for (size_t i = 0; i < count; i++) from[i] = (const char *)array + i * bytes;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t middle = low + width < count ? low + width : count;
            size_t high = middle + width < count ? middle + width : count;
            merge(from, to, low, middle, high, order);
        }
        const void **sorted = to;
        to = from;
        from = sorted;
    }
    return from;
}

/* ---- equal items ---- */

static bool sorted_copy(const struct tg_value *value, struct tg_value *copy, struct tg_arena *arena);

static bool copy_array(const struct tg_value *array, struct tg_value *copy, struct tg_arena *arena)
{
    copy->items = tg_arena_calloc(arena, array->length, sizeof *copy->items);
    if (!copy->items) return false;
    for (uint32_t i = 0; i < array->length; i++)
        if (!sorted_copy(&array->items[i], &copy->items[i], arena)) return false;
    return true;
}

static bool copy_object(const struct tg_value *object, struct tg_value *copy, struct tg_arena *arena)
{
    copy->members = tg_arena_calloc(arena, object->length, sizeof *copy->members);
    const void **sorted =
        sort(object->members, object->length, sizeof *copy->members, compare_members, arena);
    if (!copy->members || !sorted) return false;
    for (uint32_t i = 0; i < object->length; i++) {
        const struct tg_member *member = sorted[i];
        copy->members[i] = *member;
        if (!sorted_copy(&member->value, &copy->members[i].value, arena)) return false;
    }
    return true;
}

/* The same value with the members of each object in the order of their keys. Texts are borrowed; false
 * without memory. */
static bool sorted_copy(const struct tg_value *value, struct tg_value *copy, struct tg_arena *arena)
{
    *copy = *value;
    if (value->type < TG_VALUE_ARRAY || value->length == 0) return true;
    return value->type == TG_VALUE_ARRAY ? copy_array(value, copy, arena) : copy_object(value, copy, arena);
}

enum tg_status tg_value_find_equals(const struct tg_value *items, uint32_t count, struct tg_arena *arena,
                                    uint32_t **first)
{
    const struct tg_value array = {
        .type = TG_VALUE_ARRAY, .length = count, .items = (struct tg_value *)items};
    struct tg_value copy;
    uint32_t *found = tg_arena_calloc(arena, count, sizeof *found);
    if (!found || !copy_array(&array, &copy, arena)) return TG_E_NO_MEMORY;
    const void **sorted = sort(copy.items, count, sizeof *copy.items, compare_items, arena);
    if (!sorted) return TG_E_NO_MEMORY;
    const struct tg_value *earliest = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct tg_value *item = sorted[i];
        if (!earliest || compare(earliest, item) != 0) earliest = item;
        found[item - copy.items] = (uint32_t)(earliest - copy.items);
    }
    *first = found;
    return TG_OK;
}
