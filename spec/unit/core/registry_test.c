#include "core/registry.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_CHECK_STEPS = 1000 };

#define assert_slice(actual, expected)                                                                       \
    do {                                                                                                     \
        struct tg_slice slice_ = (actual);                                                                   \
        assert_int_equal(slice_.length, strlen(expected));                                                   \
        assert_memory_equal(slice_.data, expected, slice_.length);                                           \
    } while (0)

static int setup(void **state)
{
    struct tg_registry *registry = malloc(sizeof *registry);
    tg_registry_init(registry, MAX_CHECK_STEPS);
    *state = registry;
    return 0;
}

static int teardown(void **state)
{
    tg_registry_deinit(*state);
    free(*state);
    return 0;
}

static struct tg_consumer *new_consumer(struct tg_registry *registry, const char *name, const char *source)
{
    struct tg_consumer *consumer = tg_arena_calloc(&registry->arena, 1, sizeof *consumer);
    if (!consumer) return NULL;
    consumer->name = tg_slice_of(name);
    consumer->source = tg_slice_of(source);
    return tg_registry_add_consumer(registry, consumer) == TG_OK ? consumer : NULL;
}

static enum tg_status add_action(struct tg_registry *registry, struct tg_consumer *consumer, const char *name,
                                 const char *source, struct tg_error *error)
{
    struct tg_action *action = tg_arena_calloc(&registry->arena, 1, sizeof *action);
    if (!action) return TG_E_NO_MEMORY;
    action->name = tg_slice_of(name);
    action->source = tg_slice_of(source);
    return tg_registry_add_action(registry, consumer, action, error);
}

static enum tg_status add_path(struct tg_registry *registry, struct tg_consumer *consumer,
                               const char *pattern, struct tg_error *error)
{
    return tg_registry_add_path(registry, consumer, tg_slice_of(pattern), error);
}

static void finds_the_consumer_of_a_path_and_its_parameters(void **state)
{
    struct tg_registry *registry = *state;
    struct tg_consumer *room = new_consumer(registry, "room", "room.lua:1");
    struct tg_consumer *order = new_consumer(registry, "order", "order.lua:1");
    assert_int_equal(add_path(registry, room, "/ws/room/{room_name}", NULL), TG_OK);
    assert_int_equal(add_path(registry, order, "/orders/{id:int}", NULL), TG_OK);
    struct tg_params params;
    assert_ptr_equal(tg_registry_find(registry, TG_SLICE("/orders/17"), &params), order);
    assert_int_equal(params.count, 1);
    assert_slice(params.items[0].name, "id");
    assert_int_equal(params.items[0].integer, 17);
    assert_ptr_equal(tg_registry_find(registry, TG_SLICE("/ws/room/blue"), &params), room);
    assert_slice(params.items[0].value, "blue");
    assert_null(tg_registry_find(registry, TG_SLICE("/orders/x"), &params));
    assert_null(tg_registry_find(registry, TG_SLICE("/"), &params));
}

static void finds_nobody_when_nothing_is_declared(void **state)
{
    struct tg_params params;
    assert_null(tg_registry_find(*state, TG_SLICE("/ws"), &params));
}

static void lets_a_consumer_have_several_paths(void **state)
{
    struct tg_registry *registry = *state;
    struct tg_consumer *echo = new_consumer(registry, "echo", "echo.lua:1");
    assert_int_equal(add_path(registry, echo, "/ws/echo", NULL), TG_OK);
    assert_int_equal(add_path(registry, echo, "/ws/echo/", NULL), TG_OK);
    struct tg_params params;
    assert_ptr_equal(tg_registry_find(registry, TG_SLICE("/ws/echo"), &params), echo);
    assert_ptr_equal(tg_registry_find(registry, TG_SLICE("/ws/echo/"), &params), echo);
}

static void asks_the_more_exact_path_first_in_whatever_order_they_come(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
    } rows[] = {
        {"/a/{rest:path}", "/a/b/c"}, {"/a/{name}", "/a/x.y"},
        {"/a/{name:slug}", "/a/x-y"}, {"/a/{id:uuid}", "/a/123e4567-e89b-12d3-a456-426614174000"},
        {"/a/{id:int}", "/a/5"},      {"/a/b", "/a/b"},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    for (size_t shift = 0; shift < ROWS; shift++) {
        struct tg_registry registry;
        tg_registry_init(&registry, MAX_CHECK_STEPS);
        struct tg_consumer *consumers[ROWS];
        for (size_t i = 0; i < ROWS; i++) {
            size_t row = (i + shift) % ROWS;
            consumers[row] = new_consumer(&registry, rows[row].pattern, "a.lua:1");
            assert_int_equal(add_path(&registry, consumers[row], rows[row].pattern, NULL), TG_OK);
        }
        for (size_t row = 0; row < ROWS; row++) {
            struct tg_params params;
            assert_ptr_equal(tg_registry_find(&registry, tg_slice_of(rows[row].path), &params),
                             consumers[row]);
        }
        tg_registry_deinit(&registry);
    }
}

static void refuses_a_path_that_another_consumer_has(void **state)
{
    struct tg_registry *registry = *state;
    struct tg_consumer *room = new_consumer(registry, "room", "room.lua:3");
    struct tg_consumer *chat = new_consumer(registry, "chat", "chat.lua:9");
    struct tg_error error;
    assert_int_equal(add_path(registry, room, "/ws/{room_name}", &error), TG_OK);
    assert_int_equal(add_path(registry, chat, "/ws/{name}", &error), TG_E_EXISTS);
    assert_string_equal(error.text, "The path \"/ws/{room_name}\" of consumer \"room\" (room.lua:3) and the "
                                    "path \"/ws/{name}\" of consumer \"chat\" (chat.lua:9) are the same to a "
                                    "client: change or remove one.");
    assert_int_equal(registry->endpoint_count, 1);
}

