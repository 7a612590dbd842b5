/* A file is written beside its place and moved there, so nobody reads half of it. The folder must be ours,
 * and no link: what another user has put there is not written into.
 */
#include "app/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME ".tidegate"

enum { LINE_BYTES_MAX = 4096 };

enum tg_status tg_local_make_token(char token[TG_LOCAL_TOKEN_BYTES])
{
    unsigned char bytes[(TG_LOCAL_TOKEN_BYTES - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) return TG_E_IO;
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return TG_OK;
}

static enum tg_status refuse(struct tg_error *error, const char *folder, const char *name, const char *why)
{
    return tg_error_set(error, TG_E_IO, "cannot write %s/" NAME "/%s: %s", folder, name, why);
}

/* The descriptor of the folder, which is made if need be; or -1 with errno. */
static int open_folder(const char *folder)
{
    char path[PATH_MAX];
    struct stat info;
    if (snprintf(path, sizeof path, "%s/" NAME, folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdir(path, S_IRWXU) < 0 && errno != EEXIST) return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -1;
    if (fstat(fd, &info) < 0 || info.st_uid != geteuid())
        errno = EPERM;
    else if (fchmod(fd, S_IRWXU) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* False with errno. */
static bool write_all(int fd, struct tg_slice text)
{
    while (text.length > 0) {
        ssize_t written = write(fd, text.data, text.length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.data += written;
        text.length -= (size_t)written;
    }
    return true;
}

/* False with errno. */
static bool write_file(int folder, const char *name, struct tg_slice text)
{
    char temporary[64];
    snprintf(temporary, sizeof temporary, "%s.%ld", name, (long)getpid());
    unlinkat(folder, temporary, 0);
    int fd =
        openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) return false;
    bool is_written = write_all(fd, text) && write_all(fd, TG_SLICE("\n"));
    int reason = errno;
    close(fd);
    if (is_written && renameat(folder, temporary, folder, name) == 0) return true;
    if (is_written) reason = errno;
    unlinkat(folder, temporary, 0);
    errno = reason;
    return false;
}

enum tg_status tg_local_write(const char *folder, const char *name, struct tg_slice text,
                              struct tg_error *error)
{
    int fd = open_folder(folder);
    if (fd < 0) return refuse(error, folder, name, strerror(errno));
    bool is_written = write_file(fd, ".gitignore", TG_SLICE("*")) && write_file(fd, name, text);
    int reason = errno;
    close(fd);
    return is_written ? TG_OK : refuse(error, folder, name, strerror(reason));
}

enum tg_status tg_local_read(const char *path, struct tg_buf *text, struct tg_error *error)
{
    char line[LINE_BYTES_MAX];
    FILE *file = fopen(path, "re");
    if (!file)
        return tg_error_set(error, errno == ENOENT ? TG_E_NOT_FOUND : TG_E_IO, "%s: %s", path,
                            strerror(errno));
    bool is_read = fgets(line, sizeof line, file);
    fclose(file);
    if (!is_read) return tg_error_set(error, TG_E_IO, "%s: the file is empty, or cannot be read", path);
    tg_buf_append(text, line, strcspn(line, "\r\n"));
    return text->has_failed ? tg_error_set(error, TG_E_NO_MEMORY, "not enough memory") : TG_OK;
}

void tg_local_remove(const char *folder, const char *name, struct tg_slice text)
{
    char path[PATH_MAX];
    struct tg_buf found;
    struct tg_error error;
    if (snprintf(path, sizeof path, "%s/" NAME "/%s", folder, name) >= (int)sizeof path) return;
    tg_buf_init(&found);
    if (tg_local_read(path, &found, &error) == TG_OK && tg_slice_equal(tg_buf_peek(&found), text))
        unlink(path);
    tg_buf_deinit(&found);
}
