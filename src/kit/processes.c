/* A process is one block that it frees itself when it has been told or cancelled. What a stub says is kept in
 * it until its time has come; its limits are those of real ones. */
#include "kit/processes.h"

#include "base/log.h"
#include "kit/app.h"
#include "kit/stub.h"

#include <lauxlib.h>
#include <stdlib.h>

struct process {
    struct tg_kit_processes *owner;
    const struct tg_process_request *request; /* borrowed while it starts */
    void (*done)(void *user, const struct tg_process_result *result);
    void *user;
    struct tg_timer timer;
    struct tg_kit_event event; /* of one that ends at once */
    struct tg_process_result result;
    struct tg_buf output, errors, failure;
    uint64_t delay_ms;
};

static void push_texts(lua_State *L, char *const *texts)
{
    lua_newtable(L);
    for (lua_Integer i = 0; texts[i]; i++) {
        lua_pushstring(L, texts[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* { "program", "argument", ..., stdin =, cwd =, env = { "NAME=VALUE", ... } } */
static void push_request(lua_State *L, void *context)
{
    const struct tg_process_request *request = ((struct process *)context)->request;
    push_texts(L, request->arguments);
    if (request->has_input) {
        lua_pushlstring(L, request->input.data, request->input.length);
        lua_setfield(L, -2, "stdin");
    }
    if (request->environment) {
        push_texts(L, request->environment);
        lua_setfield(L, -2, "env");
    }
    if (!request->folder) return;
    lua_pushstring(L, request->folder);
    lua_setfield(L, -2, "cwd");
}

static void read_text(lua_State *L, const char *name, struct tg_buf *into)
{
    struct tg_slice text;
    lua_getfield(L, -1, name);
    text.data = luaL_optlstring(L, -1, "", &text.length);
    tg_buf_append_slice(into, text);
    lua_pop(L, 1);
}

static lua_Integer read_integer(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    lua_Integer number = luaL_optinteger(L, -1, 0);
    lua_pop(L, 1);
    return number;
}

/* { status =, signal =, stdout =, stderr =, delay =, error = } */
static void read_answer(lua_State *L, void *context)
{
    struct process *process = context;
    process->delay_ms = tg_kit_stub_delay_ms(L);
    process->result.status = read_integer(L, "status");
    process->result.signal = (int)read_integer(L, "signal");
    read_text(L, "stdout", &process->output);
    read_text(L, "stderr", &process->errors);
    read_text(L, "error", &process->failure);
}

static void forget(struct process *process)
{
    struct tg_worker *worker = &process->owner->app->worker;
    tg_wheel_disarm(&worker->wheel, &process->timer);
    tg_list_remove(&process->event.link);
    tg_buf_deinit(&process->output);
    tg_buf_deinit(&process->errors);
    tg_buf_deinit(&process->failure);
    worker->metrics.processes--;
    free(process);
}

static void tell(struct process *process)
{
    process->result.output = tg_buf_peek(&process->output);
    process->result.errors = tg_buf_peek(&process->errors);
    process->done(process->user, &process->result);
    forget(process);
}

static void time_has_come(struct tg_timer *timer)
{
    tell(TG_CONTAINER(timer, struct process, timer));
}

static void happen(struct tg_kit_event *event)
{
    tell(TG_CONTAINER(event, struct process, event));
}

/* One that would go on for longer, or say more, is killed as a real one is. */
static void apply_limits(struct process *process, const struct tg_process_request *request)
{
    if (process->output.length > request->max_output_bytes ||
        process->errors.length > request->max_output_bytes)
        process->result.end = TG_PROCESS_TOO_MUCH;
    if (process->delay_ms <= request->timeout_ms) return;
    process->delay_ms = request->timeout_ms;
    process->result.end = TG_PROCESS_TIMEOUT;
}

static enum tg_status ask(struct process *process, struct tg_error *error)
{
    struct tg_buf command;
    tg_buf_init(&command);
    for (char **argument = process->request->arguments; *argument; argument++)
        tg_buf_printf(&command, "%s%s", argument == process->request->arguments ? "" : " ", *argument);
    tg_buf_append_char(&command, '\0');
    enum tg_status status = TG_E_NO_MEMORY;
    if (!command.has_failed) {
        const struct tg_slice subject = {command.data, command.length - 1};
        const struct tg_kit_question question = {"process", subject, push_request, read_answer, process};
        status = tg_kit_stub_ask(process->owner->app, &question, error);
        if (status == TG_E_NOT_FOUND)
            tg_error_set(error, status, "nothing runs \"%s\" in a spec: app:stub_process(pattern, result)",
                         command.data);
    }
    tg_buf_deinit(&command);
    if (status == TG_OK && process->failure.length > 0)
        return tg_error_set(error, TG_E_IO, "%.*s", TG_SLICE_ARG(tg_buf_peek(&process->failure)));
    if (status != TG_OK && status != TG_E_NO_MEMORY)
        tg_log(TG_LOG_ERROR, "stub_failed", TG_LOG_S("error", error->text));
    return status;
}

static enum tg_status start(struct tg_processes *core, const struct tg_process_request *request,
                            void (*done)(void *user, const struct tg_process_result *result), void *user,
                            struct tg_process **process, struct tg_error *error)
{
    struct tg_kit_processes *processes = (struct tg_kit_processes *)core;
    struct tg_worker *worker = &processes->app->worker;
    if (worker->metrics.processes >= worker->config->process_max_concurrent) {
        worker->metrics.processes_refused++;
        return tg_error_set(error, TG_E_FULL, "too many processes");
    }
    struct process *made = calloc(1, sizeof *made);
    if (!made) return TG_E_NO_MEMORY;
    *made = (struct process){.owner = processes, .request = request, .done = done, .user = user};
    tg_timer_init(&made->timer, time_has_come);
    tg_kit_event_init(&made->event, happen);
    worker->metrics.processes++;
    enum tg_status status = ask(made, error);
    if (status != TG_OK) {
        forget(made);
        return status == TG_E_NO_MEMORY ? status : TG_E_IO;
    }
    worker->metrics.processes_started++;
    apply_limits(made, request);
    if (made->delay_ms > 0)
        tg_worker_arm(worker, &made->timer, tg_worker_now_ms(worker) + made->delay_ms);
    else
        tg_kit_post(&processes->app->loop, &made->event);
    *process = (struct tg_process *)made;
    return TG_OK;
}

static void cancel(struct tg_processes *processes, struct tg_process *process)
{
    (void)processes;
    forget((struct process *)process);
}

void tg_kit_processes_init(struct tg_kit_processes *processes, struct tg_kit_app *app)
{
    static const struct tg_processes_ops ops = {start, cancel};
    *processes = (struct tg_kit_processes){.core.ops = &ops, .app = app};
}

/* ---- TCP ---- */

static enum tg_status open_stream(struct tg_streams *streams, const struct tg_stream_target *target,
                                  const struct tg_stream_events *events, void *user,
                                  struct tg_stream **stream, struct tg_error *error)
{
    (void)streams;
    (void)events;
    (void)user;
    (void)stream;
    return tg_error_set(
        error, TG_E_INVALID,
        "there is no network in a spec: put what talks to %s:%d into a module of its own, and "
        "replace that in the spec (app:require)",
        target->host, (int)target->port);
}

void tg_kit_streams_init(struct tg_kit_streams *streams)
{
    static const struct tg_streams_ops ops = {open_stream};
    streams->core.ops = &ops;
}
