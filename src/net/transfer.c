/* Redirects are followed here and not by libcurl: so a PUT becomes a GET where 303 says so, what names the
 * user goes to no other origin, and nobody is led from https to http.
 *
 * What libcurl is told, and why:
 *  - QUICK_EXIT: else whoever cancels waits until the thread that looks up the name is done;
 *  - PROXY "": the environment of the gateway is not that of its scripts;
 *  - HTTP/1.1: one connection per transfer, so that the limit on transfers bounds the connections;
 *  - Expect and Content-Type: only those of the script's own;
 *  - SOCK_CLOEXEC: child programs inherit no connection. */
#include "net/transfer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* ---- URLs ---- */

static enum tg_status refuse_url(CURLUcode code, struct tg_error *error)
{
    if (code == CURLUE_OUT_OF_MEMORY) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    return tg_error_set(error, TG_E_INVALID, "url: %s", curl_url_strerror(code));
}

/* The URL as libcurl writes it, and its origin; both owned by the caller, to be freed with curl_free. */
static enum tg_status read_url(const char *text, char **normal, char **origin, struct tg_error *error)
{
    static const CURLUPart beside_origin[] = {CURLUPART_USER,  CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                              CURLUPART_QUERY, CURLUPART_FRAGMENT, CURLUPART_PATH};
    char *scheme = NULL;
    CURLU *url = curl_url();
    CURLUcode code =
        url ? curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) : CURLUE_OUT_OF_MEMORY;
    if (!code) code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    enum tg_status status = TG_OK;
    if (!code && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        status = tg_error_set(error, TG_E_INVALID, "url: only http and https are fetched, not %.40s", scheme);
    if (!code && status == TG_OK) code = curl_url_get(url, CURLUPART_URL, normal, 0);
    for (size_t i = 0; !code && i < sizeof beside_origin / sizeof beside_origin[0]; i++)
        code = curl_url_set(url, beside_origin[i], NULL, 0);
    if (!code && status == TG_OK) code = curl_url_get(url, CURLUPART_URL, origin, CURLU_DEFAULT_PORT);
    curl_free(scheme);
    curl_url_cleanup(url);
    return code ? refuse_url(code, error) : status;
}

static enum tg_status set_url(struct tg_transfer *transfer, const char *text, struct tg_error *error)
{
    char *normal = NULL, *origin = NULL;
    enum tg_status status = read_url(text, &normal, &origin, error);
    if (status == TG_OK && curl_easy_setopt(transfer->easy, CURLOPT_URL, normal) != CURLE_OK)
        status = tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    if (status == TG_OK) {
        curl_free(transfer->origin);
        transfer->origin = origin;
        origin = NULL;
    }
    curl_free(normal);
    curl_free(origin);
    return status;
}

/* ---- what libcurl calls ---- */

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    return tg_fetch_add_header(context, (struct tg_slice){data, size * count}) ? size * count : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    return tg_fetch_add_body(context, (struct tg_slice){data, size * count}) ? size * count : 0;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- setting up ---- */

#define SET(option, value)                                                                                   \
    if (!code) code = curl_easy_setopt(easy, CURLOPT_##option, value)

static CURLcode set_rules(CURL *easy, const struct tg_config *config)
{
    CURLcode code = CURLE_OK;
    SET(NOSIGNAL, 1L);
    SET(QUICK_EXIT, 1L);
    SET(PROTOCOLS_STR, "http,https");
    SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(PROXY, "");
    SET(SSL_VERIFYPEER, 1L);
    SET(SSL_VERIFYHOST, 2L);
    SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (config->fetch_ca_file[0]) SET(CAINFO, config->fetch_ca_file);
    SET(ACCEPT_ENCODING, "gzip, deflate");
    SET(USERAGENT, "tidegate/" TG_VERSION);
    SET(OPENSOCKETFUNCTION, open_socket);
    return code;
}

static CURLcode set_callbacks(CURL *easy, struct tg_transfer *transfer)
{
    CURLcode code = CURLE_OK;
    SET(PRIVATE, transfer);
    SET(ERRORBUFFER, transfer->reason);
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, transfer->fetch);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, transfer->fetch);
    return code;
}

