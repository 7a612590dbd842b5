/* One block holds all. The scratch bytes in front let a transport write the frame from where it lies; who
 * writes next finds them spoilt, which is what scratch bytes are for. */
#include "core/payload.h"

#include "core/transport.h"

#include <stdlib.h>
#include <string.h>

static void append(unsigned char **at, struct tg_slice text)
{
    if (text.length) memcpy(*at, text.data, text.length);
    *at += text.length;
}

struct tg_payload *tg_payload_new(uint64_t *alive_bytes, enum tg_opcode opcode, struct tg_slice text,
                                  struct tg_slice tail)
{
    size_t text_bytes = text.length + tail.length;
    size_t frame_bytes = tg_frame_header_length(text_bytes) + text_bytes;
    struct tg_payload *payload = malloc(sizeof *payload + TG_TRANSPORT_HEADROOM + frame_bytes);
    if (!payload) return NULL;
    payload->references = 1;
    payload->frame_bytes = frame_bytes;
    payload->alive_bytes = alive_bytes;
    unsigned char header[TG_FRAME_HEADER_MAX];
    payload->header_bytes = (uint32_t)tg_frame_write_header(header, opcode, text_bytes);
    unsigned char *at = tg_payload_frame(payload);
    append(&at, (struct tg_slice){(const char *)header, payload->header_bytes});
    append(&at, text);
    append(&at, tail);
    *alive_bytes += frame_bytes;
    return payload;
}

void tg_payload_unref(struct tg_payload *payload)
{
    if (!payload || --payload->references) return;
    *payload->alive_bytes -= payload->frame_bytes;
    free(payload);
}

struct tg_slice tg_payload_text(const struct tg_payload *payload)
{
    const char *frame = (const char *)payload->bytes + TG_TRANSPORT_HEADROOM;
    return (struct tg_slice){frame + payload->header_bytes, payload->frame_bytes - payload->header_bytes};
}

unsigned char *tg_payload_frame(struct tg_payload *payload)
{
    return payload->bytes + TG_TRANSPORT_HEADROOM;
}
