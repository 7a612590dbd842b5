/* A run has ended when the child was waited for and both its outputs have ended. The child leads a session of
 * its own; when it ends its whole group is killed, so that what it left behind does not hold the outputs
 * open. What has left the group as well may do so until the time is over.
 *
 * Invariant: `pending` counts the handles that libuv holds; a process is freed when that is 0, which is also
 * when its user is told. */
#include "net/process.h"

#include "base/buf.h"
#include "base/list.h"
#include "net/keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { INPUT, OUTPUT, ERRORS, PIPES, READ_BYTES = 16 * 1024 };

struct tg_net_processes {
    struct tg_processes core;
    struct tg_worker *worker; /* borrowed, as the loop */
    uv_loop_t *uv;
    struct tg_list running;
    struct tg_keeper keeper;
};

/* One of a child's standard streams. */
struct child_pipe {
    uv_pipe_t handle;
    struct tg_buf bytes; /* what it said; of INPUT what it is to be told */
};

struct tg_process {
    struct tg_list link;
    struct tg_net_processes *owner;                                   /* NULL once that has been closed */
    void (*done)(void *user, const struct tg_process_result *result); /* NULL: nobody wants to know */
    void *user;
    uv_process_t child;
    uv_timer_t timer;
    uv_write_t write;
    struct child_pipe pipes[PIPES];
    uint64_t max_output_bytes;
    enum tg_process_end end;
    int64_t status;
    int signal;
    unsigned pending;
    bool is_running; /* not waited for */
    bool is_started;
};

/* ---- the end ---- */

static void tell(struct tg_process *process)
{
    struct tg_process_result result = {.end = process->end,
                                       .status = process->status,
                                       .signal = process->signal,
                                       .output = tg_buf_peek(&process->pipes[OUTPUT].bytes),
                                       .errors = tg_buf_peek(&process->pipes[ERRORS].bytes)};
    process->done(process->user, &result);
}

static void handle_closed(uv_handle_t *handle)
{
    struct tg_process *process = handle->data;
    if (--process->pending > 0) return;
    if (process->owner) {
        tg_list_remove(&process->link);
        if (process->is_started) process->owner->worker->metrics.processes--;
        if (process->done) tell(process);
    }
    for (int i = 0; i < PIPES; i++) tg_buf_deinit(&process->pipes[i].bytes);
    free(process);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) uv_close(handle, handle_closed);
}

static void close_pipes(struct tg_process *process)
{
    for (int i = 0; i < PIPES; i++) close_handle((uv_handle_t *)&process->pipes[i].handle);
}

/* The group's number is the child's as long as the child was not waited for, and then until the group is
 * empty. */
static void kill_group(struct tg_process *process)
{
    if (process->is_running) kill(-process->child.pid, SIGKILL);
}

static bool is_closed(const struct tg_process *process, int which)
{
    return uv_is_closing((const uv_handle_t *)&process->pipes[which].handle);
}

/* The timer goes last: it bounds the waiting for the ends of the outputs as well. */
static void finish_when_over(struct tg_process *process)
{
    if (process->is_running || !is_closed(process, OUTPUT) || !is_closed(process, ERRORS)) return;
    close_handle((uv_handle_t *)&process->timer);
}

/* Ends it before its time; the first reason counts. */
static void stop(struct tg_process *process, enum tg_process_end end)
{
    if (!process->is_running || process->end != TG_PROCESS_EXITED) return;
    process->end = end;
    process->owner->worker->metrics.processes_killed++;
    kill_group(process);
}

static void exited(uv_process_t *child, int64_t status, int signal)
{
    struct tg_process *process = child->data;
    kill(-child->pid, SIGKILL); /* what it left behind */
    tg_keeper_remove(&process->owner->keeper, child->pid);
    process->is_running = false;
    process->status = status;
    process->signal = signal;
    close_handle((uv_handle_t *)child);
    close_handle((uv_handle_t *)&process->pipes[INPUT].handle);
    if (process->end != TG_PROCESS_EXITED || !process->done) close_pipes(process);
    finish_when_over(process);
}

static void time_is_over(uv_timer_t *timer)
{
    struct tg_process *process = timer->data;
    if (process->is_running) {
        stop(process, TG_PROCESS_TIMEOUT);
        return;
    }
    process->end = TG_PROCESS_TIMEOUT;
    close_pipes(process);
    finish_when_over(process);
}

