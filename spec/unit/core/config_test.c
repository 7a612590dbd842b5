#include "core/config.h"
#include "core/settings.h"

#include "support/alloc.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct tg_config *config = malloc(sizeof *config);
    assert_int_equal(tg_config_init(config), TG_OK);
    *state = config;
    return 0;
}

static int teardown(void **state)
{
    tg_config_deinit(*state);
    free(*state);
    return 0;
}

static enum tg_status set(struct tg_config *config, const char *origin, const char *name, const char *text,
                          struct tg_error *error)
{
    return tg_config_set(config, origin, tg_slice_of(name), tg_slice_of(text), error);
}

/* Asserts that the assignment is refused with exactly this sentence. */
static void expect_refusal(struct tg_config *config, const char *origin, const char *name, const char *text,
                           enum tg_status status, const char *sentence)
{
    struct tg_error error = {0};
    assert_int_equal(set(config, origin, name, text, &error), status);
    assert_int_equal(error.status, status);
    assert_string_equal(error.text, sentence);
}

static void has_the_documented_defaults(void **state)
{
    const struct tg_config *config = *state;
    assert_string_equal(config->host, "127.0.0.1");
    assert_int_equal(config->port, 8000);
    assert_string_equal(config->static_dir, "");
    assert_string_equal(config->secrets, "");
    assert_string_equal(config->secrets_file, "");
    assert_int_equal(config->max_token_bytes, 16384);
    assert_int_equal(config->mode, TG_MODE_PRODUCTION);
    assert_false(tg_config_is_development(config));
    assert_int_equal(config->log_level, TG_LOG_INFO);
    assert_int_equal(config->log_format, TG_LOG_TEXT);
    assert_int_equal(config->validate_outgoing, TG_OUTGOING_DEVELOPMENT);
    assert_string_equal(config->trusted_proxies, "");
    assert_int_equal(config->forwarded_header, TG_FORWARDED_X);
    assert_int_equal(config->login_attempts, 30);
    assert_int_equal(config->login_addresses, 16384);
    assert_int_equal(config->max_message_bytes, 1048576);
    assert_int_equal(config->max_json_depth, 64);
    assert_int_equal(config->max_errors, 50);
    assert_int_equal(config->max_check_steps, 100000);
    assert_int_equal(config->outbox_high_water_bytes, 262144);
    assert_int_equal(config->outbox_max_bytes, 8388608);
    assert_int_equal(config->outbox_max_messages, 16384);
    assert_int_equal(config->inbox_messages, 64);
    assert_int_equal(config->inbox_max_bytes, 1048576);
    assert_int_equal(config->inbox_max_events, 1024);
    assert_int_equal(config->inbox_max_event_bytes, 4194304);
    assert_int_equal(config->max_groups_per_connection, 1000);
    assert_int_equal(config->handler_timeout_ms, 0);
    assert_int_equal(config->authentication_timeout_ms, 10000);
    assert_int_equal(config->disconnected_timeout_ms, 5000);
    assert_int_equal(config->max_topics_per_connection, 100);
    assert_int_equal(config->heartbeat_seconds, 25);
    assert_int_equal(config->heartbeat_timeout_seconds, 20);
    assert_int_equal(config->slow_client_seconds, 30);
    assert_int_equal(config->pause_seconds, 60);
    assert_int_equal(config->close_timeout_ms, 2000);
    assert_int_equal(config->tcp_max_streams, 1024);
    assert_int_equal(config->tcp_max_receive_bytes, 16777216);
    assert_int_equal(config->process_max_concurrent, 16);
    assert_int_equal(config->process_max_output_bytes, 1048576);
    assert_int_equal(config->process_timeout_seconds, 60);
    assert_int_equal(config->blocking_call_ms, 5);
    assert_int_equal(config->max_connections, 0);
    assert_int_equal(config->max_tasks, 100000);
    assert_int_equal(config->stall_ms, 50);
    assert_int_equal(config->drain_seconds, 10);
    assert_int_equal(config->state_max_bytes, 1048576);
    assert_int_equal(config->keep_max_bytes, 16777216);
    assert_int_equal(config->retire_seconds, 60);
    assert_int_equal(config->max_generations, 4);
    assert_int_equal(config->gone_consumers, TG_GONE_CLOSE);
    assert_int_equal(config->reload_quiet_ms, 10);
    assert_int_equal(config->fetch_max_bytes, 8388608);
    assert_int_equal(config->fetch_timeout_seconds, 30);
    assert_int_equal(config->fetch_max_concurrent, 32);
    assert_int_equal(config->fetch_max_waiting, 1000);
    assert_string_equal(config->fetch_ca_file, "");
    assert_string_equal(config->record_file, "");
    assert_int_equal(config->record_max_bytes, 67108864);
    assert_int_equal(config->record_buffer_bytes, 8388608);
    assert_int_equal(config->lua_memory_mb, 256);
    assert_int_equal(config->handler_cpu_ms, 100);
    assert_int_equal(config->load_cpu_ms, 5000);
    assert_int_equal(config->lua_libraries, 0xff);
    assert_int_equal(config->watchdog_seconds, 10);
    assert_int_equal(tg_config_check(config, NULL), TG_OK);
}

