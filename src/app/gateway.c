#include "app/gateway.h"

#include "base/log.h"
#include "core/dev.h"
#include "net/fetch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that are not connections: the program's own, and those that a static file or a module needs for a
 * moment. */
enum { RESERVED_FILES = 64 };

/* The limit of open files bounds the connections: it is raised as far as it goes and the server
 * can use it, and said. */
static uint32_t find_max_connections(const struct tg_config *config)
{
    struct rlimit files = {1024, 1024};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < TG_SERVER_FILES_MAX ? files.rlim_max : TG_SERVER_FILES_MAX;
    setrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_NOFILE, &files);
    uint64_t most = files.rlim_cur > RESERVED_FILES ? files.rlim_cur - RESERVED_FILES : 1;
    if (most > UINT32_MAX) most = UINT32_MAX;
    uint32_t wanted = config->max_connections;
    uint32_t granted = wanted && wanted < most ? wanted : (uint32_t)most;
    if (wanted > granted)
        tg_log(TG_LOG_WARNING, "max_connections_lowered", TG_LOG_I("wanted", wanted),
               TG_LOG_I("granted", granted), TG_LOG_S("why", "the limit of open files (ulimit -n)"));
    return granted;
}

/* --static, or the application's public/. */
static enum tg_status find_static_dir(struct tg_gateway *gateway, const char *folder)
{
    if (gateway->config->static_dir[0]) {
        gateway->static_dir = strdup(gateway->config->static_dir);
        return gateway->static_dir ? TG_OK : TG_E_NO_MEMORY;
    }
    char *path;
    if (asprintf(&path, "%s/public", folder) < 0) return TG_E_NO_MEMORY;
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        gateway->static_dir = path;
    else
        free(path);
    return TG_OK;
}

/* Nothing is tidied up but what would stay behind. */
static void leave_now(struct tg_gateway *gateway, int status)
{
    if (gateway->processes) tg_net_processes_kill(gateway->processes);
    _exit(status);
}

static void on_signal(void *context, int number)
{
    struct tg_gateway *gateway = context;
    if (number == SIGHUP) {
        if (!gateway->worker.is_draining) tg_reload_request(&gateway->reload, "signal", true, NULL);
        return;
    }
    if (gateway->worker.is_draining) leave_now(gateway, 128 + number);
    tg_log(TG_LOG_INFO, "stopping", TG_LOG_I("signal", number),
           TG_LOG_I("connections", gateway->worker.metrics.connections));
    tg_server_stop_listening(gateway->server);
    tg_worker_drain(&gateway->worker);
}

/* What was loaded and does not serve. */
static void unload(struct tg_gateway *gateway)
{
    struct tg_source *source = &gateway->source.core;
    struct tg_generation *generation = gateway->first.generation;
    if (generation) generation->script->ops->close(generation->script);
    gateway->first.generation = NULL;
    if (source->ops) source->ops->forget(source, &gateway->first);
}

static enum tg_status open_worker(struct tg_gateway *gateway, struct tg_error *error)
{
    enum tg_status status = tg_net_loop_open(&gateway->loop, error);
    if (status != TG_OK) return status;
    status = tg_worker_init(&gateway->worker, gateway->config, tg_net_loop_clock(gateway->loop),
                            tg_net_loop_core(gateway->loop), find_max_connections(gateway->config));
    if (status != TG_OK) return tg_error_set(error, status, "not enough memory");
    gateway->has_worker = true;
    tg_net_loop_attach(gateway->loop, &gateway->worker);
    status = tg_net_streams_open(&gateway->streams, gateway->loop, &gateway->worker);
    if (status == TG_OK) status = tg_net_processes_open(&gateway->processes, gateway->loop, &gateway->worker);
    if (status == TG_OK) status = tg_net_watches_open(&gateway->watches, gateway->loop);
    if (status != TG_OK) return tg_error_set(error, status, "not enough memory");
    gateway->worker.watches = tg_net_watches_core(gateway->watches);
    gateway->worker.streams = tg_net_streams_core(gateway->streams);
    gateway->worker.processes = tg_net_processes_core(gateway->processes);
    return tg_fetcher_open(&gateway->worker.fetcher, gateway->loop, &gateway->worker, error);
}

/* The first load, before there is a loop that it could hold up. */
static enum tg_status load(struct tg_gateway *gateway, struct tg_error *error)
{
    enum { LOADS_MAX = 8 };
    struct tg_source *source = &gateway->source.core;
    struct tg_load *first = &gateway->first;
    enum tg_status status = TG_OK;
    for (int i = 0; i < LOADS_MAX; i++) {
        unload(gateway);
        *first = (struct tg_load){.number = 1};
        status = source->ops->load(source, first);
        if (!source->ops->is_torn(source, first)) break; /* all of it lay on disk together */
    }
    return status == TG_E_NO_MEMORY ? tg_error_set(error, status, "not enough memory") : status;
}

