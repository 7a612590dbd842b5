#include "core/http_answer.h"

#include "wire/json.h"

void tg_http_answer_init(struct tg_http_answer *answer)
{
    *answer = (struct tg_http_answer){0};
    tg_buf_init(&answer->type);
    tg_buf_init(&answer->headers);
    tg_buf_init(&answer->body);
}

void tg_http_answer_deinit(struct tg_http_answer *answer)
{
    tg_buf_deinit(&answer->type);
    tg_buf_deinit(&answer->headers);
    tg_buf_deinit(&answer->body);
}

void tg_http_answer_begin(struct tg_http_answer *answer, unsigned status)
{
    answer->status = status;
    tg_buf_truncate(&answer->type, 0);
    tg_buf_truncate(&answer->headers, 0);
    tg_buf_truncate(&answer->body, 0);
}

void tg_http_answer_begin_json(struct tg_http_answer *answer, unsigned status)
{
    tg_http_answer_begin(answer, status);
    tg_buf_append_literal(&answer->type, "application/json");
    tg_buf_append_literal(&answer->headers, "Cache-Control: no-store\r\n");
}

void tg_http_answer_detail(struct tg_http_answer *answer, unsigned status, struct tg_slice detail)
{
    tg_http_answer_begin_json(answer, status);
    tg_buf_append_literal(&answer->body, "{\"detail\":");
    tg_json_write_string(&answer->body, detail);
    tg_buf_append_char(&answer->body, '}');
}
