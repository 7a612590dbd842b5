/* Each key of the envelope is judged where it stands, so issues come in document order; only what is
 * missing is told beforehand, as missing things come first.
 *
 * What a script or a traceback says may hold any bytes: frames are text (RFC 6455 5.6), so bytes
 * that are not UTF-8 become U+FFFD.
 */
#include "wire/message.h"

#include "base/utf8.h"
#include "wire/json.h"

/* ---- in ---- */

static void report(struct tg_issues *issues, enum tg_issue_type type, struct tg_slice key,
                   const struct tg_value *got)
{
    struct tg_path path = {.key = key};
    tg_issue_report(issues, &(struct tg_issue){.type = type, .path = &path, .got = got});
}

/* An action that is no string is named as it was sent, if it is short. */
static void report_action(struct tg_issues *issues, const struct tg_value *action)
{
    struct tg_path path = {.key = TG_SLICE("action")};
    struct tg_slice tag = TG_SLICE("{...}");
    struct tg_buf scalar;
    tg_buf_init(&scalar);
    if (action->type == TG_VALUE_ARRAY) tag = TG_SLICE("[...]");
    if (action->type < TG_VALUE_STRING) {
        tg_json_write_value(&scalar, action);
        tag = tg_buf_peek(&scalar);
    }
    tg_issue_report(issues, &(struct tg_issue){.type = TG_ISSUE_ACTION_INVALID, .path = &path, .text = tag});
    if (scalar.has_failed) issues->out->has_failed = true;
    tg_buf_deinit(&scalar);
}

static void read_ref(const struct tg_value *value, struct tg_ref *ref, struct tg_issues *issues)
{
    if (value->type == TG_VALUE_NULL) return;
    if (value->type == TG_VALUE_INTEGER) {
        ref->type = TG_REF_INTEGER;
        ref->integer = value->integer;
    } else if (value->type == TG_VALUE_STRING && value->length <= TG_REF_MAX_BYTES) {
        ref->type = TG_REF_STRING;
        ref->string = tg_value_string(value);
    } else {
        report(issues, TG_ISSUE_STRING_TYPE, TG_SLICE("ref"), value);
    }
}

/* One reading: what is known of it before the members are gone through. */
struct reading {
    const struct tg_envelope_judge *judge;
    struct tg_envelope *envelope;
    struct tg_issues *issues;
    bool is_known; /* the action is, so that the payload can be judged */
    bool is_out_of_memory;
};

static void judge_payload(struct reading *reading)
{
    if (!reading->is_known || !reading->judge) return;
    enum tg_status status = reading->judge->payload(reading->judge->context, reading->envelope);
    reading->is_out_of_memory = status == TG_E_NO_MEMORY;
}

static void judge_action(struct reading *reading, const struct tg_value *action)
{
    struct tg_path path = {.key = TG_SLICE("action")};
    if (action->type != TG_VALUE_STRING)
        report_action(reading->issues, action);
    else if (!reading->is_known)
        tg_issue_report(reading->issues, &(struct tg_issue){.type = TG_ISSUE_ACTION_INVALID,
                                                            .path = &path,
                                                            .text = tg_value_string(action)});
}

static void read_member(struct reading *reading, struct tg_member *member)
{
    struct tg_slice key = tg_member_key(member);
    struct tg_value *value = &member->value;
    if (tg_slice_equal(key, TG_SLICE("action"))) {
        judge_action(reading, value);
    } else if (tg_slice_equal(key, TG_SLICE("payload"))) {
        if (reading->envelope->payload) judge_payload(reading);
    } else if (tg_slice_equal(key, TG_SLICE("ref"))) {
        read_ref(value, &reading->envelope->ref, reading->issues);
    } else if (tg_slice_equal(key, TG_SLICE("topic"))) {
        if (value->type != TG_VALUE_STRING) report(reading->issues, TG_ISSUE_STRING_TYPE, key, value);
    }
}

/* The action, the topic and the payload, wherever they stand; nothing is judged but whether the action is
 * known. */
static void find_parts(struct reading *reading, const struct tg_value *message)
{
    struct tg_envelope *envelope = reading->envelope;
    for (uint32_t i = 0; i < message->length; i++) {
        struct tg_member *member = &message->members[i];
        struct tg_slice key = tg_member_key(member);
        if (member->value.type == TG_VALUE_STRING && tg_slice_equal(key, TG_SLICE("action")))
            envelope->action = tg_value_string(&member->value);
        else if (member->value.type == TG_VALUE_STRING && tg_slice_equal(key, TG_SLICE("topic")))
            envelope->topic = tg_value_string(&member->value);
        else if (member->value.type != TG_VALUE_NULL && tg_slice_equal(key, TG_SLICE("payload")))
            envelope->payload = &member->value;
    }
    const struct tg_envelope_judge *judge = reading->judge;
    reading->is_known = envelope->action.data && (!judge || judge->knows(judge->context, envelope));
}