static void has_a_row_for_every_field_in_the_order_of_the_struct(void **state)
{
    (void)state;
    size_t count;
    const struct tg_setting *settings = tg_settings(&count);
    assert_int_equal(count, 74);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(settings[i].name) < 64);
        assert_true(strlen(settings[i].help) > 10);
        if (i) assert_true(settings[i].offset >= settings[i - 1].offset + settings[i - 1].bytes);
        if (settings[i].type == TG_SETTING_CHOICE) assert_non_null(settings[i].choices);
    }
    assert_int_equal(settings[0].offset, 0);
}

static void takes_every_integer_at_the_ends_of_its_range_and_not_beyond(void **state)
{
    struct tg_config *config = *state;
    size_t count;
    const struct tg_setting *settings = tg_settings(&count);
    for (size_t i = 0; i < count; i++) {
        const struct tg_setting *setting = &settings[i];
        if (setting->type != TG_SETTING_INTEGER) continue;
        const int64_t values[] = {setting->min, setting->max, setting->min - 1, setting->max + 1};
        for (size_t v = 0; v < 4; v++) {
            char text[32];
            snprintf(text, sizeof text, "%lld", (long long)values[v]);
            assert_int_equal(set(config, "--x", setting->name, text, NULL), v < 2 ? TG_OK : TG_E_INVALID);
            /* The refused ones have left the largest that is permitted. */
            uint64_t stored = 0;
            memcpy(&stored, (char *)config + setting->offset, setting->bytes);
            assert_int_equal(stored, values[v < 2 ? v : 1]);
        }
    }
}

static void sets_texts_and_choices(void **state)
{
    struct tg_config *config = *state;
    assert_int_equal(set(config, "--host", "host", "::1", NULL), TG_OK);
    assert_int_equal(set(config, "--static", "static_dir", "a folder/with space", NULL), TG_OK);
    assert_int_equal(set(config, "--mode", "mode", "development", NULL), TG_OK);
    assert_int_equal(set(config, "--log-level", "log_level", "off", NULL), TG_OK);
    assert_int_equal(set(config, "--log-format", "log_format", "json", NULL), TG_OK);
    assert_string_equal(config->host, "::1");
    assert_string_equal(config->static_dir, "a folder/with space");
    assert_true(tg_config_is_development(config));
    assert_int_equal(config->log_level, TG_LOG_OFF);
    assert_int_equal(config->log_format, TG_LOG_JSON);
    assert_int_equal(set(config, "--static", "static_dir", "", NULL), TG_OK);
    assert_string_equal(config->static_dir, "");
}

