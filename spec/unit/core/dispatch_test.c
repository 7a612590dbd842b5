#include "core/dispatch.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = fake_core_new();
    return 0;
}

static int teardown(void **state)
{
    fake_core_free(*state);
    return 0;
}

static struct fake_client *open(struct fake_core *core, const char *path)
{
    struct fake_client *client = fake_core_open(core, 0, path);
    assert_non_null(client);
    expect_journal(core, "1 connected\n");
    return client;
}

/* Says `text` on /chat: the script sees nothing, and the answer is exactly one error frame. */
static void expect_refused(struct fake_core *core, const char *text, const char *payload_and_rest)
{
    struct fake_client *client = &core->clients[0];
    char frame[512];
    snprintf(frame, sizeof frame, "text {\"action\":\"error\",\"payload\":%s}\n", payload_and_rest);
    fake_client_say(client, text);
    fake_core_turn(core);
    expect_sent(client, frame);
    expect_journal(core, "");
}

static void answers_each_refused_message_with_its_error(void **state)
{
    static const struct {
        const char *text, *answer;
    } cases[] = {
        {"[]", "[{\"type\":\"model_type\",\"loc\":[],\"msg\":\"Input should be a valid object\"}]"},
        {"{}",
         "[{\"type\":\"union_tag_not_found\",\"loc\":[\"action\"],\"msg\":\"Unable to extract tag using "
         "discriminator 'action'\"}]"},
        {"{\"action\":\"nope\",\"ref\":\"7\"}", "[{\"type\":\"union_tag_invalid\",\"loc\":[\"action\"],"
                                                "\"msg\":\"Input tag 'nope' found using 'action' "
                                                "does not match any of the expected tags\"}],\"ref\":\"7\""},
        {"{\"action\":\"say\",\"ref\":7}",
         "[{\"type\":\"missing\",\"loc\":[\"payload\"],\"msg\":\"Field required\"}],\"ref\":7"},
        {"{\"action\":\"say\",\"payload\":null}",
         "[{\"type\":\"missing\",\"loc\":[\"payload\"],\"msg\":\"Field required\"}]"},
        {"{\"action\":\"say\",\"payload\":{}}",
         "[{\"type\":\"missing\",\"loc\":[\"payload\",\"content\"],\"msg\":\"Field required\"}]"},
        {"{\"action\":\"say\",\"payload\":{\"content\":1},\"ref\":\"a\"}",
         "[{\"type\":\"string_type\",\"loc\":[\"payload\",\"content\"],\"msg\":\"Input should be a valid "
         "string, got 1\"}],\"ref\":\"a\""},
        {"{\"action\":\"ping\",\"ref\":[]}",
         "[{\"type\":\"string_type\",\"loc\":[\"ref\"],\"msg\":\"Input should be a valid string\"}]"},
    };
    struct fake_core *core = *state;
    open(core, "/chat");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(core, cases[i].text, cases[i].answer);
    assert_int_equal(core->worker.metrics.messages_invalid, sizeof cases / sizeof cases[0]);
    assert_int_equal(core->worker.metrics.connections, 1);
}

/* A wrong envelope once kept the payload from being looked at. */
static void tells_all_that_is_wrong_with_envelope_and_payload(void **state)
{
    struct fake_core *core = *state;
    open(core, "/chat");
    expect_refused(
        core, "{\"ref\":[],\"payload\":{\"content\":1},\"topic\":2,\"action\":\"say\"}",
        "[{\"type\":\"string_type\",\"loc\":[\"ref\"],\"msg\":\"Input should be a valid string\"},"
        "{\"type\":\"string_type\",\"loc\":[\"payload\",\"content\"],\"msg\":\"Input should be a valid "
        "string, got 1\"},{\"type\":\"string_type\",\"loc\":[\"topic\"],\"msg\":\"Input should be a valid "
        "string, got 2\"}]");
    expect_refused(
        core, "{\"topic\":2,\"action\":\"say\"}",
        "[{\"type\":\"missing\",\"loc\":[\"payload\"],\"msg\":\"Field required\"},"
        "{\"type\":\"string_type\",\"loc\":[\"topic\"],\"msg\":\"Input should be a valid string, got 2\"}]");
    expect_refused(
        core, "{\"payload\":{\"content\":1},\"topic\":2,\"action\":\"nope\"}",
        "[{\"type\":\"string_type\",\"loc\":[\"topic\"],\"msg\":\"Input should be a valid string, got 2\"},"
        "{\"type\":\"union_tag_invalid\",\"loc\":[\"action\"],\"msg\":\"Input tag 'nope' found using "
        "'action' does not match any of the expected tags\"}]");
}

