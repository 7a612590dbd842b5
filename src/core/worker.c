/* Invariants: a slot is NULL or holds the connection whose id ends in its index; `conns` holds exactly
 * the connections in slots; a connection is in `dirty` iff it has something to flush or to end,
 * and in `eventful` if an event of its inbox may begin (conn_order.c). */
#include "core/worker.h"

#include "base/log.h"
#include "core/exchange.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64, KEEP_ARENA_BYTES = 256 * 1024, FLUSH_ROUNDS = 64 };

/* So many events are begun, for so long, before the loop looks after everything else again. */
enum { EVENTS_PER_TURN = 256, EVENTS_MS = 10 };

static void drain_is_over(struct tg_timer *timer);

enum tg_status tg_worker_init(struct tg_worker *worker, const struct tg_config *config,
                              struct tg_clock *clock, struct tg_loop *loop, uint32_t max_connections)
{
    *worker = (struct tg_worker){.config = config, .clock = clock, .loop = loop, .alarm_ms = TG_NEVER};
    worker->began_ms = tg_clock_monotonic_ms(clock);
    const uint32_t most = (1u << TG_SLOT_BITS) - 1;
    worker->max_connections = max_connections < most ? max_connections : most;
    tg_wheel_init(&worker->wheel, tg_clock_monotonic_ms(clock));
    tg_list_init(&worker->generations);
    tg_moves_init(&worker->moves);
    tg_keeps_init(&worker->keeps);
    tg_list_init(&worker->conns);
    tg_list_init(&worker->dirty);
    tg_list_init(&worker->eventful);
    tg_list_init(&worker->exchanges);
    tg_segment_pool_init(&worker->segments);
    tg_groups_init(&worker->groups);
    tg_users_init(&worker->users);
    tg_attempts_init(&worker->attempts, config->login_attempts, (uint32_t)config->login_addresses);
    tg_subscriptions_init(&worker->subscriptions);
    tg_layer_memory_init(&worker->layer_memory, worker);
    worker->layer = &worker->layer_memory.layer;
    tg_arena_init(&worker->arena, KEEP_ARENA_BYTES);
    tg_buf_init(&worker->issues);
    worker->turns.tasks = (struct tg_handler){.name = TG_SLICE("task"), .is_hook = true};
    worker->turns.number = 1;
    tg_timer_init(&worker->drain_timer, drain_is_over);
    /* Serials start at the wall clock, so that ids of an earlier run of the program never match. */
    worker->next_serial = tg_clock_wall_ms(clock) & ((1ull << (64 - TG_SLOT_BITS)) - 1);
    return TG_OK;
}

void tg_worker_deinit(struct tg_worker *worker)
{
    tg_wheel_disarm(&worker->wheel, &worker->drain_timer);
    tg_moves_deinit(worker);
    tg_keeps_deinit(&worker->keeps);
    tg_completions_deinit(&worker->completions);
    tg_groups_deinit(&worker->groups);
    tg_users_deinit(&worker->users);
    tg_attempts_deinit(&worker->attempts);
    tg_subscriptions_deinit(&worker->subscriptions);
    tg_segment_pool_deinit(&worker->segments);
    tg_arena_deinit(&worker->arena);
    tg_buf_deinit(&worker->issues);
    free(worker->slots);
    free(worker->free_slots);
    worker->slots = NULL; /* handles that Lua still holds find nothing */
    worker->free_slots = NULL;
    worker->slot_count = worker->free_count = 0;
}

/* ---- connections ---- */

bool tg_worker_has_room(const struct tg_worker *worker)
{
    return worker->metrics.connections < worker->max_connections;
}

static enum tg_status grow_slots(struct tg_worker *worker)
{
    uint32_t count = worker->slot_count ? worker->slot_count * 2 : FIRST_SLOTS;
    struct tg_conn **slots = realloc(worker->slots, count * sizeof(struct tg_conn *));
    if (!slots) return TG_E_NO_MEMORY;
    worker->slots = slots;
    uint32_t *free_slots = realloc(worker->free_slots, count * sizeof *free_slots);
    if (!free_slots) return TG_E_NO_MEMORY;
    worker->free_slots = free_slots;
    /* Highest first, so that the lowest is on top of the stack. */
    for (uint32_t i = count; i-- > worker->slot_count;) {
        slots[i] = NULL;
        free_slots[worker->free_count++] = i;
    }
    worker->slot_count = count;
    return TG_OK;
}

