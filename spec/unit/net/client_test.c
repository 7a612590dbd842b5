/* The client against a server that is a socket in our hands: its answers are written before they are read.
 * The seed makes the key known, and so the answer to it. */
#include "net/client.h"

#include "support/alloc.h"
#include "wire/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEED = 42, TIMEOUT_MS = 200, MESSAGE_MAX = 1000 };

/* What the client asks with, read out of a first try. */
static char key[32], accept_line[128];

struct place {
    struct tg_client *client;
    struct tg_client_answer answer;
    struct tg_error error;
    int server;
};

static struct tg_client_options options(void)
{
    return (struct tg_client_options){.host = "127.0.0.1",
                                      .port = 8000,
                                      .target = TG_SLICE("/ws?x=1"),
                                      .timeout_ms = TIMEOUT_MS,
                                      .seed = SEED,
                                      .max_message_bytes = MESSAGE_MAX};
}

static void say(const struct place *place, struct tg_slice bytes)
{
    assert_int_equal(write(place->server, bytes.data, bytes.length), (ssize_t)bytes.length);
}

static enum tg_status begin(struct place *place, const struct tg_client_options *given, struct tg_slice said)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *place = (struct place){.server = ends[1]};
    say(place, said);
    return tg_client_begin(&place->client, ends[0], given, &place->answer, &place->error);
}

static void end(struct place *place)
{
    tg_client_free(place->client);
    tg_client_answer_deinit(&place->answer);
    close(place->server);
}

/* The handshake of a server that does all right, with `more` behind its head. */
static struct tg_slice upgrade(char text[512], const char *headers)
{
    int length = snprintf(text, 512,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
                          "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                          accept_line, headers);
    return (struct tg_slice){text, (size_t)length};
}

static void open_with(struct place *place, struct tg_slice frames)
{
    char text[512];
    struct tg_client_options given = options();
    assert_int_equal(begin(place, &given, upgrade(text, "")), TG_OK);
    say(place, frames);
    char request[1024];
    assert_true(read(place->server, request, sizeof request) > 0);
}

static int learn_key(void **state)
{
    (void)state;
    struct place place;
    struct tg_client_options given = options();
    char request[1024] = "";
    assert_int_equal(begin(&place, &given, TG_SLICE("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")),
                     TG_E_CLOSED);
    assert_true(read(place.server, request, sizeof request - 1) > 0);
    const char *found = strstr(request, "Sec-WebSocket-Key: ");
    assert_non_null(found);
    memcpy(key, found + strlen("Sec-WebSocket-Key: "), 24);
    assert_true(tg_handshake_key_is_valid(tg_slice_of(key)));
    struct tg_buf accept;
    tg_buf_init(&accept);
    tg_handshake_write_accept(&accept, tg_slice_of(key));
    memcpy(accept_line, accept.data, accept.length);
    tg_buf_deinit(&accept);
    end(&place);
    return 0;
}

/* ---- the handshake ---- */

static void asks_as_the_rfc_wants_it(void **state)
{
    (void)state;
    struct place place;
    char text[512], request[1024] = "";
    const struct tg_pair headers[] = {{TG_SLICE("cookie"), TG_SLICE("a=1")}};
    struct tg_client_options given = options();
    given.headers = headers;
    given.header_count = 1;
    assert_int_equal(begin(&place, &given, upgrade(text, "")), TG_OK);
    assert_true(read(place.server, request, sizeof request - 1) > 0);
    char expected[1024];
    snprintf(expected, sizeof expected,
             "GET /ws?x=1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\ncookie: a=1\r\n\r\n",
             key);
    assert_string_equal(request, expected);
    assert_int_equal(place.answer.status, 101);
    end(&place);
}

static void takes_no_answer_that_is_no_handshake(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *why;
    } wrong[] = {
        {"HTTP/1.0 101 x\r\n\r\n", "the answer is not HTTP/1.1"},
        {"HTTP/1.1 101 x\r\nno header\r\n\r\n", "the answer has a line that is no header"},
        {"HTTP/1.1 101 x\r\nConnection: Upgrade\r\n\r\n",
         "the answer's Upgrade is not \"websocket\" (RFC 6455 4.1)"},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n",
         "the answer's Connection has no \"Upgrade\" (RFC 6455 4.1)"},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n",
         "the answer's Sec-WebSocket-Accept is wrong (RFC 6455 4.1)"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct place place;
        struct tg_client_options given = options();
        assert_int_equal(begin(&place, &given, tg_slice_of(wrong[i].answer)), TG_E_PROTOCOL);
        assert_string_equal(place.error.text, wrong[i].why);
        end(&place);
    }
}

