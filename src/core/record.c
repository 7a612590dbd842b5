/* Headers and items of the query are kept with their names; what their names say is a credential is kept as
 * "***". Texts that are not UTF-8 are null. */
#include "core/record.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "core/conn_start.h"
#include "core/worker.h"
#include "wire/json.h"
#include "wire/message.h"
#include "wire/redact.h"

#include <inttypes.h>
#include <strings.h>

#define MASK "***"

/* ---- pieces ---- */

static void write_text(struct tg_buf *out, struct tg_slice text)
{
    if (!tg_json_write_checked_string(out, text)) tg_buf_append_literal(out, "null");
}

static void begin_line(struct tg_buf *out, const char *type, const struct tg_conn *conn, uint64_t ms)
{
    char id[TG_CONN_ID_BYTES];
    tg_buf_printf(out, "{\"type\":\"%s\",\"ms\":%" PRIu64, type, ms);
    if (!conn) return;
    tg_buf_append_literal(out, ",\"conn\":");
    tg_json_write_string(out, tg_conn_id_text(conn->id, id));
}

static void write_member(struct tg_buf *out, const char *name, struct tg_slice text)
{
    tg_buf_printf(out, ",\"%s\":", name);
    write_text(out, text);
}

static void end_line(struct tg_buf *out)
{
    tg_buf_append_literal(out, "}\n");
}

/* ---- credentials ---- */

/* Words in the names of headers and of items of the query. Too many are masked rather than one too few. */
static const char *const credential_words[] = {"token", "secret", "pass", "auth", "key",        "sess",
                                               "sig",   "jwt",    "cred", "code", "ticket",     "cookie",
                                               "sid",   "otp",    "pin",  "hash", "websocket-p"};

static bool contains_word(struct tg_slice name, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= name.length; i++)
        if (strncasecmp(name.data + i, word, length) == 0) return true;
    return false;
}

/* By what its name says, or since the authenticator reads it. */
static bool is_credential(const struct tg_conn *conn, struct tg_slice name)
{
    const struct tg_texts *declared = &conn->consumer->entrance.credentials;
    for (size_t i = 0; i < sizeof credential_words / sizeof credential_words[0]; i++)
        if (contains_word(name, credential_words[i])) return true;
    return tg_texts_have(declared, name);
}

/* Takes what stands before `separator`, which is taken as well. */
static struct tg_slice next_item(struct tg_slice *rest, char separator)
{
    const char *end = rest->length ? memchr(rest->data, separator, rest->length) : NULL;
    struct tg_slice item = {rest->data, end ? (size_t)(end - rest->data) : rest->length};
    size_t used = item.length + (end ? 1 : 0);
    *rest = (struct tg_slice){rest->data + used, rest->length - used};
    return item;
}

static size_t name_length(struct tg_slice item)
{
    const char *equals = item.length ? memchr(item.data, '=', item.length) : NULL;
    return equals ? (size_t)(equals - item.data) : item.length;
}

/* "room=1&token=***". Names that are escaped are masked: nobody knows what they say. */
static void write_query(struct tg_buf *out, const struct tg_conn *conn)
{
    struct tg_buf masked;
    tg_buf_init(&masked);
    for (struct tg_slice rest = conn->request->query; rest.length;) {
        struct tg_slice item = next_item(&rest, '&');
        struct tg_slice name = {item.data, name_length(item)};
        bool is_shown = !is_credential(conn, name) && !(name.length && memchr(name.data, '%', name.length));
        if (masked.length) tg_buf_append_char(&masked, '&');
        tg_buf_append_slice(&masked, is_shown ? item : name);
        if (!is_shown && name.length < item.length) tg_buf_append_literal(&masked, "=" MASK);
    }
    write_member(out, "query", tg_buf_peek(&masked));
    if (masked.has_failed) out->has_failed = true;
    tg_buf_deinit(&masked);
}

/* "a=***; b=***": which cookies there were. */
static void write_cookies(struct tg_buf *out, struct tg_slice header)
{
    tg_buf_append_char(out, '"');
    bool is_first = true;
    for (struct tg_slice rest = header; rest.length; is_first = false) {
        struct tg_slice item = next_item(&rest, ';');
        while (item.length && item.data[0] == ' ') item.data++, item.length--;
        struct tg_slice name = {item.data, name_length(item)};
        if (!is_first) tg_buf_append_literal(out, "; ");
        if (name.length < item.length && tg_utf8_is_valid(name.data, name.length)) {
            tg_json_write_escaped(out, name);
            tg_buf_append_char(out, '=');
        }
        tg_buf_append_literal(out, MASK);
    }
    tg_buf_append_char(out, '"');
}