/* ---- what it is told, and says ---- */

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct tg_process *process = handle->data;
    int which = handle == (uv_handle_t *)&process->pipes[OUTPUT].handle ? OUTPUT : ERRORS;
    char *room = tg_buf_reserve(&process->pipes[which].bytes, READ_BYTES);
    *buffer = uv_buf_init(room, room ? READ_BYTES : 0);
}

static void said(uv_stream_t *pipe, ssize_t length, const uv_buf_t *buffer)
{
    (void)buffer;
    struct tg_process *process = pipe->data;
    struct child_pipe *ours = TG_CONTAINER(pipe, struct child_pipe, handle);
    if (length < 0) {
        if (length == UV_ENOBUFS) stop(process, TG_PROCESS_NO_MEMORY);
        close_handle((uv_handle_t *)pipe);
        finish_when_over(process);
        return;
    }
    ours->bytes.length += (size_t)length;
    if (ours->bytes.length <= process->max_output_bytes) return;
    if (process->is_running)
        stop(process, TG_PROCESS_TOO_MUCH);
    else
        process->end = TG_PROCESS_TOO_MUCH;
    close_handle((uv_handle_t *)pipe);
    finish_when_over(process);
}

/* A child that does not read to the end is no failure of ours. */
static void told(uv_write_t *request, int failure)
{
    (void)failure;
    struct tg_process *process = request->data;
    close_handle((uv_handle_t *)&process->pipes[INPUT].handle);
}

static void tell_input(struct tg_process *process)
{
    struct child_pipe *input = &process->pipes[INPUT];
    uv_buf_t bytes = uv_buf_init(input->bytes.data, (unsigned)input->bytes.length);
    process->write.data = process;
    if (input->bytes.length == 0 ||
        uv_write(&process->write, (uv_stream_t *)&input->handle, &bytes, 1, told) != 0)
        close_handle((uv_handle_t *)&input->handle);
}

/* ---- the beginning ---- */

