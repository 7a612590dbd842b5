/* The task that waits has a `struct run` on its stack, a userdata. When the program has ended, what it said
 * is copied there, and the task is woken to make the table; the copy is bounded by the limit of the output. A
 * task that is cancelled, or a state that is closed, kills what still runs. */
#include "script/libs/process.h"

#include "core/process.h"
#include "script/task.h"

#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

struct run {
    struct tg_world *world;
    struct tg_wait wait;
    struct tg_process *process; /* borrowed until it is told or cancelled; NULL: neither runs nor will */
    struct tg_process_result result;
    struct tg_buf output, errors; /* owned */
};

/* Upvalues of `run`. */
enum { WORLD = 1, META, PREPARE };

static void kill_process(struct run *run)
{
    const struct tg_worker *worker = run->world->worker;
    struct tg_processes *processes = worker ? worker->processes : NULL;
    if (run->process && processes) processes->ops->cancel(processes, run->process);
    run->process = NULL;
}

static void given_up(struct tg_wait *wait)
{
    kill_process(TG_CONTAINER(wait, struct run, wait));
}

static int run_gc(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);
    kill_process(run);
    tg_buf_deinit(&run->output);
    tg_buf_deinit(&run->errors);
    return 0;
}

static void ended(void *user, const struct tg_process_result *result)
{
    struct run *run = user;
    run->process = NULL;
    run->result = *result;
    tg_buf_append_slice(&run->output, result->output);
    tg_buf_append_slice(&run->errors, result->errors);
    if (run->output.has_failed || run->errors.has_failed) run->result.end = TG_PROCESS_NO_MEMORY;
    tg_task_wake(&run->wait);
}

/* ---- what is asked ---- */

/* The texts of the list at `index`, NULL-terminated, in a userdata that is pushed; the list keeps the texts.
 * [-0, +1, e] */
static char **push_texts(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    lua_Unsigned count = lua_rawlen(L, index);
    char **texts = lua_newuserdatauv(L, (count + 1) * sizeof *texts, 0);
    for (lua_Unsigned i = 0; i < count; i++) {
        if (lua_rawgeti(L, index, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_argerror(L, index, "a list of strings is expected");
        texts[i] = (char *)lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    texts[count] = NULL;
    return texts;
}

/* What is the gateway's own affair: who has it can be anybody. */
static bool is_secret(const char *entry)
{
    static const char *const names[] = {"TIDEGATE_SECRETS=", "TIDEGATE_API_TOKEN="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(entry, names[i], strlen(names[i])) == 0) return true;
    return false;
}

/* environment() -> the gateway's without its secrets, a list of NAME=VALUE */
static int process_environment(lua_State *L)
{
    lua_Integer count = 0;
    lua_newtable(L);
    for (char **entry = environ; *entry; entry++) {
        if (is_secret(*entry)) continue;
        lua_pushstring(L, *entry);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

static struct run *push_run(lua_State *L)
{
    struct run *run = lua_newuserdatauv(L, sizeof *run, 0);
    *run = (struct run){.world = lua_touserdata(L, lua_upvalueindex(WORLD))};
    run->wait.cancel = given_up;
    tg_buf_init(&run->output);
    tg_buf_init(&run->errors);
    lua_pushvalue(L, lua_upvalueindex(META));
    lua_setmetatable(L, -2);
    return run;
}

/* ---- what is answered ---- */

/* Sets field `name` of the table on top. [-0, +0, e] */
static void set_text(lua_State *L, const char *name, const struct tg_buf *text)
{
    lua_pushlstring(L, text->length ? text->data : "", text->length);
    lua_setfield(L, -2, name);
}

static int push_failure(lua_State *L, const char *failure)
{
    luaL_pushfail(L);
    lua_pushstring(L, failure);
    return 2;
}

static int run_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct run *run = lua_touserdata(L, -1);
    switch (run->result.end) {
    case TG_PROCESS_TIMEOUT:
        return push_failure(L, "timeout");
    case TG_PROCESS_TOO_MUCH:
        return push_failure(L, "too much output");
    case TG_PROCESS_NO_MEMORY:
        return luaL_error(L, "not enough memory");
    case TG_PROCESS_EXITED:
        break;
    }
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, run->result.signal ? run->result.signal : run->result.status);
    lua_setfield(L, -2, run->result.signal ? "signal" : "status");
    set_text(L, "stdout", &run->output);
    set_text(L, "stderr", &run->errors);
    tg_buf_deinit(&run->output);
    tg_buf_deinit(&run->errors);
    return 1;
}

/* run(...) -> { status =, signal =, stdout =, stderr = } | nil, error. What PREPARE makes of the arguments is
 * arguments, environment|nil, folder|nil, input|nil, timeout_ms|nil, max_output_bytes|nil, shows|nil. */
static int process_run(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(PREPARE));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 7);
    const struct tg_config *config = ((struct tg_world *)lua_touserdata(L, lua_upvalueindex(WORLD)))->config;
    struct tg_process_request request = {
        .folder = luaL_optstring(L, 3, NULL),
        .has_input = !lua_isnoneornil(L, 4),
        .shows = lua_toboolean(L, 7),
        .timeout_ms = (uint32_t)luaL_optinteger(L, 5, (lua_Integer)config->process_timeout_seconds * 1000),
        .max_output_bytes = (uint64_t)luaL_optinteger(L, 6, (lua_Integer)config->process_max_output_bytes)};
    if (request.has_input) request.input.data = luaL_checklstring(L, 4, &request.input.length);
    if (request.max_output_bytes > config->process_max_output_bytes)
        luaL_error(L,
                   "tide.process.run: max_output_bytes is at most the setting process_max_output_bytes, %I",
                   (lua_Integer)config->process_max_output_bytes);
    tg_task_check_wait(L);
    request.arguments = push_texts(L, 1);
    if (!lua_isnoneornil(L, 2)) request.environment = push_texts(L, 2);
    struct run *run = push_run(L);
    struct tg_processes *processes = run->world->worker->processes;
    struct tg_error error = {0};
    if (!processes) return push_failure(L, "closed");
    enum tg_status status = processes->ops->start(processes, &request, ended, run, &run->process, &error);
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (status != TG_OK) return push_failure(L, error.text);
    return tg_task_wait(L, &run->wait, run_done, 0);
}

/* process_run(prepare) -> run */
static int make_run(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_pushvalue(L, lua_upvalueindex(WORLD));
    lua_pushvalue(L, lua_upvalueindex(META));
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, process_run, PREPARE);
    return 1;
}

void tg_process_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", run_gc}, {NULL, NULL}};
    tg_world_push_self(world, L);
    luaL_newlib(L, metamethods);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 1); /* a run holds its world */
    lua_pushcclosure(L, make_run, META);
    lua_setfield(L, -2, "process_run");
    lua_pushcfunction(L, process_environment);
    lua_setfield(L, -2, "process_environment");
}