static enum tg_status serve(struct tg_gateway *gateway, struct tg_error *error)
{
    enum tg_status status = tg_net_background_open(&gateway->background, gateway->loop, error);
    if (status != TG_OK) return status;
    tg_reload_init(&gateway->reload, &gateway->worker, &gateway->source.core,
                   tg_net_background_core(gateway->background));
    status = tg_net_background_open(&gateway->hasher, gateway->loop, error);
    if (status != TG_OK) return status;
    gateway->worker.hasher = tg_net_background_core(gateway->hasher);
    tg_reload_begin(&gateway->reload, &gateway->first);
    if (!tg_config_is_development(gateway->config)) return TG_OK;
    if (tg_dev_open(&gateway->worker) != TG_OK)
        return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    tg_dev_observe(gateway->worker.dev, &gateway->reload);
    return TG_OK;
}

/* Not before there is a server to stop: until then a signal just ends the process. In development SIGHUP says
 * that the terminal is closed. */
static enum tg_status catch_signals(struct tg_gateway *gateway, struct tg_error *error)
{
    enum tg_status status = tg_net_loop_catch_signals(gateway->loop, on_signal, gateway, error);
    if (status != TG_OK || tg_config_is_development(gateway->config)) return status;
    return tg_net_loop_catch_hangup(gateway->loop, error);
}

/* Before the loop ends; the script, which goes last, finds nothing there any more. */
static void close_network(struct tg_gateway *gateway)
{
    gateway->worker.streams = NULL;
    gateway->worker.processes = NULL;
    gateway->worker.watches = NULL;
    if (gateway->streams) tg_net_streams_close(gateway->streams);
    if (gateway->processes) tg_net_processes_close(gateway->processes);
    if (gateway->watches) tg_net_watches_close(gateway->watches);
}

enum tg_status tg_gateway_open(struct tg_gateway *gateway, const struct tg_config *config, const char *folder,
                               struct tg_error *error)
{
    *gateway = (struct tg_gateway){.config = config};
    tg_script_source_init(&gateway->source, config, folder);
    enum tg_status status = load(gateway, error);
    if (status == TG_OK) status = open_worker(gateway, error);
    if (status == TG_OK) status = serve(gateway, error);
    if (status != TG_OK) return status;
    if (find_static_dir(gateway, folder) != TG_OK)
        return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    tg_door_init(&gateway->door, &gateway->worker, config, folder);
    const struct tg_server_options options = {
        .host = config->host,
        .port = config->port,
        .static_dir = gateway->static_dir,
        .api = &gateway->door.api,
        .api_host = config->api_host,
        .api_port = (uint16_t)config->api_port,
    };
    status = tg_server_open(&gateway->server, gateway->loop, &gateway->worker, &options, error);
    /* Not before the port is ours: a start that fails leaves no file. */
    if (status == TG_OK && config->record_file[0])
        status = tg_record_file_open(&gateway->record, &gateway->worker, config->record_file, folder, error);
    if (status != TG_OK) return status;
    tg_door_open(&gateway->door, config, tg_server_api_port(gateway->server));
    return catch_signals(gateway, error);
}

enum tg_status tg_gateway_open_bare(struct tg_gateway *gateway, const struct tg_config *config,
                                    struct tg_error *error)
{
    *gateway = (struct tg_gateway){.config = config};
    enum tg_status status = tg_host_open_bare(&gateway->host, config);
    if (status != TG_OK) return tg_error_set(error, status, "not enough memory");
    gateway->first.generation = &gateway->host->generation;
    status = open_worker(gateway, error);
    if (status != TG_OK) return status;
    gateway->first.generation = NULL;
    tg_generation_serve(&gateway->host->generation, &gateway->worker);
    return TG_OK;
}

void tg_gateway_run(struct tg_gateway *gateway)
{
    tg_net_loop_run(gateway->loop);
}

bool tg_gateway_close(struct tg_gateway *gateway)
{
    tg_door_close(&gateway->door);
    if (gateway->server && !tg_server_close(gateway->server)) {
        tg_log(TG_LOG_ERROR, "close_unfinished",
               TG_LOG_I("connections", gateway->worker.metrics.connections));
        leave_now(gateway, EXIT_FAILURE);
    }
    tg_record_file_close(gateway->record);
    struct tg_list ended;
    tg_list_init(&ended);
    if (gateway->hasher) tg_net_background_close(gateway->hasher);
    gateway->worker.hasher = NULL;
    if (gateway->background) tg_net_background_close(gateway->background);
    if (gateway->has_worker) tg_generations_end(&gateway->worker, &ended);
    if (gateway->background) tg_reload_deinit(&gateway->reload);
    if (gateway->worker.fetcher) tg_fetcher_close(gateway->worker.fetcher);
    gateway->worker.fetcher = NULL;
    close_network(gateway);
    if (gateway->has_worker) {
        tg_dev_close(&gateway->worker);
        tg_worker_deinit(&gateway->worker);
    }
    bool is_over = !gateway->loop || tg_net_loop_close(gateway->loop);
    tg_generations_close(&ended);
    unload(gateway);
    free(gateway->static_dir);
    return is_over;
}
