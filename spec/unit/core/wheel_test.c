#include "core/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TICK = TG_WHEEL_TICK_MS, TURN_MS = TG_WHEEL_TICK_MS * TG_WHEEL_SLOTS };

static const uint64_t HOUR_MS = 3600 * 1000;

/* A timer that writes down when it fired. */
struct probe {
    struct tg_timer timer;
    struct fixture *fixture;
    uint32_t fired;         /* how often */
    uint32_t order;         /* the how manieth of all, from 1 */
    uint64_t fired_ms;      /* when last */
    uint64_t rearm_ms;      /* armed again for this when it fires; TG_NEVER: not */
    struct probe *disarmed; /* when it fires; NULL: none */
    bool is_freed;          /* when it fires */
};

struct fixture {
    struct tg_wheel wheel;
    uint64_t now_ms;
    uint32_t fired;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->now_ms = 1000005;
    tg_wheel_init(&f->wheel, f->now_ms);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void fire(struct tg_timer *timer)
{
    struct probe *probe = TG_CONTAINER(timer, struct probe, timer);
    struct fixture *f = probe->fixture;
    assert_false(tg_list_is_linked(&timer->link));
    probe->fired++;
    probe->order = ++f->fired;
    probe->fired_ms = f->now_ms;
    if (probe->disarmed) tg_wheel_disarm(&f->wheel, &probe->disarmed->timer);
    if (probe->rearm_ms != TG_NEVER) tg_wheel_arm(&f->wheel, timer, probe->rearm_ms);
    if (probe->is_freed) free(probe);
}

static void probe_init(struct probe *probe, struct fixture *f)
{
    *probe = (struct probe){.fixture = f, .rearm_ms = TG_NEVER};
    tg_timer_init(&probe->timer, fire);
}

static void arm_in(struct probe *probe, uint64_t delay_ms)
{
    tg_wheel_arm(&probe->fixture->wheel, &probe->timer, probe->fixture->now_ms + delay_ms);
}

static void advance_by(struct fixture *f, uint64_t ms)
{
    f->now_ms += ms;
    tg_wheel_advance(&f->wheel, f->now_ms);
}

static void fires_within_one_tick_of_its_deadline_and_never_before(void **state)
{
    struct fixture *f = *state;
    for (uint64_t delay = 1; delay < 100; delay++) {
        struct probe probe;
        probe_init(&probe, f);
        arm_in(&probe, delay);
        for (uint64_t ms = 1; ms < delay; ms++) {
            advance_by(f, 1);
            assert_int_equal(probe.fired, 0);
        }
        advance_by(f, TICK);
        assert_int_equal(probe.fired, 1);
    }
}

static void fires_once(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    probe_init(&probe, f);
    arm_in(&probe, 50);
    advance_by(f, 100);
    advance_by(f, 2 * TURN_MS);
    assert_int_equal(probe.fired, 1);
}

static void fires_earlier_ticks_first(void **state)
{
    struct fixture *f = *state;
    struct probe late, early, middle;
    probe_init(&late, f);
    probe_init(&early, f);
    probe_init(&middle, f);
    arm_in(&late, 30000);
    arm_in(&early, 20);
    arm_in(&middle, 500);
    advance_by(f, 35000);
    assert_int_equal(early.order, 1);
    assert_int_equal(middle.order, 2);
    assert_int_equal(late.order, 3);
}

static void fires_one_tick_in_the_order_of_arming(void **state)
{
    struct fixture *f = *state;
    struct probe probes[5];
    for (uint32_t i = 0; i < 5; i++) probe_init(&probes[i], f);
    for (uint32_t i = 0; i < 5; i++) arm_in(&probes[(i * 3) % 5], 100);
    advance_by(f, 200);
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(probes[(i * 3) % 5].order, i + 1);
}

static void passes_over_a_timer_of_a_later_turn(void **state)
{
    struct fixture *f = *state;
    struct probe soon, later;
    probe_init(&soon, f);
    probe_init(&later, f);
    arm_in(&later, 100 + 3 * TURN_MS);
    arm_in(&soon, 100);
    for (uint32_t turn = 0; turn < 3; turn++) {
        advance_by(f, TURN_MS);
        assert_int_equal(soon.fired, 1);
        assert_int_equal(later.fired, 0);
    }
    advance_by(f, 90);
    assert_int_equal(later.fired, 0);
    advance_by(f, 20);
    assert_int_equal(later.fired, 1);
}

static void fires_all_that_is_due_after_a_sleep_of_hours(void **state)
{
    struct fixture *f = *state;
    struct probe probes[50];
    for (uint32_t i = 0; i < 50; i++) {
        probe_init(&probes[i], f);
        arm_in(&probes[i], i * HOUR_MS / 10);
    }
    advance_by(f, 4 * HOUR_MS + TICK);
    for (uint32_t i = 0; i < 50; i++) assert_int_equal(probes[i].fired, i <= 40);
    assert_int_equal(f->wheel.count, 9);
}

static void survives_a_sleep_of_a_thousand_years(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    probe_init(&probe, f);
    arm_in(&probe, 5);
    advance_by(f, 1000 * 366 * 24 * HOUR_MS);
    assert_int_equal(probe.fired, 1);
    arm_in(&probe, 5);
    advance_by(f, 2 * TICK);
    assert_int_equal(probe.fired, 2);
}

static void fires_a_deadline_in_the_past_with_the_next_tick(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    probe_init(&probe, f);
    tg_wheel_arm(&f->wheel, &probe.timer, 0);
    assert_in_range(tg_wheel_next_ms(&f->wheel), f->now_ms, f->now_ms + TICK);
    advance_by(f, TICK);
    assert_int_equal(probe.fired, 1);
}

static void moves_a_timer_that_is_armed_again(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    probe_init(&probe, f);
    arm_in(&probe, 50);
    arm_in(&probe, 5000);
    assert_int_equal(f->wheel.count, 1);
    advance_by(f, 1000);
    assert_int_equal(probe.fired, 0);
    arm_in(&probe, 100);
    advance_by(f, 110);
    assert_int_equal(probe.fired, 1);
    advance_by(f, 10000);
    assert_int_equal(probe.fired, 1);
}

static void does_not_fire_what_was_disarmed(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    probe_init(&probe, f);
    tg_wheel_disarm(&f->wheel, &probe.timer);
    arm_in(&probe, 50);
    tg_wheel_disarm(&f->wheel, &probe.timer);
    tg_wheel_disarm(&f->wheel, &probe.timer);
    assert_int_equal(f->wheel.count, 0);
    advance_by(f, 1000);
    assert_int_equal(probe.fired, 0);
}

static void lets_a_handler_arm_its_own_timer_again(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    probe_init(&probe, f);
    arm_in(&probe, 50);
    probe.rearm_ms = f->now_ms + 300;
    advance_by(f, 100);
    assert_int_equal(probe.fired, 1);
    assert_int_equal(f->wheel.count, 1);
    probe.rearm_ms = TG_NEVER;
    advance_by(f, 300);
    assert_int_equal(probe.fired, 2);
}

static void does_not_spin_on_a_handler_that_arms_for_the_past(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    probe_init(&probe, f);
    probe.rearm_ms = 0;
    arm_in(&probe, 10);
    advance_by(f, 3 * TURN_MS);
    assert_int_equal(probe.fired, 1);
    advance_by(f, 3 * TURN_MS);
    assert_int_equal(probe.fired, 2);
}

static void lets_a_handler_disarm_another_that_is_due_at_the_same_time(void **state)
{
    struct fixture *f = *state;
    struct probe first, second, third;
    probe_init(&first, f);
    probe_init(&second, f);
    probe_init(&third, f);
    first.disarmed = &second;
    arm_in(&first, 50);
    arm_in(&second, 50);
    arm_in(&third, 50);
    advance_by(f, 100);
    assert_int_equal(first.fired, 1);
    assert_int_equal(second.fired, 0);
    assert_int_equal(third.fired, 1);
    assert_int_equal(f->wheel.count, 0);
}

static void lets_a_handler_free_its_owner(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < 10; i++) {
        struct probe *probe = malloc(sizeof *probe);
        probe_init(probe, f);
        probe->is_freed = true;
        arm_in(probe, 50 + i);
    }
    advance_by(f, 100);
    assert_int_equal(f->fired, 10);
}