static void answers_text_that_is_not_json(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/chat");
    fake_client_say(client, "{\"action\":");
    fake_core_turn(core);
    static const char head[] =
        "{\"action\":\"error\",\"payload\":[{\"type\":\"json_invalid\",\"loc\":[],\"msg\":";
    assert_true(client->sent_bytes > 2 + sizeof head);
    assert_memory_equal(strchr((char *)client->sent, '{'), head, sizeof head - 1);
    expect_journal(core, "");
}

static void keep_payload(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    assert_non_null(envelope->payload);
    assert_int_equal(envelope->payload->type, TG_VALUE_INTEGER);
    core->connections = (int)envelope->payload->integer;
}

static void hands_the_default_over_for_an_absent_payload(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/chat");
    core->on_message = keep_payload;
    fake_client_say(client, "{\"action\":\"seven\"}");
    assert_int_equal(core->connections, 7);
    fake_client_say(client, "{\"action\":\"seven\",\"payload\":8}");
    assert_int_equal(core->connections, 8);
    expect_journal(core, "1 message seven\n1 message seven\n");
}

static void keep_key_id(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    assert_int_equal(envelope->payload->length, 1);
    core->connections = (int)envelope->payload->members[0].key_id;
}

static void reads_names_as_the_consumer_writes_them(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/camel");
    core->on_message = keep_key_id;
    fake_client_say(client, "{\"action\":\"rename\",\"payload\":{\"userName\":\"a\"}}");
    expect_journal(core, "1 message rename\n");
    assert_int_equal(core->connections, 6);
    /* The declared name is a stranger here, and errors name the field as this client knows it. */
    expect_refused(core, "{\"action\":\"rename\",\"payload\":{\"user_name\":\"a\"}}",
                   "[{\"type\":\"missing\",\"loc\":[\"payload\",\"userName\"],\"msg\":\"Field required\"}]");
}

static void keep_call(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    assert_non_null(envelope->calls);
    assert_null(envelope->calls->next);
    assert_false(envelope->calls->is_default);
    core->connections = envelope->calls->schema->script_check;
}

static void hands_the_checks_of_the_script_over(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/camel");
    core->on_message = keep_call;
    fake_client_say(client, "{\"action\":\"checked\",\"payload\":\"a\"}");
    expect_journal(core, "1 message checked\n");
    assert_int_equal(core->connections, 9);
}

static void forgets_the_tree_of_a_message_before_the_next(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/chat");
    fake_client_say(client, "{\"action\":\"ping\"}");
    const char *next = core->worker.arena.next;
    for (int i = 0; i < 100; i++) {
        fake_client_say(client, "{\"action\":\"say\",\"payload\":{\"content\":\"hello\"}}");
        assert_ptr_equal(core->worker.arena.next, next);
        core->journal_bytes = 0;
    }
}

static void hands_frames_of_a_text_consumer_over_as_they_are(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/text");
    fake_client_say(client, "not json");
    fake_client_send(client, TG_SLICE("bytes"), true);
    expect_journal(core, "1 text not json\n1 binary bytes\n");
}

static void hands_binary_frames_to_a_consumer_that_takes_them(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/binary");
    fake_client_send(client, TG_SLICE("bytes"), true);
    expect_journal(core, "1 binary bytes\n");
}

