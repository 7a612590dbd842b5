/* SHA-1 (RFC 3174), for the one thing that still needs it: the accept key of RFC 6455 4.2.2. */
#ifndef TG_BASE_SHA1_H
#define TG_BASE_SHA1_H

#include "base/slice.h"

#define TG_SHA1_BYTES 20

/* Of a text shorter than 512 MB. */
void tg_sha1(struct tg_slice text, unsigned char digest[TG_SHA1_BYTES]);

#endif
