#include "net/post.h"

#include <curl/curl.h>

enum {
    CONNECT_SECONDS = 10,
    SECONDS = 30,
    ANSWER_BYTES_MAX = 1024 * 1024, /* more than any answer of a gateway has */
};

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct tg_buf *answer = context;
    size_t length = size * count;
    if (answer->length + length > ANSWER_BYTES_MAX) return 0;
    tg_buf_append(answer, bytes, length);
    return answer->has_failed ? 0 : length;
}

/* The headers of the request; NULL without memory. */
static struct curl_slist *make_headers(const struct tg_post *post)
{
    struct tg_buf line;
    tg_buf_init(&line);
    tg_buf_printf(&line, "Authorization: Bearer %s", post->token);
    tg_buf_append_char(&line, '\0');
    struct curl_slist *headers = line.has_failed ? NULL : curl_slist_append(NULL, line.data);
    struct curl_slist *all = headers ? curl_slist_append(headers, "Content-Type: application/json") : NULL;
    if (!all) curl_slist_free_all(headers);
    tg_buf_deinit(&line);
    return all;
}

static CURLcode perform(CURL *easy, const struct tg_post *post, struct curl_slist *headers,
                        struct tg_buf *answer, long *status)
{
    CURLcode code = CURLE_OK;
#define SET(option, value)                                                                                   \
    if (!code) code = curl_easy_setopt(easy, CURLOPT_##option, value)
    SET(URL, post->url);
    SET(PROTOCOLS_STR, "http,https");
    SET(PROXY, ""); /* as tide.http */
    SET(NOSIGNAL, 1L);
    SET(CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    SET(TIMEOUT, (long)SECONDS);
    SET(HTTPHEADER, headers);
    if (post->body.data) {
        SET(POSTFIELDSIZE_LARGE, (curl_off_t)post->body.length);
        SET(POSTFIELDS, post->body.data);
    }
    SET(WRITEFUNCTION, take);
    SET(WRITEDATA, answer);
    if (post->ca_file[0]) SET(CAINFO, post->ca_file);
#undef SET
    if (!code) code = curl_easy_perform(easy);
    if (!code) code = curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
    return code;
}

enum tg_status tg_post_send(const struct tg_post *post, long *status, struct tg_buf *answer,
                            struct tg_error *error)
{
    CURL *easy = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    struct curl_slist *headers = easy ? make_headers(post) : NULL;
    CURLcode code = headers ? perform(easy, post, headers, answer, status) : CURLE_OUT_OF_MEMORY;
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    if (code == CURLE_OK) return TG_OK;
    if (code == CURLE_OUT_OF_MEMORY) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    return tg_error_set(error, TG_E_IO, "%s", curl_easy_strerror(code));
}
