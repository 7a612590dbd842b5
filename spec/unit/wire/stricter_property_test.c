/* The promise of silence: pairs of schemas that nobody wrote, the second one a changed copy of the first.
 * Where nothing is told, every value that the first accepts the second accepts too. */
#include "wire/stricter.h"

#include "support/checking.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PAIRS = 20000, VALUES = 30, DEPTH = 3, FIELDS = 3 };

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % below;
}

static const struct tg_value words[] = {TEXT_VALUE("a"), TEXT_VALUE("bb"), TEXT_VALUE("ccc")};
static const char *const names[FIELDS] = {"x", "y", "z"};

/* ---- schemas ---- */

static struct tg_schema *make(struct checking *fixture, int depth);

static struct tg_schema *make_object(struct checking *fixture, int depth)
{
    struct field fields[FIELDS];
    uint32_t count = 0;
    for (int i = 0; i < FIELDS; i++) {
        if (draw(3) == 0) continue;
        struct tg_schema *schema = make(fixture, depth - 1);
        schema->is_optional = draw(2) == 0;
        fields[count++] = (struct field){names[i], schema};
    }
    return new_object(fixture, (enum tg_additional)draw(3), fields, count);
}

static struct tg_schema *make_node(struct checking *fixture, int depth)
{
    struct tg_schema *schema;
    switch (draw(depth > 0 ? 10 : 6)) {
    case 0:
        schema = new_schema(fixture, TG_SCHEMA_STRING);
        schema->string.min_length = draw(3);
        schema->string.max_length = schema->string.min_length + draw(3);
        schema->string.is_trimmed = draw(6) == 0;
        return schema;
    case 1:
        schema = new_schema(fixture, TG_SCHEMA_INTEGER);
        schema->integer.min = draw(4);
        schema->integer.max = schema->integer.min + draw(5);
        schema->integer.is_above_min = draw(4) == 0;
        schema->integer.is_below_max = draw(4) == 0;
        schema->integer.multiple_of = 1 + draw(2);
        return schema;
    case 2:
        schema = new_schema(fixture, TG_SCHEMA_NUMBER);
        schema->number.min = draw(4);
        schema->number.max = schema->number.min + draw(5);
        schema->number.is_above_min = draw(4) == 0;
        schema->number.is_below_max = draw(4) == 0;
        return schema;
    case 3:
        return new_choice(fixture, words + draw(2), 1 + draw(2));
    case 4:
        return new_schema(fixture, TG_SCHEMA_BOOLEAN);
    case 5:
        return new_schema(fixture, draw(2) ? TG_SCHEMA_ANY : TG_SCHEMA_NULL);
    case 6:
        schema = new_array(fixture, make(fixture, depth - 1));
        schema->array.max_items = 1 + draw(3);
        schema->array.is_unique = draw(3) == 0;
        return schema;
    case 7:
        schema = new_schema(fixture, TG_SCHEMA_MAP);
        schema->map.value = make(fixture, depth - 1);
        schema->map.min_entries = draw(2);
        schema->map.key = draw(3) == 0 ? new_choice(fixture, words, 3) : NULL;
        return schema;
    case 8: {
        const struct tg_schema *branches[] = {make(fixture, depth - 1), make(fixture, depth - 1), NULL};
        return new_union(fixture, branches);
    }
    default:
        return make_object(fixture, depth);
    }
}

static struct tg_schema *make(struct checking *fixture, int depth)
{
    struct tg_schema *schema = make_node(fixture, depth);
    schema->is_nullable = draw(5) == 0;
    schema->can_coerce =
        schema->kind >= TG_SCHEMA_BOOLEAN && schema->kind <= TG_SCHEMA_NUMBER && draw(5) == 0;
    return schema;
}

/* The next schemas are those that were made at `seed`, but where `change` says otherwise: a limit is another
 * one, a field is optional or not. */
static void change(struct tg_schema *schema)
{
    switch (schema->kind) {
    case TG_SCHEMA_STRING:
        schema->string.max_length += draw(3);
        if (schema->string.min_length && draw(2)) schema->string.min_length--;
        break;
    case TG_SCHEMA_INTEGER:
        schema->integer.max += draw(3) - 1;
        schema->integer.is_above_min = draw(2);
        break;
    case TG_SCHEMA_NUMBER:
        schema->number.max += draw(3);
        schema->number.is_below_max = draw(2);
        break;
    case TG_SCHEMA_ARRAY:
        schema->array.max_items += draw(2);
        change((struct tg_schema *)(uintptr_t)schema->array.item);
        break;
    case TG_SCHEMA_OBJECT:
        if (draw(2)) schema->object.additional = TG_ADDITIONAL_IGNORE;
        for (uint32_t i = 0; i < schema->object.count; i++)
            change((struct tg_schema *)(uintptr_t)schema->object.fields[i].schema);
        break;
    case TG_SCHEMA_UNION:
        for (uint32_t i = 0; i < schema->alternatives.count; i++)
            change((struct tg_schema *)(uintptr_t)schema->alternatives.branches[i]);
        break;
    default:
        break;
    }
    if (draw(3) == 0) schema->is_nullable = true;
    if (draw(3) == 0) schema->is_optional = true;
}

/* ---- values, as JSON ---- */