static void read_object(struct reading *reading, struct tg_value *message)
{
    find_parts(reading, message);
    if (!tg_value_get(message, TG_SLICE("action")))
        report(reading->issues, TG_ISSUE_ACTION_NOT_FOUND, TG_SLICE("action"), NULL);
    if (!reading->envelope->payload) judge_payload(reading);
    for (uint32_t i = 0; i < message->length && !reading->is_out_of_memory; i++)
        read_member(reading, &message->members[i]);
}

enum tg_status tg_envelope_read(struct tg_value *message, struct tg_envelope *envelope,
                                const struct tg_envelope_judge *judge, struct tg_issues *issues)
{
    uint32_t before = issues->count;
    *envelope = (struct tg_envelope){0};
    struct reading reading = {.judge = judge, .envelope = envelope, .issues = issues};
    if (message->type == TG_VALUE_OBJECT)
        read_object(&reading, message);
    else
        tg_issue_add(issues, TG_ISSUE_MODEL_TYPE, NULL);
    if (reading.is_out_of_memory || issues->out->has_failed) return TG_E_NO_MEMORY;
    return issues->count == before ? TG_OK : TG_E_INVALID;
}

/* ---- out ---- */

void tg_message_write_ref(struct tg_buf *out, const struct tg_ref *ref)
{
    if (ref->topic.data) {
        tg_buf_append_literal(out, ",\"topic\":");
        tg_json_write_string(out, ref->topic);
    }
    if (ref->type == TG_REF_NONE) return;
    tg_buf_append_literal(out, ",\"ref\":");
    if (ref->type == TG_REF_INTEGER)
        tg_json_write_integer(out, ref->integer);
    else
        tg_json_write_string(out, ref->string);
}

void tg_message_write_issues(struct tg_buf *out, struct tg_slice items, const struct tg_ref *ref)
{
    tg_buf_append_literal(out, "{\"action\":\"error\",\"payload\":[");
    tg_buf_append_slice(out, items);
    tg_buf_append_char(out, ']');
    tg_message_write_ref(out, ref);
    tg_buf_append_char(out, '}');
}

/* The length of the valid UTF-8 at the beginning of `text`. */
static size_t valid_prefix(struct tg_slice text)
{
    struct tg_utf8 utf8 = {0};
    size_t good = tg_utf8_feed(&utf8, text.data, text.length);
    if (tg_utf8_is_complete(&utf8)) return good;
    while (good > 0 && ((unsigned char)text.data[good - 1] & 0xC0) == 0x80) good--;
    return good - 1;
}

static void write_repaired(struct tg_buf *out, struct tg_slice text)
{
    tg_buf_append_char(out, '"');
    while (text.length > 0) {
        size_t good = valid_prefix(text);
        tg_json_write_escaped(out, (struct tg_slice){text.data, good});
        if (good == text.length) break;
        tg_buf_append_literal(out, "\xEF\xBF\xBD");
        text = (struct tg_slice){text.data + good + 1, text.length - good - 1};
    }
    tg_buf_append_char(out, '"');
}

static void write_key(struct tg_buf *out, struct tg_slice key, bool *is_first)
{
    if (!*is_first) tg_buf_append_char(out, ',');
    *is_first = false;
    tg_json_write_string(out, key);
    tg_buf_append_char(out, ':');
}

void tg_message_write_detail_object(struct tg_buf *out, const struct tg_detail *detail)
{
    const struct {
        struct tg_slice key, text;
    } texts[] = {{TG_SLICE("code"), detail->code},
                 {TG_SLICE("reason"), detail->reason},
                 {TG_SLICE("detail"), detail->detail},
                 {TG_SLICE("traceback"), detail->traceback},
                 {TG_SLICE("file"), detail->file}};
    bool is_first = true;
    tg_buf_append_char(out, '{');
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!texts[i].text.data) continue;
        write_key(out, texts[i].key, &is_first);
        write_repaired(out, texts[i].text);
    }
    if (detail->line) {
        write_key(out, TG_SLICE("line"), &is_first);
        tg_json_write_integer(out, detail->line);
    }
    if (detail->source.length) {
        write_key(out, TG_SLICE("source"), &is_first);
        tg_buf_append_slice(out, detail->source);
    }
    if (detail->generation) {
        write_key(out, TG_SLICE("generation"), &is_first);
        tg_json_write_integer(out, detail->generation);
    }
    tg_buf_append_char(out, '}');
}

void tg_message_write_detail(struct tg_buf *out, const struct tg_detail *detail, const struct tg_ref *ref)
{
    tg_buf_append_literal(out, "{\"action\":\"error\",\"payload\":");
    tg_message_write_detail_object(out, detail);
    tg_message_write_ref(out, ref);
    tg_buf_append_char(out, '}');
}