static void tells_when_to_advance_next(void **state)
{
    struct fixture *f = *state;
    struct probe near, far;
    probe_init(&near, f);
    probe_init(&far, f);
    assert_true(tg_wheel_next_ms(&f->wheel) == TG_NEVER);
    arm_in(&far, 20000);
    assert_int_equal(tg_wheel_next_ms(&f->wheel), 1020010);
    arm_in(&near, 15);
    assert_int_equal(tg_wheel_next_ms(&f->wheel), 1000020);
    advance_by(f, 15);
    assert_int_equal(near.fired, 1);
    assert_int_equal(tg_wheel_next_ms(&f->wheel), 1020010);
    tg_wheel_disarm(&f->wheel, &far.timer);
    assert_true(tg_wheel_next_ms(&f->wheel) == TG_NEVER);
}

static void reaches_a_far_deadline_by_following_its_own_advice(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    probe_init(&probe, f);
    arm_in(&probe, HOUR_MS);
    uint64_t deadline_ms = f->now_ms + HOUR_MS;
    uint32_t wakes = 0;
    for (; !probe.fired; wakes++) {
        f->now_ms = tg_wheel_next_ms(&f->wheel);
        tg_wheel_advance(&f->wheel, f->now_ms);
    }
    assert_in_range(probe.fired_ms, deadline_ms, deadline_ms + TICK);
    assert_in_range(wakes, 1, HOUR_MS / TURN_MS + 1);
}