/* Never 0, which stands for nobody. */
static uint64_t next_id(struct tg_worker *worker, uint32_t slot)
{
    uint64_t id = worker->next_serial++ << TG_SLOT_BITS | slot;
    return id ? id : next_id(worker, slot);
}

enum tg_status tg_worker_add(struct tg_worker *worker, struct tg_conn *conn)
{
    if (!tg_worker_has_room(worker)) return TG_E_FULL;
    if (worker->free_count == 0 && grow_slots(worker) != TG_OK) return TG_E_NO_MEMORY;
    uint32_t slot = worker->free_slots[--worker->free_count];
    conn->id = next_id(worker, slot);
    worker->slots[slot] = conn;
    tg_list_append(&worker->conns, &conn->link);
    worker->metrics.connections++;
    worker->metrics.connections_opened++;
    return TG_OK;
}

void tg_worker_note_attempt(struct tg_worker *worker, struct tg_slice peer)
{
    if (tg_attempts_note(&worker->attempts, peer, tg_worker_now_ms(worker)) != TG_OK)
        worker->metrics.no_memory++;
    worker->metrics.login_addresses_forgotten = worker->attempts.forgotten;
}

uint32_t tg_worker_refuse_attempt(struct tg_worker *worker, struct tg_slice peer)
{
    uint32_t seconds = tg_attempts_wait_seconds(&worker->attempts, peer, tg_worker_now_ms(worker));
    worker->metrics.login_attempts_refused += seconds > 0;
    return seconds;
}

static bool has_clients(const struct tg_worker *worker)
{
    return !tg_list_is_empty(&worker->conns) || !tg_list_is_empty(&worker->exchanges);
}

static void stop_if_done(struct tg_worker *worker)
{
    if (worker->is_over || !worker->is_draining) return;
    if (!tg_generations_are_stopping(worker) && !has_clients(worker)) worker->loop->ops->stop(worker->loop);
}

void tg_worker_exchange_closed(struct tg_worker *worker)
{
    stop_if_done(worker);
}

void tg_worker_remove(struct tg_worker *worker, struct tg_conn *conn)
{
    uint32_t slot = (uint32_t)(conn->id & ((1u << TG_SLOT_BITS) - 1));
    worker->slots[slot] = NULL;
    worker->free_slots[worker->free_count++] = slot;
    tg_list_remove(&conn->link);
    tg_generation_lose(conn);
    tg_list_remove(&conn->dirty_link);
    tg_list_remove(&conn->event_link);
    tg_wheel_disarm(&worker->wheel, &conn->timer);
    worker->metrics.connections--;
    stop_if_done(worker);
}

void tg_worker_mark_dirty(struct tg_worker *worker, struct tg_conn *conn)
{
    if (!tg_list_is_linked(&conn->dirty_link)) tg_list_append(&worker->dirty, &conn->dirty_link);
}

/* ---- time ---- */

static void set_alarm(struct tg_worker *worker, uint64_t deadline_ms)
{
    if (deadline_ms == worker->alarm_ms) return;
    worker->alarm_ms = deadline_ms;
    worker->loop->ops->set_alarm(worker->loop, deadline_ms);
}

void tg_worker_arm(struct tg_worker *worker, struct tg_timer *timer, uint64_t deadline_ms)
{
    tg_wheel_arm(&worker->wheel, timer, deadline_ms);
    if (deadline_ms < worker->alarm_ms) set_alarm(worker, tg_wheel_next_ms(&worker->wheel));
}

void tg_worker_alarm(struct tg_worker *worker)
{
    worker->alarm_ms = TG_NEVER;
    tg_wheel_advance(&worker->wheel, tg_worker_now_ms(worker));
    set_alarm(worker, tg_wheel_next_ms(&worker->wheel));
}

