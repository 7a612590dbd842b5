/* CPU comes from the process's own clock: /proc/PID/stat counts in ticks of 10 ms, too coarse for a short
 * run. */
#include "process.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static uint64_t nanoseconds(struct timespec time)
{
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

bool tg_process_cpu_ns(pid_t pid, uint64_t *cpu_ns)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return false;
    *cpu_ns = nanoseconds(time);
    return true;
}

bool tg_process_rss_kb(pid_t pid, uint64_t *rss_kb)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    bool is_found = false;
    while (!is_found && fgets(line, sizeof line, file))
        is_found = sscanf(line, "VmRSS: %" SCNu64, rss_kb) == 1;
    fclose(file);
    return is_found;
}

uint64_t tg_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return nanoseconds(time);
}
