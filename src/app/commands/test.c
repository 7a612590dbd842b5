/* Specs run on a gateway without an application and without a port. The first Ctrl-C raises in them, so that
 * what has run so far is reported; the second ends the program at once. */
#include "app/commands/commands.h"
#include "app/gateway.h"
#include "script/testbed.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct test {
    struct tg_config config; /* what it points at is the command's */
    struct tg_gateway gateway;
    struct tg_testbed testbed;
};

/* Rule zero: a signal handler gets no context. Set before the handler is installed. */
static struct test *interrupted;
static struct sigaction of_loop; /* the handler that wakes the loop */

static _Noreturn void leave_now(struct test *test, int status)
{
    if (test->gateway.processes) tg_net_processes_kill(test->gateway.processes);
    _exit(status);
}

/* Not from the loop, which does not turn while a spec hangs. */
static void on_interrupt(int number)
{
    int kept_errno = errno;
    if (interrupted->testbed.is_interrupted) leave_now(interrupted, 128 + number);
    tg_testbed_interrupt(&interrupted->testbed);
    of_loop.sa_handler(number);
    errno = kept_errno;
}

static void on_loop_signal(void *context, int number)
{
    struct test *test = context;
    (void)number;
    tg_testbed_wake(&test->testbed);
}

static enum tg_status catch_signals(struct test *test, struct tg_error *error)
{
    enum tg_status status = tg_net_loop_catch_signals(test->gateway.loop, on_loop_signal, test, error);
    if (status != TG_OK) return status;
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    interrupted = test;
    sigaction(SIGINT, NULL, &of_loop); /* known before the first signal comes */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return TG_OK;
}

static void ended(struct tg_testbed *testbed, bool at_once)
{
    struct test *test = TG_CONTAINER(testbed, struct test, testbed);
    if (at_once) {
        fflush(NULL);
        leave_now(test, testbed->status);
    }
    struct tg_loop *loop = test->gateway.worker.loop;
    loop->ops->stop(loop);
}

static enum tg_status begin(struct test *test, const struct tg_cli *cli, const struct tg_config *config,
                            struct tg_error *error)
{
    test->config = *config;
    test->config.stall_ms = UINT32_MAX; /* a spec may hold the loop */
    enum tg_status status = tg_gateway_open_bare(&test->gateway, &test->config, error);
    if (status != TG_OK) return status;
    if (chdir(cli->folder) != 0) return tg_error_set(error, TG_E_IO, "%s: %s", cli->folder, strerror(errno));
    tg_net_loop_follow_time(test->gateway.loop);
    test->testbed.host = test->gateway.host;
    test->testbed.ended = ended;
    status = catch_signals(test, error);
    return status == TG_OK ? tg_testbed_start(&test->testbed, cli->flags, error) : status;
}

int tg_command_test(const struct tg_cli *cli, const struct tg_config *config)
{
    struct test test = {.testbed = {.status = EXIT_FAILURE}};
    struct tg_error error;
    enum tg_status status = begin(&test, cli, config, &error);
    if (status == TG_OK)
        tg_gateway_run(&test.gateway);
    else
        fprintf(stderr, "tidegate: %s\n", error.text);
    bool is_over = tg_gateway_close(&test.gateway);
    tg_testbed_deinit(&test.testbed);
    interrupted = NULL;
    int exit_status = test.testbed.status;
    if (!is_over) {
        fflush(NULL);
        _exit(exit_status);
    }
    return exit_status;
}
