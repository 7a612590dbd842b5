/* What a reload tells of two loads of one application: both are written to a folder, and loaded. */
#include "core/contract.h"

#include "script/host.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER "local tide <const> = require 'tidegate'\nlocal s <const> = tide.schema\n"

struct fixture {
    struct tg_config config;
    struct tg_contract_report report;
    struct tg_buf out;
    char folder[64], file[80];
};

static int setup(void **state)
{
    static struct fixture fixture;
    assert_int_equal(tg_config_init(&fixture.config), TG_OK);
    tg_contract_init(&fixture.report);
    tg_buf_init(&fixture.out);
    strcpy(fixture.folder, "/tmp/tidegate_contract_XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    snprintf(fixture.file, sizeof fixture.file, "%s/a.lua", fixture.folder);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->file);
    rmdir(fixture->folder);
    tg_contract_deinit(&fixture->report);
    tg_buf_deinit(&fixture->out);
    tg_config_deinit(&fixture->config);
    return 0;
}

static struct tg_host *load(struct fixture *fixture, const char *text)
{
    struct tg_host *host;
    struct tg_problems problems;
    FILE *file = fopen(fixture->file, "w");
    assert_non_null(file);
    fputs(HEADER, file);
    fputs(text, file);
    fclose(file);
    tg_problems_init(&problems);
    enum tg_status status = tg_host_open(&host, &fixture->config, fixture->folder, 1, &problems);
    if (status != TG_OK) fail_msg("%s", problems.first ? problems.first->message.data : "no memory");
    tg_problems_deinit(&problems);
    return host;
}

static void expect_out(struct fixture *fixture, const char *expected)
{
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data, expected);
    tg_buf_truncate(&fixture->out, 0);
}

/* `line` and `details` of going from one text to the other. */
static void expect(struct fixture *fixture, const char *before, const char *after, const char *line,
                   const char *details)
{
    struct tg_host *was = load(fixture, before), *is = load(fixture, after);
    assert_int_equal(
        tg_contract_compare(&fixture->report, &was->generation.registry, &is->generation.registry), TG_OK);
    tg_contract_write_line(&fixture->report, &fixture->out);
    expect_out(fixture, line);
    tg_contract_write_details(&fixture->report, &fixture->out);
    expect_out(fixture, details);
    tg_contract_deinit(&fixture->report);
    tg_host_close(was);
    tg_host_close(is);
}

#define CHAT(options, rest)                                                                                  \
    "local C <const> = tide.consumer { name = 'chat', path = '/chat', " options " }\n" rest "return C\n"
#define EDIT(schema) "C:on(tide.message('chat.edit', { text = " schema " }), function() end)\n"
#define TYPING "C:on(tide.message 'chat.typing', function() end)\n"

static void says_that_nothing_has_changed(void **state)
{
    const char *text = CHAT("authenticate = function() return 1 end, groups = function() return 'a' end",
                            EDIT("s.string { max = 3 }:check(function() return true end)"));
    expect(*state, text, text, "nothing declared has changed", "");
    /* The same some lines further down. */
    char moved[1024];
    snprintf(moved, sizeof moved, "\n\nlocal _ <const> = 1\n%s", text);
    expect(*state, text, moved, "nothing declared has changed", "");
}

static void names_what_came_and_went(void **state)
{
    expect(*state, CHAT("", ""), CHAT("", EDIT("s.string()")), "+1 action (chat.edit)", "");
    expect(*state, CHAT("", EDIT("s.string()") TYPING), CHAT("", ""), "-2 actions (chat.edit, chat.typing)",
           "");
    expect(*state, CHAT("", ""), "return tide.consumer { name = 'room', path = '/chat' }\n",
           "+1 consumer (room), -1 consumer (chat)", "");
    expect(*state, CHAT("", ""), CHAT("", "C:on_event(tide.event('told', {}), function() end)\n"),
           "+1 event (told)", "");
    expect(*state, CHAT("", ""), CHAT("topics = { tide.topic { pattern = 'room:{name}' } }", ""),
           "+1 topic (room:{name})", "");
    expect(*state, CHAT("", ""), "return tide.consumer { name = 'chat', path = '/talk' }\n",
           "+1 route (/talk), -1 route (/chat)", "  chat: a changed path applies to new connections\n");
}

static void names_the_fields_that_became_stricter(void **state)
{
    expect(*state, CHAT("", EDIT("s.string { max = 2000 }")), CHAT("", EDIT("s.string { max = 200 }")),
           "stricter in 1 place", "  chat.edit payload.text: max was 2000, is 200\n");
    expect(*state, CHAT("", EDIT("s.string { max = 200 }")), CHAT("", EDIT("s.string { max = 2000 }")),
           "nothing declared has changed", "");
    expect(*state, CHAT("", EDIT("s.string():check(function(v) return v ~= 'a' end)")),
           CHAT("", EDIT("s.string():check(function(v) return v ~= 'b' end)")), "stricter in 1 place",
           "  chat.edit payload.text: the function that checks it is another one\n");
    expect(*state, CHAT("", "C:on(tide.message('x', { user_name = s.string():optional() }), print)\n"),
           CHAT("camelize = true", "C:on(tide.message('x', { user_name = s.string() }), print)\n"),
           "stricter in 2 places",
           "  x payload.userName: it was optional, is required\n"
           "  chat: the names of fields are written in another way (camelize)\n");
}

