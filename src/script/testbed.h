/* What `tidegate test` runs specs in: a Lua state with the ordinary globals and all libraries, where busted
 * and the specs live, and one open world, whose `tide` waits in real time.
 *
 *     testbed -> lua/tidegate/runner/run.lua, as one task: busted in it, and the specs in busted
 *
 * No sandbox, no limit of memory and no watchdog: specs are trusted as the program itself.
 */
#ifndef TG_SCRIPT_TESTBED_H
#define TG_SCRIPT_TESTBED_H

#include "script/coverage.h"
#include "script/host.h"

#include <stdbool.h>

struct tg_testbed {
    struct tg_host *host; /* borrowed: a bare one (host.h) that is attached to a worker */
    struct tg_task *main; /* the specs; NULL: they have not begun, or have ended */
    int status;           /* for the program to exit with, once `ended` was called */
    volatile bool is_interrupted;
    bool is_told; /* the specs know that they were interrupted */
    struct tg_coverage coverage;
    /* The specs have ended, or called os.exit; `at_once`: what called it cannot wait, so this must not
     * return. */
    void (*ended)(struct tg_testbed *testbed, bool at_once);
};

/* Begins the specs. `arguments`, NULL-terminated, are what the command was given, without the folder, which
 * is the working directory. Everything but `host` and `ended` must be zero. TG_E_SCRIPT: `error` says why
 * not. */
enum tg_status tg_testbed_start(struct tg_testbed *testbed, char *const *arguments, struct tg_error *error);

/* Ctrl-C, from the signal, on the thread of the specs: Lua code that runs raises "interrupted". */
void tg_testbed_interrupt(struct tg_testbed *testbed);

/* The same, from the loop: specs that wait stop waiting. After the former. */
void tg_testbed_wake(struct tg_testbed *testbed);

/* After the host has been closed. */
void tg_testbed_deinit(struct tg_testbed *testbed);

#endif
