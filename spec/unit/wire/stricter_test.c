/* What clients run into when a schema is replaced. */
#include "wire/stricter.h"

#include "support/alloc.h"
#include "support/checking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct heard {
    struct tg_stricter stricter; /* first */
    char text[4096];
};

static void tell(struct tg_stricter *stricter, struct tg_slice path, struct tg_slice what)
{
    struct heard *heard = (struct heard *)stricter;
    size_t length = strlen(heard->text);
    snprintf(heard->text + length, sizeof heard->text - length, "%.*s: %.*s\n", TG_SLICE_ARG(path),
             TG_SLICE_ARG(what));
}

static enum tg_status compare(struct heard *heard, const struct tg_schema *before,
                              const struct tg_schema *after)
{
    *heard = (struct heard){.stricter = {.tell = tell}};
    return tg_stricter_compare(&heard->stricter, TG_SLICE("payload"), before, after, TG_NAMING_DECLARED);
}

static void expect(const struct tg_schema *before, const struct tg_schema *after, const char *expected)
{
    struct heard heard;
    assert_int_equal(compare(&heard, before, after), TG_OK);
    assert_string_equal(heard.text, expected);
}

#define BRANCHES(...) ((const struct tg_schema *const[]){__VA_ARGS__, NULL})
#define OBJECT(fixture, additional, ...)                                                                     \
    new_object(fixture, additional, (struct field[]){__VA_ARGS__},                                           \
               sizeof((struct field[]){__VA_ARGS__}) / sizeof(struct field))

static const struct tg_value colours[] = {TEXT_VALUE("red"), TEXT_VALUE("green"), TEXT_VALUE("blue")};

static struct tg_schema *text(struct checking *fixture, size_t min, size_t max)
{
    struct tg_schema *schema = new_schema(fixture, TG_SCHEMA_STRING);
    schema->string.min_length = min;
    schema->string.max_length = max;
    return schema;
}

static struct tg_schema *integer(struct checking *fixture, int64_t min, int64_t max)
{
    struct tg_schema *schema = new_schema(fixture, TG_SCHEMA_INTEGER);
    schema->integer.min = min;
    schema->integer.max = max;
    return schema;
}

static void says_nothing_of_what_is_the_same_or_wider(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *any = new_schema(fixture, TG_SCHEMA_ANY);
    for (int kind = TG_SCHEMA_ANY; kind <= TG_SCHEMA_STRING; kind++) {
        struct tg_schema *schema = new_schema(fixture, (enum tg_schema_kind)kind);
        expect(schema, new_schema(fixture, (enum tg_schema_kind)kind), "");
        expect(schema, any, "");
    }
    expect(text(fixture, 2, 10), text(fixture, 1, 20), "");
    expect(integer(fixture, 0, 10), new_schema(fixture, TG_SCHEMA_NUMBER), "");
    expect(new_choice(fixture, colours, 2), new_choice(fixture, colours, 3), "");
    expect(new_choice(fixture, colours, 3), text(fixture, 3, 5), "");
    expect(new_array(fixture, text(fixture, 1, 2)), new_array(fixture, any), "");
}

static void names_the_limits_that_are_narrower(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *tight = new_schema(fixture, TG_SCHEMA_NUMBER), *unique;
    expect(text(fixture, 0, 2000), text(fixture, 1, 200),
           "payload: min was none, is 1\npayload: max was 2000, is 200\n");
    expect(text(fixture, 0, SIZE_MAX), text(fixture, 0, 5), "payload: max was none, is 5\n");
    expect(integer(fixture, INT64_MIN, 9007199254740993), integer(fixture, -1, 9007199254740992),
           "payload: min was none, is -1\npayload: max was 9007199254740993, is 9007199254740992\n");
    tight->number.min = 0.5;
    tight->number.is_above_min = true;
    tight->number.multiple_of = 0.5;
    expect(integer(fixture, 0, 3), tight,
           "payload: min was 0, is above 0.5\npayload: it has to be a multiple of 0.5\n");
    expect(new_schema(fixture, TG_SCHEMA_NUMBER), integer(fixture, 0, 1),
           "payload: a number was taken, an integer is\n");
    unique = new_array(fixture, text(fixture, 0, 3));
    unique->array.is_unique = true;
    unique->array.max_items = 3;
    expect(new_array(fixture, text(fixture, 0, 4)), unique,
           "payload: max was none, is 3\npayload: its items must differ\npayload[]: max was 4, is 3\n");
}

static void names_the_values_that_are_gone(void **state)
{
    struct checking *fixture = *state;
    expect(new_choice(fixture, colours, 3), new_choice(fixture, colours + 1, 2),
           "payload: \"red\" is not among its values any more\n");
    expect(new_choice(fixture, colours, 3), text(fixture, 0, 3),
           "payload: \"green\" is not among its values any more\n"
           "payload: \"blue\" is not among its values any more\n");
    expect(text(fixture, 0, 3), new_choice(fixture, colours, 3),
           "payload: a string was taken, one of some values is\n");
    struct tg_schema *secret = new_choice(fixture, colours, 2);
    secret->is_secret = true;
    expect(secret, new_choice(fixture, colours + 1, 2),
           "payload: \"***\" is not among its values any more\n");
}