static void takes_nothing_that_it_did_not_ask_for(void **state)
{
    (void)state;
    static const char *const headers[] = {"Sec-WebSocket-Extensions: permessage-deflate\r\n",
                                          "Sec-WebSocket-Protocol: chat\r\n"};
    for (size_t i = 0; i < 2; i++) {
        struct place place;
        char text[512];
        struct tg_client_options given = options();
        assert_int_equal(begin(&place, &given, upgrade(text, headers[i])), TG_E_PROTOCOL);
        end(&place);
    }
}

static void tells_a_refusal_with_its_status_headers_and_body(void **state)
{
    (void)state;
    struct place place;
    struct tg_client_options given = options();
    assert_int_equal(
        begin(&place, &given,
              TG_SLICE("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Why:  so \r\n\r\nnope...")),
        TG_E_CLOSED);
    assert_int_equal(place.answer.status, 403);
    assert_true(tg_slice_equal(tg_buf_peek(&place.answer.body), TG_SLICE("nope")));
    assert_int_equal(place.answer.header_count, 2);
    assert_true(tg_slice_equal(place.answer.headers[1].name, TG_SLICE("x-why")));
    assert_true(tg_slice_equal(place.answer.headers[1].value, TG_SLICE("so")));
    end(&place);
}

static void takes_a_refusal_of_an_older_http(void **state)
{
    (void)state;
    struct place place;
    struct tg_client_options given = options();
    assert_int_equal(begin(&place, &given, TG_SLICE("HTTP/1.0 404 x\r\ncontent-length: 0\r\n\r\n")),
                     TG_E_CLOSED);
    assert_int_equal(place.answer.status, 404);
    end(&place);
}

static void waits_for_an_answer_no_longer_than_told(void **state)
{
    (void)state;
    struct place place;
    struct tg_client_options given = options();
    given.timeout_ms = 10;
    assert_int_equal(begin(&place, &given, TG_SLICE("HTTP/1.1 101 x\r\n")), TG_E_SLOW);
    end(&place);
}

static void sends_no_header_that_is_two(void **state)
{
    (void)state;
    struct place place;
    const struct tg_pair headers[] = {{TG_SLICE("x"), TG_SLICE("1\r\ny: 2")}};
    struct tg_client_options given = options();
    given.headers = headers;
    given.header_count = 1;
    assert_int_equal(begin(&place, &given, TG_SLICE("")), TG_E_INVALID);
    given = options();
    given.target = TG_SLICE("/a b");
    end(&place);
    assert_int_equal(begin(&place, &given, TG_SLICE("")), TG_E_INVALID);
    end(&place);
}

/* ---- receiving ---- */

static struct tg_client_event expect(struct place *place, enum tg_client_event_kind kind, const char *data)
{
    struct tg_client_event event;
    assert_int_equal(tg_client_receive(place->client, TIMEOUT_MS, &event, &place->error), TG_OK);
    assert_int_equal(event.kind, kind);
    assert_true(tg_slice_equal(event.data, tg_slice_of(data)));
    return event;
}

