/* A consumer like others, of a generation that is in no worker's list: it never retires, and its registry has
 * nothing but it. What its pages send is answered as an action that nobody knows.
 *
 * Invariant: `problems` is the frame that was told last about files which do not load, as long as that is so;
 * whoever comes later is told it again. */
#include "core/dev.h"

#include "base/log.h"
#include "core/conn.h"
#include "core/generation.h"
#include "core/reload.h"
#include "core/script.h"
#include "core/worker.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdlib.h>

struct tg_dev {
    struct tg_worker *worker;
    struct tg_script script;
    struct tg_generation generation;
    struct tg_reload_listener listener;
    struct tg_buf problems; /* empty: there are none */
    uint64_t second;        /* of the clock; in which `failures` were told */
    uint32_t failures;
};

static struct tg_dev *dev_of(struct tg_script *script)
{
    return TG_CONTAINER(script, struct tg_dev, script);
}

/* ---- frames ---- */

static void begin(struct tg_buf *frame, const char *action)
{
    tg_buf_init(frame);
    tg_buf_printf(frame, "{\"action\":\"%s\",\"payload\":", action);
}

static void end(struct tg_dev *dev, struct tg_buf *frame)
{
    tg_buf_append_char(frame, '}');
    if (frame->has_failed) dev->worker->metrics.no_memory++;
}

/* Closing or full connections are passed over; sending frees none. */
static void send_to_all(struct tg_dev *dev, const struct tg_buf *frame)
{
    struct tg_list *conns = &dev->generation.conns;
    if (frame->has_failed) return;
    for (struct tg_list *node = conns->next; node != conns; node = node->next)
        tg_conn_send(TG_CONTAINER(node, struct tg_conn, generation_link), TG_OPCODE_TEXT, tg_buf_peek(frame));
}

static void write_status(struct tg_dev *dev, struct tg_buf *frame)
{
    const struct tg_generation *serving = dev->worker->generation;
    begin(frame, "status");
    tg_buf_printf(frame, "{\"generation\":%" PRIu32 "}", serving ? serving->number : 0);
    end(dev, frame);
}

static void send_status(struct tg_dev *dev)
{
    struct tg_buf frame;
    write_status(dev, &frame);
    send_to_all(dev, &frame);
    tg_buf_deinit(&frame);
}

/* ---- the script ---- */

static enum tg_outcome nothing(struct tg_script *script, struct tg_conn *conn)
{
    (void)script;
    (void)conn;
    return TG_DONE;
}

static enum tg_outcome on_connected(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_dev *dev = dev_of(script);
    struct tg_buf frame;
    write_status(dev, &frame);
    if (!frame.has_failed) tg_conn_send(conn, TG_OPCODE_TEXT, tg_buf_peek(&frame));
    tg_buf_deinit(&frame);
    if (dev->problems.length) tg_conn_send(conn, TG_OPCODE_TEXT, tg_buf_peek(&dev->problems));
    return TG_DONE;
}

static enum tg_outcome on_disconnected(struct tg_script *script, struct tg_conn *conn, uint16_t code,
                                       struct tg_slice reason)
{
    (void)code;
    (void)reason;
    return nothing(script, conn);
}

static void forget(struct tg_script *script, struct tg_conn *conn)
{
    nothing(script, conn);
}

/* It has no actions, no topics and no events, and is in no list of generations: nothing else is asked. */
static const struct tg_script_ops ops = {
    .authenticate = nothing,
    .groups = nothing,
    .connected = on_connected,
    .disconnected = on_disconnected,
    .cancel = forget,
    .forget = forget,
};

/* ---- life ---- */

static void told(struct tg_reload_listener *listener, const struct tg_reload_result *result)
{
    struct tg_dev *dev = TG_CONTAINER(listener, struct tg_dev, listener);
    switch (result->outcome) {
    case TG_RELOAD_OK:
        tg_dev_tell_reloaded(dev, result->number, result->took_ms, result->load->report);
        break;
    case TG_RELOAD_FAILED:
        if (result->load && result->load->problems) tg_dev_tell_problems(dev, result->load->problems);
        break;
    case TG_RELOAD_BACK:
        tg_dev_tell_mended(dev, result->number);
        break;
    default:
        break;
    }
}

static enum tg_status declare(struct tg_registry *registry)
{
    struct tg_consumer *consumer = tg_arena_calloc(&registry->arena, 1, sizeof *consumer);
    if (!consumer) return TG_E_NO_MEMORY;
    consumer->name = TG_SLICE("tidegate.dev");
    consumer->source = TG_SLICE("tidegate");
    consumer->entrance.requires_origin = true; /* a page of the same origin alone: it declares no other */
    consumer->entrance.requires_near = true; /* DNS rebinding: what it tells is the code of an application */
    enum tg_status status = tg_registry_add_consumer(registry, consumer);
    return status == TG_OK ? tg_registry_add_path(registry, consumer, TG_SLICE(TG_DEV_PATH), NULL) : status;
}

