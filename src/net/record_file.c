/* The worker's thread fills `filling`; the writer's thread writes `given`. They swap under the lock, so
 * neither waits for the disk or for the other.
 *
 * Invariant: `given`, `has_given`, `is_closing` and `reason` are touched under the lock only, except by the
 * writer while has_given: then `given` is its own. */
#include "net/record_file.h"

#include "base/log.h"
#include "core/record.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* HAND_OVER_BYTES: so many do not wait for the second to pass. END_BYTES: room for the last line. PATIENCE:
 * for the disk, at the end. */
enum {
    FLUSH_MS = 1000,
    HAND_OVER_BYTES = 256 * 1024,
    END_BYTES = 128,
    KEEP_ARENA_BYTES = 256 * 1024,
    PATIENCE_SECONDS = 5,
};

struct tg_record_file {
    struct tg_recorder recorder; /* first: a tg_record_file is a tg_recorder */
    struct tg_worker *worker;
    struct tg_timer timer;
    struct tg_arena scratch;
    struct tg_buf filling;
    uint64_t began_ms;
    uint64_t bytes; /* of all lines so far */
    bool has_ended; /* nothing more is recorded */

    pthread_t writer;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct tg_buf given;
    bool has_given, is_closing;
    int reason; /* errno of the write that failed; 0: none */
    int fd;
};

/* ---- the writer's thread ---- */

static int write_all(int fd, struct tg_slice bytes)
{
    while (bytes.length > 0) {
        ssize_t written = write(fd, bytes.data, bytes.length);
        if (written < 0 && errno != EINTR) return errno;
        if (written > 0) bytes = (struct tg_slice){bytes.data + written, bytes.length - (size_t)written};
    }
    return 0;
}

static void *run_writer(void *context)
{
    struct tg_record_file *file = context;
    pthread_mutex_lock(&file->lock);
    for (;;) {
        while (!file->has_given && !file->is_closing) pthread_cond_wait(&file->change, &file->lock);
        if (!file->has_given) break;
        bool is_broken = file->reason != 0;
        pthread_mutex_unlock(&file->lock);
        int reason = is_broken ? 0 : write_all(file->fd, tg_buf_peek(&file->given));
        pthread_mutex_lock(&file->lock);
        if (reason) file->reason = reason;
        tg_buf_truncate(&file->given, 0);
        file->has_given = false;
    }
    pthread_mutex_unlock(&file->lock);
    return NULL;
}

/* The thread gets no signal: SIGTERM is the loop's, and SIGXFSZ, which a limit of file sizes sends to whoever
 * writes, is told by the write as well. */
static bool start_writer(struct tg_record_file *file)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool is_started = pthread_create(&file->writer, NULL, run_writer, file) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

/* ---- the worker's thread ---- */

/* The last line has its place within record_max_bytes. `reason` 0: no error of the system's. */
static void end(struct tg_record_file *file, const char *why, int reason)
{
    struct tg_worker *worker = file->worker;
    file->has_ended = true;
    worker->recorder = NULL;
    worker->metrics.recording = 0;
    worker->metrics.recordings_ended++;
    tg_log(TG_LOG_WARNING, "recording_ended", TG_LOG_S("why", reason ? strerror(reason) : why),
           TG_LOG_I("bytes", file->bytes));
    tg_buf_truncate(&file->filling, file->filling.length);
    tg_record_end(&file->filling, why, tg_worker_now_ms(worker) - file->began_ms);
}

/* False: the writer is still at what it got before. */
static bool hand_over(struct tg_record_file *file)
{
    pthread_mutex_lock(&file->lock);
    bool is_free = !file->has_given;
    int reason = file->reason;
    if (is_free && file->filling.length) {
        struct tg_buf filled = file->filling;
        file->filling = file->given;
        file->given = filled;
        file->has_given = true;
        pthread_cond_signal(&file->change);
    }
    pthread_mutex_unlock(&file->lock);
    if (reason && !file->has_ended) end(file, "disk", reason);
    return is_free;
}

static void arm(struct tg_record_file *file)
{
    struct tg_worker *worker = file->worker;
    if (tg_list_is_linked(&file->timer.link)) return;
    tg_worker_arm(worker, &file->timer, tg_worker_now_ms(worker) + FLUSH_MS);
}

/* Looks once more after the last lines were handed over: whether they could be written. */
static void flush(struct tg_timer *timer)
{
    struct tg_record_file *file = TG_CONTAINER(timer, struct tg_record_file, timer);
    bool had_lines = file->filling.length > 0;
    hand_over(file);
    if (had_lines) arm(file);
}

/* A line was written behind `before`: it is taken back when it does not fit. */
static void add_line(struct tg_record_file *file, size_t before)
{
    struct tg_worker *worker = file->worker;
    const struct tg_config *config = worker->config;
    bool has_failed = file->filling.has_failed;
    uint64_t bytes = has_failed ? 0 : file->filling.length - before;
    bool is_over = file->bytes + bytes + END_BYTES > config->record_max_bytes;
    bool is_slow = file->filling.length > config->record_buffer_bytes;
    if (has_failed || is_over || is_slow) {
        tg_buf_truncate(&file->filling, before);
        end(file, has_failed ? "no_memory" : is_over ? "record_max_bytes" : "record_buffer_bytes", 0);
    } else {
        file->bytes += bytes;
        worker->metrics.recorded_bytes += bytes;
        worker->metrics.recorded_lines++;
    }
    if (file->filling.length >= HAND_OVER_BYTES) hand_over(file);
    arm(file);
}

static struct tg_record_file *of(struct tg_recorder *recorder)
{
    return (struct tg_record_file *)recorder;
}