/* The kind of a message was taken from its last fragment, where it is nobody's to say. */
static void takes_the_kind_of_a_message_from_its_first_fragment(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/binary");
    tg_conn_receive(client->conn, &(struct tg_chunk){TG_SLICE("by"), true, false, true});
    tg_conn_receive(client->conn, &(struct tg_chunk){TG_SLICE("tes"), false, true, false});
    expect_journal(core, "1 binary bytes\n");
}

static void answers_a_binary_frame_that_nobody_takes(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/chat");
    fake_client_send(client, TG_SLICE("{}"), true);
    fake_core_turn(core);
    expect_sent(client,
                "text {\"action\":\"error\",\"payload\":{\"detail\":\"Binary frames are not accepted\"}}\n");
    expect_journal(core, "");
}

static void closes_over_a_binary_frame_when_frames_are_strict(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core, "/strict");
    fake_client_send(client, TG_SLICE("bytes"), true);
    fake_core_turn(core);
    expect_sent(client, "close 1003 Binary frames are not accepted\n");
    expect_journal(core, "");
}

/* ---- without memory ---- */

static void reply(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)core;
    (void)envelope;
    tg_conn_send(conn, TG_OPCODE_TEXT, TG_SLICE("reply"));
}

/* One client comes, says everything that can be said, and goes. */
static void converse(struct fake_core *core)
{
    static const char *const texts[] = {
        "{\"action\":\"say\",\"payload\":{\"content\":\"caf\\u00e9\"},\"ref\":1}",
        "{\"action\":\"say\",\"payload\":{\"content\":1}}",
        "{\"action\":\"nope\"}",
        "{\"action\":",
        "{\"action\":\"seven\"}",
    };
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    if (!client) return;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fake_client_say(client, texts[i]);
        fake_core_turn(core);
        if (!client->conn) return;
    }
    tg_conn_receive(client->conn, &(struct tg_chunk){TG_SLICE("{\"action\":"), true, false, false});
    tg_conn_receive(client->conn, &(struct tg_chunk){TG_SLICE("\"ping\"}"), false, true, false});
    tg_conn_close(client->conn, 1000, TG_SLICE("done"));
    fake_core_turn(core);
    if (client->conn) fake_client_vanish(client);
}

/* Whatever allocation fails: `connected` and `disconnected` come in pairs, nothing is left behind (the
 * teardown and LeakSanitizer see to that), and the next client is served as if nothing had been. */
static void survives_the_failure_of_any_allocation(void **state)
{
    (void)state;
    bool has_failed = true;
    size_t failures = 0;
    for (size_t n = 1; has_failed; n++) {
        struct fake_core *core = fake_core_new();
        core->on_message = reply;
        tg_alloc_fail_at(n);
        converse(core);
        has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        failures += has_failed;
        core->journal[core->journal_bytes] = '\0';
        bool was_connected = strstr(core->journal, "connected") != NULL;
        assert_int_equal(was_connected, strstr(core->journal, "1 disconnected") != NULL);
        assert_int_equal(was_connected, strstr(core->journal, "1 forget") != NULL);
        core->journal_bytes = 0;
        core->connections = 0;
        core->clients[0].sent_bytes = 0;
        converse(core);
        expect_journal(core, "1 connected\n1 message say\n1 message seven\n1 message ping\n"
                             "1 disconnected 1000 done\n1 forget\n");
        fake_core_free(core);
    }
    assert_true(failures > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_each_refused_message_with_its_error),
        TEST(tells_all_that_is_wrong_with_envelope_and_payload),
        TEST(answers_text_that_is_not_json),
        TEST(hands_the_default_over_for_an_absent_payload),
        TEST(reads_names_as_the_consumer_writes_them),
        TEST(hands_the_checks_of_the_script_over),
        TEST(forgets_the_tree_of_a_message_before_the_next),
        TEST(hands_frames_of_a_text_consumer_over_as_they_are),
        TEST(hands_binary_frames_to_a_consumer_that_takes_them),
        TEST(takes_the_kind_of_a_message_from_its_first_fragment),
        TEST(answers_a_binary_frame_that_nobody_takes),
        TEST(closes_over_a_binary_frame_when_frames_are_strict),
        cmocka_unit_test(survives_the_failure_of_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
