/* What a load is told with is on the heap, since it goes from thread to thread and outlives the attempt. */
#include "script/source.h"

#include "core/contract.h"
#include "core/files.h"
#include "core/turn.h"
#include "script/host.h"

#include <stdlib.h>

static void forget(struct tg_source *source, struct tg_load *load)
{
    (void)source;
    if (load->problems) tg_problems_deinit(load->problems);
    if (load->files) tg_files_deinit(load->files);
    if (load->report) tg_contract_deinit(load->report);
    free(load->problems);
    free(load->files);
    free(load->report);
    load->problems = NULL;
    load->files = NULL;
    load->report = NULL;
}

/* ---- what has changed ---- */

/* Whether the load has read the file: a module, or what one has opened. */
static const struct tg_file *find_read(const struct tg_files *files, const struct tg_file *like)
{
    const struct tg_file *file = tg_files_find(files, like->path);
    return file && file->kind == TG_FILE_READ ? file : NULL;
}

static enum tg_status compare_files(struct tg_contract_report *report, const struct tg_files *before,
                                    const struct tg_files *after)
{
    enum tg_status status = TG_OK;
    for (const struct tg_file *file = after->first; file && status == TG_OK; file = file->next) {
        if (file->kind != TG_FILE_READ) continue;
        const struct tg_file *other = find_read(before, file);
        if (!other || other->hash != file->hash)
            status = tg_contract_add_module(report, other ? TG_CHANGED : TG_ADDED, file->path);
    }
    for (const struct tg_file *file = before->first; file && status == TG_OK; file = file->next)
        if (file->kind == TG_FILE_READ && !find_read(after, file))
            status = tg_contract_add_module(report, TG_REMOVED, file->path);
    return status;
}

/* A report that there is no memory for is none: the new code serves all the same. */
static void compare(struct tg_load *load)
{
    const struct tg_files *before = load->serving_load ? load->serving_load->files : NULL;
    if (!load->serving) return;
    load->report = malloc(sizeof *load->report);
    if (!load->report) return;
    tg_contract_init(load->report);
    enum tg_status status = before ? compare_files(load->report, before, load->files) : TG_OK;
    if (status == TG_OK)
        status = tg_contract_compare(load->report, &load->serving->registry, &load->generation->registry);
    if (status == TG_OK) return;
    tg_contract_deinit(load->report);
    free(load->report);
    load->report = NULL;
}

/* ---- loading ---- */

static enum tg_status open_folder(struct tg_script_source *source, struct tg_load *load,
                                  struct tg_host **host)
{
    return tg_host_load(host, source->config, source->folder, load->number, load->files, load->problems);
}

static enum tg_status load(struct tg_source *core, struct tg_load *load)
{
    struct tg_script_source *source = TG_CONTAINER(core, struct tg_script_source, core);
    struct tg_host *host;
    uint64_t began_ns = tg_turn_now_ns();
    load->generation = NULL;
    load->report = NULL;
    load->problems = malloc(sizeof *load->problems);
    load->files = calloc(1, sizeof *load->files);
    if (load->problems) tg_problems_init(load->problems);
    if (!load->problems || !load->files) {
        forget(core, load);
        return TG_E_NO_MEMORY;
    }
    enum tg_status status = source->open(source, load, &host);
    if (status == TG_OK) {
        load->generation = &host->generation;
        compare(load);
    }
    load->took_ns = tg_turn_now_ns() - began_ns;
    return status;
}

static const char *differs(struct tg_source *source, const struct tg_load *load)
{
    (void)source;
    return load->files ? tg_files_differ(load->files) : NULL;
}

static const char *is_torn(struct tg_source *source, const struct tg_load *load)
{
    (void)source;
    return load->files ? tg_files_are_torn(load->files) : NULL;
}

void tg_script_source_init(struct tg_script_source *source, const struct tg_config *config,
                           const char *folder)
{
    static const struct tg_source_ops ops = {
        .load = load, .differs = differs, .is_torn = is_torn, .forget = forget};
    *source =
        (struct tg_script_source){.core.ops = &ops, .config = config, .folder = folder, .open = open_folder};
}
