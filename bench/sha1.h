/* SHA-1 (RFC 3174), for the answer to a WebSocket key and nothing else. */
#ifndef TG_BENCH_SHA1_H
#define TG_BENCH_SHA1_H

#include <stddef.h>
#include <stdint.h>

/* Of at most 119 bytes: a key and its GUID are 60. */
void tg_sha1(const char *bytes, size_t length, uint8_t digest[20]);

#endif