static uint64_t elapsed_ms(const struct tg_record_file *file)
{
    return tg_worker_now_ms(file->worker) - file->began_ms;
}

static void opened(struct tg_recorder *recorder, struct tg_conn *conn)
{
    struct tg_record_file *file = of(recorder);
    size_t before = file->filling.length;
    tg_record_open(&file->filling, conn, elapsed_ms(file), &file->scratch);
    add_line(file, before);
}

static void received(struct tg_recorder *recorder, struct tg_conn *conn, struct tg_slice message,
                     bool is_binary)
{
    struct tg_record_file *file = of(recorder);
    size_t before = file->filling.length;
    tg_record_message(&file->filling, conn, message, is_binary, elapsed_ms(file), &file->scratch);
    add_line(file, before);
}

static void closed(struct tg_recorder *recorder, struct tg_conn *conn, enum tg_ender by,
                   struct tg_slice reason)
{
    struct tg_record_file *file = of(recorder);
    size_t before = file->filling.length;
    tg_record_close(&file->filling, conn, by, reason, elapsed_ms(file));
    add_line(file, before);
}

static void moved(struct tg_recorder *recorder, struct tg_conn *conn)
{
    tg_record_know(conn, &of(recorder)->scratch);
}

static const struct tg_recorder_ops recorder_ops = {opened, received, closed, moved};

/* ---- beginning and ending ---- */

/* `path` with the time for "{time}"; the caller frees it. NULL without memory. */
static char *name_file(const char *path, uint64_t wall_ms)
{
    static const char place[] = "{time}";
    struct tm day;
    char at[sizeof "20260102T030405Z"];
    char *name = NULL;
    time_t seconds = (time_t)(wall_ms / 1000);
    const char *found = strstr(path, place);
    if (!found) return strdup(path);
    strftime(at, sizeof at, "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &day));
    if (asprintf(&name, "%.*s%s%s", (int)(found - path), path, at, found + strlen(place)) < 0) return NULL;
    return name;
}

static enum tg_status create(const char *path, int *fd, struct tg_error *error)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (*fd >= 0) return TG_OK;
    if (errno == EEXIST)
        return tg_error_set(
            error, TG_E_EXISTS,
            "%s exists, and a recording replaces no file: move it, or put {time} into the name", path);
    return tg_error_set(error, TG_E_IO, "%s: cannot record: %s", path, strerror(errno));
}

static struct tg_record_file *file_new(struct tg_worker *worker)
{
    struct tg_record_file *file = calloc(1, sizeof *file);
    if (!file) return NULL;
    file->recorder.ops = &recorder_ops;
    file->worker = worker;
    file->began_ms = tg_worker_now_ms(worker);
    file->fd = -1;
    tg_timer_init(&file->timer, flush);
    tg_arena_init(&file->scratch, KEEP_ARENA_BYTES);
    tg_buf_init(&file->filling);
    tg_buf_init(&file->given);
    pthread_mutex_init(&file->lock, NULL);
    pthread_cond_init(&file->change, NULL);
    return file;
}

static void file_free(struct tg_record_file *file)
{
    if (file->fd >= 0) close(file->fd);
    tg_arena_deinit(&file->scratch);
    tg_buf_deinit(&file->filling);
    tg_buf_deinit(&file->given);
    pthread_mutex_destroy(&file->lock);
    pthread_cond_destroy(&file->change);
    free(file);
}

enum tg_status tg_record_file_open(struct tg_record_file **file, struct tg_worker *worker, const char *path,
                                   const char *folder, struct tg_error *error)
{
    uint64_t wall_ms = tg_clock_wall_ms(worker->clock);
    *file = NULL;
    struct tg_record_file *made = file_new(worker);
    char *name = made ? name_file(path, wall_ms) : NULL;
    enum tg_status status =
        name ? create(name, &made->fd, error) : tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    if (status == TG_OK) {
        tg_record_begin(&made->filling, wall_ms, tg_slice_of(folder));
        if (made->filling.has_failed || !start_writer(made))
            status = tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    }
    if (status != TG_OK) {
        if (made) file_free(made);
        free(name);
        return status;
    }
    tg_log(TG_LOG_INFO, "recording", TG_LOG_S("file", name));
    free(name);
    worker->recorder = &made->recorder;
    worker->metrics.recording = 1;
    *file = made;
    add_line(made, 0);
    return TG_OK;
}

/* Waits a while for the writer. False: the disk stands still; what the writer uses has to stay. */
static bool join(struct tg_record_file *file)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_SECONDS;
    pthread_mutex_lock(&file->lock);
    file->is_closing = true;
    pthread_cond_signal(&file->change);
    pthread_mutex_unlock(&file->lock);
    return pthread_timedjoin_np(file->writer, NULL, &deadline) == 0;
}

void tg_record_file_close(struct tg_record_file *file)
{
    if (!file) return;
    struct tg_worker *worker = file->worker;
    worker->recorder = NULL;
    worker->metrics.recording = 0;
    tg_wheel_disarm(&worker->wheel, &file->timer);
    if (!file->has_ended) tg_record_end(&file->filling, "stopped", elapsed_ms(file));
    file->has_ended = true;
    bool is_handed_over = hand_over(file);
    bool is_over = join(file);
    /* The writer was busy: what came meanwhile is left, and its thread has ended. */
    if (is_over && !is_handed_over && !file->reason)
        file->reason = write_all(file->fd, tg_buf_peek(&file->filling));
    if (!is_over || file->reason)
        tg_log(TG_LOG_WARNING, "recording_incomplete",
               TG_LOG_S("why", is_over ? strerror(file->reason) : "the disk does not answer"));
    if (is_over) file_free(file);
}
