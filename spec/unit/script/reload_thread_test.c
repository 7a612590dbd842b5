/* Generations that are loaded and closed on a thread of their own while the loop's thread runs the one that
 * serves: for ThreadSanitizer above all. The application is spec/support/apps/reload/old. */
#include "core/problem.h"
#include "core/reload.h"
#include "script/source.h"

#include "support/app_stage.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 12 };

/* A background: one thread, jobs in order. `done` is called by `hear`, on the loop's thread. */
struct thread {
    struct tg_background core;
    pthread_t id;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    struct tg_job *first, *last, *finished;
    bool is_over;
};

static void run(struct tg_background *background, struct tg_job *job)
{
    struct thread *thread = (struct thread *)background;
    pthread_mutex_lock(&thread->lock);
    job->next = NULL;
    if (thread->last)
        thread->last->next = job;
    else
        thread->first = job;
    thread->last = job;
    pthread_cond_signal(&thread->has_work);
    pthread_mutex_unlock(&thread->lock);
}

static struct tg_job *take(struct thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    while (!thread->first && !thread->is_over) pthread_cond_wait(&thread->has_work, &thread->lock);
    struct tg_job *job = thread->first;
    if (job) thread->first = job->next;
    if (!thread->first) thread->last = NULL;
    pthread_mutex_unlock(&thread->lock);
    return job;
}

static void *work(void *context)
{
    struct thread *thread = context;
    for (struct tg_job *job; (job = take(thread));) {
        bool is_awaited = job->done != NULL;
        job->work(job);
        if (!is_awaited) continue;
        pthread_mutex_lock(&thread->lock);
        job->next = thread->finished;
        thread->finished = job;
        pthread_mutex_unlock(&thread->lock);
    }
    return NULL;
}

static void hear(struct thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    struct tg_job *job = thread->finished;
    thread->finished = NULL;
    pthread_mutex_unlock(&thread->lock);
    for (struct tg_job *next; job; job = next) {
        next = job->next;
        job->done(job);
    }
}

static void open_thread(struct thread *thread)
{
    static const struct tg_background_ops ops = {.run = run};
    *thread = (struct thread){.core = {&ops}};
    pthread_mutex_init(&thread->lock, NULL);
    pthread_cond_init(&thread->has_work, NULL);
    assert_int_equal(pthread_create(&thread->id, NULL, work, thread), 0);
}

static void close_thread(struct thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    thread->is_over = true;
    pthread_cond_signal(&thread->has_work);
    pthread_mutex_unlock(&thread->lock);
    pthread_join(thread->id, NULL);
    hear(thread);
    pthread_mutex_destroy(&thread->lock);
    pthread_cond_destroy(&thread->has_work);
}

struct waiting {
    struct tg_reload_listener listener; /* first */
    int told;
};

static void told(struct tg_reload_listener *listener, const struct tg_reload_result *result)
{
    assert_int_equal(result->outcome, TG_RELOAD_OK);
    ((struct waiting *)listener)->told++;
}

/* A client that talks until the new code serves; every message is answered. */
static int talk_until(struct app_stage *stage, struct thread *thread, const int *count, int until)
{
    static const char say[] = "{\"action\":\"do\",\"payload\":{\"what\":\"score\",\"with\":1}}";
    int answered = 0;
    for (int quiet = 0; quiet < 5; quiet += *count >= until) {
        struct fake_client *client = stage->core->clients;
        fake_client_say(client, say);
        app_pass(stage, 1);
        hear(thread);
        client->sent[client->sent_bytes] = '\0';
        /* The payload of a text frame of less than 126 bytes begins at its third byte. */
        assert_non_null(strstr((const char *)client->sent + 2, "\"points\""));
        client->sent_bytes = 0;
        answered++;
    }
    return answered;
}

static void loads_beside_what_serves(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    core->config.heartbeat_seconds = 0;
    struct app_stage stage = app_begin("reload/old", core);
    struct thread thread;
    struct tg_script_source source;
    struct tg_reload reload;
    struct waiting waiting = {.listener.told = told};
    open_thread(&thread);
    tg_list_init(&waiting.listener.link);
    tg_script_source_init(&source, &core->config, TG_SPEC_FOLDER "/support/apps/reload/old");
    tg_reload_init(&reload, &core->worker, &source.core, &thread.core);
    core->worker.background = &thread.core;
    for (size_t i = 0; i < FAKE_CLIENTS; i++) assert_non_null(fake_core_open(core, i, "/ws/chat"));
    fake_client_say(&core->clients[1], "{\"action\":\"do\",\"payload\":{\"what\":\"tick\"}}");
    fake_client_say(&core->clients[2], "{\"action\":\"do\",\"payload\":{\"what\":\"fill\"}}");
    int answered = 0;
    for (int round = 1; round <= ROUNDS; round++) {
        tg_reload_request(&reload, "spec", true, &waiting.listener);
        answered += talk_until(&stage, &thread, &waiting.told, round);
    }
    assert_int_equal(core->worker.generation->number, ROUNDS + 1);
    for (size_t i = 0; i < FAKE_CLIENTS; i++)
        assert_int_equal(core->clients[i].conn->generation->number, ROUNDS + 1);
    char last[64];
    snprintf(last, sizeof last, "{\"points\":%d}", answered + 1);
    fake_client_say(core->clients, "{\"action\":\"do\",\"payload\":{\"what\":\"score\",\"with\":1}}");
    app_pass(&stage, 1);
    assert_non_null(strstr((const char *)core->clients[0].sent + 2, last));
    core->worker.background = NULL;
    close_thread(&thread);
    tg_reload_deinit(&reload);
    stage.host = TG_CONTAINER(core->worker.generation->script, struct tg_host, script);
    app_end(&stage);
}

struct attempt {
    struct tg_job job; /* first */
    struct tg_source *source;
    struct tg_load load;
    enum tg_status status;
    bool is_done;
};

static void attempt(struct tg_job *job)
{
    struct attempt *made = (struct attempt *)job;
    made->status = made->source->ops->load(made->source, &made->load);
}

static void note_done(struct tg_job *job)
{
    ((struct attempt *)job)->is_done = true;
}

/* The thread holds all signals back, as one for background work may. */
static void stops_modules_that_do_not_end(void **state)
{
    (void)state;
    struct tg_config config;
    struct thread thread;
    struct tg_script_source source;
    sigset_t all, before;
    struct tg_buf text;
    assert_int_equal(tg_config_init(&config), TG_OK);
    config.load_cpu_ms = 100;
    tg_script_source_init(&source, &config, TG_SPEC_FOLDER "/support/apps/slow_load");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    open_thread(&thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    struct attempt made = {
        .job = {.work = attempt, .done = note_done}, .source = &source.core, .load = {.number = 1}};
    run(&thread.core, &made.job);
    close_thread(&thread);
    assert_true(made.is_done);
    assert_int_equal(made.status, TG_E_SCRIPT);
    tg_buf_init(&text);
    tg_problems_write_text(made.load.problems, false, &text);
    tg_buf_append_char(&text, '\0');
    assert_non_null(strstr(text.data, "this takes more than load_cpu_ms, 100 ms of CPU time"));
    tg_buf_deinit(&text);
    source.core.ops->forget(&source.core, &made.load);
    tg_config_deinit(&config);
}

static int silence(void **state)
{
    (void)state;
    tg_log_open(2, TG_LOG_TEXT, TG_LOG_OFF, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_beside_what_serves),
        cmocka_unit_test(stops_modules_that_do_not_end),
    };
    return cmocka_run_group_tests_name("reload_thread", tests, silence, NULL);
}
