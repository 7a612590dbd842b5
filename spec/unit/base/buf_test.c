#include "base/buf.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_text(const struct tg_buf *buf, const char *expected)
{
    assert_int_equal(buf->length, strlen(expected));
    assert_memory_equal(buf->data, expected, strlen(expected));
}

static void owns_nothing_before_the_first_append(void **state)
{
    (void)state;
    struct tg_buf buf;
    tg_buf_init(&buf);
    assert_null(buf.data);
    assert_null(tg_buf_peek(&buf).data);
    tg_buf_deinit(&buf);
}

static void appends_bytes_of_every_shape(void **state)
{
    (void)state;
    struct tg_buf buf;
    tg_buf_init(&buf);
    tg_buf_append(&buf, "a", 1);
    tg_buf_append_char(&buf, 'b');
    tg_buf_append_slice(&buf, TG_SLICE("cd"));
    tg_buf_append_literal(&buf, "ef");
    tg_buf_printf(&buf, "%d-%s", 42, "x");
    tg_buf_append(&buf, NULL, 0);
    assert_text(&buf, "abcdef42-x");
    assert_int_equal(tg_buf_status(&buf), TG_OK);
    tg_buf_deinit(&buf);
}

static void grows_by_doubling(void **state)
{
    (void)state;
    struct tg_buf buf;
    tg_buf_init(&buf);
    size_t moves = 0, capacity = 0;
    for (size_t i = 0; i < 100000; i++) {
        tg_buf_append_char(&buf, (char)('a' + i % 26));
        moves += buf.capacity != capacity;
        capacity = buf.capacity;
    }
    assert_int_equal(buf.length, 100000);
    assert_true(moves <= 12);
    for (size_t i = 0; i < buf.length; i++) assert_int_equal(buf.data[i], 'a' + i % 26);
    tg_buf_deinit(&buf);
}

static void prints_a_text_longer_than_its_room(void **state)
{
    (void)state;
    struct tg_buf buf;
    tg_buf_init(&buf);
    tg_buf_append_literal(&buf, "<");
    tg_buf_printf(&buf, "%0500d", 7);
    tg_buf_append_literal(&buf, ">");
    assert_int_equal(buf.length, 502);
    assert_int_equal(buf.data[500], '7');
    assert_int_equal(buf.data[501], '>');
    tg_buf_deinit(&buf);
}

static void is_usable_after_deinit(void **state)
{
    (void)state;
    struct tg_buf buf;
    tg_buf_init(&buf);
    tg_buf_append_literal(&buf, "one");
    tg_buf_deinit(&buf);
    tg_buf_append_literal(&buf, "two");
    assert_text(&buf, "two");
    tg_buf_deinit(&buf);
}

static void refuses_a_size_that_no_memory_has(void **state)
{
    (void)state;
    struct tg_buf buf;
    tg_buf_init(&buf);
    tg_buf_append_literal(&buf, "kept");
    assert_null(tg_buf_reserve(&buf, SIZE_MAX - 1));
    assert_int_equal(tg_buf_status(&buf), TG_E_NO_MEMORY);
    assert_text(&buf, "kept");
    tg_buf_deinit(&buf);
}

static void drops_all_that_follows_a_failure(void **state)
{
    (void)state;
    struct tg_buf buf;
    tg_buf_init(&buf);
    tg_buf_append_literal(&buf, "kept");
    tg_alloc_fail_at(1);
    tg_buf_printf(&buf, "%0100d", 7);
    tg_buf_append_literal(&buf, "would fit");
    tg_buf_append_char(&buf, 'x');
    tg_buf_printf(&buf, "y");
    assert_true(tg_alloc_has_failed());
    assert_text(&buf, "kept");
    assert_int_equal(tg_buf_status(&buf), TG_E_NO_MEMORY);
    tg_buf_truncate(&buf, 2);
    tg_buf_append_literal(&buf, "y");
    assert_text(&buf, "key");
    assert_int_equal(tg_buf_status(&buf), TG_OK);
    tg_buf_deinit(&buf);
}

static enum tg_status write_all(void *context)
{
    (void)context;
    struct tg_buf buf;
    tg_buf_init(&buf);
    for (int i = 0; i < 300; i++) tg_buf_printf(&buf, "%d,", i);
    enum tg_status status = tg_buf_status(&buf);
    if (status != TG_OK) {
        tg_buf_truncate(&buf, 0);
        tg_buf_append_literal(&buf, "again");
        assert_text(&buf, "again");
    }
    tg_buf_deinit(&buf);
    return status;
}

static void survives_any_allocation_that_fails(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(write_all, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owns_nothing_before_the_first_append),
        cmocka_unit_test(appends_bytes_of_every_shape),
        cmocka_unit_test(grows_by_doubling),
        cmocka_unit_test(prints_a_text_longer_than_its_room),
        cmocka_unit_test(is_usable_after_deinit),
        cmocka_unit_test(refuses_a_size_that_no_memory_has),
        cmocka_unit_test(drops_all_that_follows_a_failure),
        cmocka_unit_test(survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
