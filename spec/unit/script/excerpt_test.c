/* Applications that do not load, at the end of their memory. What is told of them when there is enough of it
 * is shown by spec/lua/check_spec.lua. */
#include "script/host.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const mistakes[] = {
    "local t = {\n  a = 1, b = 2 b = 3,\n}\n",
    "local function f(user)\n  return user.name.first\nend\nf({})\n",
    "local tide <const> = require 'tidegate'\nreturn tide.consumer {\n  pth = '/a',\n}\n",
    "return require 'nowhere'\n",
    "error({})\n",
};

/* One mistake, with the n-th allocation and all behind it failing, for n further and further. */
static void tell(const struct tg_config *config, const char *folder)
{
    size_t failed = 0;
    for (size_t n = 1;; n += 1 + n / 40) {
        struct tg_host *host = NULL;
        struct tg_problems problems;
        tg_problems_init(&problems);
        tg_alloc_fail_from(n);
        enum tg_status status = tg_host_open(&host, config, folder, 1, &problems);
        bool has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        assert_true(status == TG_E_NO_MEMORY || status == TG_E_SCRIPT);
        if (!has_failed) {
            assert_int_equal(status, TG_E_SCRIPT);
            assert_int_equal(problems.count, 1);
            assert_true(problems.first->message.length > 0);
            assert_true(problems.first->excerpt.length > 0);
            tg_problems_deinit(&problems);
            break;
        }
        failed++;
        tg_problems_deinit(&problems);
    }
    assert_true(failed > 40);
}

static void says_what_it_can(void **state)
{
    (void)state;
    char folder[] = "/tmp/tidegate_excerpt_XXXXXX", file[64];
    struct tg_config config;
    assert_int_equal(tg_config_init(&config), TG_OK);
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/a.lua", folder);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        FILE *stream = fopen(file, "w");
        assert_non_null(stream);
        fputs(mistakes[i], stream);
        fclose(stream);
        tell(&config, folder);
    }
    unlink(file);
    rmdir(folder);
    tg_config_deinit(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_it_can)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
