/* The end of the gateway, whatever its cause, closes its end of a pipe. The second process is the program
 * itself, begun anew: a fork that stayed would keep every page of the first that has changed since.
 *
 * What is written are numbers of groups, to be taken back when they are negative; four bytes are never split.
 */
#include "net/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_MAX = 4096 };

static void note(pid_t *groups, pid_t told)
{
    for (int i = 0; i < GROUPS_MAX; i++) {
        if (groups[i] != (told < 0 ? -told : 0)) continue;
        groups[i] = told < 0 ? 0 : told;
        return;
    }
}

int tg_keeper_run(void)
{
    static pid_t groups[GROUPS_MAX];
    /* Signals for the program, from a terminal or by its name, are for the gateway. */
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) signal(ignored[i], SIG_IGN);
    for (;;) {
        pid_t told;
        ssize_t bytes = read(STDIN_FILENO, &told, sizeof told);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes != (ssize_t)sizeof told) break;
        note(groups, told);
    }
    for (int i = 0; i < GROUPS_MAX; i++)
        if (groups[i] > 0) kill(-groups[i], SIGKILL);
    return EXIT_SUCCESS;
}

/* With the pipe for its standard input and nothing else of ours, in a session of its own. */
static int spawn_keeper(int fd)
{
    static char name[] = "tidegate", argument[] = TG_KEEPER_ARGUMENT;
    char *arguments[] = {name, argument, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure) {
        posix_spawn_file_actions_destroy(&actions);
        return failure;
    }
    pid_t pid;
    failure = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    for (int out = STDOUT_FILENO; !failure && out <= STDERR_FILENO; out++)
        failure = posix_spawn_file_actions_addopen(&actions, out, "/dev/null", O_WRONLY, 0);
    if (!failure) failure = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    if (!failure) failure = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

enum tg_status tg_keeper_begin(struct tg_keeper *keeper, struct tg_error *error)
{
    if (keeper->fd >= 0) return TG_OK;
    int ends[2];
    static const char sentence[] = "the process that looks after child programs cannot be started: %s";
    if (pipe2(ends, O_CLOEXEC) != 0) return tg_error_set(error, TG_E_IO, sentence, strerror(errno));
    int failure = spawn_keeper(ends[0]);
    close(ends[0]);
    if (failure) {
        close(ends[1]);
        return tg_error_set(error, TG_E_IO, sentence, strerror(failure));
    }
    keeper->fd = ends[1];
    return TG_OK;
}

static void tell(const struct tg_keeper *keeper, pid_t told)
{
    ssize_t bytes = write(keeper->fd, &told, sizeof told);
    (void)bytes; /* somebody has killed it: children are still killed in all other ways */
}

void tg_keeper_add(const struct tg_keeper *keeper, pid_t group)
{
    tell(keeper, group);
}

void tg_keeper_remove(const struct tg_keeper *keeper, pid_t group)
{
    tell(keeper, -group);
}

void tg_keeper_end(struct tg_keeper *keeper)
{
    if (keeper->fd >= 0) close(keeper->fd);
    keeper->fd = -1;
}
