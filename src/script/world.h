/* A world: one load of the code inside a Lua state, with its own globals, `require` and references.
 *
 * The gateway gives each load a state of its own; a test kit may put several worlds into one state.
 * So nothing here touches a state's globals or package.loaded, and every reference of a world lies
 * in one table, `refs`, with whose end they all end.
 *
 * Stack notation of the functions: [-popped, +pushed, errors] as in the Lua manual, where `e` means
 * that the function may raise and must run inside a protected call.
 */
#ifndef TG_SCRIPT_WORLD_H
#define TG_SCRIPT_WORLD_H

#include "core/registry.h"
#include "core/worker.h"
#include "script/heap.h"
#include "script/watchdog.h"
#include "wire/schema.h"

#include <lua.h>

#include <stdbool.h>

/* Names in the registry of a Lua state. Where a state has two copies of this code, each has its own. */
#ifndef TG_REGISTRY_PREFIX
#define TG_REGISTRY_PREFIX "tidegate."
#endif

/* True in the registry of a state that a copy of this code, perhaps another one, has made. */
#define TG_OWN_STATE "tidegate.own_state"

/* Fixed places in `refs`. Above them luaL_ref gives out numbers; below, it keeps its list of free ones: at 0
 * until Lua 5.4.2, at 3 since. */
enum tg_world_ref {
    TG_REF_RESERVED = 3,
    TG_REF_ENV,           /* of the application's modules */
    TG_REF_INSTALLED_ENV, /* of modules that are installed for Lua: they may make globals */
    TG_REF_OWN_ENV,       /* of ours: with all libraries */
    TG_REF_LOADED,
    TG_REF_KEYS,       /* key id -> field name */
    TG_REF_KEY_IDS,    /* field name -> key id */
    TG_REF_ARRAY_META, /* metatable of decoded arrays */
    TG_REF_CONN_META,
    TG_REF_TOPIC_META,   /* of the handles of subscriptions */
    TG_REF_SCRATCH_META, /* of the boxes of scratch.c */
    TG_REF_DECLARED,     /* places of consumers that no module has returned yet (host_library.c) */
    TG_REF_STARTS,       /* functions of tide.on_start and tide.on_stop (libs/life.c) */
    TG_REF_STOPS,
    TG_REF_KEEPS,    /* name -> initial value of tide.keep, as bytes (libs/keep.c) */
    TG_REF_RETURNED, /* what the entry modules returned: { value =, path = } (loader.c) */
    TG_REF_SELF,     /* the userdata that a borrowed world lies in */
    TG_REF_THREADS,  /* of a borrowed world: the keys are its threads, weak */
    TG_REF_COUNT,
};

/* Key ids of the names that every message table has; those of declared fields follow. */
enum tg_world_key { TG_KEY_ACTION = 1, TG_KEY_PAYLOAD, TG_KEY_TOPIC, TG_KEY_REF };

struct tg_files;
struct tg_generation;
struct tg_task_pool;

struct tg_world {
    lua_State *L; /* the main thread; of a borrowed state a thread of its own */
    const struct tg_config *config;
    struct tg_heap *heap;             /* of a state that is the world's own; borrowed */
    struct tg_watchdog *watchdog;     /* of the runs in it; borrowed */
    struct tg_worker *worker;         /* NULL while only checking, and when a borrowed world is closed */
    struct tg_task_pool *tasks;       /* NULL when it is closed */
    struct tg_generation *generation; /* whose code this is */
    struct tg_registry *registry;     /* whose arena holds what is compiled */
    struct tg_files *files;           /* where loading notes what it reads; borrowed; NULL: nowhere */
    struct tg_list held;              /* what the world has of the worker's and Lua may forget (held.h) */
    int table_ref;                    /* of `refs` in the Lua registry; 0: a borrowed world that is closed */
    bool is_borrowed;                 /* the state is somebody else's (borrow.h) */
    bool is_collector_stopped;        /* by tg_world_stop_collector */
    bool is_loaded;                   /* modules have run: nothing is declared any more */
    uint32_t key_count;
    uint64_t sockets_collected_ms; /* when libs/tcp.c last had the collector look for lost ones */
    struct tg_buf scratch;         /* owned: text under way that a Lua error may jump over */
    struct tg_arena arena; /* owned: the same for trees; what runs no Lua code meanwhile resets and uses it */
    char *root;            /* owned: the served folder, as given */
    char *entries;         /* owned: where the entry modules lie */
};

/* Makes the world's tables and its environment. [-0, +0, e] */
void tg_world_open(struct tg_world *world);

/* Gives everything back that is not Lua's. The state stays. */
void tg_world_deinit(struct tg_world *world);

/* Lets go of a borrowed world's tables: they live on as long as somebody holds a function of it. The userdata
 * that it lies in is at `index`, with room for two user values. [-0, +0, e] */
void tg_world_close(struct tg_world *world, lua_State *L, int index);

/* Notes a thread of a borrowed world, for its close. [-0, +0, e] */
void tg_world_note_thread(struct tg_world *world, lua_State *L, lua_State *thread);

/* Pushes the `refs` of a borrowed world that is closed, for what is still held of it. [-0, +1, -] */
void tg_world_push_closed_refs(struct tg_world *world, lua_State *L);

/* Pushes `refs`. [-0, +1, -] */
static inline void tg_world_push_refs(struct tg_world *world, lua_State *L)
{
    if (world->table_ref)
        lua_rawgeti(L, LUA_REGISTRYINDEX, world->table_ref);
    else
        tg_world_push_closed_refs(world, L);
}

/* Pushes what is kept under `ref`. [-0, +1, -] */
static inline void tg_world_push(struct tg_world *world, lua_State *L, int ref)
{
    tg_world_push_refs(world, L);
    lua_rawgeti(L, -1, ref);
    lua_replace(L, -2);
}

/* Pushes what functions of C carry as their world: in a borrowed state the userdata that it lies in, so that
 * whoever holds one of them holds the world. [-0, +1, -] */
static inline void tg_world_push_self(struct tg_world *world, lua_State *L)
{
    if (world->is_borrowed)
        tg_world_push(world, L, TG_REF_SELF);
    else
        lua_pushlightuserdata(L, world);
}

/* Whether field `name` of the table at `index` is true. [-0, +0, e] */
static inline bool tg_table_flag(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* Keeps the value on top and returns its reference. [-1, +0, e] */
int tg_world_keep(struct tg_world *world, lua_State *L);

void tg_world_forget(struct tg_world *world, lua_State *L, int ref);

/* The key id of the string on top. [-1, +0, e] */
uint32_t tg_world_key_id(struct tg_world *world, lua_State *L);

/* Loads the text chunk with the environment that `env` refers to; a syntax error is raised. [-0, +1, e] */
void tg_world_load(struct tg_world *world, lua_State *L, enum tg_world_ref env, const char *text,
                   size_t length, const char *chunk_name);

/* Between these two no finalizer of the user's runs, whatever is allocated. An error may jump over the
 * second: every task ends with it. [-0, +0, -] */
void tg_world_stop_collector(struct tg_world *world);
void tg_world_restart_collector(struct tg_world *world);

/* Raises "not enough memory" when `pointer` is NULL, and returns it. [-0, +0, e] */
void *tg_world_check_memory(lua_State *L, void *pointer);

/* A copy in the registry's arena, where what a load declares lives. [-0, +0, e] */
struct tg_slice tg_world_copy(struct tg_world *world, lua_State *L, struct tg_slice text);

#endif
