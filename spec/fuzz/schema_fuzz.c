/* A schema and a value together. Of the bytes, some choose how to check, some a schema of any kinds, and
 * the rest is the text of the value:
 *
 *     settings, naming, length of the schema's bytes, ..., text
 *
 * What was found right must be right a second time, exactly; what is said of the rest must be strict JSON.
 * libFuzzer's own limits see to it that nothing takes long or much memory.
 */
#include "base/utf8.h"
#include "wire/json.h"
#include "wire/validate.h"

#include <stdint.h>
#include <stdlib.h>

enum { MAX_DEPTH = 64, MAX_NODE_DEPTH = 6, MOST_NODES = 60, MOST_REFS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

/* ---- a schema out of bytes ---- */

struct builder {
    const uint8_t *next, *end;
    struct tg_arena *arena;
    struct tg_patterns *patterns;
    uint32_t nodes;
    struct tg_schema *refs[MOST_REFS]; /* their targets are chosen in the end */
    uint32_t ref_count;
    const struct tg_schema *targets[MOST_NODES + 1];
    uint32_t target_count;
};

static unsigned take(struct builder *builder, unsigned below)
{
    return builder->next < builder->end ? *builder->next++ % below : 0;
}

#define TEXT(text)                                                                                           \
    {                                                                                                        \
        .type = TG_VALUE_STRING, .length = sizeof(text) - 1, .string = (text)                                \
    }

static const struct tg_value choices[] = {
    TEXT("a"),
    {.type = TG_VALUE_INTEGER, .integer = 1},
    {.type = TG_VALUE_NUMBER, .number = 2.5},
    {.type = TG_VALUE_BOOLEAN, .boolean = true},
    TEXT("b"),
    {.type = TG_VALUE_NULL},
};

enum { CHOICES = sizeof choices / sizeof choices[0] };

static const struct tg_schema *build(struct builder *builder, unsigned depth);

static void build_choice(struct builder *builder, struct tg_schema *schema)
{
    unsigned first = take(builder, CHOICES);
    schema->choice.values = &choices[first];
    schema->choice.count = schema->kind == TG_SCHEMA_LITERAL ? 1 : 1 + take(builder, CHOICES - first);
    require(tg_schema_seal_choice(builder->arena, schema) == TG_OK);
}

static void build_string(struct builder *builder, struct tg_schema *schema)
{
    static const char *const sources[] = {"^[a-z]+$", "^(a+)+$", "a", "^\\d{2,4}$", "(?:a|ab)*c"};
    schema->string.min_length = take(builder, 3);
    schema->string.max_length = schema->string.min_length + take(builder, 20);
    schema->string.is_trimmed = take(builder, 2);
    schema->string.format = (enum tg_format)(take(builder, 2) ? take(builder, TG_FORMATS) : 0);
    unsigned pattern = take(builder, 10);
    if (pattern < sizeof sources / sizeof sources[0])
        require(tg_pattern_compile(builder->patterns, tg_slice_of(sources[pattern]), &schema->string.pattern,
                                   NULL) == TG_OK);
}

static void build_number(struct builder *builder, struct tg_schema *schema)
{
    int min = (int)take(builder, 20) - 10, max = min + (int)take(builder, 200);
    bool is_above_min = take(builder, 2), is_below_max = take(builder, 2);
    unsigned step = take(builder, 5);
    if (schema->kind == TG_SCHEMA_INTEGER) {
        schema->integer.min = min;
        schema->integer.max = max;
        schema->integer.is_above_min = is_above_min;
        schema->integer.is_below_max = is_below_max;
        schema->integer.multiple_of = step + 1;
    } else {
        schema->number.min = min / 2.0;
        schema->number.max = max / 2.0;
        schema->number.is_above_min = is_above_min;
        schema->number.is_below_max = is_below_max;
        schema->number.multiple_of = step / 10.0;
    }
}

/* Items of a union may turn into each other when they are checked again, so only those of other kinds are
 * compared. */
static void build_array(struct builder *builder, struct tg_schema *schema, unsigned depth)
{
    schema->array.min_items = take(builder, 3);
    schema->array.max_items = schema->array.min_items + take(builder, 8);
    schema->array.item = build(builder, depth);
    schema->array.is_unique = schema->array.item->kind <= TG_SCHEMA_ENUM && take(builder, 2);
}

static void build_map(struct builder *builder, struct tg_schema *schema, unsigned depth)
{
    schema->map.min_entries = take(builder, 2);
    schema->map.max_entries = schema->map.min_entries + take(builder, 6);
    schema->map.value = build(builder, depth);
    if (!take(builder, 2)) return;
    struct tg_schema *key = tg_schema_new(builder->arena, TG_SCHEMA_STRING);
    build_string(builder, key);
    key->string.is_trimmed = false;
    schema->map.key = key;
}

static const struct tg_slice names[] = {{"a", 1}, {"b_c", 3}, {"kind", 4}, {"is_d", 4}, {"e", 1}};

enum { NAMES = sizeof names / sizeof names[0], TAG = 2 };

static void build_object(struct builder *builder, struct tg_schema *schema, unsigned depth)
{
    uint32_t count = take(builder, NAMES + 1);
    struct tg_schema_field *fields = tg_arena_calloc(builder->arena, count, sizeof *fields);
    schema->object.additional = (enum tg_additional)take(builder, 3);
    for (uint32_t i = 0; i < count; i++)
        fields[i] =
            (struct tg_schema_field){.name = names[i], .key_id = i + 1, .schema = build(builder, depth)};
    schema->object.fields = fields;
    schema->object.count = count;
    require(tg_schema_seal_object(builder->arena, schema, NULL) == TG_OK);
}

static void build_union(struct builder *builder, struct tg_schema *schema, unsigned depth)
{
    uint32_t count = 2 + take(builder, 3);
    schema->alternatives.branches =
        tg_arena_calloc(builder->arena, count, sizeof *schema->alternatives.branches);
    schema->alternatives.count = count;
    for (uint32_t i = 0; i < count; i++) schema->alternatives.branches[i] = build(builder, depth);
}

static void build_tagged(struct builder *builder, struct tg_schema *schema, unsigned depth)
{
    uint32_t count = 1 + take(builder, 4);
    schema->tagged.tag = (struct tg_schema_field){.name = names[3], .key_id = 4};
    schema->tagged.tags = choices;
    schema->tagged.count = count;
    schema->tagged.branches = tg_arena_calloc(builder->arena, count, sizeof *schema->tagged.branches);
    for (uint32_t i = 0; i < count; i++) {
        struct tg_schema *branch = tg_schema_new(builder->arena, TG_SCHEMA_OBJECT);
        build_object(builder, branch, depth);
        branch->object.additional = TG_ADDITIONAL_ALLOW;
        schema->tagged.branches[i] = branch;
    }
    require(tg_schema_seal_tagged(builder->arena, schema) == TG_OK);
}

static void build_ref(struct builder *builder, struct tg_schema *schema)
{
    static const struct tg_schema any = {.kind = TG_SCHEMA_ANY};
    schema->ref.target = &any;
    schema->ref.max_depth = 1 + take(builder, 40);
    if (builder->ref_count < MOST_REFS) builder->refs[builder->ref_count++] = schema;
}

static void build_kind(struct builder *builder, struct tg_schema *schema, unsigned depth)
{
    switch (schema->kind) {
    case TG_SCHEMA_INTEGER:
    case TG_SCHEMA_NUMBER:
        build_number(builder, schema);
        break;
    case TG_SCHEMA_STRING:
        build_string(builder, schema);
        break;
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        build_choice(builder, schema);
        break;
    case TG_SCHEMA_ARRAY:
        build_array(builder, schema, depth);
        break;
    case TG_SCHEMA_OBJECT:
        build_object(builder, schema, depth);
        break;
    case TG_SCHEMA_MAP:
        build_map(builder, schema, depth);
        break;
    case TG_SCHEMA_UNION:
        build_union(builder, schema, depth);
        break;
    case TG_SCHEMA_TAGGED:
        build_tagged(builder, schema, depth);
        break;
    case TG_SCHEMA_REF:
        build_ref(builder, schema);
        break;
    default:
        break;
    }
}

static void build_flags(struct builder *builder, struct tg_schema *schema)
{
    static const struct tg_value *const defaults[] = {NULL, &choices[0], &choices[1], &choices[3]};
    unsigned flags = take(builder, 256);
    schema->is_optional = flags & 1;
    schema->is_nullable = (flags & 6) == 6;
    schema->is_secret = (flags & 24) == 24;
    schema->can_coerce = flags & 32;
    schema->script_check = (flags & 64) != 0;
    schema->script_default = (flags & 129) == 129;
    const struct tg_value *value = defaults[take(builder, 4)];
    /* A default fits its schema: what does not would not load. */
    bool fits = value && ((schema->kind == TG_SCHEMA_BOOLEAN && value->type == TG_VALUE_BOOLEAN) ||
                          schema->kind == TG_SCHEMA_ANY);
    if (fits) schema->default_value = value;
}

static const struct tg_schema *build(struct builder *builder, unsigned depth)
{
    bool is_leaf = depth == MAX_NODE_DEPTH || builder->nodes >= MOST_NODES;
    unsigned kind = take(builder, is_leaf ? TG_SCHEMA_ARRAY : TG_SCHEMA_REF + 1);
    struct tg_schema *schema = tg_schema_new(builder->arena, (enum tg_schema_kind)kind);
    builder->nodes++;
    build_kind(builder, schema, depth + 1);
    build_flags(builder, schema);
    if (builder->target_count < MOST_NODES) builder->targets[builder->target_count++] = schema;
    return schema;
}

/* References lead anywhere, unless there would be no value on the way round. */
static void aim_refs(struct builder *builder)
{
    for (uint32_t i = 0; i < builder->ref_count; i++) {
        const struct tg_schema *otherwise = builder->refs[i]->ref.target;
        builder->refs[i]->ref.target = builder->targets[take(builder, builder->target_count)];
        for (uint32_t j = 0; j < builder->ref_count; j++)
            if (tg_schema_check_ref(builder->refs[j]) != TG_OK) builder->refs[i]->ref.target = otherwise;
    }
}

/* ---- what is found ---- */

static void require_issues(struct tg_issues *issues)
{
    struct tg_buf list;
    struct tg_arena arena;
    struct tg_value value;
    tg_issues_finish(issues);
    require(tg_utf8_is_valid(issues->out->data, issues->out->length));
    if (issues->style == TG_ISSUE_TEXT) return;
    tg_buf_init(&list);
    tg_arena_init(&arena, 0);
    tg_buf_append_char(&list, '[');
    tg_buf_append_slice(&list, tg_buf_peek(issues->out));
    tg_buf_append_char(&list, ']');
    require(tg_json_parse(tg_buf_peek(&list), 8, &arena, &value, NULL) == TG_OK);
    uint32_t written = issues->count <= issues->max ? issues->count : issues->max + 1;
    require(value.type == TG_VALUE_ARRAY && value.length == written);
    tg_arena_deinit(&arena);
    tg_buf_deinit(&list);
}

static void require_calls(const struct tg_validation *validation, struct tg_buf *out)
{
    for (const struct tg_call *call = validation->calls; call; call = call->next) {
        require(call->is_default ? call->schema->script_default != 0 : call->schema->script_check != 0);
        tg_buf_truncate(out, 0);
        tg_path_write(out, call->path);
        require(out->length >= 7 && memcmp(out->data, "payload", 7) == 0);
    }
}

static void require_right_again(const struct tg_schema *schema, struct tg_value *value,
                                struct tg_validation *validation)
{
    const struct tg_path path = {.key = TG_SLICE("payload")};
    struct tg_buf text;
    struct tg_arena arena;
    struct tg_value again, *payload = &again;
    tg_buf_init(&text);
    tg_arena_init(&arena, 0);
    tg_json_write_value(&text, value);
    require(tg_json_parse(tg_buf_peek(&text), MAX_DEPTH, &arena, &again, NULL) == TG_OK);
    validation->is_exact = true;
    validation->max_steps = 10000000;
    require(tg_validate_payload(schema, &payload, &path, validation) == TG_OK || validation->has_hit_steps);
    tg_arena_deinit(&arena);
    tg_buf_deinit(&text);
}

static void check_value(const struct tg_schema *schema, struct tg_value *value,
                        struct tg_validation *validation)
{
    const struct tg_path path = {.key = TG_SLICE("payload")};
    struct tg_issues *issues = validation->issues;
    struct tg_value *payload = value;
    enum tg_status status = tg_validate_payload(schema, &payload, &path, validation);
    require(status == TG_OK || status == TG_E_INVALID);
    require((status == TG_OK) == (issues->count == 0));
    if (status != TG_OK) {
        require(!validation->calls);
        require_issues(issues);
        return;
    }
    require_calls(validation, issues->out);
    tg_buf_truncate(issues->out, 0);
    require_right_again(schema, payload, validation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size - 3 < data[2]) return 0;
    struct tg_arena arena;
    struct tg_patterns patterns;
    struct tg_buf out;
    struct tg_issues issues;
    struct tg_value value;
    struct tg_slice text = {(const char *)data + 3 + data[2], size - 3 - data[2]};
    tg_arena_init(&arena, 0);
    tg_patterns_init(&patterns, 10000);
    tg_buf_init(&out);
    struct builder builder = {
        .next = data + 3, .end = data + 3 + data[2], .arena = &arena, .patterns = &patterns};
    const struct tg_schema *schema = build(&builder, 0);
    aim_refs(&builder);
    tg_issues_init(&issues, &out, data[0] % 8);
    issues.style = data[0] & 8 ? TG_ISSUE_TEXT : TG_ISSUE_JSON;
    struct tg_validation validation = {.arena = &arena,
                                       .issues = &issues,
                                       .naming = data[1] % TG_NAMINGS,
                                       .is_exact = data[1] & 2,
                                       .max_steps = data[1] & 4 ? 100 : 10000};
    if (tg_json_parse(text, MAX_DEPTH, &arena, &value, NULL) == TG_OK)
        check_value(schema, &value, &validation);
    tg_buf_deinit(&out);
    tg_patterns_deinit(&patterns);
    tg_arena_deinit(&arena);
    return 0;
}
