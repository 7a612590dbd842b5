/* A WebSocket load generator: opens connections, loads some of them, and says what that cost the server.
 *
 * CPU and memory are the server's own, read from the kernel before and after the measured part: on a busy or
 * a slow machine they are steadier than throughput, and they hold whichever side is the bottleneck.
 */
#include "connections.h"
#include "process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct measure {
    uint64_t cpu_ns; /* of the server */
    uint64_t own_cpu_ns;
    uint64_t at_ns;
};

struct result {
    struct measure accepting, serving; /* what was used meanwhile */
    uint64_t messages;
    uint64_t rss_before_kb, rss_kb;
};

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static bool look(const struct tg_arguments *arguments, struct measure *measure)
{
    *measure = (struct measure){.at_ns = tg_now_ns()};
    tg_process_cpu_ns(getpid(), &measure->own_cpu_ns);
    if (arguments->server_pid == 0 || tg_process_cpu_ns(arguments->server_pid, &measure->cpu_ns)) return true;
    fprintf(stderr, "wsload: there is no process %d\n", (int)arguments->server_pid);
    return false;
}

static bool used_since(const struct tg_arguments *arguments, struct measure before, struct measure *used)
{
    struct measure after;
    if (!look(arguments, &after)) return false;
    *used = (struct measure){.cpu_ns = after.cpu_ns - before.cpu_ns,
                             .own_cpu_ns = after.own_cpu_ns - before.own_cpu_ns,
                             .at_ns = after.at_ns - before.at_ns};
    return true;
}

static bool measure_accepting(struct tg_connections *load, struct result *result)
{
    const struct tg_arguments *arguments = load->arguments;
    pid_t pid = arguments->server_pid;
    struct measure before;
    result->rss_before_kb = arguments->rss_before_kb;
    if (pid && !result->rss_before_kb) tg_process_rss_kb(pid, &result->rss_before_kb);
    if (!tg_connections_open(load, arguments->connections - arguments->accept_last) ||
        !look(arguments, &before) || !tg_connections_open(load, arguments->connections) ||
        !used_since(arguments, before, &result->accepting))
        return false;
    if (pid) tg_process_rss_kb(pid, &result->rss_kb);
    return true;
}

static uint64_t ns_from_now(double seconds)
{
    return tg_now_ns() + (uint64_t)(seconds * 1e9);
}

static bool measure_serving(struct tg_connections *load, struct result *result)
{
    const struct tg_arguments *arguments = load->arguments;
    struct measure before;
    if (!tg_connections_start(load) ||
        !tg_connections_run(load, ns_from_now(arguments->warmup_seconds), UINT64_MAX) ||
        !look(arguments, &before))
        return false;
    tg_histogram_reset(load->latencies);
    uint64_t answered_before = load->answered;
    uint64_t answers = arguments->messages ? answered_before + arguments->messages : UINT64_MAX;
    if (!tg_connections_run(load, ns_from_now(arguments->seconds), answers)) return false;
    result->messages = load->answered - answered_before;
    return used_since(arguments, before, &result->serving);
}

static double ratio(uint64_t amount, uint64_t of)
{
    return of ? (double)amount / (double)of : 0;
}

struct figure {
    const char *name;   /* in JSON */
    const char *format; /* for people; what a line of them reads best as */
    double value;
    bool is_shown;
};

static void print_figures(const struct figure *figures, size_t count, bool is_json)
{
    const char *between = "";
    fputs(is_json ? "{" : "", stdout);
    for (size_t i = 0; i < count; i++) {
        if (!figures[i].is_shown) continue;
        fputs(between, stdout);
        if (is_json)
            printf("\"%s\":%.10g", figures[i].name, figures[i].value);
        else
            printf(figures[i].format, figures[i].value);
        between = is_json ? "," : ", ";
    }
    puts(is_json ? "}" : "");
}

static void report(const struct tg_connections *load, const struct result *result)
{
    const struct tg_arguments *arguments = load->arguments;
    const struct tg_histogram *latencies = load->latencies;
    bool has_pid = arguments->server_pid != 0;
    bool has_load = result->messages > 0;
    uint64_t wall_ns = result->serving.at_ns;
    double grown_kb = (double)result->rss_kb - (double)result->rss_before_kb;
    struct figure figures[] = {
        {"connections", "%.0f connections", load->opened, true},
        {"active", "%.0f active", arguments->active, has_load},
        {"messages", "%.0f messages", (double)result->messages, has_load},
        {"per_second", "%.0f/s", ratio(result->messages, wall_ns) * 1e9, has_load},
        {"cpu_us_per_message", "server CPU %.3f us/message",
         ratio(result->serving.cpu_ns, result->messages) / 1e3, has_load && has_pid},
        {"cpu_share", "%.2f busy", ratio(result->serving.cpu_ns, wall_ns), has_load && has_pid},
        {"own_cpu_us_per_message", "own CPU %.3f us/message",
         ratio(result->serving.own_cpu_ns, result->messages) / 1e3, has_load},
        {"p50_us", "p50 %.1f us", (double)tg_histogram_percentile(latencies, 50) / 1e3, has_load},
        {"p90_us", "p90 %.1f us", (double)tg_histogram_percentile(latencies, 90) / 1e3, has_load},
        {"p99_us", "p99 %.1f us", (double)tg_histogram_percentile(latencies, 99) / 1e3, has_load},
        {"p999_us", "p99.9 %.1f us", (double)tg_histogram_percentile(latencies, 99.9) / 1e3, has_load},
        {"max_us", "max %.1f us", (double)latencies->largest_ns / 1e3, has_load},
        {"accept_cpu_us", "accept CPU %.1f us/connection",
         ratio(result->accepting.cpu_ns, arguments->accept_last) / 1e3, has_pid},
        {"rss_kb", "RSS %.0f kB", (double)result->rss_kb, has_pid},
        {"rss_bytes_per_connection", "%.0f B/connection", grown_kb * 1024 / load->opened, has_pid},
    };
    print_figures(figures, sizeof figures / sizeof *figures, arguments->is_json);
}

static bool set_up(struct tg_connections *load, const struct tg_arguments *arguments,
                   struct tg_histogram *latencies)
{
    raise_file_limit();
    tg_histogram_reset(latencies);
    if (tg_connections_init(load, arguments, latencies)) return true;
    fputs("wsload: out of memory\n", stderr);
    return false;
}

int main(int argc, char **argv)
{
    struct tg_arguments arguments;
    if (!tg_arguments_parse(&arguments, argc, argv)) return 2;
    struct tg_histogram latencies;
    struct tg_connections load;
    struct result result = {0};
    bool is_good = set_up(&load, &arguments, &latencies) && measure_accepting(&load, &result) &&
                   (arguments.seconds <= 0 || measure_serving(&load, &result));
    if (is_good) report(&load, &result);
    if (load.failure[0]) fprintf(stderr, "wsload: %s\n", load.failure);
    tg_connections_deinit(&load);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