enum tg_status tg_dev_open(struct tg_worker *worker)
{
    struct tg_dev *dev = calloc(1, sizeof *dev);
    if (!dev) return TG_E_NO_MEMORY;
    dev->worker = worker;
    dev->script.ops = &ops;
    dev->listener.told = told;
    tg_list_init(&dev->listener.link);
    tg_buf_init(&dev->problems);
    tg_generation_init(&dev->generation, 0, &dev->script);
    tg_registry_init(&dev->generation.registry, worker->config->max_check_steps);
    worker->dev = dev;
    enum tg_status status = declare(&dev->generation.registry);
    if (status != TG_OK) tg_dev_close(worker);
    return status;
}

void tg_dev_close(struct tg_worker *worker)
{
    struct tg_dev *dev = worker->dev;
    if (!dev) return;
    worker->dev = NULL;
    tg_list_remove(&dev->listener.link);
    tg_registry_deinit(&dev->generation.registry);
    tg_buf_deinit(&dev->problems);
    free(dev);
}

void tg_dev_observe(struct tg_dev *dev, struct tg_reload *reload)
{
    if (dev) tg_reload_observe(reload, &dev->listener);
}

/* ---- who may come ---- */

static bool has_path(const struct tg_worker *worker, struct tg_slice path)
{
    return worker->dev && path.data && tg_slice_equal(path, TG_SLICE(TG_DEV_PATH));
}

struct tg_generation *tg_dev_serving(const struct tg_worker *worker, struct tg_slice path)
{
    return has_path(worker, path) ? &worker->dev->generation : worker->generation;
}

/* ---- what happens ---- */

void tg_dev_tell_reloaded(struct tg_dev *dev, uint32_t generation, uint64_t took_ms,
                          const struct tg_contract_report *report)
{
    struct tg_buf frame;
    if (!dev) return;
    tg_buf_truncate(&dev->problems, 0);
    begin(&frame, "reloaded");
    tg_buf_printf(&frame, "{\"generation\":%" PRIu32 ",\"took_ms\":%" PRIu64, generation, took_ms);
    if (report) {
        tg_buf_append_literal(&frame, ",\"report\":");
        tg_contract_write_json(report, &frame);
    }
    tg_buf_append_char(&frame, '}');
    end(dev, &frame);
    send_to_all(dev, &frame);
    tg_buf_deinit(&frame);
    send_status(dev);
}

void tg_dev_tell_mended(struct tg_dev *dev, uint32_t generation)
{
    struct tg_buf frame;
    if (!dev) return;
    tg_buf_truncate(&dev->problems, 0);
    begin(&frame, "mended");
    tg_buf_printf(&frame, "{\"generation\":%" PRIu32 "}", generation);
    end(dev, &frame);
    send_to_all(dev, &frame);
    tg_buf_deinit(&frame);
}

void tg_dev_tell_problems(struct tg_dev *dev, const struct tg_problems *problems)
{
    if (!dev) return;
    tg_buf_deinit(&dev->problems);
    begin(&dev->problems, "reload_failed");
    tg_buf_append_literal(&dev->problems, "{\"problems\":");
    tg_problems_write_json(problems, &dev->problems);
    tg_buf_append_char(&dev->problems, '}');
    end(dev, &dev->problems);
    send_to_all(dev, &dev->problems);
    if (dev->problems.has_failed) tg_buf_deinit(&dev->problems);
}

static bool is_one_too_many(struct tg_dev *dev)
{
    uint64_t second = tg_worker_now_ms(dev->worker) / 1000;
    if (second != dev->second) dev->failures = 0;
    dev->second = second;
    return dev->failures++ >= TG_DEV_FAILURES_MAX;
}

static void write_text(struct tg_buf *frame, const char *name, struct tg_slice text)
{
    if (!text.length) return;
    tg_buf_printf(frame, ",\"%s\":", name);
    tg_problem_write_string(frame, text);
}

void tg_dev_tell_failure(struct tg_dev *dev, const struct tg_dev_failure *failure)
{
    struct tg_buf frame;
    if (!dev || tg_list_is_empty(&dev->generation.conns) || is_one_too_many(dev)) return;
    begin(&frame, "handler_failed");
    tg_buf_printf(&frame, "{\"generation\":%" PRIu32, failure->generation);
    write_text(&frame, "consumer", failure->consumer);
    write_text(&frame, "handler", failure->action);
    write_text(&frame, "message", failure->message);
    write_text(&frame, "file", failure->file);
    if (failure->line) tg_buf_printf(&frame, ",\"line\":%" PRId64, failure->line);
    if (failure->source.length) {
        tg_buf_append_literal(&frame, ",\"source\":");
        tg_buf_append_slice(&frame, failure->source);
    }
    write_text(&frame, "traceback", failure->traceback);
    tg_buf_append_char(&frame, '}');
    end(dev, &frame);
    send_to_all(dev, &frame);
    tg_buf_deinit(&frame);
}
