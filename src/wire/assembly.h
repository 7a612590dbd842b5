/* Fragments to whole messages (RFC 6455 5.4), with the size limit and the check of UTF-8.
 *
 * The library hands over chunks: pieces of frames of one message. A message that arrives as one
 * chunk is passed through without a copy; any other is collected in a buffer that exists only
 * while a message is open.
 */
#ifndef TG_WIRE_ASSEMBLY_H
#define TG_WIRE_ASSEMBLY_H

#include "base/buf.h"
#include "base/status.h"
#include "base/utf8.h"

#include <stdbool.h>

struct tg_assembly {
    struct tg_buf bytes; /* of the open message */
    struct tg_utf8 utf8;
    bool is_open; /* at least one chunk came, the last has not */
    bool is_binary;
};

struct tg_chunk {
    struct tg_slice bytes;
    bool is_first;  /* begins a message */
    bool is_last;   /* ends it */
    bool is_binary; /* looked at in the first chunk only */
};

void tg_assembly_init(struct tg_assembly *assembly);

void tg_assembly_deinit(struct tg_assembly *assembly);

/* Takes the next chunk. When it ends a message, `*is_whole` is true and `*message` borrows the bytes
 * from the chunk or from the assembly until tg_assembly_done.
 * TG_E_UTF8: text that is not UTF-8, found at the bad byte (close with 1007).
 * TG_E_TOO_LARGE: longer than `max_bytes` (1009). TG_E_PROTOCOL: chunks out of sequence (1002).
 * TG_E_NO_MEMORY (1011). After an error the connection must be closed; what is kept is freed. */
enum tg_status tg_assembly_feed(struct tg_assembly *assembly, const struct tg_chunk *chunk, size_t max_bytes,
                                struct tg_slice *message, bool *is_whole);

/* The message has been handled: frees what it took. Call after every whole message. */
void tg_assembly_done(struct tg_assembly *assembly);

#endif