static void names_choices_as_the_log_does(void **state)
{
    struct tg_config *config = *state;
    static const char *const names[] = {"debug", "info", "warning", "error", "off"};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(set(config, "--log-level", "log_level", names[i], NULL), TG_OK);
        assert_int_equal(config->log_level, TG_LOG_DEBUG + i);
    }
}

static void lets_a_later_source_win(void **state)
{
    struct tg_config *config = *state;
    char *environment[] = {"TIDEGATE_PORT=9002", NULL};
    assert_int_equal(set(config, "tidegate.lua:1", "port", "9001", NULL), TG_OK);
    assert_int_equal(tg_config_set_environment(config, environment, NULL), TG_OK);
    assert_int_equal(config->port, 9002);
    assert_int_equal(set(config, "--port", "port", "9003", NULL), TG_OK);
    assert_int_equal(config->port, 9003);
}

static void says_which_range_a_number_has_left(void **state)
{
    struct tg_config *config = *state;
    expect_refusal(config, "--port", "port", "70000", TG_E_INVALID,
                   "--port: 70000 is not between 0 and 65535");
    expect_refusal(config, "--port", "port", "-1", TG_E_INVALID, "--port: -1 is not between 0 and 65535");
    expect_refusal(config, "TIDEGATE_PORT", "port", "99999999999999999999", TG_E_INVALID,
                   "TIDEGATE_PORT: 99999999999999999999 is not between 0 and 65535");
    expect_refusal(config, "--port", "port", "-99999999999999999999", TG_E_INVALID,
                   "--port: -99999999999999999999 is not between 0 and 65535");
    expect_refusal(config, "tidegate.lua:3", "max_json_depth", "0", TG_E_INVALID,
                   "tidegate.lua:3: max_json_depth: 0 is not between 1 and 512");
    assert_int_equal(config->port, 8000);
    assert_int_equal(config->max_json_depth, 64);
}

static void refuses_what_is_not_a_whole_number(void **state)
{
    struct tg_config *config = *state;
    static const char *const texts[] = {"",    " 80", "80 ", "+80", "0x50", "8k",
                                        "80s", "8e3", "1.5", "-",   "--1",  "eighty"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char sentence[64];
        snprintf(sentence, sizeof sentence, "--port: \"%s\" is not a whole number", texts[i]);
        expect_refusal(config, "--port", "port", texts[i], TG_E_INVALID, sentence);
    }
    assert_int_equal(config->port, 8000);
}

static void lists_the_choices_of_a_setting(void **state)
{
    struct tg_config *config = *state;
    expect_refusal(config, "TIDEGATE_LOG_LEVEL", "log_level", "loud", TG_E_INVALID,
                   "TIDEGATE_LOG_LEVEL: \"loud\" is none of debug, info, warning, error, off");
    expect_refusal(config, "tidegate.lua:2", "mode", "Production", TG_E_INVALID,
                   "tidegate.lua:2: mode: \"Production\" is none of production, development");
    assert_int_equal(config->log_level, TG_LOG_INFO);
}

static void refuses_a_text_with_a_zero_byte(void **state)
{
    struct tg_config *config = *state;
    struct tg_error error;
    assert_int_equal(tg_config_set(config, "tidegate.lua:1", TG_SLICE("host"), TG_SLICE("::1\0x"), &error),
                     TG_E_INVALID);
    assert_string_equal(error.text, "tidegate.lua:1: host: the text has a zero byte");
    assert_string_equal(config->host, "127.0.0.1");
}

static void suggests_the_nearest_name_in_the_spelling_of_its_source(void **state)
{
    struct tg_config *config = *state;
    expect_refusal(config, "--prot", "prot", "1", TG_E_NOT_FOUND,
                   "--prot: there is no such setting; did you mean --port?");
    expect_refusal(config, "--max-mesage-byte", "max_mesage_byte", "1", TG_E_NOT_FOUND,
                   "--max-mesage-byte: there is no such setting; did you mean --max-message-bytes?");
    expect_refusal(config, "tidegate.lua:3", "log_levl", "info", TG_E_NOT_FOUND,
                   "tidegate.lua:3: there is no setting \"log_levl\"; did you mean log_level?");
}