/* One of each connection, then the next of each. */
static void begin_events(struct tg_worker *worker)
{
    if (tg_list_is_empty(&worker->eventful)) return;
    uint64_t end_ms = tg_worker_now_ms(worker) + EVENTS_MS;
    for (int i = 0; i < EVENTS_PER_TURN && !tg_list_is_empty(&worker->eventful); i++) {
        tg_conn_begin_event(TG_CONTAINER(tg_list_take_first(&worker->eventful), struct tg_conn, event_link));
        if (tg_worker_now_ms(worker) >= end_ms) return;
    }
}

/* A <close> variable of a task that ended with its connection may have woken another; a hook that ran since
 * the events were begun may have sent one. */
static void ask_for_more(struct tg_worker *worker)
{
    if (tg_generations_have_more(worker) || !tg_list_is_empty(&worker->eventful))
        worker->loop->ops->request_turn(worker->loop);
}

/* The connection behind the next one, and the transport of the next, which has been fetched already. */
static void prefetch_behind(const struct tg_list *batch)
{
    const struct tg_list *next = batch->next;
    if (next == batch) return;
    __builtin_prefetch(TG_CONTAINER(next, struct tg_conn, dirty_link)->transport);
    tg_conn_prefetch(TG_CONTAINER(next->next, struct tg_conn, dirty_link));
}

void tg_worker_flush(struct tg_worker *worker)
{
    tg_generations_turn(worker);
    begin_events(worker);
    tg_arena_reset(&worker->arena); /* hooks that run outside a message may have used it */
    /* A flush can make others dirty: a close runs `disconnected`, which may send. */
    for (int round = 0; !tg_list_is_empty(&worker->dirty); round++) {
        if (round == FLUSH_ROUNDS) {
            worker->loop->ops->request_turn(worker->loop);
            return;
        }
        struct tg_list batch;
        tg_list_init(&batch);
        tg_list_move_all(&batch, &worker->dirty);
        for (struct tg_list *node; (node = tg_list_take_first(&batch));) {
            prefetch_behind(&batch);
            tg_conn_flush(TG_CONTAINER(node, struct tg_conn, dirty_link));
        }
    }
    ask_for_more(worker);
}

void tg_worker_end_turn(struct tg_worker *worker, uint64_t ns)
{
    tg_turn_end(&worker->turns, ns, worker->config->stall_ms);
    worker->metrics.loop_stalls = worker->turns.stalls;
}

/* ---- the end ---- */

/* Whoever is left is dropped. Where the transport ends a connection only later, the loop does not wait for
 * it. */
static void drain_is_over(struct tg_timer *timer)
{
    struct tg_worker *worker = TG_CONTAINER(timer, struct tg_worker, drain_timer);
    worker->is_over = true;
    tg_log(TG_LOG_WARNING, "drain_over", TG_LOG_I("dropped", worker->metrics.connections));
    for (uint32_t slot = 0; slot < worker->slot_count; slot++) {
        struct tg_conn *conn = worker->slots[slot];
        if (conn) tg_conn_drop(conn);
    }
    tg_exchange_cancel_all(worker, NULL);
    worker->loop->ops->stop(worker->loop);
}

void tg_worker_script_stopped(struct tg_worker *worker)
{
    stop_if_done(worker);
}

void tg_worker_drain(struct tg_worker *worker)
{
    if (worker->is_draining) return;
    worker->is_draining = true;
    tg_generations_stop(worker);
    stop_if_done(worker);
    if (!tg_generations_are_stopping(worker) && !has_clients(worker)) return;
    for (struct tg_list *node = worker->conns.next; node != &worker->conns; node = node->next)
        tg_conn_drain(TG_CONTAINER(node, struct tg_conn, link));
    uint64_t deadline_ms = tg_worker_now_ms(worker) + worker->config->drain_seconds * 1000ull;
    tg_worker_arm(worker, &worker->drain_timer, deadline_ms);
    worker->loop->ops->request_turn(worker->loop);
}