static void refuses_a_path_that_its_consumer_has_already(void **state)
{
    struct tg_registry *registry = *state;
    struct tg_consumer *room = new_consumer(registry, "room", "room.lua:3");
    struct tg_error error;
    assert_int_equal(add_path(registry, room, "/ws/{a}", &error), TG_OK);
    assert_int_equal(add_path(registry, room, "/ws/{b}", &error), TG_E_EXISTS);
    assert_string_equal(error.text,
                        "Consumer \"room\" (room.lua:3) has the paths \"/ws/{a}\" and \"/ws/{b}\", "
                        "which are the same: remove one.");
}

static void refuses_a_bad_pattern(void **state)
{
    struct tg_registry *registry = *state;
    struct tg_consumer *room = new_consumer(registry, "room", "room.lua:3");
    struct tg_error error = {0};
    assert_int_equal(add_path(registry, room, "ws", &error), TG_E_INVALID);
    assert_true(strlen(error.text) > 0);
    assert_int_equal(registry->endpoint_count, 0);
}

static void keeps_actions_by_name_and_in_order(void **state)
{
    struct tg_registry *registry = *state;
    struct tg_consumer *system = new_consumer(registry, "system", "system.lua:1");
    static const char *const names[] = {"ping", "user_message", "leave", "join", "away"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(add_action(registry, system, names[i], "system.lua:2", NULL), TG_OK);
    assert_int_equal(system->action_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_slice(system->ordered_actions[i]->name, names[i]);
        assert_ptr_equal(tg_map_get(&system->actions, tg_slice_of(names[i])), system->ordered_actions[i]);
    }
    assert_null(tg_map_get(&system->actions, TG_SLICE("pin")));
}

static void refuses_a_second_handler_of_an_action(void **state)
{
    struct tg_registry *registry = *state;
    struct tg_consumer *system = new_consumer(registry, "system", "system.lua:1");
    struct tg_error error;
    assert_int_equal(add_action(registry, system, "ping", "system.lua:4", &error), TG_OK);
    assert_int_equal(add_action(registry, system, "ping", "system.lua:9", &error), TG_E_EXISTS);
    assert_string_equal(error.text, "Consumer \"system\" handles the action \"ping\" twice, at system.lua:4 "
                                    "and at system.lua:9: remove one handler or rename its action.");
    assert_int_equal(system->action_count, 1);
}

static void lets_two_consumers_handle_the_same_action(void **state)
{
    struct tg_registry *registry = *state;
    struct tg_consumer *a = new_consumer(registry, "a", "a.lua:1");
    struct tg_consumer *b = new_consumer(registry, "b", "b.lua:1");
    assert_int_equal(add_action(registry, a, "ping", "a.lua:4", NULL), TG_OK);
    assert_int_equal(add_action(registry, b, "ping", "b.lua:4", NULL), TG_OK);
    assert_true(tg_map_get(&a->actions, TG_SLICE("ping")) != tg_map_get(&b->actions, TG_SLICE("ping")));
}

enum { MANY = 40 };

/* Declares MANY consumers with a path and an action each, stopping at the first failure. */
static enum tg_status declare_many(struct tg_registry *registry, char names[MANY][16])
{
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(names[i], 16, "/path/%u", i);
        struct tg_consumer *consumer = new_consumer(registry, names[i], "many.lua:1");
        if (!consumer) return TG_E_NO_MEMORY;
        enum tg_status status = add_path(registry, consumer, names[i], NULL);
        if (status == TG_OK) status = add_action(registry, consumer, names[i], "many.lua:2", NULL);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

static enum tg_status declare_once(void *context)
{
    (void)context;
    char names[MANY][16];
    struct tg_registry registry;
    tg_registry_init(&registry, MAX_CHECK_STEPS);
    enum tg_status status = declare_many(&registry, names);
    if (tg_alloc_has_failed()) {
        /* What was there before is still found, and more can be added. */
        struct tg_consumer *late = new_consumer(&registry, "late", "late.lua:1");
        assert_non_null(late);
        assert_int_equal(add_path(&registry, late, "/late", NULL), TG_OK);
        assert_int_equal(add_action(&registry, late, "late", "late.lua:2", NULL), TG_OK);
        struct tg_params params;
        assert_ptr_equal(tg_registry_find(&registry, TG_SLICE("/late"), &params), late);
        for (uint32_t i = 0; i + 1 < registry.endpoint_count; i++)
            assert_non_null(tg_registry_find(&registry, tg_slice_of(names[i]), &params));
    }
    tg_registry_deinit(&registry);
    return status;
}

static void stays_usable_without_memory(void **state)
{
    assert_true(tg_alloc_sweep(declare_once, *state) > MANY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_the_consumer_of_a_path_and_its_parameters),
        TEST(finds_nobody_when_nothing_is_declared),
        TEST(lets_a_consumer_have_several_paths),
        TEST(asks_the_more_exact_path_first_in_whatever_order_they_come),
        TEST(refuses_a_path_that_another_consumer_has),
        TEST(refuses_a_path_that_its_consumer_has_already),
        TEST(refuses_a_bad_pattern),
        TEST(keeps_actions_by_name_and_in_order),
        TEST(refuses_a_second_handler_of_an_action),
        TEST(lets_two_consumers_handle_the_same_action),
        TEST(stays_usable_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