/* Of the address of a page, without what may be a credential: its query and its fragment. */
static size_t address_length(struct tg_slice address)
{
    size_t length = 0;
    while (length < address.length && !strchr("?#", address.data[length])) length++;
    return length;
}

static void write_header(struct tg_buf *out, const struct tg_conn *conn, const struct tg_pair *header)
{
    tg_buf_append_char(out, '[');
    write_text(out, header->name);
    tg_buf_append_char(out, ',');
    if (tg_slice_equal(header->name, TG_SLICE("cookie")))
        write_cookies(out, header->value);
    else if (tg_slice_equal(header->name, TG_SLICE("referer")))
        write_text(out, (struct tg_slice){header->value.data, address_length(header->value)});
    else
        write_text(out, is_credential(conn, header->name) ? TG_SLICE(MASK) : header->value);
    tg_buf_append_char(out, ']');
}

/* ---- the lines ---- */

void tg_record_begin(struct tg_buf *out, uint64_t wall_ms, struct tg_slice folder)
{
    char at[TG_CLOCK_TEXT_BYTES];
    tg_clock_write_wall(wall_ms, at);
    tg_buf_printf(out, "{\"type\":\"recording\",\"format\":%d,\"version\":\"%s\",\"at\":\"%s\"",
                  TG_RECORD_FORMAT, TG_VERSION, at);
    write_member(out, "folder", folder);
    end_line(out);
}

/* Among what clients send: events come from elsewhere. */
static bool has_secrets(const struct tg_consumer *stream, struct tg_arena *scratch)
{
    bool is_found = false;
    for (uint32_t i = 0; i < stream->action_count && !is_found; i++)
        is_found = tg_schema_has_secret(stream->ordered_actions[i]->payload, scratch);
    return is_found;
}

void tg_record_know(struct tg_conn *conn, struct tg_arena *scratch)
{
    const struct tg_consumer *consumer = conn->consumer;
    conn->has_secrets = has_secrets(consumer, scratch);
    for (uint32_t i = 0; i < consumer->topic_count && !conn->has_secrets; i++)
        conn->has_secrets = has_secrets(&consumer->topics[i]->stream, scratch);
    tg_arena_reset(scratch);
}

void tg_record_open(struct tg_buf *out, struct tg_conn *conn, uint64_t ms, struct tg_arena *scratch)
{
    const struct tg_request *request = conn->request;
    tg_record_know(conn, scratch);
    begin_line(out, "open", conn, ms);
    write_member(out, "consumer", conn->consumer->name);
    write_member(out, "path", request->path);
    write_query(out, conn);
    write_member(out, "peer", request->peer);
    tg_buf_append_literal(out, ",\"headers\":[");
    for (uint32_t i = 0; i < request->headers.count; i++) {
        if (i) tg_buf_append_char(out, ',');
        write_header(out, conn, &request->headers.items[i]);
    }
    tg_buf_append_char(out, ']');
    end_line(out);
}

/* Whose messages those with this topic (NULL: none) are; NULL: nobody's. */
static const struct tg_consumer *find_stream(const struct tg_consumer *consumer, const struct tg_value *topic)
{
    struct tg_params params;
    if (!topic) return consumer->own_topic ? &consumer->own_topic->stream : consumer;
    if (topic->type != TG_VALUE_STRING) return NULL;
    const struct tg_topic *found = tg_consumer_find_topic(consumer, tg_value_string(topic), &params);
    return found ? &found->stream : NULL;
}

static const struct tg_action *find_action(const struct tg_consumer *stream, struct tg_slice name)
{
    /* What is said to a topic itself has no payload. */
    static const struct tg_schema nothing = {.kind = TG_SCHEMA_NULL};
    static const struct tg_action change = {.payload = &nothing};
    bool is_change =
        tg_slice_equal(name, TG_SLICE("subscribe")) || tg_slice_equal(name, TG_SLICE("unsubscribe"));
    return stream->is_topic && is_change ? &change : tg_map_get(&stream->actions, name);
}

