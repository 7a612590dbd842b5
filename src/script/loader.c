/* The entry modules of an application are *.lua and (name)/init.lua in its consumers/, or in the folder
 * itself when it has none; tidegate.lua, spec/ and public/ are something else. They are loaded in byte order
 * of their names, so that two loads of the same files always come out the same. A module that fails does
 * not keep the others from being read: all errors are told at once. */
#include "script/loader.h"

#include "script/call.h"
#include "script/declare.h"
#include "script/host_library.h"
#include "script/require.h"
#include "script/watchdog.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct load {
    struct tg_world *world;
    struct tg_buf *errors;
    const char *name; /* of the module under way */
    const char *path;
    lua_CFunction produce; /* of tg_load_value, as the next */
    void *context;
    bool may_declare_more; /* than what is returned */
    lua_Integer returned;  /* modules that ran */
    lua_Integer module;    /* of those, the one under way in the second pass, from 1 */
    uint32_t failures;
};

/* ---- finding ---- */

static bool is_kind(const char *path, mode_t kind)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

static char *join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static int is_candidate(const struct dirent *entry)
{
    static const char *const reserved[] = {"tidegate.lua", "spec", "public", "consumers"};
    if (entry->d_name[0] == '.') return 0;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(entry->d_name, reserved[i]) == 0) return 0;
    return 1;
}

static int byte_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The file of an entry module and, in place, the module's name; NULL when the entry is none. */
static char *module_file(const char *folder, char *name)
{
    size_t length = strlen(name);
    char *path = join(folder, name);
    if (!path) return NULL;
    if (length > 4 && strcmp(name + length - 4, ".lua") == 0 && is_kind(path, S_IFREG)) {
        name[length - 4] = '\0';
        return path;
    }
    char *init = join(path, "init.lua");
    free(path);
    if (init && is_kind(init, S_IFREG)) return init;
    free(init);
    return NULL;
}

/* ---- running ---- */

static void report(struct load *load, const char *text, size_t length)
{
    load->failures++;
    tg_buf_append(load->errors, text, length);
    tg_buf_append_char(load->errors, '\n');
}

/* Keeps the value on top for declare_all. [-1, +0, e] */
static void keep_returned(lua_State *L, struct load *load)
{
    tg_world_push(load->world, L, TG_REF_RETURNED);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "value");
    lua_pushstring(L, load->path);
    lua_setfield(L, -2, "path");
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 2);
}

/* run_module(load): runs the file and keeps what it returns for declare_all. */
static int run_module(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);
    tg_require_file(load->world, L, load->name, load->path);
    keep_returned(L, load);
    return 0;
}

/* run_producer(load): the same for a value that somebody else makes. */
static int run_producer(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);
    lua_pushcfunction(L, load->produce);
    lua_pushlightuserdata(L, load->context);
    lua_call(L, 1, 1);
    keep_returned(L, load);
    return 0;
}

/* declare_module(load): the consumers that the module under way returned, into the registry. */
static int declare_module(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);
    tg_world_push(load->world, L, TG_REF_ENV);
    lua_getfield(L, -1, "require");
    lua_pushliteral(L, "tidegate.consumer");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "collect");
    tg_world_push(load->world, L, TG_REF_RETURNED);
    lua_rawgeti(L, -1, load->module);
    lua_getfield(L, -1, "value");
    lua_getfield(L, -2, "path");
    lua_remove(L, -3);
    lua_pushvalue(L, -3); /* the list is what tells one load from another */
    lua_remove(L, -4);
    lua_call(L, 3, 1);
    int declarations = lua_gettop(L);
    for (lua_Integer i = 1; lua_rawgeti(L, declarations, i) != LUA_TNIL; i++) {
        tg_declared_forget(load->world, L, -1);
        tg_declare_consumer(load->world, L, -1);
        lua_pop(L, 1);
    }
    return 0;
}

/* Whether a text names a line ("chat.lua:12: ..."), as all errors do but objects that somebody raised. */
static bool names_a_line(const char *text, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++)
        if (text[i] == ':' && text[i + 1] >= '0' && text[i + 1] <= '9') return true;
    return false;
}

static bool is_over_memory(const struct load *load, const char *text)
{
    return load->world->heap->has_refused && text && strcmp(text, "not enough memory") == 0;
}

/* The state will be closed: what is still to be told may take more. */
static void report_memory(struct load *load)
{
    load->failures++;
    load->world->heap->has_refused = false;
    load->world->heap->room_bytes = TG_HEAP_ROOM_BYTES;
    tg_buf_printf(load->errors, "%s: loading takes more than lua_memory_mb, %u MB: load less, or raise it\n",
                  load->path, load->world->config->lua_memory_mb);
}

