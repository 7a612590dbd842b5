/* What joining and leaving take, in instructions: counted one by one in a child that is traced, so that it
 * says the same on any machine, fast or slow. */
#include "core/group.h"

#include "support/fake_core.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CROWD = 10000 };

static const struct tg_slice room = TG_SLICE("room");

/* Runs in the child between two stops. */
static void come_and_go(struct tg_conn *conn)
{
    raise(SIGSTOP);
    enum tg_status status = tg_group_join(conn, TG_GROUP_NAMED, room);
    bool was_in = tg_group_leave(conn, TG_GROUP_NAMED, room);
    raise(SIGSTOP);
    _exit(status == TG_OK && was_in ? 0 : 1);
}

/* -1: the system does not let us look. */
static long count_steps(struct tg_conn *conn)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(2);
        come_and_go(conn);
    }
    int status;
    long steps = 0;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) return -1;
    do {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        waitpid(child, &status, 0);
        assert_true(WIFSTOPPED(status));
        steps++;
    } while (WSTOPSIG(status) == SIGTRAP);
    assert_int_equal(WSTOPSIG(status), SIGSTOP);
    ptrace(PTRACE_CONT, child, NULL, NULL);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return steps;
}

/* As much of a connection as groups look at. */
static void fill(struct fake_core *core, struct tg_conn *conns, int from, int to)
{
    for (int i = from; i < to; i++) {
        conns[i].worker = &core->worker;
        conns[i].id = (uint64_t)i + 1;
        tg_list_init(&conns[i].memberships);
        assert_int_equal(tg_group_join(&conns[i], TG_GROUP_NAMED, room), TG_OK);
    }
}

static void cost_the_same_in_a_group_of_10_and_of_10000(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    struct tg_conn *conns = calloc(CROWD + 1, sizeof *conns);
    assert_non_null(conns);
    struct tg_conn *newcomer = &conns[CROWD];
    fill(core, conns, CROWD, CROWD + 1);
    assert_true(tg_group_leave(newcomer, TG_GROUP_NAMED, room));
    fill(core, conns, 0, 10);
    long few = count_steps(newcomer);
    fill(core, conns, 10, CROWD);
    long many = count_steps(newcomer);
    for (int i = 0; i < CROWD; i++) assert_true(tg_group_leave(&conns[i], TG_GROUP_NAMED, room));
    fake_core_free(core);
    free(conns);
    if (few < 0) skip();
    print_message("%ld instructions in a group of 10, %ld in one of 10,000\n", few, many);
    assert_true(many < 2 * few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cost_the_same_in_a_group_of_10_and_of_10000)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
