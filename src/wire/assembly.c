/* Invariant: while no message is open and none waits for tg_assembly_done, `bytes` owns no memory: an
 * idle connection costs the struct and nothing else. The buffer doubles (buf.c), so a message in n
 * chunks is copied O(1) times per byte. `utf8` needs no reset between messages: a text that does not end
 * between two characters is refused, and an error clears everything. */
#include "wire/assembly.h"

#include <assert.h>

void tg_assembly_init(struct tg_assembly *assembly)
{
    *assembly = (struct tg_assembly){0};
    tg_buf_init(&assembly->bytes);
}

void tg_assembly_deinit(struct tg_assembly *assembly)
{
    tg_buf_deinit(&assembly->bytes);
    tg_assembly_init(assembly);
}

void tg_assembly_done(struct tg_assembly *assembly)
{
    tg_assembly_deinit(assembly);
}

/* RFC 6455 5.4: a message is one beginning and then continuations; messages do not interleave. */
static enum tg_status open_or_continue(struct tg_assembly *assembly, const struct tg_chunk *chunk)
{
    if (chunk->is_first == assembly->is_open) return TG_E_PROTOCOL;
    if (chunk->is_first) {
        assembly->is_open = true;
        assembly->is_binary = chunk->is_binary;
    }
    return TG_OK;
}

/* RFC 6455 8.1 */
static enum tg_status check_text(struct tg_assembly *assembly, const struct tg_chunk *chunk)
{
    if (assembly->is_binary) return TG_OK;
    struct tg_slice bytes = chunk->bytes;
    if (tg_utf8_feed(&assembly->utf8, bytes.data, bytes.length) != bytes.length) return TG_E_UTF8;
    return chunk->is_last && !tg_utf8_is_complete(&assembly->utf8) ? TG_E_UTF8 : TG_OK;
}

static enum tg_status take_chunk(struct tg_assembly *assembly, const struct tg_chunk *chunk, size_t max_bytes,
                                 struct tg_slice *message)
{
    enum tg_status status = open_or_continue(assembly, chunk);
    if (status != TG_OK) return status;
    size_t taken = assembly->bytes.length;
    if (taken > max_bytes || chunk->bytes.length > max_bytes - taken) return TG_E_TOO_LARGE;
    status = check_text(assembly, chunk);
    if (status != TG_OK) return status;
    if (chunk->is_first && chunk->is_last) {
        *message = chunk->bytes;
        return TG_OK;
    }
    tg_buf_append_slice(&assembly->bytes, chunk->bytes);
    *message = tg_buf_peek(&assembly->bytes);
    return tg_buf_status(&assembly->bytes);
}

enum tg_status tg_assembly_feed(struct tg_assembly *assembly, const struct tg_chunk *chunk, size_t max_bytes,
                                struct tg_slice *message, bool *is_whole)
{
    assert(assembly->is_open || !assembly->bytes.data); /* tg_assembly_done was not forgotten */
    *is_whole = false;
    enum tg_status status = take_chunk(assembly, chunk, max_bytes, message);
    if (status != TG_OK) {
        tg_assembly_deinit(assembly);
        return status;
    }
    *is_whole = chunk->is_last;
    if (chunk->is_last) assembly->is_open = false;
    return TG_OK;
}