/* Of the envelope stays what it is made of. */
static void keep_envelope(struct tg_value *message, uint32_t *changes)
{
    static const struct tg_slice known[] = {TG_SLICE("payload"), TG_SLICE("action"), TG_SLICE("ref"),
                                            TG_SLICE("topic")};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < message->length; i++) {
        const struct tg_member *member = &message->members[i];
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            is_known = is_known || tg_slice_equal(tg_member_key(member), known[k]);
        bool is_deep = member->value.type == TG_VALUE_ARRAY || member->value.type == TG_VALUE_OBJECT;
        if (is_deep && !tg_slice_equal(tg_member_key(member), known[0])) is_known = false;
        if (is_known)
            message->members[kept++] = *member;
        else
            (*changes)++;
    }
    message->length = kept;
}

/* Takes what is secret out of the message. NULL: done; else why it is not written. */
static const char *redact(struct tg_value *message, const struct tg_conn *conn, struct tg_arena *scratch,
                          uint32_t *changes)
{
    if (message->type != TG_VALUE_OBJECT) return "model_type";
    const struct tg_consumer *stream = find_stream(conn->consumer, tg_value_get(message, TG_SLICE("topic")));
    if (!stream) return "topic";
    const struct tg_value *name = tg_value_get(message, TG_SLICE("action"));
    bool has_name = name && name->type == TG_VALUE_STRING;
    const struct tg_action *action = has_name ? find_action(stream, tg_value_string(name)) : NULL;
    if (!action) return "unknown";
    keep_envelope(message, changes);
    struct tg_value *payload = NULL;
    for (uint32_t i = 0; i < message->length; i++)
        if (tg_slice_equal(tg_member_key(&message->members[i]), TG_SLICE("payload")))
            payload = &message->members[i].value;
    if (payload && tg_redact(payload, action->payload, conn->consumer->naming, scratch, changes) != TG_OK)
        return "no_memory";
    return NULL;
}

/* NULL: written. Else why it is not. */
static const char *write_redacted(struct tg_buf *out, const struct tg_conn *conn, struct tg_slice text,
                                  struct tg_arena *scratch)
{
    struct tg_value message;
    struct tg_error error;
    uint32_t changes = 0;
    enum tg_status status =
        tg_json_parse(text, conn->worker->config->max_json_depth, scratch, &message, &error);
    if (status == TG_E_NO_MEMORY) return "no_memory";
    if (status != TG_OK) return "json_invalid";
    const char *omitted = redact(&message, conn, scratch, &changes);
    if (omitted) return omitted;
    struct tg_buf shown;
    tg_buf_init(&shown);
    tg_json_write_value(&shown, &message);
    bool has_failed = shown.has_failed;
    if (!has_failed) write_member(out, "text", tg_buf_peek(&shown));
    tg_buf_deinit(&shown);
    if (has_failed) return "no_memory";
    if (changes) tg_buf_printf(out, ",\"masked\":%" PRIu32, changes);
    return NULL;
}

/* What a client of plain text says before it is let in may be a token, and says of nothing which part is. */
static bool may_be_credential(const struct tg_conn *conn)
{
    return conn->consumer->is_text && conn->is_starting && !tg_conn_is_let_in(conn);
}

void tg_record_message(struct tg_buf *out, const struct tg_conn *conn, struct tg_slice message,
                       bool is_binary, uint64_t ms, struct tg_arena *scratch)
{
    const char *omitted = NULL;
    begin_line(out, "message", conn, ms);
    if (may_be_credential(conn)) {
        omitted = "credential";
    } else if (conn->has_secrets) {
        omitted = is_binary ? "binary" : write_redacted(out, conn, message, scratch);
    } else if (is_binary) {
        tg_buf_append_literal(out, ",\"binary\":\"");
        tg_base64_write(out, message);
        tg_buf_append_char(out, '"');
    } else {
        write_member(out, "text", message);
    }
    if (omitted) tg_buf_printf(out, ",\"omitted\":\"%s\",\"bytes\":%zu", omitted, message.length);
    end_line(out);
    tg_arena_reset(scratch);
}

void tg_record_close(struct tg_buf *out, const struct tg_conn *conn, enum tg_ender by, struct tg_slice reason,
                     uint64_t ms)
{
    bool is_client = by == TG_ENDED_BY_CLIENT;
    begin_line(out, "close", conn, ms);
    tg_buf_printf(out, ",\"code\":%u", conn->close_code);
    write_member(out, "reason", is_client && conn->has_secrets ? TG_SLICE("") : reason);
    tg_buf_printf(out, ",\"by\":\"%s\"", is_client ? "client" : "server");
    end_line(out);
}

void tg_record_end(struct tg_buf *out, const char *why, uint64_t ms)
{
    begin_line(out, "end", NULL, ms);
    tg_buf_printf(out, ",\"why\":\"%s\"", why);
    end_line(out);
}
