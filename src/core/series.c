/* A family is written whole, all its series behind one head, as the format asks; so the handlers are walked
 * once for each family. Nobody but a scrape pays for that. */
#include "core/series.h"

#include "core/worker.h"

#include <inttypes.h>

enum family {
#define FAMILY(name, kind, help) FAMILY_##name,
    TG_SERIES(FAMILY)
#undef FAMILY
};

#define SUFFIX_counter "_total"
#define SUFFIX_histogram ""

static const struct {
    const char *name, *head;
} families[] = {
#define FAMILY(name, kind, help)                                                                             \
    {"tidegate_" #name SUFFIX_##kind, "# HELP tidegate_" #name SUFFIX_##kind                                 \
     " " help "\n# TYPE tidegate_" #name SUFFIX_##kind " " #kind "\n"},
    TG_SERIES(FAMILY)
#undef FAMILY
};

/* ---- labels ---- */

/* `name="value"` with what the format escapes. */
static void write_label(struct tg_buf *out, const char *name, struct tg_slice value)
{
    tg_buf_printf(out, "%s=\"", name);
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        if (c == '\\' || c == '"') tg_buf_append_char(out, '\\');
        if (c == '\n')
            tg_buf_append_literal(out, "\\n");
        else
            tg_buf_append_char(out, c);
    }
    tg_buf_append_char(out, '"');
}

/* Counters are those of one load of the code. */
static void write_generation(uint32_t generation, struct tg_buf *labels)
{
    tg_buf_printf(labels, ",generation=\"%" PRIu32 "\"", generation);
}

/* The labels of a handler, into an empty buf. */
static void write_labels(const struct tg_handler *handler, uint32_t generation, struct tg_buf *labels)
{
    tg_buf_truncate(labels, 0);
    write_label(labels, handler->is_topic ? "topic" : "consumer", handler->consumer);
    tg_buf_append_char(labels, ',');
    const char *kind = handler->is_hook ? "hook" : handler->is_event ? "event" : "action";
    write_label(labels, kind, handler->name);
    write_generation(generation, labels);
}

/* ---- handlers ---- */

struct writing {
    enum family family;
    uint32_t generation;
    struct tg_buf labels; /* owned */
    struct tg_buf *out;
};

static void write_count(struct writing *writing, uint64_t count)
{
    tg_buf_printf(writing->out, "%s{", families[writing->family].name);
    tg_buf_append_slice(writing->out, tg_buf_peek(&writing->labels));
    tg_buf_printf(writing->out, "} %" PRIu64 "\n", count);
}

static bool is_counted(const struct writing *writing, const struct tg_handler *handler)
{
    if (writing->family == FAMILY_action_messages) return !handler->is_hook && !handler->is_event;
    if (writing->family == FAMILY_events) return handler->is_event;
    return !handler->is_hook || tg_times_count(&handler->wall) > 0;
}

static void write_handler(struct writing *writing, const struct tg_handler *handler)
{
    struct tg_buf *out = writing->out;
    if (!is_counted(writing, handler)) return;
    write_labels(handler, writing->generation, &writing->labels);
    if (writing->labels.has_failed) out->has_failed = true;
    struct tg_slice labels = tg_buf_peek(&writing->labels);
    if (writing->family == FAMILY_action_messages || writing->family == FAMILY_events)
        write_count(writing, handler->messages);
    else
        tg_times_write(writing->family == FAMILY_handler_seconds ? &handler->wall : &handler->held,
                       families[writing->family].name, labels, out);
}

static void write_invalid(struct writing *writing, const struct tg_consumer *consumer)
{
    tg_buf_truncate(&writing->labels, 0);
    write_label(&writing->labels, consumer->is_topic ? "topic" : "consumer", consumer->name);
    write_generation(writing->generation, &writing->labels);
    if (writing->labels.has_failed) writing->out->has_failed = true;
    write_count(writing, consumer->counters->messages_invalid);
}

static void write_consumer(struct writing *writing, const struct tg_consumer *consumer)
{
    if (writing->family == FAMILY_consumer_messages_invalid) {
        write_invalid(writing, consumer);
        return;
    }
    for (uint32_t i = 0; i < consumer->action_count; i++)
        write_handler(writing, consumer->ordered_actions[i]->handler);
    for (uint32_t i = 0; i < consumer->event_count; i++)
        write_handler(writing, consumer->ordered_events[i]->handler);
    for (int i = 0; i < TG_HOOKS; i++) write_handler(writing, &consumer->counters->hooks[i]);
}

static void write_registry(struct writing *writing, const struct tg_registry *registry)
{
    for (uint32_t i = 0; i < registry->consumer_count; i++) write_consumer(writing, registry->consumers[i]);
    for (uint32_t i = 0; i < registry->topic_count; i++)
        write_consumer(writing, &registry->topics[i]->stream);
}

static void write_handlers(const struct tg_worker *worker, enum family family, struct tg_buf *out)
{
    struct writing writing = {.family = family, .out = out};
    tg_buf_init(&writing.labels);
    tg_buf_append_slice(out, tg_slice_of(families[family].head));
    for (const struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g)) {
        writing.generation = g->number;
        write_registry(&writing, &g->registry);
    }
    tg_buf_deinit(&writing.labels);
}

/* ---- the rest ---- */

/* Some types share a name: the first of them stands for all. */
static bool is_named_before(int type)
{
    struct tg_slice name = tg_slice_of(tg_issue_name(type));
    for (int i = 0; i < type; i++)
        if (tg_slice_equal(tg_slice_of(tg_issue_name(i)), name)) return true;
    return false;
}

static void write_issues(const uint64_t *counts, struct tg_buf *out)
{
    tg_buf_append_slice(out, tg_slice_of(families[FAMILY_issues].head));
    for (int type = 0; type < TG_ISSUE_TYPES; type++) {
        if (is_named_before(type)) continue;
        uint64_t count = 0;
        for (int i = type; i < TG_ISSUE_TYPES; i++)
            if (tg_slice_equal(tg_slice_of(tg_issue_name(i)), tg_slice_of(tg_issue_name(type))))
                count += counts[i];
        tg_buf_printf(out, "%s{type=\"%s\"} %" PRIu64 "\n", families[FAMILY_issues].name, tg_issue_name(type),
                      count);
    }
}

static void write_times(enum family family, const struct tg_times *times, struct tg_buf *out)
{
    tg_buf_append_slice(out, tg_slice_of(families[family].head));
    tg_times_write(times, families[family].name, (struct tg_slice){0}, out);
}

void tg_series_write(const struct tg_worker *worker, struct tg_buf *out)
{
    write_handlers(worker, FAMILY_action_messages, out);
    write_handlers(worker, FAMILY_events, out);
    write_handlers(worker, FAMILY_consumer_messages_invalid, out);
    write_issues(worker->issue_counts, out);
    write_handlers(worker, FAMILY_handler_seconds, out);
    write_handlers(worker, FAMILY_handler_cpu_seconds, out);
    write_times(FAMILY_loop_turn_seconds, &worker->turns.times, out);
    write_times(FAMILY_gc_step_seconds, &worker->gc_steps, out);
    write_times(FAMILY_reload_seconds, &worker->reloads, out);
}
