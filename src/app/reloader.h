/* What has the program load its code anew, and what it says of that: files that change (`run --reload`). The
 * rest, SIGHUP and POST /api/reload, is the gateway's and the API's.
 *
 *     a file changes -> net/places -> core/quiet -> core/reload -> a line on standard output
 */
#ifndef TG_APP_RELOADER_H
#define TG_APP_RELOADER_H

#include "app/cli.h"
#include "app/gateway.h"
#include "core/files.h"
#include "core/quiet.h"
#include "net/places.h"

struct tg_reloader {
    struct tg_gateway *gateway; /* borrowed */
    struct tg_places *places;   /* NULL: files are not watched */
    struct tg_quiet quiet;
    struct tg_files settings; /* the file of the settings, as it was read; empty: there is none to look at */
    struct tg_reload_listener listener;
    uint64_t changes;          /* of files, when the load under way began */
    uint32_t waits;            /* for files to be closed, one after the other */
    bool is_open, has_no_room; /* for more folders in the kernel, which was told */
};

/* The gateway is open. TG_E_IO, TG_E_NO_MEMORY. Close it in either case. */
enum tg_status tg_reloader_open(struct tg_reloader *reloader, struct tg_gateway *gateway,
                                const struct tg_cli *cli, struct tg_error *error);

/* Before the gateway is closed. */
void tg_reloader_close(struct tg_reloader *reloader);

/* How the first load went: "loaded generation 1 in 12 ms: 5 modules, 3 consumers". */
void tg_reloader_print_loaded(const struct tg_reloader *reloader);

#endif
