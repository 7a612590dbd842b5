/* One HTTP request that a route of the application answers, from its head to its answer.
 *
 *     tg_exchange_begin -> READING --whole body--> RUNNING --tg_exchange_answered--> ANSWERED
 *                             \______ too late, or wrong ______________________________/
 *
 * Knows no sockets: net/exchange_http reads requests and writes answers; the test kit does the same without a
 * socket. The handler runs in the generation that serves when the body is whole. Whoever began an exchange
 * closes it, at any time: a handler that still waits is cancelled then.
 */
#ifndef TG_CORE_EXCHANGE_H
#define TG_CORE_EXCHANGE_H

#include "base/buf.h"
#include "base/list.h"
#include "core/http_answer.h"
#include "core/http_route.h"
#include "core/request.h"
#include "core/wheel.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_call;
struct tg_generation;
struct tg_value;
struct tg_worker;

/* A request's head. Slices are borrowed; data NULL: absent. */
struct tg_http_head {
    enum tg_http_method method;
    struct tg_request request; /* without params; headers: the common ones and those of the route */
    struct tg_slice content_type;
    uint64_t body_bytes; /* 0: there is none */
    bool is_chunked;     /* it has a body of a length that nobody has told */
};

enum tg_exchange_state { TG_EXCHANGE_READING, TG_EXCHANGE_RUNNING, TG_EXCHANGE_ANSWERED };

/* Who waits for the answer; embedded by the one who begins. */
struct tg_exchange_client {
    /* Once: `answer` is there. Sends nothing yet, and does not close the exchange. */
    void (*answered)(struct tg_exchange_client *client);
};

struct tg_exchange {
    struct tg_worker *worker;
    struct tg_generation *generation; /* that it runs in; NULL once it is answered, as the next */
    const struct tg_http_route *route;
    struct tg_exchange_client *client; /* borrowed */
    struct tg_list link;               /* in worker->exchanges until it is closed */
    struct tg_request *request;        /* owned */
    struct tg_slice content_type;      /* behind it */
    enum tg_http_method method;
    enum tg_exchange_state state;
    struct tg_buf body; /* owned */
    uint64_t body_bytes;
    struct tg_http_answer answer;
    struct tg_timer timer;       /* of the body, then of the handler */
    struct tg_value *payload;    /* while the handler is begun: the body, checked; NULL: there is none */
    const struct tg_call *calls; /* the same: what the script has to do for it */
    void *script_task;           /* the script's; NULL: nothing waits */
    uint64_t began_ns, held_ns;  /* of the handler */
};

/* Takes a request whose path is `match`'s and which has a body to read, or none. NULL: `answer`, which the
 * caller has initialised, is all there is to say. The peer is that of the socket: what proxies say is read
 * here. */
struct tg_exchange *tg_exchange_begin(struct tg_worker *worker, const struct tg_http_match *match,
                                      const struct tg_http_head *given, struct tg_exchange_client *client,
                                      struct tg_http_answer *answer);

/* A piece of the body. False: it is longer than the head said. */
bool tg_exchange_read(struct tg_exchange *exchange, struct tg_slice piece);

/* All of the body is there. Nothing when it has been answered already. */
void tg_exchange_run(struct tg_exchange *exchange);

/* What waits for it is cancelled, and it is freed. */
void tg_exchange_close(struct tg_exchange *exchange);

/* ---- for the script ---- */

/* exchange->answer is what the handler said. */
void tg_exchange_answered(struct tg_exchange *exchange);

/* Makes exchange->answer what checks of the payload found; tg_exchange_answered follows. */
void tg_exchange_write_issues(struct tg_exchange *exchange, struct tg_slice issues);

/* ---- for the worker ---- */

/* Cancels what runs in `generation` (NULL: in any), and answers 503. What has no whole body yet goes over to
 * the generation that serves. */
void tg_exchange_cancel_all(struct tg_worker *worker, const struct tg_generation *generation);

/* Whether anything runs in it. */
bool tg_exchange_is_any(const struct tg_worker *worker, const struct tg_generation *generation);

/* The fields that every log line about an exchange carries. */
#define TG_LOG_EXCHANGE(exchange)                                                                            \
    TG_LOG_STR("route", (exchange)->route->name), TG_LOG_I("generation", (exchange)->generation->number)

#endif
