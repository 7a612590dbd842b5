/* The recorder on a fake clock, with the core around it. The disk is real. */
#include "net/record_file.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 64 * 1024, PATIENCE_MS = 10000 };

struct place {
    struct fake_core *core;
    struct tg_record_file *file;
    char path[64];
    char text[TEXT_BYTES];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    snprintf(place->path, sizeof place->path, "/tmp/tidegate-record-%d.jsonl", getpid());
    unlink(place->path);
    place->core = fake_core_new();
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    tg_record_file_close(place->file);
    unlink(place->path);
    fake_core_free(place->core);
    free(place);
    return 0;
}

static void begin(struct place *place)
{
    struct tg_error error;
    assert_int_equal(tg_record_file_open(&place->file, &place->core->worker, place->path, "shop", &error),
                     TG_OK);
}

static const char *read_file(struct place *place)
{
    FILE *file = fopen(place->path, "rb");
    assert_non_null(file);
    size_t length = fread(place->text, 1, TEXT_BYTES - 1, file);
    place->text[length] = '\0';
    fclose(file);
    return place->text;
}

/* The writer has a thread of its own. */
static void wait_for(struct place *place, const char *part)
{
    for (int i = 0; i < PATIENCE_MS && !strstr(read_file(place), part); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_non_null(strstr(place->text, part));
}

static void end(struct place *place)
{
    tg_record_file_close(place->file);
    place->file = NULL;
}

static void keeps_what_a_client_does_with_its_times(void **state)
{
    struct place *place = *state;
    begin(place);
    fake_core_sleep(place->core, 5);
    struct fake_client *client = fake_core_open(place->core, 0, "/chat");
    fake_core_sleep(place->core, 10);
    fake_client_say(client, "{\"action\":\"ping\"}");
    fake_client_send(client, TG_SLICE("\x00\x01"), true);
    fake_core_sleep(place->core, 20);
    fake_client_vanish(client);
    end(place);
    static const char *const parts[] = {"{\"type\":\"recording\",\"format\":1,\"version\":\"",
                                        ",\"folder\":\"shop\"}\n{\"type\":\"open\",\"ms\":5,\"conn\":\"",
                                        "\",\"consumer\":\"chat\",\"path\":\"/chat\",\"query\":\"",
                                        "{\"type\":\"message\",\"ms\":15,\"conn\":\"",
                                        ",\"text\":\"{\\\"action\\\":\\\"ping\\\"}\"}\n",
                                        ",\"binary\":\"AAE=\"}\n",
                                        "{\"type\":\"close\",\"ms\":35,\"conn\":\"",
                                        ",\"code\":1006,\"reason\":\"\",\"by\":\"client\"}\n{\"type\":"
                                        "\"end\",\"ms\":35,\"why\":\"stopped\"}\n"};
    const char *at = read_file(place);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        at = strstr(at, parts[i]);
        assert_non_null(at);
        at += strlen(parts[i]);
    }
    assert_string_equal(at, "");
    struct stat status;
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void writes_after_a_second_and_not_before(void **state)
{
    struct place *place = *state;
    begin(place);
    struct fake_client *client = fake_core_open(place->core, 0, "/chat");
    fake_client_say(client, "{\"action\":\"ping\"}");
    fake_core_sleep(place->core, 900);
    assert_string_equal(read_file(place), "");
    fake_core_sleep(place->core, 200);
    wait_for(place, "ping");
    fake_client_vanish(client);
}

static void ends_at_its_limit_and_lets_the_gateway_go_on(void **state)
{
    struct place *place = *state;
    place->core->config.record_max_bytes = 4096;
    begin(place);
    struct fake_client *client = fake_core_open(place->core, 0, "/chat");
    for (int i = 0; i < 100; i++) fake_client_say(client, "{\"action\":\"ping\",\"more\":\"0123456789\"}");
    assert_null(place->core->worker.recorder);
    assert_int_equal(place->core->worker.metrics.recording, 0);
    assert_int_equal(place->core->worker.metrics.recordings_ended, 1);
    assert_int_equal(place->core->worker.metrics.messages_received, 100);
    end(place);
    read_file(place);
    assert_true(strlen(place->text) <= 4096);
    static const char last[] = "\"why\":\"record_max_bytes\"}\n";
    assert_string_equal(place->text + strlen(place->text) - strlen(last), last);
    fake_client_vanish(client);
}

static void replaces_no_file(void **state)
{
    struct place *place = *state;
    struct tg_error error;
    struct tg_record_file *other;
    begin(place);
    assert_int_equal(tg_record_file_open(&other, &place->core->worker, place->path, "shop", &error),
                     TG_E_EXISTS);
    assert_null(other);
    assert_int_equal(tg_record_file_open(&other, &place->core->worker, "/nowhere/x", "shop", &error),
                     TG_E_IO);
}

/* Memory that is out ends the recording, never the gateway. */
static void survives_every_failing_allocation(void **state)
{
    struct place *place = *state;
    size_t failures = 0;
    for (size_t n = 1; n < 100; n++) {
        struct tg_error error;
        tg_alloc_fail_at(n);
        enum tg_status status =
            tg_record_file_open(&place->file, &place->core->worker, place->path, "shop", &error);
        bool has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        failures += status != TG_OK;
        end(place);
        unlink(place->path);
        if (!has_failed) break;
    }
    assert_true(failures > 1);
    struct fake_client *client = fake_core_open(place->core, 0, "/chat");
    for (size_t n = 1; n < 20; n++) {
        begin(place);
        tg_alloc_fail_at(n);
        fake_client_send(client, TG_SLICE("\x00\x01"), true);
        tg_alloc_fail_at(0);
        fake_core_turn(place->core);
        end(place);
        unlink(place->path);
    }
    fake_client_vanish(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_what_a_client_does_with_its_times),
        TEST(writes_after_a_second_and_not_before),
        TEST(ends_at_its_limit_and_lets_the_gateway_go_on),
        TEST(replaces_no_file),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
