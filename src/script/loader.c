/* The entry modules (core/entries.h) are loaded in byte order of their names, so that two loads of the same
 * files always come out the same. A module that fails does not keep the others from being read: all errors
 * are told at once. */
#include "script/loader.h"

#include "core/entries.h"
#include "core/files.h"
#include "script/call.h"
#include "script/declare.h"
#include "script/host_library.h"
#include "script/require.h"
#include "script/watchdog.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void load_entry(struct load *load, const struct tg_entry *entry)
{
    load->name = entry->name;
    load->path = entry->path;
    if (step(load, run_module)) load->returned++;
}

static enum tg_status load_entries(struct load *load)
{
    struct tg_world *world = load->world;
    struct tg_entries entries;
    enum tg_status status = tg_entries_find(&entries, world->entries);
    if (status == TG_E_IO) {
        tg_buf_printf(load->errors, "%s: %s\n", world->entries, strerror(errno));
        load->failures++;
    }
    const struct tg_entries *noted = status == TG_OK ? &entries : NULL;
    if (status != TG_E_NO_MEMORY && world->files)
        status = tg_files_note_entries(world->files, world->entries, noted);
    /* When the time is up, every module would say so. */
    for (size_t i = 0; status == TG_OK && i < entries.count && !tg_watchdog_is_stopped(); i++)
        load_entry(load, &entries.items[i]);
    load->path = world->entries; /* what fails from here on belongs to no file */
    tg_entries_deinit(&entries);
    return status;
}

/* Whether that is a folder decides where the modules are looked for. */
static enum tg_status look_at_consumers(struct tg_world *world)
{
    char *path;
    if (!world->files) return TG_OK;
    if (asprintf(&path, "%s/consumers", world->root) < 0) return TG_E_NO_MEMORY;
    enum tg_status status = tg_files_look(world->files, path);
    free(path);
    return status;
}

static enum tg_status find_folders(struct tg_world *world, const char *folder)
{
    world->root = strdup(folder);
    if (!world->root) return TG_E_NO_MEMORY;
    for (size_t length = strlen(world->root); length > 1 && world->root[length - 1] == '/';)
        world->root[--length] = '\0';
    if (look_at_consumers(world) != TG_OK) return TG_E_NO_MEMORY;
    world->entries = tg_entries_folder(world->root);
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
    if (load->failures == 0 && world->registry->consumer_count == 0) {
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
    if (load_entries(&load) != TG_OK) return TG_E_NO_MEMORY;
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
    if (step(&load, run_producer)) load.returned++;
    return declare_all(&load, "it is what tide.consumer made, a router, or a list of them");
}
