/* Static files from one folder: nothing outside it, whatever the path or a symbolic link says. */
#ifndef TG_NET_FILES_H
#define TG_NET_FILES_H

#include "base/slice.h"
#include "net/state.h"

#include <stdbool.h>

/* Answers a GET or HEAD of a file. False when there is no such file: nothing was written.
 * `*result` is what the library's callback returns. */
bool tg_files_serve(struct tg_server *server, struct lws *wsi, struct tg_slice path, int *result);

#endif
