/* Redirects are followed here and not by libcurl: so a PUT becomes a GET where 303 says so, what names the
 * user goes to no other origin, and nobody is led from https to http. */
#include "net/transfer.h"

#include "base/utf8.h"
#include "net/transfer_setup.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

/* What would end up in a line of its own is no request of the script's any more. */
static bool is_one_line(struct tg_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0') return false;
    return true;
}

static enum tg_status check(const struct tg_fetch_request *request, struct tg_error *error)
{
    if (!is_one_line(request->url))
        return tg_error_set(error, TG_E_INVALID, "url: it has a line break or a zero byte");
    bool is_fine = is_one_line(request->method);
    for (uint32_t i = 0; is_fine && i < request->header_count; i++)
        is_fine = is_one_line(request->headers[i].name) && is_one_line(request->headers[i].value);
    return is_fine
               ? TG_OK
               : tg_error_set(error, TG_E_INVALID, "headers: there is a line break or a zero byte in one");
}

enum tg_status tg_transfer_new(struct tg_transfer **transfer, struct tg_fetch *fetch,
                               const struct tg_fetch_request *request, const struct tg_config *config,
                               struct tg_error *error)
{
    enum tg_status status = check(request, error);
    if (status != TG_OK) return status;
    struct tg_transfer *made = calloc(1, sizeof *made);
    if (!made) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    made->fetch = fetch;
    made->body = request->body;
    made->timeout_ms = request->timeout_ms;
    made->max_redirects = request->max_redirects;
    fetch->max_bytes = request->max_bytes;
    tg_list_init(&made->link);
    status = tg_transfer_set_up(made, request, config, error);
    if (status == TG_OK)
        *transfer = made;
    else
        tg_transfer_free(made);
    return status;
}

void tg_transfer_free(struct tg_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    curl_free(transfer->origin);
    free(transfer->method);
    free(transfer);
}

/* ---- redirects ---- */

/* A redirect that is not followed is an error: the script asked for what is behind it. */
static bool refuse(struct tg_transfer *transfer, enum tg_status status, const char *text)
{
    transfer->fetch->status = tg_error_set(&transfer->fetch->error, status, "%s", text);
    return false;
}

/* From here on it is a GET, as browsers do it, unless it was a HEAD (RFC 9110 15.4). */
static bool become_get(struct tg_transfer *transfer)
{
    static const char *const of_the_body[] = {"content-", NULL};
    transfer->body = (struct tg_slice){0};
    if (strcmp(transfer->method, "HEAD") == 0) return true;
    char *method = strdup("GET");
    if (!method) return false;
    free(transfer->method);
    transfer->method = method;
    return tg_transfer_set_method(transfer) == CURLE_OK && tg_transfer_drop_headers(transfer, of_the_body);
}

/* Points it at `target`, with nothing that names the user when that is another origin. */
static bool move(struct tg_transfer *transfer, const char *target)
{
    static const char *const of_the_origin[] = {"authorization", "proxy-authorization", "cookie",
                                                "host:", NULL};
    struct tg_error error;
    char *before = transfer->origin;
    transfer->origin = NULL;
    enum tg_status status = tg_transfer_set_url(transfer, target, &error);
    if (status != TG_OK) {
        transfer->origin = before;
        transfer->fetch->status = tg_error_set(&transfer->fetch->error, status, "redirect: %s", error.text);
        return false;
    }
    assert(before && transfer->origin);
    bool was_secure = strncmp(before, "https:", 6) == 0;
    bool has_moved = strcmp(before, transfer->origin) != 0;
    curl_free(before);
    if (was_secure && strncmp(transfer->origin, "https:", 6) != 0)
        return refuse(transfer, TG_E_INVALID, "redirect: from https to http");
    if (has_moved && !tg_transfer_drop_headers(transfer, of_the_origin))
        return refuse(transfer, TG_E_NO_MEMORY, "not enough memory");
    return true;
}

static bool follow(struct tg_transfer *transfer, long status, const char *target)
{
    if (transfer->redirects++ == transfer->max_redirects) {
        transfer->fetch->status = tg_error_set(&transfer->fetch->error, TG_E_INVALID,
                                               "redirect: more than %" PRIu32, transfer->max_redirects);
        return false;
    }
    if (!move(transfer, target)) return false;
    bool is_post = strcmp(transfer->method, "POST") == 0;
    bool becomes_get = status == 303 || (status < 303 && is_post);
    if (becomes_get && !become_get(transfer)) return refuse(transfer, TG_E_NO_MEMORY, "not enough memory");
    return true;
}

/* ---- the outcome ---- */

static const char *kind_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return "connect";
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "url";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return "tls";
    default:
        return "response";
    }
}

static void fail(struct tg_transfer *transfer, CURLcode code)
{
    struct tg_fetch *fetch = transfer->fetch;
    if (fetch->status != TG_OK) return; /* refused by ourselves: libcurl only saw that */
    if (code == CURLE_OUT_OF_MEMORY) {
        /* What libcurl also says to a line of the head that never ends. */
        fetch->status = tg_error_set(&fetch->error, TG_E_IO,
                                     "response: a line of its head is too long, or memory is out");
    } else if (code == CURLE_FILESIZE_EXCEEDED) {
        fetch->status = tg_error_set(&fetch->error, TG_E_TOO_LARGE,
                                     "too large: the body has more than %" PRIu64 " bytes", fetch->max_bytes);
    } else {
        const char *reason = transfer->reason;
        /* It may quote what the other server sent, and scripts put it into messages. */
        if (!reason[0] || !tg_utf8_is_valid(reason, strlen(reason))) reason = curl_easy_strerror(code);
        fetch->status = tg_error_set(&fetch->error, TG_E_IO, "%s: %s", kind_of(code), reason);
    }
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool tg_transfer_ran(struct tg_transfer *transfer, CURLcode code)
{
    struct tg_fetch *fetch = transfer->fetch;
    if (code) {
        fail(transfer, code);
        return false;
    }
    long status = 0;
    const char *target = NULL, *url = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &target);
    if (is_redirect(status) && target && transfer->max_redirects > 0) return follow(transfer, status, target);
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    tg_buf_truncate(&fetch->url, 0);
    tg_buf_append_slice(&fetch->url, tg_slice_of(url));
    fetch->http_status = (uint16_t)status;
    if (fetch->url.has_failed) refuse(transfer, TG_E_NO_MEMORY, "not enough memory");
    return false;
}