static void expect_breach(struct tg_slice frames, enum tg_status status, const char *why)
{
    struct place place;
    struct tg_client_event event;
    open_with(&place, frames);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tg_client_receive(place.client, TIMEOUT_MS, &event, &place.error), status);
        assert_string_equal(place.error.text, why);
    }
    end(&place);
}

static void receives_messages_and_fragments_with_a_ping_between(void **state)
{
    (void)state;
    struct place place;
    open_with(&place, TG_SLICE("\x81\x02hi\x82\x01\x00\x01\x03\xe2\x82\xac\x89\x02hb\x80\x01!"
                               "\x8a\x00\x81\x00"));
    expect(&place, TG_CLIENT_TEXT, "hi");
    struct tg_client_event event;
    assert_int_equal(tg_client_receive(place.client, 0, &event, &place.error), TG_OK);
    assert_int_equal(event.kind, TG_CLIENT_BINARY);
    assert_true(tg_slice_equal(event.data, TG_SLICE("\0")));
    expect(&place, TG_CLIENT_PING, "hb");
    expect(&place, TG_CLIENT_TEXT, "\xe2\x82\xac!");
    expect(&place, TG_CLIENT_TEXT, "");
    unsigned char pong[16];
    assert_int_equal(read(place.server, pong, sizeof pong), 8);
    assert_int_equal(pong[0], 0x8a);
    assert_int_equal(pong[1], 0x82);
    assert_int_equal(pong[6] ^ pong[2], 'h');
    assert_int_equal(pong[7] ^ pong[3], 'b');
    assert_int_equal(tg_client_receive(place.client, 0, &event, &place.error), TG_E_SLOW);
    end(&place);
}

static void receives_what_comes_byte_by_byte(void **state)
{
    (void)state;
    struct place place;
    struct tg_client_event event;
    static const struct tg_slice frames = TG_SLICE("\x01\x01h\x00\x00\x80\x01i\x88\x04\x03\xe8ok");
    open_with(&place, TG_SLICE(""));
    for (size_t i = 0; i < frames.length; i++) {
        assert_false(tg_client_wait(place.client, 0));
        say(&place, (struct tg_slice){frames.data + i, 1});
        bool is_message = i == 7, is_close = i == frames.length - 1;
        enum tg_status status = tg_client_receive(place.client, 0, &event, &place.error);
        assert_int_equal(status, is_message || is_close ? TG_OK : TG_E_SLOW);
        if (is_message) assert_true(tg_slice_equal(event.data, TG_SLICE("hi")));
        if (is_close) assert_int_equal(event.code, 1000);
    }
    end(&place);
}

static void answers_a_close_with_its_code_and_tells_the_end_once(void **state)
{
    (void)state;
    struct place place;
    struct tg_client_event event;
    open_with(&place, TG_SLICE("\x88\x05\x0f\xa1you"));
    event = expect(&place, TG_CLIENT_CLOSE, "you");
    assert_int_equal(event.code, 4001);
    unsigned char answer[16];
    assert_int_equal(read(place.server, answer, sizeof answer), 8);
    assert_int_equal(answer[0], 0x88);
    assert_int_equal((answer[6] ^ answer[2]) << 8 | (answer[7] ^ answer[3]), 4001);
    assert_int_equal(tg_client_send(place.client, TG_OPCODE_TEXT, TG_SLICE("x"), &place.error), TG_E_CLOSED);
    shutdown(place.server, SHUT_WR);
    expect(&place, TG_CLIENT_END, "");
    assert_int_equal(tg_client_receive(place.client, 0, &event, &place.error), TG_E_CLOSED);
    end(&place);
}

