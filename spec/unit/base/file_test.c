#include "base/file.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/tidegate-file-XXXXXX";
static struct tg_buf text;
static struct tg_error error;

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    tg_buf_init(&text);
    return fd >= 0 && write(fd, "0123456789", 10) == 10 && close(fd) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tg_buf_deinit(&text);
    unlink(path);
    memcpy(strchr(path, '-') + 6, "XXXXXX", 6);
    return 0;
}

static void appends_all_of_a_file(void **state)
{
    (void)state;
    tg_buf_append_literal(&text, "before ");
    assert_int_equal(tg_file_read(path, 10, &text, &error), TG_OK);
    assert_true(tg_slice_equal(tg_buf_peek(&text), TG_SLICE("before 0123456789")));
}

static void says_what_is_wrong_with_it(void **state)
{
    (void)state;
    assert_int_equal(tg_file_read(path, 9, &text, &error), TG_E_TOO_LARGE);
    assert_non_null(strstr(error.text, "more than 9 bytes"));
    assert_int_equal(tg_file_read("/no/such/file", 9, &text, &error), TG_E_NOT_FOUND);
    assert_string_equal(error.text, "/no/such/file: No such file or directory");
    assert_int_equal(tg_file_read("/tmp", 9, &text, &error), TG_E_IO);
    assert_non_null(strstr(error.text, "/tmp: "));
}

static enum tg_status read_once(void *context)
{
    (void)context;
    struct tg_buf read;
    tg_buf_init(&read);
    enum tg_status status = tg_file_read(path, 10, &read, &error);
    tg_buf_deinit(&read);
    return status;
}

static void answers_without_memory(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(read_once, NULL) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(appends_all_of_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_is_wrong_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_without_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
