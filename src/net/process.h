/* Child programs, on libuv: the production side of core/process.h. */
#ifndef TG_NET_PROCESS_H
#define TG_NET_PROCESS_H

#include "core/process.h"
#include "core/worker.h"
#include "net/loop.h"

struct tg_net_processes;

/* The loop and the worker are borrowed. TG_E_NO_MEMORY. */
enum tg_status tg_net_processes_open(struct tg_net_processes **out, struct tg_net_loop *loop,
                                     struct tg_worker *worker);

/* Before the loop is closed: kills what runs. */
void tg_net_processes_close(struct tg_net_processes *processes);

/* Kills what runs, and nothing else: for a program that ends at once. */
void tg_net_processes_kill(struct tg_net_processes *processes);

/* The face that the worker gets; borrowed. */
struct tg_processes *tg_net_processes_core(struct tg_net_processes *processes);

#endif