static void forgives_a_server_nothing(void **state)
{
    (void)state;
    expect_breach(TG_SLICE("\xc1\x00"), TG_E_PROTOCOL, "a frame with reserved bits: 0xc1 (RFC 6455 5.2)");
    expect_breach(TG_SLICE("\x83\x00"), TG_E_PROTOCOL, "a frame with the unknown opcode 3 (RFC 6455 5.2)");
    expect_breach(TG_SLICE("\x81\x80"), TG_E_PROTOCOL, "a masked frame from a server (RFC 6455 5.1)");
    expect_breach(TG_SLICE("\x09\x00"), TG_E_PROTOCOL, "a control frame in fragments (RFC 6455 5.5)");
    expect_breach(TG_SLICE("\x89\x7e"), TG_E_PROTOCOL,
                  "a control frame of more than 125 bytes (RFC 6455 5.5)");
    expect_breach(TG_SLICE("\x80\x00"), TG_E_PROTOCOL, "a continuation of nothing (RFC 6455 5.4)");
    expect_breach(TG_SLICE("\x01\x00\x81\x00"), TG_E_PROTOCOL,
                  "a new message before the last fragment of another (RFC 6455 5.4)");
    expect_breach(TG_SLICE("\x81\x7e\x00\x05hello"), TG_E_PROTOCOL,
                  "a length of 5 in more bytes than it needs (RFC 6455 5.2)");
    expect_breach(TG_SLICE("\x82\x7e\x03\xe9"), TG_E_TOO_LARGE, "a message of more than 1000 bytes");
    expect_breach(TG_SLICE("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), TG_E_TOO_LARGE,
                  "a message of more than 1000 bytes");
    expect_breach(TG_SLICE("\x81\x02\xc3\x28"), TG_E_UTF8, "a text that is not UTF-8 (RFC 6455 5.6)");
    expect_breach(TG_SLICE("\x88\x01\x03"), TG_E_PROTOCOL, "a close frame with half a code (RFC 6455 5.5.1)");
    expect_breach(TG_SLICE("\x88\x02\x03\xed"), TG_E_PROTOCOL,
                  "a close frame with the code 1005, which nobody may send (RFC 6455 7.4)");
    expect_breach(TG_SLICE("\x88\x03\x03\xe8\xff"), TG_E_UTF8,
                  "a close reason that is not UTF-8 (RFC 6455 5.5.1)");
}

static void takes_nothing_behind_a_close_frame(void **state)
{
    (void)state;
    struct place place;
    struct tg_client_event event;
    open_with(&place, TG_SLICE("\x88\x00\x81\x00"));
    event = expect(&place, TG_CLIENT_CLOSE, "");
    assert_int_equal(event.code, 1005);
    assert_int_equal(tg_client_receive(place.client, 0, &event, &place.error), TG_E_PROTOCOL);
    end(&place);
}

static void reads_nothing_while_it_stalls(void **state)
{
    (void)state;
    struct place place;
    open_with(&place, TG_SLICE(""));
    tg_client_stall(place.client);
    say(&place, TG_SLICE("\x81\x01x"));
    assert_false(tg_client_wait(place.client, 20));
    tg_client_resume(place.client);
    expect(&place, TG_CLIENT_TEXT, "x");
    end(&place);
}

/* ---- sending ---- */

static void masks_what_it_sends(void **state)
{
    (void)state;
    struct place place;
    unsigned char frame[32];
    open_with(&place, TG_SLICE(""));
    assert_int_equal(tg_client_send(place.client, TG_OPCODE_TEXT, TG_SLICE("hello"), &place.error), TG_OK);
    assert_int_equal(read(place.server, frame, sizeof frame), 11);
    assert_int_equal(frame[0], 0x81);
    assert_int_equal(frame[1], 0x85);
    for (size_t i = 0; i < 5; i++) assert_int_equal(frame[6 + i] ^ frame[2 + i % 4], "hello"[i]);
    assert_int_equal(tg_client_send_fragment(place.client, 0, false, TG_SLICE("x"), &place.error), TG_OK);
    assert_int_equal(read(place.server, frame, sizeof frame), 7);
    assert_int_equal(frame[0], 0x00);
    end(&place);
}

/* Both write more than the kernel holds, and neither reads before it has written. */
static void reads_while_it_writes_so_that_nobody_waits_for_ever(void **state)
{
    (void)state;
    struct place place;
    struct tg_client_event event;
    enum { FRAMES = 2000 };
    open_with(&place, TG_SLICE(""));
    fcntl(place.server, F_SETFL, O_NONBLOCK);
    char frame[4 + 900] = "\x82\x7e\x03\x84", big[MESSAGE_MAX];
    memset(big, 'x', sizeof big);
    size_t written = 0, received = 0;
    for (int i = 0; i < FRAMES && write(place.server, frame, sizeof frame) == (ssize_t)sizeof frame; i++)
        written++;
    assert_true(written > 0);
    while (tg_client_send(place.client, TG_OPCODE_TEXT, (struct tg_slice){big, sizeof big}, &place.error) ==
           TG_OK)
        continue;
    assert_int_equal(place.error.status, TG_E_SLOW);
    assert_true(write(place.server, frame, sizeof frame) >
                0); /* it was read while the client could not write */
    while (tg_client_receive(place.client, 0, &event, &place.error) == TG_OK) received++;
    assert_true(received >= written);
    end(&place);
}

static void closes_once(void **state)
{
    (void)state;
    struct place place;
    unsigned char frame[32];
    open_with(&place, TG_SLICE(""));
    assert_int_equal(tg_client_close(place.client, 1000, TG_SLICE("bye"), &place.error), TG_OK);
    assert_int_equal(read(place.server, frame, sizeof frame), 11);
    assert_int_equal(frame[0], 0x88);
    assert_int_equal(tg_client_close(place.client, 1000, TG_SLICE("bye"), &place.error), TG_E_CLOSED);
    say(&place, TG_SLICE("\x88\x02\x03\xe8"));
    expect(&place, TG_CLIENT_CLOSE, "");
    tg_client_drop(place.client);
    tg_client_drop(place.client);
    expect(&place, TG_CLIENT_END, "");
    end(&place);
}

/* ---- memory ---- */

static enum tg_status talk_once(void *context)
{
    (void)context;
    struct place place;
    struct tg_client_event event;
    char text[512];
    struct tg_client_options given = options();
    enum tg_status status = begin(&place, &given, upgrade(text, ""));
    if (status == TG_OK) say(&place, TG_SLICE("\x01\x01h\x80\x01i"));
    if (status == TG_OK)
        status = tg_client_send(place.client, TG_OPCODE_TEXT, TG_SLICE("hello"), &place.error);
    if (status == TG_OK) status = tg_client_receive(place.client, TIMEOUT_MS, &event, &place.error);
    end(&place);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(talk_once, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_as_the_rfc_wants_it),
        cmocka_unit_test(takes_no_answer_that_is_no_handshake),
        cmocka_unit_test(takes_nothing_that_it_did_not_ask_for),
        cmocka_unit_test(tells_a_refusal_with_its_status_headers_and_body),
        cmocka_unit_test(takes_a_refusal_of_an_older_http),
        cmocka_unit_test(waits_for_an_answer_no_longer_than_told),
        cmocka_unit_test(sends_no_header_that_is_two),
        cmocka_unit_test(receives_messages_and_fragments_with_a_ping_between),
        cmocka_unit_test(receives_what_comes_byte_by_byte),
        cmocka_unit_test(answers_a_close_with_its_code_and_tells_the_end_once),
        cmocka_unit_test(forgives_a_server_nothing),
        cmocka_unit_test(takes_nothing_behind_a_close_frame),
        cmocka_unit_test(reads_nothing_while_it_stalls),
        cmocka_unit_test(masks_what_it_sends),
        cmocka_unit_test(reads_while_it_writes_so_that_nobody_waits_for_ever),
        cmocka_unit_test(closes_once),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, learn_key, NULL);
}
