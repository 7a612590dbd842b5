/* Numbers are read whole: "10k" and "" are mistakes, not 10 and 0. */
#include "arguments.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    {"connections", required_argument, NULL, 'c'},
    {"active", required_argument, NULL, 'a'},
    {"window", required_argument, NULL, 'w'},
    {"rate", required_argument, NULL, 'r'},
    {"seconds", required_argument, NULL, 's'},
    {"warmup", required_argument, NULL, 'u'},
    {"messages", required_argument, NULL, 'n'},
    {"message", required_argument, NULL, 'm'},
    {"expect-substring", required_argument, NULL, 'e'},
    {"welcome", required_argument, NULL, 'l'},
    {"server-pid", required_argument, NULL, 'p'},
    {"rss-before", required_argument, NULL, 'b'},
    {"accept-last", required_argument, NULL, 't'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

void tg_arguments_help(void)
{
    puts("usage: wsload [options] ws://127.0.0.1:PORT/PATH\n"
         "  --connections N       open N connections (64)\n"
         "  --active A            A of them send, evenly spread (all)\n"
         "  --window W            W messages in flight per active connection (1)\n"
         "  --rate R              instead: R messages a second over all, latency from the intended time\n"
         "  --seconds S           measure for S seconds (5); 0 only connects\n"
         "  --warmup S            load before the measured part (0.5)\n"
         "  --messages N          stop after N measured messages, if that is sooner\n"
         "  --message TEXT        what is sent ({\"action\":\"user_message\",...})\n"
         "  --expect-substring S  the first reply of each connection must contain S\n"
         "  --welcome N           swallow N frames per connection before sending (0)\n"
         "  --server-pid PID      report the CPU and the memory of that process\n"
         "  --rss-before KB       its memory without connections (read at the start)\n"
         "  --accept-last N       measure the accepting of the last N connections (all)\n"
         "  --json                one JSON object instead of one line");
}

static bool read_number(const char *text, double least, double most, double *number)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !(value >= least && value <= most)) {
        fprintf(stderr, "wsload: \"%s\" is not a number from %.0f to %.0f\n", text, least, most);
        return false;
    }
    *number = value;
    return true;
}

static bool read_count(const char *text, double least, unsigned *count)
{
    double number;
    if (!read_number(text, least, INT_MAX, &number)) return false;
    *count = (unsigned)number;
    return true;
}

static bool read_count64(const char *text, uint64_t *count)
{
    double number;
    if (!read_number(text, 0, 1e15, &number)) return false;
    *count = (uint64_t)number;
    return true;
}

static bool read_url(const char *url, struct tg_arguments *arguments)
{
    char host[64];
    unsigned port;
    int path_at = 0;
    if (sscanf(url, "ws://%63[0-9.]:%5u%n", host, &port, &path_at) == 2 && port <= UINT16_MAX &&
        inet_pton(AF_INET, host, &arguments->address.sin_addr) == 1) {
        arguments->address.sin_family = AF_INET;
        arguments->address.sin_port = htons((uint16_t)port);
        arguments->path = url[path_at] ? url + path_at : "/";
        if (arguments->path[0] == '/') return true;
    }
    fprintf(stderr, "wsload: \"%s\" is not ws://ADDRESS:PORT/PATH with an IPv4 address\n", url);
    return false;
}

static bool read_option(struct tg_arguments *arguments, int option, const char *text)
{
    unsigned pid;
    switch (option) {
    case 'c':
        return read_count(text, 1, &arguments->connections);
    case 'a':
        return read_count(text, 1, &arguments->active);
    case 'w':
        return read_count(text, 1, &arguments->window);
    case 'r':
        return read_number(text, 1, 1e9, &arguments->rate);
    case 's':
        return read_number(text, 0, 1e6, &arguments->seconds);
    case 'u':
        return read_number(text, 0, 1e6, &arguments->warmup_seconds);
    case 'n':
        return read_count64(text, &arguments->messages);
    case 'm':
        arguments->message = text;
        return true;
    case 'e':
        arguments->expected = text;
        return true;
    case 'l':
        return read_count(text, 0, &arguments->welcomes);
    case 'b':
        return read_count64(text, &arguments->rss_before_kb);
    case 't':
        return read_count(text, 1, &arguments->accept_last);
    case 'j':
        arguments->is_json = true;
        return true;
    case 'p':
        if (!read_count(text, 1, &pid)) return false;
        arguments->server_pid = (pid_t)pid;
        return true;
    case 'h':
        tg_arguments_help();
        exit(EXIT_SUCCESS);
    default:
        return false; /* getopt has said why */
    }
}

bool tg_arguments_parse(struct tg_arguments *arguments, int argc, char **argv)
{
    *arguments = (struct tg_arguments){
        .connections = 64,
        .window = 1,
        .seconds = 5,
        .warmup_seconds = 0.5,
        .message = "{\"action\":\"user_message\",\"payload\":{\"message\":\"Hello\"}}",
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!read_option(arguments, option, optarg)) return false;
    if (optind + 1 != argc) {
        fputs("wsload: one URL is needed; --help tells more\n", stderr);
        return false;
    }
    if (arguments->active == 0 || arguments->active > arguments->connections)
        arguments->active = arguments->connections;
    if (arguments->accept_last == 0 || arguments->accept_last > arguments->connections)
        arguments->accept_last = arguments->connections;
    arguments->url = argv[optind];
    return read_url(argv[optind], arguments);
}