/* By hand where the verb of libcurl would do something else. */
static CURLcode set_method(struct tg_transfer *transfer)
{
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    bool is_head = strcmp(transfer->method, "HEAD") == 0;
    const char *verb = "GET";
    SET(HTTPGET, 1L);
    if (is_head) {
        SET(NOBODY, 1L);
        verb = "HEAD";
    } else if (transfer->body.data) {
        SET(POST, 1L);
        SET(POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.length);
        SET(POSTFIELDS, transfer->body.data);
        verb = "POST";
    }
    SET(CUSTOMREQUEST, strcmp(transfer->method, verb) == 0 ? NULL : transfer->method);
    /* The length that a HEAD is told is not that of anything that comes. */
    SET(MAXFILESIZE_LARGE, is_head ? (curl_off_t)0 : (curl_off_t)transfer->fetch->max_bytes);
    return code;
}

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

static bool add_header(struct curl_slist **list, const struct tg_pair *header)
{
    char *line;
    /* A header without a value has a form of its own: with a colon it would be taken away. */
    int length = header->value.length
                     ? asprintf(&line, "%.*s: %.*s", TG_SLICE_ARG(header->name), TG_SLICE_ARG(header->value))
                     : asprintf(&line, "%.*s;", TG_SLICE_ARG(header->name));
    if (length < 0) return false;
    bool is_added = add_line(list, line);
    free(line);
    return is_added;
}

/* Whether the line of a list is the header `name`. */
static bool is_header(const char *line, const char *name)
{
    size_t length = strlen(name);
    return strncasecmp(line, name, length) == 0 && (line[length] == ':' || line[length] == ';');
}

static bool has_line(const struct curl_slist *list, const char *name)
{
    while (list && !is_header(list->data, name)) list = list->next;
    return list != NULL;
}

static bool set_headers(struct tg_transfer *transfer, const struct tg_fetch_request *request)
{
    for (uint32_t i = 0; i < request->header_count; i++)
        if (!add_header(&transfer->headers, &request->headers[i])) return false;
    if (!has_line(transfer->headers, "content-type") && !add_line(&transfer->headers, "Content-Type:"))
        return false;
    if (!has_line(transfer->headers, "expect") && !add_line(&transfer->headers, "Expect:")) return false;
    return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

/* Takes the headers whose names begin with one of `names` (up to NULL) away. */
static bool drop_headers(struct tg_transfer *transfer, const char *const *names)
{
    struct curl_slist *kept = NULL;
    for (const struct curl_slist *line = transfer->headers; line; line = line->next) {
        const char *const *name = names;
        while (*name && strncasecmp(line->data, *name, strlen(*name)) != 0) name++;
        if (*name || add_line(&kept, line->data)) continue;
        curl_slist_free_all(kept);
        return false;
    }
    CURLcode code = curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, kept);
    curl_slist_free_all(transfer->headers);
    transfer->headers = kept;
    return code == CURLE_OK;
}

/* ---- life ---- */

static enum tg_status set_up(struct tg_transfer *transfer, const struct tg_fetch_request *request,
                             const struct tg_config *config, struct tg_error *error)
{
    char *url = strndup(request->url.data, request->url.length);
    transfer->method = strndup(request->method.data, request->method.length);
    transfer->easy = curl_easy_init();
    enum tg_status status = TG_E_NO_MEMORY;
    if (url && transfer->method && transfer->easy && !set_rules(transfer->easy, config) &&
        !set_callbacks(transfer->easy, transfer) && !set_method(transfer) && set_headers(transfer, request))
        status = TG_OK;
    if (status == TG_E_NO_MEMORY)
        tg_error_set(error, status, "not enough memory");
    else
        status = set_url(transfer, url, error);
    free(url);
    return status;
}

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
    status = set_up(made, request, config, error);
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
    return set_method(transfer) == CURLE_OK && drop_headers(transfer, of_the_body);
}

/* Points it at `target`, with nothing that names the user when that is another origin. */
static bool move(struct tg_transfer *transfer, const char *target)
{
    static const char *const of_the_origin[] = {"authorization", "proxy-authorization", "cookie",
                                                "host:", NULL};
    struct tg_error error;
    char *before = transfer->origin;
    transfer->origin = NULL;
    enum tg_status status = set_url(transfer, target, &error);
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
    if (has_moved && !drop_headers(transfer, of_the_origin))
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
        const char *reason = transfer->reason[0] ? transfer->reason : curl_easy_strerror(code);
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
