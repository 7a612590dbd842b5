/* Invariant: the event is posted while there is any job. */
#include "kit/background.h"

static void run(struct tg_background *core, struct tg_job *job)
{
    struct tg_kit_background *background = (struct tg_kit_background *)core;
    job->next = NULL;
    if (background->first)
        background->last->next = job;
    else
        background->first = job;
    background->last = job;
    tg_kit_post(background->loop, &background->event);
}

static void tell(struct tg_kit_background *background)
{
    struct tg_job *job = background->ended;
    background->ended = NULL;
    job->done(job);
}

/* When `work` returns, a job that nobody waits for may be gone. */
static void work(struct tg_kit_background *background)
{
    struct tg_job *job = background->first;
    background->first = job->next;
    if (job->done) background->ended = job;
    job->work(job);
}

static bool go_on(struct tg_kit_background *background)
{
    if (background->ended)
        tell(background);
    else if (background->first)
        work(background);
    return background->ended || background->first;
}

static void happen(struct tg_kit_event *event)
{
    struct tg_kit_background *background = TG_CONTAINER(event, struct tg_kit_background, event);
    if (go_on(background)) tg_kit_post(background->loop, event);
}

void tg_kit_background_init(struct tg_kit_background *background, struct tg_kit_loop *loop)
{
    static const struct tg_background_ops ops = {run};
    *background = (struct tg_kit_background){.core.ops = &ops, .loop = loop};
    tg_kit_event_init(&background->event, happen);
}

void tg_kit_background_finish(struct tg_kit_background *background)
{
    while (go_on(background)) {
    }
    tg_list_remove(&background->event.link);
}