/* xorshift64 (Marsaglia, 2003): the same numbers on every run. */
static uint64_t random_below(uint64_t *seed, uint64_t bound)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % bound;
}

enum { MODEL_TIMERS = 10000, MODEL_STEPS = 400, MODEL_CHANGES = 300 };

struct model {
    struct probe probe;
    uint64_t deadline_ms; /* TG_NEVER: not armed */
    uint32_t fired;
};

/* Arms, moves or disarms some timers in the wheel and in the model. */
static void change_some(struct fixture *f, struct model *models, uint64_t *seed)
{
    static const uint64_t reach_ms[] = {50, 5000, TURN_MS, 10 * (uint64_t)TURN_MS};
    for (uint32_t i = 0; i < MODEL_CHANGES; i++) {
        struct model *m = &models[random_below(seed, MODEL_TIMERS)];
        if (random_below(seed, 4) == 0) {
            tg_wheel_disarm(&f->wheel, &m->probe.timer);
            m->deadline_ms = TG_NEVER;
            continue;
        }
        m->deadline_ms = f->now_ms + random_below(seed, reach_ms[random_below(seed, 4)]);
        tg_wheel_arm(&f->wheel, &m->probe.timer, m->deadline_ms);
    }
}

/* After an advance: whoever fired was due, whoever is due by a tick has fired. */
static uint64_t expect_agreement(const struct fixture *f, struct model *models)
{
    uint64_t armed = 0;
    for (uint32_t i = 0; i < MODEL_TIMERS; i++) {
        struct model *m = &models[i];
        if (m->probe.fired != m->fired) {
            assert_int_equal(m->probe.fired, m->fired + 1);
            assert_true(m->deadline_ms <= f->now_ms);
            m->fired++;
            m->deadline_ms = TG_NEVER;
        }
        assert_true(m->deadline_ms == TG_NEVER || m->deadline_ms + TICK > f->now_ms);
        armed += m->deadline_ms != TG_NEVER;
    }
    return armed;
}

static void agrees_with_a_plain_list_over_ten_thousand_timers(void **state)
{
    struct fixture *f = *state;
    struct model *models = calloc(MODEL_TIMERS, sizeof *models);
    for (uint32_t i = 0; i < MODEL_TIMERS; i++) {
        probe_init(&models[i].probe, f);
        models[i].deadline_ms = TG_NEVER;
    }
    uint64_t seed = 20260102;
    for (uint32_t step = 0; step < MODEL_STEPS; step++) {
        change_some(f, models, &seed);
        /* At least a tick, so that a deadline which was past when it was armed is due. */
        advance_by(f, TICK + (step % 50 == 49 ? 3 * TURN_MS : random_below(&seed, 700)));
        assert_int_equal(expect_agreement(f, models), f->wheel.count);
    }
    assert_true(f->fired > MODEL_TIMERS);
    free(models);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fires_within_one_tick_of_its_deadline_and_never_before),
        TEST(fires_once),
        TEST(fires_earlier_ticks_first),
        TEST(fires_one_tick_in_the_order_of_arming),
        TEST(passes_over_a_timer_of_a_later_turn),
        TEST(fires_all_that_is_due_after_a_sleep_of_hours),
        TEST(survives_a_sleep_of_a_thousand_years),
        TEST(fires_a_deadline_in_the_past_with_the_next_tick),
        TEST(moves_a_timer_that_is_armed_again),
        TEST(does_not_fire_what_was_disarmed),
        TEST(lets_a_handler_arm_its_own_timer_again),
        TEST(does_not_spin_on_a_handler_that_arms_for_the_past),
        TEST(lets_a_handler_disarm_another_that_is_due_at_the_same_time),
        TEST(lets_a_handler_free_its_owner),
        TEST(tells_when_to_advance_next),
        TEST(reaches_a_far_deadline_by_following_its_own_advice),
        TEST(agrees_with_a_plain_list_over_ten_thousand_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
