/* What the command line asks for. */
#ifndef TG_BENCH_ARGUMENTS_H
#define TG_BENCH_ARGUMENTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tg_arguments {
    const char *url; /* strings are borrowed from argv */
    struct sockaddr_in address;
    const char *path;
    unsigned connections;
    unsigned active; /* how many of them send */
    unsigned window; /* messages in flight per active connection; not used with `rate` */
    double rate;     /* messages per second over all active connections; 0: by window */
    double seconds;
    double warmup_seconds;
    uint64_t messages; /* the measured part ends after so many, when that is sooner; 0: by time alone */
    const char *message;
    const char *expected; /* what the first reply of each connection contains, or NULL */
    unsigned welcomes;    /* frames that each connection is sent unasked at its beginning */
    pid_t server_pid;     /* 0: the server is not looked at */
    uint64_t rss_before_kb;
    unsigned accept_last; /* of how many connections, the last ones, the accepting is measured */
    bool is_json;
};

/* Fills `arguments` with the defaults and then from argv. On false a sentence about it is on standard
 * error already. */
bool tg_arguments_parse(struct tg_arguments *arguments, int argc, char **argv);

/* How it is called, to standard output. */
void tg_arguments_help(void);

#endif
