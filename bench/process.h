/* What another process has used so far, as the kernel counts it. */
#ifndef TG_BENCH_PROCESS_H
#define TG_BENCH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Nanoseconds of CPU of all its threads, user and system; false when there is no such process. */
bool tg_process_cpu_ns(pid_t pid, uint64_t *cpu_ns);

/* Resident memory (VmRSS); false when there is no such process. */
bool tg_process_rss_kb(pid_t pid, uint64_t *rss_kb);

/* The monotonic clock, in nanoseconds. */
uint64_t tg_now_ns(void);

#endif
