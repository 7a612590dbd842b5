/* The child leads a group of its own and gets SIGKILL from the kernel when this process ends (prctl). What it
 * writes goes into a file without a name, so that nobody has to empty a pipe.
 *
 * Invariant: `pid` is 0 before it began and after it was waited for, so nobody signals a stranger. */
#include "kit/wire_process.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESS "tidegate.wire_process"

enum { TEXTS_MAX = 512, STEP_MS = 5, NO_PROGRAM = 127 };

struct process {
    pid_t pid;
    int output; /* -1: none */
    int status; /* of waitpid */
};

static struct process *check_process(lua_State *L)
{
    return luaL_checkudata(L, 1, PROCESS);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* False: it has ended, and was waited for. */
static bool is_running(struct process *process)
{
    if (process->pid == 0) return false;
    pid_t ended;
    do ended = waitpid(process->pid, &process->status, WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended == 0) return true;
    process->pid = 0;
    return false;
}

static bool wait_for_end(struct process *process, uint64_t milliseconds)
{
    uint64_t deadline_ms = now_ms() + milliseconds;
    while (is_running(process)) {
        if (now_ms() >= deadline_ms) return false;
        nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
    }
    return true;
}

/* Nothing survives SIGKILL, so this waits without a limit. */
static void kill_group(struct process *process)
{
    if (!is_running(process)) return;
    kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR) continue;
    process->pid = 0;
}

/* ---- methods ---- */

static int process_is_running(lua_State *L)
{
    lua_pushboolean(L, is_running(check_process(L)));
    return 1;
}

static int process_output(lua_State *L)
{
    struct process *process = check_process(L);
    lua_Integer offset = luaL_optinteger(L, 2, 0);
    struct stat status;
    if (process->output < 0 || fstat(process->output, &status) != 0) status.st_size = 0;
    size_t wanted = status.st_size > offset && offset >= 0 ? (size_t)(status.st_size - offset) : 0;
    luaL_Buffer text;
    char *room = luaL_buffinitsize(L, &text, wanted);
    ssize_t length = wanted ? pread(process->output, room, wanted, (off_t)offset) : 0;
    luaL_pushresultsize(&text, length > 0 ? (size_t)length : 0);
    return 1;
}

/* [-0, +1, m] */
static int push_status(lua_State *L, const struct process *process)
{
    if (WIFSIGNALED(process->status))
        lua_pushfstring(L, "signal %d", WTERMSIG(process->status));
    else
        lua_pushfstring(L, "status %d", WEXITSTATUS(process->status));
    return 1;
}

static int process_stop(lua_State *L)
{
    struct process *process = check_process(L);
    lua_Number seconds = luaL_checknumber(L, 2);
    if (is_running(process)) {
        kill(-process->pid, SIGTERM);
        if (!wait_for_end(process, (uint64_t)(seconds * 1000))) kill_group(process);
    }
    return push_status(L, process);
}

static int process_kill(lua_State *L)
{
    kill_group(check_process(L));
    return 0;
}

static int process_pid(lua_State *L)
{
    lua_pushinteger(L, check_process(L)->pid);
    return 1;
}

static int process_gc(lua_State *L)
{
    struct process *process = check_process(L);
    kill_group(process);
    if (process->output >= 0) close(process->output);
    process->output = -1;
    return 0;
}

static const luaL_Reg methods[] = {
    {"is_running", process_is_running},
    {"output", process_output},
    {"stop", process_stop},
    {"kill", process_kill},
    {"pid", process_pid},
    {NULL, NULL},
};

/* [-0, +1, m] */
static struct process *push_process(lua_State *L)
{
    struct process *process = lua_newuserdatauv(L, sizeof *process, 0);
    *process = (struct process){.output = -1};
    if (luaL_newmetatable(L, PROCESS)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, process_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return process;
}

/* ---- starting ---- */

/* A field of the options, which lie at 1, as texts behind `first`, ended by NULL; they stay in its table. */
static void read_texts(lua_State *L, const char *name, const char *texts[TEXTS_MAX + 2], const char *first)
{
    size_t count = 0;
    if (first) texts[count++] = first;
    lua_getfield(L, 1, name);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_Integer length = luaL_len(L, -1);
    if (length > TEXTS_MAX) luaL_error(L, "wire.start: more than %d %s", TEXTS_MAX, name);
    for (lua_Integer i = 1; i <= length; i++) {
        lua_geti(L, -1, i);
        texts[count++] = luaL_checkstring(L, -1);
        lua_pop(L, 1);
    }
    texts[count] = NULL;
    lua_pop(L, 1);
}

/* Handlers are this process's, and would run in the child until it is another program. */
static void forget_handlers(void)
{
    struct sigaction action;
    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN) signal(number, SIG_DFL);
}

/* In the child, whose signals are blocked: nothing but calls that are safe between fork and exec. */
static _Noreturn void run_child(pid_t parent, int output, const char *program, const char *const *arguments,
                                const char *const *environment)
{
    sigset_t none;
    sigemptyset(&none);
    forget_handlers();
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(NO_PROGRAM); /* it ended before the kernel was told */
    setpgid(0, 0);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC); /* what a spec has opened */
    execve(program, (char *const *)arguments, (char *const *)environment);
    static const char failure[] = "the program cannot be run\n";
    if (write(STDERR_FILENO, failure, sizeof failure - 1) < 0) _exit(NO_PROGRAM);
    _exit(NO_PROGRAM);
}

static pid_t start_child(int output, const char *program, const char *const *arguments,
                         const char *const *environment)
{
    sigset_t all, before;
    pid_t parent = getpid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) run_child(parent, output, program, arguments, environment);
    int reason = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return pid;
}

int tg_kit_wire_start(lua_State *L)
{
    const char *arguments[TEXTS_MAX + 2], *environment[TEXTS_MAX + 2];
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "program");
    const char *program = luaL_checkstring(L, -1);
    read_texts(L, "arguments", arguments, program);
    read_texts(L, "environment", environment, NULL);
    struct process *process = push_process(L);
    process->output = memfd_create("tidegate output", MFD_CLOEXEC);
    pid_t pid = process->output < 0 ? -1 : start_child(process->output, program, arguments, environment);
    if (pid < 0) {
        lua_pushnil(L);
        lua_pushstring(L, strerror(errno));
        return 2;
    }
    setpgid(pid, pid); /* also here, so that the group is there when the first signal is */
    process->pid = pid;
    return 1;
}
