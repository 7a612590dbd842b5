/* DIR/.tidegate: what a gateway in development leaves in the folder that it serves, for the commands that
 * talk to it. Only who runs the gateway can read it, and no version control takes it.
 */
#ifndef TG_APP_LOCAL_H
#define TG_APP_LOCAL_H

#include "base/buf.h"
#include "base/status.h"

#define TG_LOCAL_TOKEN "token"
#define TG_LOCAL_SECRET "secret"   /* of sessions; stays when the gateway ends */
#define TG_LOCAL_ADDRESS "address" /* of /api: http://127.0.0.1:8000 */

/* 32 random bytes in hexadecimal, and a zero. */
#define TG_LOCAL_TOKEN_BYTES 65

/* TG_E_IO: the kernel has no random bytes. */
enum tg_status tg_local_make_token(char token[TG_LOCAL_TOKEN_BYTES]);

/* Writes DIR/.tidegate/NAME, in one piece for whoever reads it. TG_E_IO: `error` says what cannot be done. */
enum tg_status tg_local_write(const char *folder, const char *name, struct tg_slice text,
                              struct tg_error *error);

/* Removes the file, if it still has this text: a gateway that was started later may have written its own. */
void tg_local_remove(const char *folder, const char *name, struct tg_slice text);

/* Appends the first line of the file at `path`, without its end. TG_E_NOT_FOUND; TG_E_IO: `error` names the
 * path and says why. */
enum tg_status tg_local_read(const char *path, struct tg_buf *text, struct tg_error *error);

#endif
