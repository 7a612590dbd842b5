/* What RFC 6455 4.2.1 asks of an upgrade and the library does not check, and what 4.2.2 answers. */
#ifndef TG_WIRE_HANDSHAKE_H
#define TG_WIRE_HANDSHAKE_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>

/* RFC 6455 4.2.1 (5): a base64 value that decodes to 16 bytes, that is 22 digits and "==". */
bool tg_handshake_key_is_valid(struct tg_slice key);

/* RFC 6455 4.4: the one version that is spoken. */
bool tg_handshake_version_is_supported(struct tg_slice version);

/* RFC 9110 5.6.2: whether the text can name a subprotocol (RFC 6455 11.3.4), or a header. */
bool tg_handshake_is_token(struct tg_slice text);

/* The first of `count` names that the list `offered` (Sec-WebSocket-Protocol) has; `chosen` is empty when it
 * has none of them. False: it is no list of names. */
bool tg_handshake_choose_protocol(struct tg_slice offered, const struct tg_slice *names, size_t count,
                                  struct tg_slice *chosen);

/* The first name of such a list. */
struct tg_slice tg_handshake_first_protocol(struct tg_slice offered);

/* RFC 6455 4.2.2 (5.4): what a server answers to this key, 28 characters of base64. */
#define TG_HANDSHAKE_ACCEPT_BYTES 28
void tg_handshake_write_accept(struct tg_buf *out, struct tg_slice key);

/* A file below a folder: the path of a request (decoded once) as a relative file name, safe to append
 * to the folder's name: no empty, "." or ".." segment, no hidden file (a segment that begins with
 * '.'), no control character, no backslash. "/" and a path that ends in '/' name their index.html.
 * False when the path names no file. `*needs_index` tells the caller to append "index.html". */
bool tg_static_path(struct tg_slice path, struct tg_slice *relative, bool *needs_index);

#endif
