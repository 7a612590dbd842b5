/* The lines of a recording: what a client sent, as one JSON object per line, without what is secret.
 *
 *     {"type":"recording","format":1,"version":"0.1.0","at":"2026-01-02T03:04:05.678Z","folder":"shop"}
 *     {"type":"open","ms":12,"conn":"...","consumer":"chat","path":"/ws/chat/7","query":"","headers":[["origin","..."]],...}
 *     {"type":"message","ms":15,"conn":"...","text":"{\"action\":\"chat\",...}","masked":1}
 *     {"type":"message","ms":16,"conn":"...","binary":"AAEC"}
 *     {"type":"message","ms":17,"conn":"...","omitted":"unknown","bytes":512}
 *     {"type":"close","ms":20,"conn":"...","code":1000,"reason":"bye","by":"client"}
 *     {"type":"end","ms":99,"why":"stopped"}
 *
 * `ms` counts from the first line. A consumer that has no secrets is recorded byte for byte; of one that has
 * some a message is kept only when it can be told apart what is secret in it (wire/redact.h).
 */
#ifndef TG_CORE_RECORD_H
#define TG_CORE_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/conn.h"
#include "core/recorder.h"

#include <stdint.h>

#define TG_RECORD_FORMAT 1

void tg_record_begin(struct tg_buf *out, uint64_t wall_ms, struct tg_slice folder);

/* Finds out whether what the connection's clients send has secrets. `scratch` is reset. */
void tg_record_know(struct tg_conn *conn, struct tg_arena *scratch);

/* The same, and writes the line. */
void tg_record_open(struct tg_buf *out, struct tg_conn *conn, uint64_t ms, struct tg_arena *scratch);

/* `scratch` is reset. */
void tg_record_message(struct tg_buf *out, const struct tg_conn *conn, struct tg_slice message,
                       bool is_binary, uint64_t ms, struct tg_arena *scratch);

void tg_record_close(struct tg_buf *out, const struct tg_conn *conn, enum tg_ender by, struct tg_slice reason,
                     uint64_t ms);

void tg_record_end(struct tg_buf *out, const char *why, uint64_t ms);

#endif
