/* The recorder of a gateway that records: a new file, written by a thread of its own.
 *
 * Lines are gathered and handed over once a second, or when there are many; at the end all is written. When
 * the file is full (record_max_bytes), or the disk is, or it does not keep up (record_buffer_bytes), the
 * recording ends, and the gateway goes on.
 */
#ifndef TG_NET_RECORD_FILE_H
#define TG_NET_RECORD_FILE_H

#include "base/status.h"
#include "core/worker.h"

struct tg_record_file;

/* Makes the file `path` (mode 0600), in which "{time}" stands for the present time, and sets
 * worker->recorder. TG_E_EXISTS: a file of that name is there, and stays as it is. TG_E_IO, TG_E_NO_MEMORY.
 */
enum tg_status tg_record_file_open(struct tg_record_file **file, struct tg_worker *worker, const char *path,
                                   const char *folder, struct tg_error *error);

/* Writes what is left, for a disk that stands still no longer than a moment, and closes. NULL is allowed. The
 * worker records nothing any more. */
void tg_record_file_close(struct tg_record_file *file);

#endif
