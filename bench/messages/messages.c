/* What the parts of handling one message cost, in nanoseconds of CPU time: to check it, to refuse a bad one,
 * to make its table, to write it. Prints "SIZE CASE NANOSECONDS" lines for bench/messages/run.
 *
 *     messages FOLDER ROUNDS
 *
 * FOLDER has the application (consumers/) and small.json, large.json. Each figure is the fastest of the
 * rounds: what disturbs a round only makes it slower.
 */
#include "core/config.h"
#include "core/dispatch.h"
#include "script/call.h"
#include "script/host.h"
#include "script/message_type.h"
#include "script/to_lua.h"
#include "wire/json.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
    struct tg_host *host;
    const char *folder;
    int rounds;
    const char *size;
    char *good, *bad; /* texts of the message */
    const struct tg_action *action;
    struct tg_arena arena;
    struct tg_buf out;
    struct tg_value message;
    struct tg_envelope envelope;
    struct tg_issues issues;
    int count; /* calls of a round */
    int keys;  /* stack indices of what Lua needs */
    int refs;
    int instance;
    int handler; /* reference of a function that answers with what it gets */
};

static void die(const char *what)
{
    fprintf(stderr, "messages: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- what is measured ---- */

static enum tg_status read_message(struct bench *bench, const char *text)
{
    tg_arena_reset(&bench->arena);
    tg_buf_truncate(&bench->out, 0);
    tg_issues_init(&bench->issues, &bench->out, 50);
    if (tg_json_parse(tg_slice_of(text), 64, &bench->arena, &bench->message, NULL) != TG_OK) die("not JSON");
    if (tg_envelope_read(&bench->message, &bench->envelope, NULL, &bench->issues) != TG_OK)
        die("no envelope");
    const struct tg_path path = {.key = TG_SLICE("payload")};
    struct tg_validation validation = {.arena = &bench->arena, .issues = &bench->issues, .max_steps = 100000};
    return tg_validate_payload(bench->action->payload, &bench->envelope.payload, &path, &validation);
}

static void check(struct bench *bench, lua_State *L)
{
    (void)L;
    if (read_message(bench, bench->good) != TG_OK) die("a good message was refused");
}

static void refuse(struct bench *bench, lua_State *L)
{
    (void)L;
    if (read_message(bench, bench->bad) != TG_E_INVALID) die("a bad message was taken");
    struct tg_slice items = tg_buf_peek(&bench->out);
    size_t length = items.length;
    tg_message_write_issues(&bench->out, items, &bench->envelope.ref);
    if (bench->out.length <= length) die("nothing was answered");
}

static void make_table(struct bench *bench, lua_State *L)
{
    tg_push_value(L, bench->refs, bench->keys, bench->envelope.payload);
    lua_pop(L, 1);
}

/* All of the above: what lua-cjson and a check in Lua have to be compared with. */
static void accept(struct bench *bench, lua_State *L)
{
    check(bench, L);
    make_table(bench, L);
}

static void write(struct bench *bench, lua_State *L)
{
    struct tg_world *world = &bench->host->world;
    const struct tg_message_type *type = tg_message_type_of_instance(L, bench->instance);
    const struct tg_ref none = {0};
    tg_buf_truncate(&bench->out, 0);
    tg_message_push_payload(world, L, bench->instance, type);
    tg_message_write(world, L, -1, type, TG_NAMING_DECLARED, &none, &bench->out);
    lua_pop(L, 1);
}

/* ---- a handler's coroutine beside a plain protected call ---- */

static void never_fails(void *context, const struct tg_failure *failure)
{
    (void)context;
    die(failure->message.data);
}

static void no_matter(void *context, uint64_t from_ns, uint64_t to_ns)
{
    (void)context, (void)from_ns, (void)to_ns;
}

static const struct tg_task_kind kind = {.failed = never_fails, .held = no_matter};

/* A message from its text to its reply. The refs table lies at `refs`. */
static void handle(lua_State *L, struct bench *bench, int refs)
{
    const struct tg_ref none = {0};
    struct tg_world *world = &bench->host->world;
    check(bench, L);
    lua_rawgeti(L, refs, TG_REF_KEYS);
    int keys = lua_gettop(L);
    lua_rawgeti(L, refs, bench->handler);
    tg_push_value(L, refs, keys, bench->envelope.payload);
    lua_call(L, 1, 1);
    const struct tg_message_type *type = tg_message_type_of_instance(L, -1);
    tg_buf_truncate(&bench->out, 0);
    tg_message_push_payload(world, L, -1, type);
    tg_message_write(world, L, -1, type, TG_NAMING_DECLARED, &none, &bench->out);
}

static int handle_in_task(lua_State *L)
{
    handle(L, tg_task_of(L)->context, 1);
    return 0;
}

static void run_task(struct bench *bench, lua_State *L)
{
    (void)L;
    tg_task_run(&bench->host->tasks, NULL, &kind, handle_in_task, bench);
}

static int handle_protected(lua_State *L)
{
    struct bench *bench = lua_touserdata(L, 1);
    tg_world_push_refs(&bench->host->world, L);
    handle(L, bench, lua_gettop(L));
    return 0;
}

static void run_protected(struct bench *bench, lua_State *L)
{
    if (tg_call_protected(L, handle_protected, bench, NULL) != LUA_OK) die("a call failed");
}

/* ---- measuring ---- */

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void report(struct bench *bench, lua_State *L, const char *name,
                   void (*call)(struct bench *, lua_State *))
{
    double least = 0;
    for (int round = 0; round < bench->rounds; round++) {
        double started = now_ns();
        for (int i = 0; i < bench->count; i++) call(bench, L);
        double each = (now_ns() - started) / bench->count;
        if (round == 0 || each < least) least = each;
    }
    printf("%s %s %.0f\n", bench->size, name, least);
}

/* measure_calls(bench) */
static int measure_calls(lua_State *L)
{
    static const char make[] = "local name = ... local make = require('types')[name] return "
                               "function(payload) return make(payload) end";
    struct bench *bench = lua_touserdata(L, 1);
    struct tg_world *world = &bench->host->world;
    tg_world_load(world, L, TG_REF_ENV, make, sizeof make - 1, "=bench");
    lua_pushstring(L, bench->size);
    lua_call(L, 1, 1);
    bench->handler = tg_world_keep(world, L);
    report(bench, L, "protected", run_protected);
    report(bench, L, "task", run_task);
    return 0;
}

/* measure(bench): with the payload's table made into a message, as a handler would. */
static int measure(lua_State *L)
{
    static const char make[] = "local name, payload = ... return require('types')[name](payload)";
    struct bench *bench = lua_touserdata(L, 1);
    struct tg_world *world = &bench->host->world;
    tg_world_push_refs(world, L);
    bench->refs = lua_gettop(L);
    tg_world_push(world, L, TG_REF_KEYS);
    bench->keys = lua_gettop(L);
    check(bench, L);
    tg_world_load(world, L, TG_REF_ENV, make, sizeof make - 1, "=bench");
    lua_pushstring(L, bench->size);
    tg_push_value(L, bench->refs, bench->keys, bench->envelope.payload);
    lua_call(L, 2, 1);
    bench->instance = lua_gettop(L);
    report(bench, L, "check", check);
    report(bench, L, "refuse", refuse);
    check(bench, L);
    report(bench, L, "table", make_table);
    report(bench, L, "accept", accept);
    report(bench, L, "write", write);
    return 0;
}

/* ---- texts ---- */

static char *read_line(const char *folder, const char *size)
{
    char path[4096];
    char *line = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "%s/%s.json", folder, size);
    FILE *file = fopen(path, "r");
    ssize_t length = file ? getline(&line, &room, file) : -1;
    if (length < 1) die(path);
    line[length - 1] = '\0';
    fclose(file);
    return line;
}

/* A copy in which the number behind `key` has become a string. */
static char *spoil(const char *text, const char *key)
{
    const char *number = strstr(text, key);
    if (!number) die(key);
    number += strlen(key);
    size_t digits = strspn(number, "0123456789.");
    char *bad;
    if (asprintf(&bad, "%.*s\"%.*s\"%s", (int)(number - text), text, (int)digits, number, number + digits) <
        0)
        die("not enough memory");
    return bad;
}

static void run(struct bench *bench, const char *size, const char *spoilt, int count)
{
    const struct tg_consumer *consumer = bench->host->generation.registry.consumers[0];
    bench->size = size;
    bench->count = count;
    bench->good = read_line(bench->folder, size);
    bench->bad = spoil(bench->good, spoilt);
    bench->action = tg_map_get(&consumer->actions, tg_slice_of(size));
    if (!bench->action) die("the application does not handle it");
    lua_State *L = bench->host->world.L;
    if (tg_call_traced(L, measure, bench, NULL) != LUA_OK) die(lua_tostring(L, -1));
    if (tg_call_traced(L, measure_calls, bench, NULL) != LUA_OK) die(lua_tostring(L, -1));
    free(bench->good);
    free(bench->bad);
}

int main(int count, char **arguments)
{
    if (count != 3) die("usage: messages FOLDER ROUNDS");
    struct bench bench = {.folder = arguments[1], .rounds = atoi(arguments[2])};
    struct tg_config config;
    struct tg_problems problems;
    tg_problems_init(&problems);
    tg_buf_init(&bench.out);
    tg_arena_init(&bench.arena, 1 << 20);
    if (tg_config_init(&config) != TG_OK) die("not enough memory");
    if (tg_host_open(&bench.host, &config, bench.folder, 1, &problems) != TG_OK)
        die(problems.first ? problems.first->message.data : "not enough memory");
    run(&bench, "small", "\"priority\":", 100000);
    run(&bench, "large", "\"id\":696872,\"name\":\"Item number 88\",\"price\":", 2000);
    tg_host_close(bench.host);
    tg_arena_deinit(&bench.arena);
    tg_buf_deinit(&bench.out);
    tg_problems_deinit(&problems);
    tg_config_deinit(&config);
    return EXIT_SUCCESS;
}