static void looks_at_each_field(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *optional = text(fixture, 0, 10), *nullable = text(fixture, 0, 10);
    optional->is_optional = true;
    nullable->is_nullable = true;
    struct tg_schema *required = text(fixture, 0, 10);
    struct tg_schema *before =
        OBJECT(fixture, TG_ADDITIONAL_IGNORE, {"a", optional}, {"b", nullable}, {"c", required});
    expect(before, OBJECT(fixture, TG_ADDITIONAL_IGNORE, {"a", required}, {"b", required}, {"d", required}),
           "payload.a: it was optional, is required\npayload.b: null was taken, is not\n"
           "payload.d: it is new, and required\n");
    expect(before, OBJECT(fixture, TG_ADDITIONAL_IGNORE, {"a", optional}, {"e", optional}), "");
    expect(before, OBJECT(fixture, TG_ADDITIONAL_FORBID, {"a", optional}, {"b", nullable}),
           "payload: fields that are not declared are refused\npayload.c: it is gone, and refused\n");
    expect(OBJECT(fixture, TG_ADDITIONAL_ALLOW, {"a", optional}),
           OBJECT(fixture, TG_ADDITIONAL_ALLOW, {"a", optional}, {"e", optional}),
           "payload.e: anything was taken under this name, which is a field now\n");
}

static void fits_each_alternative_into_one_of_the_new(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *short_text = text(fixture, 0, 3), *long_text = text(fixture, 0, 30);
    struct tg_schema *number = new_schema(fixture, TG_SCHEMA_NUMBER), *whole = integer(fixture, 0, 9);
    expect(new_union(fixture, BRANCHES(short_text, whole)), new_union(fixture, BRANCHES(number, long_text)),
           "");
    expect(new_union(fixture, BRANCHES(long_text, whole)), new_union(fixture, BRANCHES(short_text, whole)),
           "payload: max was 30, is 3\n");
    expect(short_text, new_union(fixture, BRANCHES(whole, long_text)), "");
    expect(long_text, new_union(fixture, BRANCHES(whole, short_text)),
           "payload: a string was taken, and none of its alternatives takes all of it\n");
    expect(new_union(fixture, BRANCHES(whole, long_text)), number,
           "payload: a string was taken, a number is\n");
    struct tg_schema *maybe = text(fixture, 0, 3), *all = new_union(fixture, BRANCHES(whole, long_text));
    maybe->is_nullable = true;
    expect(maybe, all, "payload: null was taken, is not\n");
    all->is_nullable = true;
    expect(maybe, all, "");
}

/* { text, replies: [ itself ] } */
static struct tg_schema *thread(struct checking *fixture, size_t max, uint32_t max_depth)
{
    struct tg_schema *ref = new_ref(fixture, max_depth);
    struct tg_schema *replies = new_array(fixture, ref);
    replies->is_optional = true;
    struct tg_schema *node =
        OBJECT(fixture, TG_ADDITIONAL_IGNORE, {"text", text(fixture, 0, max)}, {"replies", replies});
    ref->ref.target = node;
    return node;
}

static void ends_where_a_schema_stands_inside_itself(void **state)
{
    struct checking *fixture = *state;
    expect(thread(fixture, 10, 5), thread(fixture, 20, 5), "");
    expect(thread(fixture, 10, 5), thread(fixture, 9, 5),
           "payload.text: max was 10, is 9\npayload.replies[].text: max was 10, is 9\n");
    expect(thread(fixture, 10, 5), thread(fixture, 10, 4),
           "payload.replies[]: it was taken 5 deep inside itself, is 4\n"
           "payload.replies[].replies[]: it was taken 5 deep inside itself, is 4\n");
    expect(new_array(fixture, thread(fixture, 10, 5)),
           new_array(fixture, new_union(fixture, BRANCHES(thread(fixture, 9, 5), thread(fixture, 10, 5)))),
           "");
}

static void tells_what_it_cannot_see(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *before = text(fixture, 0, 10), *after = text(fixture, 0, 10);
    after->script_check = 7;
    after->check_print = 1;
    expect(before, after, "payload: a function checks it\n");
    before->script_check = 3;
    before->check_print = 2;
    expect(before, after, "payload: the function that checks it is another one\n");
    before->check_print = 1;
    expect(before, after, "");
    expect(after, text(fixture, 0, 10), "");
    struct tg_error error;
    assert_int_equal(tg_pattern_compile(&fixture->patterns, TG_SLICE("^a"), &after->string.pattern, &error),
                     TG_OK);
    expect(before, after, "payload: it has a pattern, \"^a\"\n");
    assert_int_equal(tg_pattern_compile(&fixture->patterns, TG_SLICE("^b"), &before->string.pattern, &error),
                     TG_OK);
    expect(before, after, "payload: its pattern is another one, \"^a\"\n");
    before->string.pattern = after->string.pattern;
    before->string.is_trimmed = true;
    expect(before, after, "payload: white space at its ends counts now\n");
    struct tg_schema *coerced = integer(fixture, 0, 9);
    coerced->can_coerce = true;
    expect(coerced, integer(fixture, 0, 9), "payload: it was also taken as text (coerce)\n");
}

static enum tg_status compare_threads(void *context)
{
    struct heard heard;
    const struct tg_schema *const *pair = context;
    return compare(&heard, pair[0], pair[1]);
}

static void says_when_there_is_no_memory(void **state)
{
    struct checking *fixture = *state;
    const struct tg_schema *pair[] = {
        new_union(fixture, BRANCHES(thread(fixture, 10, 5), new_choice(fixture, colours, 3))),
        new_union(fixture, BRANCHES(thread(fixture, 9, 5), text(fixture, 0, 4)))};
    assert_true(tg_alloc_sweep(compare_threads, pair) >= 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, checking_set_up, checking_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(says_nothing_of_what_is_the_same_or_wider),
        TEST(names_the_limits_that_are_narrower),
        TEST(names_the_values_that_are_gone),
        TEST(looks_at_each_field),
        TEST(fits_each_alternative_into_one_of_the_new),
        TEST(ends_where_a_schema_stands_inside_itself),
        TEST(tells_what_it_cannot_see),
        TEST(says_when_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
