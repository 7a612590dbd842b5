#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct item {
    char name;
    struct tg_list link;
};

struct fixture {
    struct tg_list list, other;
    struct item a, b, c;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.a.name = 'a', .b.name = 'b', .c.name = 'c'};
    tg_list_init(&fixture.list);
    tg_list_init(&fixture.other);
    tg_list_init(&fixture.a.link);
    tg_list_init(&fixture.b.link);
    tg_list_init(&fixture.c.link);
    *state = &fixture;
    return 0;
}

/* Takes all nodes out and compares their names with `expected`; walks backwards first. */
static void assert_names(struct tg_list *list, const char *expected)
{
    size_t count = 0;
    for (struct tg_list *node = list->previous; node != list; node = node->previous) count++;
    assert_int_equal(count, strlen(expected));
    for (size_t i = 0; i < count; i++) {
        struct tg_list *node = tg_list_take_first(list);
        assert_non_null(node);
        assert_int_equal(TG_CONTAINER(node, struct item, link)->name, expected[i]);
        assert_false(tg_list_is_linked(node));
    }
    assert_null(tg_list_take_first(list));
    assert_true(tg_list_is_empty(list));
}

static void keeps_the_order_of_appending(void **state)
{
    struct fixture *f = *state;
    tg_list_append(&f->list, &f->a.link);
    tg_list_append(&f->list, &f->b.link);
    tg_list_append(&f->list, &f->c.link);
    assert_true(tg_list_is_linked(&f->b.link));
    assert_names(&f->list, "abc");
}

static void removes_a_node_from_the_middle(void **state)
{
    struct fixture *f = *state;
    tg_list_append(&f->list, &f->a.link);
    tg_list_append(&f->list, &f->b.link);
    tg_list_append(&f->list, &f->c.link);
    tg_list_remove(&f->b.link);
    assert_false(tg_list_is_linked(&f->b.link));
    assert_names(&f->list, "ac");
}

static void removes_a_node_that_is_in_no_list(void **state)
{
    struct fixture *f = *state;
    tg_list_remove(&f->a.link);
    tg_list_remove(&f->a.link);
    assert_false(tg_list_is_linked(&f->a.link));
}

static void takes_a_node_back_after_its_removal(void **state)
{
    struct fixture *f = *state;
    tg_list_append(&f->list, &f->a.link);
    tg_list_append(&f->list, &f->b.link);
    tg_list_remove(&f->a.link);
    tg_list_append(&f->list, &f->a.link);
    assert_names(&f->list, "ba");
}

static void moves_all_nodes_behind_those_that_are_there(void **state)
{
    struct fixture *f = *state;
    tg_list_append(&f->list, &f->a.link);
    tg_list_append(&f->other, &f->b.link);
    tg_list_append(&f->other, &f->c.link);
    tg_list_move_all(&f->list, &f->other);
    assert_true(tg_list_is_empty(&f->other));
    assert_names(&f->list, "abc");
}

static void moves_nothing_from_an_empty_list(void **state)
{
    struct fixture *f = *state;
    tg_list_append(&f->list, &f->a.link);
    tg_list_move_all(&f->list, &f->other);
    assert_names(&f->list, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keeps_the_order_of_appending, set_up),
        cmocka_unit_test_setup(removes_a_node_from_the_middle, set_up),
        cmocka_unit_test_setup(removes_a_node_that_is_in_no_list, set_up),
        cmocka_unit_test_setup(takes_a_node_back_after_its_removal, set_up),
        cmocka_unit_test_setup(moves_all_nodes_behind_those_that_are_there, set_up),
        cmocka_unit_test_setup(moves_nothing_from_an_empty_list, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