/* A script's io.open, or a library, may have opened what a child has no business with. */
static void keep_descriptors(void)
{
    if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0) return;
    for (int fd = STDERR_FILENO + 1, most = (int)sysconf(_SC_OPEN_MAX); fd < most; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int spawn(struct tg_process *process, const struct tg_process_request *request)
{
    uv_stdio_container_t streams[PIPES];
    for (int i = 0; i < PIPES; i++) {
        streams[i].flags = UV_CREATE_PIPE | (i == INPUT ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
        streams[i].data.stream = (uv_stream_t *)&process->pipes[i].handle;
    }
    if (!request->has_input) streams[INPUT].flags = UV_IGNORE;
    for (int i = OUTPUT; i < PIPES && request->shows; i++) {
        streams[i].flags = UV_INHERIT_FD;
        streams[i].data.fd = i;
    }
    const uv_process_options_t options = {.exit_cb = exited,
                                          .file = request->arguments[0],
                                          .args = request->arguments,
                                          .env = request->environment,
                                          .cwd = request->folder,
                                          .flags = UV_PROCESS_DETACHED,
                                          .stdio_count = PIPES,
                                          .stdio = streams};
    return uv_spawn(process->owner->uv, &process->child, &options);
}

static struct tg_process *new_process(struct tg_net_processes *processes)
{
    struct tg_process *process = calloc(1, sizeof *process);
    if (!process) return NULL;
    process->owner = processes;
    uv_timer_init(processes->uv, &process->timer);
    for (int i = 0; i < PIPES; i++) {
        uv_pipe_init(processes->uv, &process->pipes[i].handle, 0);
        process->pipes[i].handle.data = process;
        tg_buf_init(&process->pipes[i].bytes);
    }
    process->timer.data = process->child.data = process;
    process->pending = 1 + PIPES;
    tg_list_append(&processes->running, &process->link);
    return process;
}

/* Nothing runs: its handles are closed, and nobody is told. */
static void abandon(struct tg_process *process)
{
    process->done = NULL;
    close_pipes(process);
    close_handle((uv_handle_t *)&process->timer);
}

static void run(struct tg_process *process, const struct tg_process_request *request)
{
    struct tg_metrics *metrics = &process->owner->worker->metrics;
    metrics->processes++;
    metrics->processes_started++;
    process->is_started = process->is_running = true;
    tg_keeper_add(&process->owner->keeper, process->child.pid);
    process->max_output_bytes = request->max_output_bytes;
    /* The loop's time is that of the start of the turn, which may be long ago. */
    uint64_t late_ms = uv_hrtime() / 1000000 - uv_now(process->owner->uv);
    uv_timer_start(&process->timer, time_is_over, late_ms + request->timeout_ms, 0);
    for (int i = OUTPUT; i < PIPES; i++) {
        if (request->shows)
            close_handle((uv_handle_t *)&process->pipes[i].handle);
        else
            uv_read_start((uv_stream_t *)&process->pipes[i].handle, make_room, said);
    }
    if (request->has_input)
        tell_input(process);
    else
        close_handle((uv_handle_t *)&process->pipes[INPUT].handle);
}

static enum tg_status start(struct tg_processes *core, const struct tg_process_request *request,
                            void (*done)(void *user, const struct tg_process_result *result), void *user,
                            struct tg_process **out, struct tg_error *error)
{
    struct tg_net_processes *processes = TG_CONTAINER(core, struct tg_net_processes, core);
    struct tg_metrics *metrics = &processes->worker->metrics;
    if (metrics->processes >= processes->worker->config->process_max_concurrent) {
        metrics->processes_refused++;
        return tg_error_set(error, TG_E_FULL, "too many processes");
    }
    keep_descriptors();
    if (tg_keeper_begin(&processes->keeper, error) != TG_OK) return error->status;
    struct tg_process *process = new_process(processes);
    if (!process) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    tg_buf_append_slice(&process->pipes[INPUT].bytes, request->input);
    int failure = process->pipes[INPUT].bytes.has_failed ? UV_ENOMEM : spawn(process, request);
    /* Also a child that could not be started is a handle by now, unless it was not even tried. */
    if (process->child.loop) process->pending++;
    if (failure) {
        if (process->child.loop) close_handle((uv_handle_t *)&process->child);
        abandon(process);
        return tg_error_set(error, failure == UV_ENOMEM ? TG_E_NO_MEMORY : TG_E_IO, "%.200s: %s",
                            request->arguments[0], uv_strerror(failure));
    }
    process->done = done;
    process->user = user;
    run(process, request);
    *out = process;
    return TG_OK;
}

static void cancel(struct tg_processes *core, struct tg_process *process)
{
    (void)core;
    process->done = NULL;
    if (!process->is_running) {
        close_pipes(process);
        finish_when_over(process);
        return;
    }
    if (process->end == TG_PROCESS_EXITED) process->owner->worker->metrics.processes_killed++;
    kill_group(process);
}

/* ---- life ---- */

enum tg_status tg_net_processes_open(struct tg_net_processes **out, struct tg_net_loop *loop,
                                     struct tg_worker *worker)
{
    static const struct tg_processes_ops ops = {start, cancel};
    struct tg_net_processes *processes = calloc(1, sizeof *processes);
    if (!processes) return TG_E_NO_MEMORY;
    processes->core.ops = &ops;
    processes->worker = worker;
    processes->uv = tg_net_loop_uv(loop);
    tg_list_init(&processes->running);
    tg_keeper_init(&processes->keeper);
    *out = processes;
    return TG_OK;
}

void tg_net_processes_kill(struct tg_net_processes *processes)
{
    for (struct tg_list *node = processes->running.next; node != &processes->running; node = node->next)
        kill_group(TG_CONTAINER(node, struct tg_process, link));
}

/* The loop runs until the handles are closed; a child is waited for by whoever adopts it. */
void tg_net_processes_close(struct tg_net_processes *processes)
{
    tg_net_processes_kill(processes);
    for (struct tg_list *node; (node = tg_list_take_first(&processes->running));) {
        struct tg_process *process = TG_CONTAINER(node, struct tg_process, link);
        process->owner = NULL;
        process->is_running = false;
        abandon(process);
        close_handle((uv_handle_t *)&process->child);
    }
    tg_keeper_end(&processes->keeper);
    free(processes);
}

struct tg_processes *tg_net_processes_core(struct tg_net_processes *processes)
{
    return &processes->core;
}