static void write_value(struct tg_buf *out, int depth)
{
    static const char *const scalars[] = {
        "null",    "true",  "0",       "1",   "2",        "3", "4",     "1.5", "\"\"",   "\"a\"",   "\"bb\"",
        "\"ccc\"", "\"1\"", "\" a \"", "5.0", "\"true\"", "6", "false", "3.0", "\"  \"", "\"dddd\""};
    uint32_t kind = draw(depth > 0 ? 3 : 1), count = draw(FIELDS + 1);
    if (kind == 0) {
        tg_buf_append_slice(out, tg_slice_of(scalars[draw(sizeof scalars / sizeof scalars[0])]));
        return;
    }
    tg_buf_append_char(out, kind == 1 ? '[' : '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i) tg_buf_append_char(out, ',');
        if (kind == 2) tg_buf_printf(out, "\"%s\":", draw(4) ? names[i % FIELDS] : words[i % 3].string);
        write_value(out, depth - 1);
    }
    tg_buf_append_char(out, kind == 1 ? ']' : '}');
}

/* One that fits, more or less. */
static void write_fitting(struct tg_buf *out, const struct tg_schema *schema)
{
    if (draw(12) == 0) {
        write_value(out, DEPTH);
        return;
    }
    switch (schema->kind) {
    case TG_SCHEMA_INTEGER:
        tg_buf_printf(out, draw(5) ? "%d" : "\"%d\"", (int)(schema->integer.min + draw(5)));
        break;
    case TG_SCHEMA_NUMBER:
        tg_buf_printf(out, "%.1f", schema->number.min + draw(10) / 2.0);
        break;
    case TG_SCHEMA_STRING:
        tg_buf_printf(out, "\"%.*s\"", (int)(schema->string.min_length + draw(3)),
                      draw(4) ? "abcdefgh" : " b  efgh");
        break;
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        tg_json_write_value(out, &schema->choice.values[draw(schema->choice.count)]);
        break;
    case TG_SCHEMA_BOOLEAN:
        tg_buf_printf(out, draw(5) ? "true" : "\"true\"");
        break;
    case TG_SCHEMA_ARRAY: {
        uint32_t count = draw(3);
        tg_buf_append_char(out, '[');
        for (uint32_t i = 0; i < count; i++) {
            if (i) tg_buf_append_char(out, ',');
            write_fitting(out, schema->array.item);
        }
        tg_buf_append_char(out, ']');
        break;
    }
    case TG_SCHEMA_OBJECT: {
        bool is_first = true;
        tg_buf_append_char(out, '{');
        for (uint32_t i = 0; i < schema->object.count; i++) {
            if (schema->object.fields[i].schema->is_optional && draw(3) == 0) continue;
            tg_buf_printf(out, "%s\"%s\":", is_first ? "" : ",", schema->object.fields[i].name.data);
            write_fitting(out, schema->object.fields[i].schema);
            is_first = false;
        }
        tg_buf_append_char(out, '}');
        break;
    }
    case TG_SCHEMA_MAP:
        tg_buf_printf(out, "{\"%s\":", words[draw(3)].string);
        write_fitting(out, schema->map.value);
        tg_buf_append_char(out, '}');
        break;
    case TG_SCHEMA_UNION:
        write_fitting(out, schema->alternatives.branches[draw(schema->alternatives.count)]);
        break;
    default:
        write_value(out, DEPTH);
    }
}

/* ---- the promise ---- */

struct heard {
    struct tg_stricter stricter; /* first */
    uint32_t count;
};

static void tell(struct tg_stricter *stricter, struct tg_slice path, struct tg_slice what)
{
    (void)path;
    (void)what;
    ((struct heard *)stricter)->count++;
}

/* Whether an object in the value has a member that was not declared, and is: what no promise is made of. */
static bool has_new_member(const struct tg_schema *before, const struct tg_schema *after)
{
    char was[64] = "", is[64] = "";
    if (before->kind != TG_SCHEMA_OBJECT || after->kind != TG_SCHEMA_OBJECT) return false;
    for (uint32_t i = 0; i < before->object.count; i++) strcat(was, before->object.fields[i].name.data);
    for (uint32_t i = 0; i < after->object.count; i++) strcat(is, after->object.fields[i].name.data);
    return strcmp(was, is) != 0;
}

static uint32_t silent, accepted;

static void hold_to_it(struct checking *fixture, const struct tg_schema *before,
                       const struct tg_schema *after, uint64_t pair)
{
    struct tg_buf text;
    tg_buf_init(&text);
    for (int i = 0; i < VALUES; i++) {
        tg_buf_truncate(&text, 0);
        write_fitting(&text, before);
        tg_buf_append_char(&text, '\0');
        if (validate_json(fixture, before, text.data) != TG_OK) continue;
        accepted++;
        if (validate_json(fixture, after, text.data) != TG_OK)
            fail_msg("pair %llu: nothing was told, but %s is refused", (unsigned long long)pair, text.data);
    }
    tg_buf_deinit(&text);
}

static void nothing_is_refused_where_nothing_was_told(void **state)
{
    (void)state; /* a fixture of its own for each */
    for (uint64_t pair = 1; pair <= PAIRS; pair++) {
        void *own;
        struct heard heard = {.stricter = {.tell = tell}};
        checking_set_up(&own);
        struct checking *fixture = own;
        seed = pair;
        struct tg_schema *before = make(fixture, DEPTH);
        uint64_t after_making = seed;
        seed = pair % 4 ? pair : pair + PAIRS;
        struct tg_schema *after = make(fixture, DEPTH);
        seed = after_making + pair;
        if (pair % 4) change(after);
        assert_int_equal(
            tg_stricter_compare(&heard.stricter, TG_SLICE("payload"), before, after, TG_NAMING_DECLARED),
            TG_OK);
        if (heard.count == 0 && !has_new_member(before, after)) {
            silent++;
            hold_to_it(fixture, before, after, pair);
        }
        checking_tear_down(&own);
    }
    /* The spec would be silent too if nothing ever was. */
    assert_true(silent > PAIRS / 8);
    assert_true(accepted > silent * 3);
    print_message("%u silent pairs, %u values\n", silent, accepted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_refused_where_nothing_was_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
