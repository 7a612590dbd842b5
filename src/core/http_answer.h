/* What a plain HTTP request of a route is answered with, before it is written to anybody. */
#ifndef TG_CORE_HTTP_ANSWER_H
#define TG_CORE_HTTP_ANSWER_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>

struct tg_http_answer {
    unsigned status;
    struct tg_buf type;    /* owned: of the body; empty: there is none */
    struct tg_buf headers; /* owned: further ones, each ended by CRLF */
    struct tg_buf body;    /* owned */
    bool is_unread;        /* the request's body was not read: the connection has to end */
};

void tg_http_answer_init(struct tg_http_answer *answer);
void tg_http_answer_deinit(struct tg_http_answer *answer);

/* Makes it {"detail":"..."}. */
void tg_http_answer_detail(struct tg_http_answer *answer, unsigned status, struct tg_slice detail);

/* Makes it an empty one with this status. */
void tg_http_answer_begin(struct tg_http_answer *answer, unsigned status);

/* The same of JSON, which follows in answer->body, and which nobody keeps. */
void tg_http_answer_begin_json(struct tg_http_answer *answer, unsigned status);

#endif
