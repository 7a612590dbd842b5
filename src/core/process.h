/* Child programs, as the script layer sees them. net/process runs them on libuv.
 *
 * A child gets a process group of its own, three descriptors, and no shell. It ends with its time, with too
 * much output, when nobody wants the result any more, and with the gateway; what it started ends with it.
 */
#ifndef TG_CORE_PROCESS_H
#define TG_CORE_PROCESS_H

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_process;
struct tg_processes;

/* What to run; borrowed for the call. */
struct tg_process_request {
    char **arguments;   /* the program, looked for along PATH, and its arguments; NULL-terminated */
    char **environment; /* NAME=VALUE, NULL-terminated; NULL: the gateway's */
    const char *folder; /* where it runs; NULL: where the gateway does */
    struct tg_slice input;
    bool has_input; /* false: its standard input is empty */
    bool shows;     /* its outputs are the gateway's own, and none is kept */
    uint32_t timeout_ms;
    uint64_t max_output_bytes; /* of standard output, and of standard error */
};

enum tg_process_end { TG_PROCESS_EXITED, TG_PROCESS_TIMEOUT, TG_PROCESS_TOO_MUCH, TG_PROCESS_NO_MEMORY };

/* How it ended; borrowed for the call that tells it. */
struct tg_process_result {
    enum tg_process_end end;
    int64_t status; /* of an exit */
    int signal;     /* that ended it; 0: it exited */
    struct tg_slice output, errors;
};

struct tg_processes_ops {
    /* Starts it. `done` follows once, from the loop; the process is gone after that. TG_E_FULL:
     * process_max_concurrent. TG_E_IO: `error` has the reason. TG_E_NO_MEMORY. */
    enum tg_status (*start)(struct tg_processes *processes, const struct tg_process_request *request,
                            void (*done)(void *user, const struct tg_process_result *result), void *user,
                            struct tg_process **process, struct tg_error *error);
    /* Nobody wants the result: it is killed, and `done` does not come. */
    void (*cancel)(struct tg_processes *processes, struct tg_process *process);
};

struct tg_processes {
    const struct tg_processes_ops *ops;
};

#endif
