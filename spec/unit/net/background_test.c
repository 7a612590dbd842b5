/* Jobs on a real thread of a real loop. Who has to wait for another waits for a semaphore, never for time. */
#include "net/background.h"

#include "support/alloc.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

enum { JOBS = 8 };

struct place;

struct numbered {
    struct tg_job job;
    struct place *place;
    int number;
    pthread_t worked_on;
};

struct place {
    struct tg_net_loop *loop;
    struct tg_net_background *background;
    struct numbered jobs[JOBS];
    sem_t gate;       /* that `wait_at_gate` waits for */
    sem_t is_working; /* it has come there */
    char worked[64], done[64];
    int turns;
};

static struct numbered *of(struct tg_job *job)
{
    return TG_CONTAINER(job, struct numbered, job);
}

static void note(char *text, int number)
{
    size_t length = strlen(text);
    text[length] = (char)('0' + number);
    text[length + 1] = '\0';
}

static void work(struct tg_job *job)
{
    struct numbered *numbered = of(job);
    numbered->worked_on = pthread_self();
    note(numbered->place->worked, numbered->number);
}

static void wait_at_gate(struct tg_job *job)
{
    sem_post(&of(job)->place->is_working);
    sem_wait(&of(job)->place->gate);
    work(job);
}

static void done(struct tg_job *job)
{
    note(of(job)->place->done, of(job)->number);
}

static struct tg_job *make_job(struct place *place, int number, void (*work_of)(struct tg_job *))
{
    struct numbered *numbered = &place->jobs[number];
    *numbered = (struct numbered){.job = {.work = work_of, .done = done}, .place = place, .number = number};
    return &numbered->job;
}

static void run(struct place *place, struct tg_job *job)
{
    struct tg_background *background = tg_net_background_core(place->background);
    background->ops->run(background, job);
}

static void turn_until_done(struct place *place, const char *expected)
{
    while (strlen(place->done) < strlen(expected)) {
        uv_run(tg_net_loop_uv(place->loop), UV_RUN_ONCE);
        place->turns++;
    }
    assert_string_equal(place->done, expected);
}

static void close_background(struct place *place)
{
    if (place->background) tg_net_background_close(place->background);
    place->background = NULL;
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    sem_init(&place->gate, 0, 0);
    sem_init(&place->is_working, 0, 0);
    assert_int_equal(tg_net_loop_open(&place->loop, NULL), TG_OK);
    assert_int_equal(tg_net_background_open(&place->background, place->loop, NULL), TG_OK);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    close_background(place);
    assert_true(tg_net_loop_close(place->loop));
    sem_destroy(&place->gate);
    sem_destroy(&place->is_working);
    free(place);
    return 0;
}

static void does_jobs_in_order_on_one_other_thread(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < JOBS; i++) run(place, make_job(place, i, work));
    turn_until_done(place, "01234567");
    assert_string_equal(place->worked, "01234567");
    for (int i = 0; i < JOBS; i++) {
        assert_false(pthread_equal(place->jobs[i].worked_on, pthread_self()));
        assert_true(pthread_equal(place->jobs[i].worked_on, place->jobs[0].worked_on));
    }
}

static void the_loop_goes_on_meanwhile(void **state)
{
    struct place *place = *state;
    run(place, make_job(place, 0, wait_at_gate));
    sem_wait(&place->is_working);
    for (int i = 0; i < 10; i++) uv_run(tg_net_loop_uv(place->loop), UV_RUN_NOWAIT);
    assert_string_equal(place->done, "");
    sem_post(&place->gate);
    turn_until_done(place, "0");
}

static void run_next(struct tg_job *job)
{
    struct place *place = of(job)->place;
    done(job);
    run(place, make_job(place, of(job)->number + 1, work));
}

static void what_is_done_may_begin_the_next(void **state)
{
    struct place *place = *state;
    struct tg_job *job = make_job(place, 0, work);
    job->done = run_next;
    run(place, job);
    turn_until_done(place, "01");
}

/* A job that nobody waits for frees what it lies in. */
static void free_itself(struct tg_job *job)
{
    struct place *place = of(job)->place;
    work(job);
    free(of(job));
    sem_post(&place->is_working);
}

static void a_job_that_nobody_waits_for_may_be_gone_when_its_work_ends(void **state)
{
    struct place *place = *state;
    struct numbered *numbered = calloc(1, sizeof *numbered);
    *numbered = (struct numbered){.job = {.work = free_itself}, .place = place, .number = 5};
    run(place, &numbered->job);
    sem_wait(&place->is_working);
    run(place, make_job(place, 0, work));
    turn_until_done(place, "0");
    assert_string_equal(place->worked, "50");
}

static void closing_does_what_was_begun_and_what_was_not(void **state)
{
    struct place *place = *state;
    run(place, make_job(place, 0, wait_at_gate));
    run(place, make_job(place, 1, work));
    struct tg_job *last = make_job(place, 2, work);
    last->done = run_next;
    run(place, last);
    sem_wait(&place->is_working);
    sem_post(&place->gate);
    close_background(place);
    assert_string_equal(place->worked, "0123");
    assert_string_equal(place->done, "0123");
}

static void without_a_job_there_is_no_thread_to_end(void **state)
{
    close_background(*state);
}

static void mask_is_asked(struct tg_job *job)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    static const int of_the_loop[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGXFSZ, SIGUSR1};
    for (size_t i = 0; i < sizeof of_the_loop / sizeof of_the_loop[0]; i++)
        note(of(job)->place->worked, sigismember(&mask, of_the_loop[i]));
    note(of(job)->place->worked, sigismember(&mask, SIGRTMIN + 3));
}

static void signals_are_the_loops_but_for_the_watchdogs(void **state)
{
    struct place *place = *state;
    run(place, make_job(place, 0, mask_is_asked));
    turn_until_done(place, "0");
    assert_string_equal(place->worked, "1111110");
}

static enum tg_status open_once(void *context)
{
    struct place *place = context;
    struct tg_net_background *background = NULL;
    enum tg_status status = tg_net_background_open(&background, place->loop, NULL);
    if (status == TG_OK) tg_net_background_close(background);
    return status;
}

static void opening_may_run_out_of_memory(void **state)
{
    assert_int_equal(tg_alloc_sweep(open_once, *state), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(does_jobs_in_order_on_one_other_thread),
        TEST(the_loop_goes_on_meanwhile),
        TEST(what_is_done_may_begin_the_next),
        TEST(a_job_that_nobody_waits_for_may_be_gone_when_its_work_ends),
        TEST(closing_does_what_was_begun_and_what_was_not),
        TEST(without_a_job_there_is_no_thread_to_end),
        TEST(signals_are_the_loops_but_for_the_watchdogs),
        TEST(opening_may_run_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