#define LOGIN(field) CHAT("", "tide.route('POST', '/login', { schema = { " field " } }, function() end)\n")

static void compares_routes_of_plain_requests(void **state)
{
    expect(*state, CHAT("", ""), LOGIN("name = s.string()"), "+1 route (POST /login)", "");
    expect(*state, LOGIN("name = s.string()"), CHAT("", ""), "-1 route (POST /login)", "");
    expect(*state, LOGIN("name = s.string()"), LOGIN("name = s.string { max = 5 }"), "stricter in 1 place",
           "  POST /login payload.name: max was none, is 5\n");
}

static void says_what_applies_to_new_connections(void **state)
{
#define WITH(value)                                                                                          \
    "local limit = " value "\nlocal function decide() return limit end\n" CHAT(                              \
        "authenticate = function() return decide() end, groups = { 'a' }", "")
    expect(*state, WITH("1"), WITH("2"), "nothing declared has changed",
           "  chat: a changed authenticate applies to new connections\n");
    expect(*state, WITH("{ 'a' }"), WITH("{ 'b' }"), "nothing declared has changed",
           "  chat: a changed authenticate applies to new connections\n");
    expect(*state, WITH("{ a = 1, b = 2 }"), WITH("{ b = 2, a = 1 }"), "nothing declared has changed", "");
    expect(*state, CHAT("object = function() return 1 end, permissions = function() return true end", ""),
           CHAT("object = function() return 2 end, permissions = function() return 1 > 0 end", ""),
           "nothing declared has changed", "  chat: a changed permissions applies to new connections\n");
    expect(*state, CHAT("origins = { 'https://a.example' }", ""),
           CHAT("origins = { 'https://b.example' }, admit = function() return true end", ""),
           "nothing declared has changed",
           "  chat: a changed admit applies to new connections\n"
           "  chat: a changed origins applies to new connections\n");
    expect(*state, CHAT("groups = { 'a' }", ""), CHAT("groups = { 'b' }", ""), "nothing declared has changed",
           "  chat: a changed groups applies to new connections\n");
}

static void counts_modules_and_cuts_long_lists(void **state)
{
    struct fixture *fixture = *state;
    tg_contract_add_module(&fixture->report, TG_CHANGED, TG_SLICE("a.lua"));
    tg_contract_add_module(&fixture->report, TG_ADDED, TG_SLICE("b.lua"));
    tg_contract_add_module(&fixture->report, TG_CHANGED, TG_SLICE("a.lua"));
    expect(fixture, CHAT("", ""),
           CHAT("", "for _, name in ipairs { 'a', 'b', 'c', 'd', 'e' } do\n"
                    "  C:on(tide.message(name), function() end)\nend\n"),
           "2 modules, +5 actions (a, b, c, ...)", "");
}

static void writes_json(void **state)
{
    struct fixture *fixture = *state;
    struct tg_host *was = load(fixture, CHAT("", EDIT("s.string { max = 5 }"))),
                   *is = load(fixture, CHAT("", EDIT("s.string { max = 4 }") TYPING));
    tg_contract_add_module(&fixture->report, TG_REMOVED, TG_SLICE("\xff.lua"));
    assert_int_equal(
        tg_contract_compare(&fixture->report, &was->generation.registry, &is->generation.registry), TG_OK);
    tg_contract_write_json(&fixture->report, &fixture->out);
    expect_out(fixture,
               "{\"summary\":\"1 module, +1 action (chat.typing), stricter in 1 place\",\"changes\":["
               "{\"kind\":\"module\",\"way\":\"removed\",\"name\":\"\xef\xbf\xbd.lua\"},"
               "{\"kind\":\"schema\",\"way\":\"changed\",\"consumer\":\"chat\","
               "\"name\":\"chat.edit payload.text\",\"detail\":\"max was 5, is 4\"},"
               "{\"kind\":\"action\",\"way\":\"added\",\"consumer\":\"chat\",\"name\":\"chat.typing\"}]}");
    tg_host_close(was);
    tg_host_close(is);
}

struct loads {
    struct fixture *fixture;
    struct tg_host *was, *is;
};

static enum tg_status compare_and_write(void *context)
{
    struct loads *loads = context;
    struct fixture *fixture = loads->fixture;
    tg_contract_deinit(&fixture->report);
    tg_buf_deinit(&fixture->out);
    enum tg_status status = tg_contract_compare(&fixture->report, &loads->was->generation.registry,
                                                &loads->is->generation.registry);
    if (status != TG_OK) return status;
    tg_contract_write_json(&fixture->report, &fixture->out);
    return tg_buf_status(&fixture->out);
}

static void says_when_there_is_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct loads loads = {fixture, load(fixture, CHAT("groups = { 'a' }", EDIT("s.string { max = 5 }"))),
                          load(fixture, CHAT("", EDIT("s.string { max = 4 }") TYPING))};
    assert_true(tg_alloc_sweep(compare_and_write, &loads) >= 5);
    tg_host_close(loads.was);
    tg_host_close(loads.is);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(says_that_nothing_has_changed),
        TEST(names_what_came_and_went),
        TEST(names_the_fields_that_became_stricter),
        TEST(compares_routes_of_plain_requests),
        TEST(says_what_applies_to_new_connections),
        TEST(counts_modules_and_cuts_long_lists),
        TEST(writes_json),
        TEST(says_when_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
