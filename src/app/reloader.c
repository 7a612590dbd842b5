/* Being woken decides nothing: whether anything is loaded follows from what lies on disk, compared with what
 * was read last. So it does no harm to be woken too often, and what is watched only has to be enough: all
 * that was read or looked for by the load that serves, and by the one after it that failed.
 *
 * Folders are added before files are compared. What happens between a load and that is seen by comparing once
 * more when a folder was new. */
#include "app/reloader.h"

#include "app/print.h"
#include "base/log.h"
#include "core/contract.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- what is said ---- */

static bool is_module(const struct tg_file *file)
{
    static const struct tg_slice ending = TG_SLICE(".lua");
    if (file->kind != TG_FILE_READ || file->path.length < ending.length) return false;
    return memcmp(file->path.data + file->path.length - ending.length, ending.data, ending.length) == 0;
}

static uint32_t count_modules(const struct tg_files *files)
{
    uint32_t count = 0;
    for (const struct tg_file *file = files ? files->first : NULL; file; file = file->next)
        count += is_module(file);
    return count;
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

void tg_reloader_print_loaded(const struct tg_reloader *reloader)
{
    enum { NS_PER_MS = 1000 * 1000 };
    const struct tg_load *load = &reloader->gateway->reload.serving;
    const struct tg_generation *generation = reloader->gateway->worker.generation;
    uint32_t modules = count_modules(load->files), consumers = generation->registry.consumer_count;
    printf("loaded generation %" PRIu32 " in %" PRIu64 " ms: %" PRIu32 " module%s, %" PRIu32 " consumer%s\n",
           generation->number, load->took_ns / NS_PER_MS, modules, plural(modules), consumers,
           plural(consumers));
    fflush(stdout);
}

static void write_reloaded(const struct tg_reload_result *result, struct tg_buf *out)
{
    tg_buf_printf(out, "reloaded generation %" PRIu32 " in %" PRIu64 " ms", result->number, result->took_ms);
    if (result->load->report) {
        tg_buf_append_literal(out, ": ");
        tg_contract_write_line(result->load->report, out);
        tg_buf_append_char(out, '\n');
        tg_contract_write_details(result->load->report, out);
    } else {
        tg_buf_append_char(out, '\n');
    }
}

/* In production the log is all that somebody reads. */
static void log_problems(const struct tg_problems *problems)
{
    for (const struct tg_problem *problem = problems->first; problem; problem = problem->next)
        tg_log(TG_LOG_ERROR, "load_failed", TG_LOG_STR("file", problem->file),
               TG_LOG_I("line", problem->line), TG_LOG_STR("text", problem->message));
}

static void print_problems(const struct tg_problems *problems)
{
    struct tg_buf text;
    tg_buf_init(&text);
    tg_print_write_problems(problems, &text);
    tg_print_if_taken(stderr, &text);
    tg_buf_deinit(&text);
}

static void say_problems(const struct tg_reloader *reloader, const struct tg_problems *problems)
{
    if (problems && tg_config_is_development(reloader->gateway->config))
        print_problems(problems);
    else if (problems)
        log_problems(problems);
}

static void say(const struct tg_reloader *reloader, const struct tg_reload_result *result)
{
    struct tg_buf text;
    tg_buf_init(&text);
    if (result->outcome == TG_RELOAD_OK) {
        write_reloaded(result, &text);
    } else if (result->outcome == TG_RELOAD_FAILED) {
        say_problems(reloader, result->load->problems);
        tg_buf_printf(&text, "not reloaded: generation %" PRIu32 " still serves\n", result->number);
    } else if (result->outcome == TG_RELOAD_BACK) {
        tg_buf_printf(&text, "back to generation %" PRIu32 ": its files are there again\n", result->number);
    } else if (result->outcome == TG_RELOAD_RESTLESS) {
        tg_buf_printf(&text,
                      "not reloaded: %s changes while it is read; generation %" PRIu32 " still serves\n",
                      result->restless, result->number);
    }
    tg_print_if_taken(stdout, &text);
    tg_buf_deinit(&text);
}

/* ---- settings ---- */

/* Their file, if the program has read one. */
static void note_settings(struct tg_reloader *reloader, const struct tg_cli *cli)
{
    char path[PATH_MAX];
    if (cli->config_path)
        snprintf(path, sizeof path, "%s", cli->config_path);
    else
        snprintf(path, sizeof path, "%s/tidegate.lua", cli->folder);
    tg_files_look(&reloader->settings, path); /* without memory nobody is told */
}

/* Once for each change. */
static void look_at_settings(struct tg_reloader *reloader)
{
    char path[PATH_MAX];
    const char *changed = tg_files_differ(&reloader->settings);
    if (!changed) return;
    snprintf(path, sizeof path, "%s", changed);
    tg_files_deinit(&reloader->settings);
    tg_files_look(&reloader->settings, path);
    tg_log(TG_LOG_WARNING, "settings_changed", TG_LOG_S("file", path),
           TG_LOG_S("help", "settings are read when the program starts: restart it"));
    struct tg_buf text;
    tg_buf_init(&text);
    tg_buf_printf(&text, "%s has changed: settings are read when the program starts, so restart it\n", path);
    tg_print_if_taken(stdout, &text);
    tg_buf_deinit(&text);
}

/* ---- watching ---- */

static void add_place(void *context, const char *folder, const char *name)
{
    tg_places_add(context, folder, name);
}

static void add_places(struct tg_places *places, const struct tg_files *files)
{
    if (files) tg_files_each_place(files, add_place, places);
}

/* Once. */
static void tell_no_room(struct tg_reloader *reloader)
{
    if (!reloader->has_no_room)
        tg_log(TG_LOG_WARNING, "files_not_watched", TG_LOG_S("why", "the system watches no more folders"),
               TG_LOG_S("help", "raise fs.inotify.max_user_watches"));
    reloader->has_no_room = true;
}

/* Whether a folder is watched from now on in which something may have happened already. */
static bool watch_again(struct tg_reloader *reloader)
{
    bool is_new;
    const struct tg_reload *reload = &reloader->gateway->reload;
    tg_places_begin(reloader->places);
    add_places(reloader->places, reload->serving.files);
    add_places(reloader->places, reload->failed.files);
    add_places(reloader->places, &reloader->settings);
    if (tg_places_end(reloader->places, &is_new) == TG_E_FULL) tell_no_room(reloader);
    return is_new;
}

static void woken(void *user)
{
    struct tg_reloader *reloader = user;
    tg_quiet_note(&reloader->quiet);
}

/* Half a file is not loaded, unless it stays like that: an empty one, such as whoever writes begins with,
 * would even be right. */
static bool waits_for_writer(struct tg_reloader *reloader)
{
    enum { WAITS_MAX = 50 };
    if (reloader->waits == WAITS_MAX) tg_places_forget_written(reloader->places);
    if (!tg_places_are_written(reloader->places)) {
        reloader->waits = 0;
        return false;
    }
    reloader->waits++;
    tg_quiet_note(&reloader->quiet);
    return true;
}

static void settled(struct tg_quiet *quiet)
{
    struct tg_reloader *reloader = TG_CONTAINER(quiet, struct tg_reloader, quiet);
    if (reloader->gateway->worker.is_draining || waits_for_writer(reloader)) return;
    watch_again(reloader);
    look_at_settings(reloader);
    tg_reload_request(&reloader->gateway->reload, "files", false, NULL);
}

static void load_begins(void *context)
{
    struct tg_reloader *reloader = context;
    reloader->changes = tg_places_count_changes(reloader->places);
}

/* One that was looked at twice while it was empty, and is whole by now, is not written any more. */
static bool is_disturbed(void *context)
{
    struct tg_reloader *reloader = context;
    return tg_places_count_changes(reloader->places) != reloader->changes ||
           tg_places_are_written(reloader->places);
}

static void told(struct tg_reload_listener *listener, const struct tg_reload_result *result)
{
    struct tg_reloader *reloader = TG_CONTAINER(listener, struct tg_reloader, listener);
    say(reloader, result);
    if (strcmp(result->why, "files") != 0) look_at_settings(reloader);
    if (reloader->places && watch_again(reloader)) tg_quiet_note(&reloader->quiet);
}

/* ---- life ---- */

enum tg_status tg_reloader_open(struct tg_reloader *reloader, struct tg_gateway *gateway,
                                const struct tg_cli *cli, struct tg_error *error)
{
    *reloader = (struct tg_reloader){.gateway = gateway, .is_open = true};
    tg_quiet_init(&reloader->quiet, &gateway->worker, gateway->config->reload_quiet_ms, settled);
    tg_list_init(&reloader->listener.link);
    reloader->listener.told = told;
    tg_reload_observe(&gateway->reload, &reloader->listener);
    note_settings(reloader, cli);
    if (!cli->is_reloading) return TG_OK;
    enum tg_status status = tg_places_open(&reloader->places, gateway->loop, woken, reloader, error);
    if (status != TG_OK) return status;
    gateway->reload.begins = load_begins;
    gateway->reload.is_disturbed = is_disturbed;
    gateway->reload.disturbed_context = reloader;
    if (watch_again(reloader)) tg_quiet_note(&reloader->quiet);
    return TG_OK;
}

void tg_reloader_close(struct tg_reloader *reloader)
{
    if (!reloader->is_open) return;
    tg_quiet_deinit(&reloader->quiet);
    tg_list_remove(&reloader->listener.link);
    reloader->gateway->reload.begins = NULL;
    reloader->gateway->reload.is_disturbed = NULL;
    if (reloader->places) tg_places_close(reloader->places);
    tg_files_deinit(&reloader->settings);
}