static void suggests_nothing_that_is_far_off(void **state)
{
    struct tg_config *config = *state;
    expect_refusal(config, "--colour", "colour", "1", TG_E_NOT_FOUND,
                   "--colour: there is no such setting; tidegate run --help lists them all");
    char name[2000];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(set(config, "tidegate.lua:3", name, "1", NULL), TG_E_NOT_FOUND);
}

static void takes_every_setting_from_the_environment(void **state)
{
    struct tg_config *config = *state;
    size_t count;
    const struct tg_setting *settings = tg_settings(&count);
    for (size_t i = 0; i < count; i++) {
        char variable[128], *c = variable;
        snprintf(variable, sizeof variable, "TIDEGATE_%s=%s", settings[i].name, settings[i].default_text);
        for (; *c != '='; c++) *c = (char)toupper((unsigned char)*c);
        char *environment[] = {"PATH=/bin", variable, "TIDEGATEX=1", NULL};
        assert_int_equal(tg_config_set_environment(config, environment, NULL), TG_OK);
    }
    char *environment[] = {"TIDEGATE_STATIC_DIR=a=b", "TIDEGATE_MAX_ERRORS=7", NULL};
    assert_int_equal(tg_config_set_environment(config, environment, NULL), TG_OK);
    assert_string_equal(config->static_dir, "a=b");
    assert_int_equal(config->max_errors, 7);
}

