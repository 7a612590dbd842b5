/* The running gateway: which implementation stands behind each of core's interfaces. */
#ifndef TG_APP_GATEWAY_H
#define TG_APP_GATEWAY_H

#include "app/door.h"
#include "core/worker.h"
#include "net/background.h"
#include "net/loop.h"
#include "net/process.h"
#include "net/record_file.h"
#include "net/server.h"
#include "net/stream.h"
#include "net/watch.h"
#include "script/host.h"
#include "script/source.h"

struct tg_gateway {
    const struct tg_config *config; /* borrowed */
    struct tg_host *host;           /* of tg_gateway_open_bare */
    struct tg_script_source source;
    struct tg_load first; /* what was loaded, until it serves; why it was not */
    struct tg_net_loop *loop;
    struct tg_worker worker;
    struct tg_net_background *background;
    struct tg_net_background *hasher; /* a thread of its own: many logins hold up no reload */
    struct tg_reload reload;
    struct tg_net_streams *streams;
    struct tg_net_processes *processes;
    struct tg_net_watches *watches;
    struct tg_door door;
    struct tg_server *server;
    struct tg_record_file *record; /* NULL: nothing is recorded */
    char *static_dir;              /* owned; NULL: none */
    bool has_worker;
};

/* Loads the application, binds the port. TG_E_SCRIPT: `first.problems` has what is wrong with the
 * application. Anything else that fails is in `error`. Close it in either case. */
enum tg_status tg_gateway_open(struct tg_gateway *gateway, const struct tg_config *config, const char *folder,
                               struct tg_error *error);

/* The same without an application and without a port: what specs run on. */
enum tg_status tg_gateway_open_bare(struct tg_gateway *gateway, const struct tg_config *config,
                                    struct tg_error *error);

/* Serves until SIGTERM or SIGINT has been answered with a drain; a second one ends the process at once. In
 * production SIGHUP loads the code anew. */
void tg_gateway_run(struct tg_gateway *gateway);

/* False: a thread still looks up a name, and exit() would wait for it: leave with _exit. */
bool tg_gateway_close(struct tg_gateway *gateway);

#endif
