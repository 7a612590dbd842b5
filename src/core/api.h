/* What programs outside may ask for over HTTP: POST /api/events, /api/broadcast and /api/reload, GET
 * /api/status. Who has the token may.
 *
 *     struct tg_api_answer answer;
 *     if (!tg_api_is_path(path)) ...;
 *     if (tg_api_refuses(api, &request, &answer)) write the answer, without reading a body, and end
 *     else read the body, if it is a POST;
 *          if (tg_api_takes_long(path)) tg_api_answer_later(api, &later), and write later.answer when it is
 * told else tg_api_answer(api, path, body, &answer); write it tg_api_answer_deinit(&answer);
 *
 * Knows no sockets: net/http reads requests and writes answers. Of the application's code the checks and
 * defaults of a payload run, and no handler.
 */
#ifndef TG_CORE_API_H
#define TG_CORE_API_H

#include "base/buf.h"
#include "base/slice.h"
#include "core/reload.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_worker;

struct tg_api {
    struct tg_worker *worker;
    struct tg_slice token;    /* borrowed; empty: nobody may ask for anything */
    struct tg_slice folder;   /* that is served; borrowed */
    uint32_t reading;         /* requests whose bodies are being read; net counts them */
    uint64_t next_warning_ms; /* about wrong tokens: not earlier */
};

/* A request's head. Slices are borrowed; data NULL: absent. */
struct tg_api_request {
    struct tg_slice path, authorization, content_type;
    struct tg_slice peer; /* for the log */
    bool is_post, is_get; /* or HEAD; neither: another method */
    bool has_body;        /* or may have one */
    bool has_length;      /* of the body: body_bytes */
    uint64_t body_bytes;
};

struct tg_api_answer {
    unsigned status;
    const char *headers; /* further ones, each ended by CRLF; NULL: none */
    struct tg_buf body;  /* owned: JSON */
};

bool tg_api_is_path(struct tg_slice path);

/* True: answered without its body. */
bool tg_api_refuses(struct tg_api *api, const struct tg_api_request *request, struct tg_api_answer *answer);

/* To a request that was not refused, and to its whole body. */
void tg_api_answer(struct tg_api *api, struct tg_slice path, struct tg_slice body,
                   struct tg_api_answer *answer);

void tg_api_answer_deinit(struct tg_api_answer *answer);

/* ---- what takes longer ---- */

struct tg_api_later {
    struct tg_reload_listener listener;
    struct tg_api_answer answer;
    void (*answered)(struct tg_api_later *later); /* `answer`, from now on the caller's, is there */
};

/* Whether a request that was not refused is answered later. */
bool tg_api_takes_long(struct tg_slice path);

/* `later->answered` is called once, not from within this call. */
void tg_api_answer_later(struct tg_api *api, struct tg_api_later *later);

/* Nobody waits for it any more; nothing where it has been answered. */
void tg_api_forget_later(struct tg_api_later *later);

/* ---- for those who answer ---- */

void tg_api_answer_begin(struct tg_api_answer *answer, unsigned status);

/* {"detail":...} */
void tg_api_answer_error(struct tg_api_answer *answer, unsigned status, struct tg_slice detail);

#define TG_API_ERROR(answer, status, detail) tg_api_answer_error((answer), (status), TG_SLICE(detail))

#endif
