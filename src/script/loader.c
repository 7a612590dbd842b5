/* The entry modules (core/entries.h) are loaded in byte order of their names, so that two loads of the same
 * files always come out the same. A module that fails does not keep the others from being read: all errors
 * are told at once. */
#include "script/loader.h"

#include "core/entries.h"
#include "core/files.h"
#include "script/call.h"
#include "script/declare.h"
#include "script/excerpt.h"
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
    struct tg_problems *problems;
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

/* A module that several require fails for each of them. */
static bool is_told(const struct tg_problems *problems, const struct tg_problem *problem)
{
    const struct tg_problem *told = problems->first;
    while (told && !(told->line == problem->line && tg_slice_equal(told->file, problem->file) &&
                     tg_slice_equal(told->message, problem->message)))
        told = told->next;
    return told != NULL;
}

static void report(struct load *load, const struct tg_problem *problem)
{
    load->failures++;
    if (is_told(load->problems, problem)) return;
    struct tg_problem *added = tg_problems_add(load->problems, problem);
    if (added) tg_excerpt_explain(load->problems, added, load->world->L);
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
    tg_problems_printf(load->problems,
                       "%s: loading takes more than lua_memory_mb, %u MB: load less, or raise it", load->path,
                       load->world->config->lua_memory_mb);
}

static struct tg_slice text_at(lua_State *L, int index)
{
    struct tg_slice text = {0};
    if (lua_type(L, index) == LUA_TSTRING) text.data = lua_tolstring(L, index, &text.length);
    return text;
}

/* Who called, unless that is only the line which is named already. */
static struct tg_slice worth_telling(const struct tg_problem *problem, struct tg_slice traceback)
{
    struct tg_slice file;
    uint32_t line;
    if (traceback.length == 0) return (struct tg_slice){0};
    if (memchr(traceback.data, '\n', traceback.length)) return traceback;
    tg_problem_split(traceback, &file, &line);
    bool is_same = line == problem->line && tg_slice_equal(file, problem->file);
    return is_same ? (struct tg_slice){0} : traceback;
}

/* Lua shortens the names of files that are long: "...ders/chat.lua". */
static bool is_short_for(struct tg_slice name, struct tg_slice whole)
{
    enum { DOTS = 3 };
    if (name.length <= DOTS || memcmp(name.data, "...", DOTS) != 0) return false;
    size_t length = name.length - DOTS;
    return whole.length >= length &&
           memcmp(whole.data + whole.length - length, name.data + DOTS, length) == 0;
}

/* What tg_excerpt_trace left at 1, 2 and 3 of the stack. No Lua value is made here: nobody would catch what
 * that raises without memory. */
static void report_raised(struct load *load, lua_State *L, int top)
{
    struct tg_problem problem = {0};
    struct tg_buf raised;
    struct tg_slice text = text_at(L, top + 1), traceback = text_at(L, top + 2), whole = text_at(L, top + 3);
    tg_buf_init(&raised);
    problem.message = tg_problem_split(text, &problem.file, &problem.line);
    if (is_short_for(problem.file, whole)) problem.file = whole;
    if (is_short_for(problem.file, tg_slice_of(load->path))) problem.file = tg_slice_of(load->path);
    if (!problem.line && !names_a_line(text.data, text.length)) {
        /* An object that somebody raised: told with its line when that is known. */
        tg_problem_split(traceback, &problem.file, &problem.line);
        if (!problem.line) problem.file = tg_slice_of(load->path);
        tg_buf_append_literal(&raised, "it raised ");
        tg_buf_append_slice(&raised, text);
        problem.message = raised.has_failed ? text : tg_buf_peek(&raised);
    }
    problem.traceback = worth_telling(&problem, traceback);
    report(load, &problem);
    tg_buf_deinit(&raised);
}

/* Runs one step of loading. */
static bool step(struct load *load, lua_CFunction function)
{
    lua_State *L = load->world->L;
    int top = lua_gettop(L);
    if (tg_call_handled(L, function, load, NULL, tg_excerpt_trace) == LUA_OK) return true;
    if (lua_istable(L, -1) && lua_checkstack(L, 4)) {
        for (int i = 1; i <= 3; i++) lua_rawgeti(L, top + 1, i);
        lua_remove(L, top + 1);
        report_raised(load, L, top);
    } else {
        const char *text = lua_tostring(L, -1);
        if (is_over_memory(load, text))
            report_memory(load);
        else
            report(load, &(struct tg_problem){.message = tg_slice_of(text ? text : "not enough memory"),
                                              .file = tg_slice_of(load->path)});
    }
    lua_settop(L, top);
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
        lua_pushfstring(L, "%s: this consumer is declared, but %s", lua_tostring(L, -1),
                        load->produce ? "not returned: end the function with `return`"
                                      : "its module does not return it: end the file with `return`");
        struct tg_problem problem = {0};
        struct tg_slice text = {lua_tostring(L, -1), lua_rawlen(L, -1)};
        problem.message = tg_problem_split(text, &problem.file, &problem.line);
        report(load, &problem);
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
        tg_problems_printf(load->problems, "%s: %s", world->entries, strerror(errno));
        load->failures++;
    }
    const struct tg_entries *found = status == TG_OK ? &entries : NULL;
    if (status == TG_E_IO) status = TG_OK; /* there is none */
    if (status == TG_OK && world->files) status = tg_files_note_entries(world->files, world->entries, found);
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
    world->takes_routes = false;
    bool is_empty = world->registry->consumer_count == 0 && world->registry->routes.count == 0;
    if (load->failures == 0 && is_empty) {
        tg_problems_printf(load->problems, "%s: no consumer was found: %s", load->path, none);
        load->failures++;
    }
    world->is_loaded = true;
    if (load->problems->has_failed) return TG_E_NO_MEMORY;
    return load->failures == 0 ? TG_OK : TG_E_SCRIPT;
}

enum tg_status tg_load_application(struct tg_world *world, const char *folder, struct tg_problems *problems)
{
    if (find_folders(world, folder) != TG_OK) return TG_E_NO_MEMORY;
    struct load load = {.world = world, .problems = problems};
    world->takes_routes = true;
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
                             bool may_declare_more, struct tg_problems *problems)
{
    if (!world->root && find_folders(world, ".") != TG_OK) return TG_E_NO_MEMORY;
    struct load load = {
        .world = world, .problems = problems, .path = where, .produce = produce, .context = context};
    load.may_declare_more = may_declare_more;
    if (tg_call_protected(world->L, clear_returned, &load, NULL) != LUA_OK) return TG_E_NO_MEMORY;
    world->takes_routes = true;
    if (step(&load, run_producer)) load.returned++;
    return declare_all(&load, "it is what tide.consumer made, a router, or a list of them");
}