/* Runs one step of loading. Errors name a place of the user's by themselves, so the traceback is cut. */
static bool step(struct load *load, lua_CFunction function)
{
    lua_State *L = load->world->L;
    if (tg_call_traced(L, function, load, NULL) == LUA_OK) return true;
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    if (is_over_memory(load, text)) {
        report_memory(load);
        lua_pop(L, 1);
        return false;
    }
    const char *traceback = text ? strstr(text, "\nstack traceback:") : NULL;
    if (!text) length = strlen(text = "not enough memory");
    if (traceback) length = (size_t)(traceback - text);
    if (!names_a_line(text, length)) tg_buf_printf(load->errors, "%s: it raised ", load->path);
    report(load, text, length);
    lua_pop(L, 1);
    return false;
}

/* report_unreturned(load): consumers that no module returned would silently not be served. DECLARED is a
 * list of their places, in order, where those that were returned are false. */
static int report_unreturned(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);
    tg_world_push(load->world, L, TG_REF_DECLARED);
    for (lua_Integer i = 1; lua_rawgeti(L, 3, i) != LUA_TNIL; i++, lua_settop(L, 3)) {
        if (lua_type(L, -1) != LUA_TSTRING) continue;
        size_t length;
        lua_pushfstring(L, "%s: this consumer is declared, but %s", lua_tostring(L, -1),
                        load->produce ? "not returned: end the function with `return`"
                                      : "its module does not return it: end the file with `return`");
        const char *text = lua_tolstring(L, -1, &length);
        report(load, text, length);
    }
    return 0;
}

static void load_entries(struct load *load)
{
    struct dirent **entries;
    int count = scandir(load->world->entries, &entries, is_candidate, byte_order);
    if (count < 0) {
        tg_buf_printf(load->errors, "%s: %s\n", load->world->entries, strerror(errno));
        load->failures++;
        return;
    }
    for (int i = 0; i < count; i++) {
        char *name = entries[i]->d_name;
        /* When the time is up, every module would say so. */
        char *path = tg_watchdog_is_stopped() ? NULL : module_file(load->world->entries, name);
        if (path) {
            load->name = name;
            load->path = path;
            if (step(load, run_module)) load->returned++;
        }
        free(path);
        free(entries[i]);
    }
    load->path = load->world->entries; /* what fails from here on belongs to no file */
    free(entries);
}

static enum tg_status find_folders(struct tg_world *world, const char *folder)
{
    world->root = strdup(folder);
    if (!world->root) return TG_E_NO_MEMORY;
    for (size_t length = strlen(world->root); length > 1 && world->root[length - 1] == '/';)
        world->root[--length] = '\0';
    world->entries = join(world->root, "consumers");
    if (world->entries && !is_kind(world->entries, S_IFDIR)) {
        free(world->entries);
        world->entries = strdup(world->root);
    }
    return world->entries ? TG_OK : TG_E_NO_MEMORY;
}

/* Reads what the modules that ran have returned. */
static enum tg_status declare_all(struct load *load, const char *none)
{
    struct tg_world *world = load->world;
    /* Only now: a router may hold consumers of modules that come later. */
    for (load->module = 1; load->module <= load->returned; load->module++) step(load, declare_module);
    /* A module that failed could not return anything: that would be told twice. */
    if (load->failures == 0 && !load->may_declare_more &&
        tg_call_protected(world->L, report_unreturned, load, NULL) != LUA_OK)
        return TG_E_NO_MEMORY;
    world->takes_routes = false;
    bool is_empty = world->registry->consumer_count == 0 && world->registry->routes.count == 0;
    if (load->failures == 0 && is_empty) {
        tg_buf_printf(load->errors, "%s: no consumer was found: %s\n", load->path, none);
        load->failures++;
    }
    world->is_loaded = true;
    if (load->errors->has_failed) return TG_E_NO_MEMORY;
    return load->failures == 0 ? TG_OK : TG_E_SCRIPT;
}

enum tg_status tg_load_application(struct tg_world *world, const char *folder, struct tg_buf *errors)
{
    if (find_folders(world, folder) != TG_OK) return TG_E_NO_MEMORY;
    struct load load = {.world = world, .errors = errors};
    world->takes_routes = true;
    load_entries(&load);
    return declare_all(&load, "an entry module (*.lua or NAME/init.lua) returns what tide.consumer made");
}

/* clear_returned(load): of an earlier load */
static int clear_returned(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);
    tg_world_push_refs(load->world, L);
    lua_newtable(L);
    lua_rawseti(L, -2, TG_REF_RETURNED);
    return 0;
}

enum tg_status tg_load_value(struct tg_world *world, lua_CFunction produce, void *context, const char *where,
                             bool may_declare_more, struct tg_buf *errors)
{
    if (!world->root && find_folders(world, ".") != TG_OK) return TG_E_NO_MEMORY;
    struct load load = {
        .world = world, .errors = errors, .path = where, .produce = produce, .context = context};
    load.may_declare_more = may_declare_more;
    if (tg_call_protected(world->L, clear_returned, &load, NULL) != LUA_OK) return TG_E_NO_MEMORY;
    world->takes_routes = true;
    if (step(&load, run_producer)) load.returned++;
    return declare_all(&load, "it is what tide.consumer made, a router, or a list of them");
}