static void refuses_a_variable_that_is_no_setting(void **state)
{
    struct tg_config *config = *state;
    static const struct {
        char *variable;
        const char *sentence;
    } rows[] = {
        {"TIDEGATE_PROT=1", "TIDEGATE_PROT: there is no such setting; did you mean TIDEGATE_PORT?"},
        {"TIDEGATE_port=1", "TIDEGATE_port: there is no such setting; did you mean TIDEGATE_PORT?"},
        {"TIDEGATE_=1", "TIDEGATE_: there is no such setting; tidegate run --help lists them all"},
        {"TIDEGATE_PORT=x", "TIDEGATE_PORT: \"x\" is not a whole number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_error error = {0};
        char *environment[] = {"HOME=/root", rows[i].variable, NULL};
        assert_true(tg_config_set_environment(config, environment, &error) != TG_OK);
        assert_string_equal(error.text, rows[i].sentence);
    }
    assert_int_equal(config->port, 8000);
}

static void checks_that_the_host_is_an_address(void **state)
{
    struct tg_config *config = *state;
    static const struct {
        const char *host, *sentence; /* NULL: accepted */
    } rows[] = {
        {"0.0.0.0", NULL},
        {"192.0.2.1", NULL},
        {"::", NULL},
        {"2001:db8::1", NULL},
        {"localhost", "host: \"localhost\" is a name; write 127.0.0.1"},
        {"", "host: \"\" is no address; write one such as 127.0.0.1, 0.0.0.0 or ::1"},
        {"[::1]", "host: \"[::1]\" is no address; write one such as 127.0.0.1, 0.0.0.0 or ::1"},
        {"127.1", "host: \"127.1\" is no address; write one such as 127.0.0.1, 0.0.0.0 or ::1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_error error = {0};
        assert_int_equal(set(config, "--host", "host", rows[i].host, NULL), TG_OK);
        assert_int_equal(tg_config_check(config, &error), rows[i].sentence ? TG_E_INVALID : TG_OK);
        assert_string_equal(error.text, rows[i].sentence ? rows[i].sentence : "");
    }
}

static void checks_the_token_of_the_api_without_quoting_it(void **state)
{
    struct tg_config *config = *state;
    static const char *const wrong[] = {"short", "has a space in it all the same", "0123456789abcd\xC3\xBC"};
    static const char *const right[] = {"", "0123456789abcdef", "!~!~!~!~!~!~!~!~"};
    struct tg_error error;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(set(config, "TIDEGATE_API_TOKEN", "api_token", right[i], NULL), TG_OK);
        assert_int_equal(tg_config_check(config, &error), TG_OK);
        assert_int_equal(set(config, "TIDEGATE_API_TOKEN", "api_token", wrong[i], NULL), TG_OK);
        assert_int_equal(tg_config_check(config, &error), TG_E_INVALID);
        assert_string_equal(error.text,
                            "api_token: a token has 16 to 1024 visible ASCII characters without spaces; "
                            "`openssl rand -hex 32` makes one");
    }
}

static void checks_the_address_of_the_api(void **state)
{
    struct tg_config *config = *state;
    struct tg_error error;
    assert_int_equal(set(config, "--x", "api_port", "9000", NULL), TG_OK);
    assert_int_equal(tg_config_check(config, &error), TG_E_INVALID);
    assert_string_equal(error.text, "api_port: it is the port of api_host, which is not set; set it, too, to "
                                    "127.0.0.1 for instance");
    assert_int_equal(set(config, "--x", "api_host", "localhost", NULL), TG_OK);
    assert_int_equal(tg_config_check(config, &error), TG_E_INVALID);
    assert_string_equal(error.text, "api_host: \"localhost\" is a name; write 127.0.0.1");
    assert_int_equal(set(config, "--x", "api_host", "::1", NULL), TG_OK);
    assert_int_equal(tg_config_check(config, &error), TG_OK);
}

static void checks_that_the_high_water_lies_below_the_limit(void **state)
{
    struct tg_config *config = *state;
    struct tg_error error;
    assert_int_equal(set(config, "--x", "outbox_max_bytes", "262144", NULL), TG_OK);
    assert_int_equal(tg_config_check(config, &error), TG_OK);
    assert_int_equal(set(config, "--x", "outbox_max_bytes", "262143", NULL), TG_OK);
    assert_int_equal(tg_config_check(config, &error), TG_E_INVALID);
    assert_string_equal(error.text, "outbox_high_water_bytes: 262144 is more than outbox_max_bytes, 262143; "
                                    "lower the first or raise the second");
}

static enum tg_status set_once(void *context)
{
    (void)context;
    struct tg_config config;
    enum tg_status status = tg_config_init(&config);
    if (status != TG_OK) return status;
    status = set(&config, "--host", "host", "::1", NULL);
    assert_string_equal(config.host, status == TG_OK ? "::1" : "127.0.0.1");
    tg_config_deinit(&config);
    return status;
}

static void stays_as_it_was_without_memory(void **state)
{
    assert_int_equal(tg_alloc_sweep(set_once, *state), 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(has_the_documented_defaults),
        TEST(has_a_row_for_every_field_in_the_order_of_the_struct),
        TEST(takes_every_integer_at_the_ends_of_its_range_and_not_beyond),
        TEST(sets_texts_and_choices),
        TEST(names_choices_as_the_log_does),
        TEST(lets_a_later_source_win),
        TEST(says_which_range_a_number_has_left),
        TEST(refuses_what_is_not_a_whole_number),
        TEST(lists_the_choices_of_a_setting),
        TEST(refuses_a_text_with_a_zero_byte),
        TEST(suggests_the_nearest_name_in_the_spelling_of_its_source),
        TEST(suggests_nothing_that_is_far_off),
        TEST(takes_every_setting_from_the_environment),
        TEST(refuses_a_variable_that_is_no_setting),
        TEST(checks_that_the_host_is_an_address),
        TEST(checks_the_token_of_the_api_without_quoting_it),
        TEST(checks_the_address_of_the_api),
        TEST(checks_that_the_high_water_lies_below_the_limit),
        TEST(stays_as_it_was_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
