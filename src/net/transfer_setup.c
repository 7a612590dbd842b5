/* What libcurl is told, and why:
 *  - QUICK_EXIT: else whoever cancels waits until the thread that looks up the name is done;
 *  - PROXY "": the environment of the gateway is not that of its scripts;
 *  - HTTP/1.1: one connection per transfer, so that the limit on transfers bounds the connections;
 *  - Expect and Content-Type: only those of the script's own;
 *  - SOCK_CLOEXEC: child programs inherit no connection. */
#include "net/transfer_setup.h"

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

enum tg_status tg_transfer_set_url(struct tg_transfer *transfer, const char *text, struct tg_error *error)
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

static CURLcode set_rules(CURL *easy)
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
    SET(ACCEPT_ENCODING, "gzip, deflate");
    SET(USERAGENT, "tidegate/" TG_VERSION);
    SET(OPENSOCKETFUNCTION, open_socket);
    return code;
}

/* In the system's folder one authority is looked up, the one that is needed; its file of all would be read
 * whole for each connection, and hold the loop for tens of milliseconds. */
static CURLcode set_trust(CURL *easy, const struct tg_config *config)
{
    const char *folder = curl_version_info(CURLVERSION_NOW)->capath;
    CURLcode code = CURLE_OK;
    if (config->fetch_ca_file[0]) {
        SET(CAINFO, config->fetch_ca_file);
        SET(CAPATH, NULL);
    } else if (folder) {
        SET(CAINFO, NULL);
        SET(CAPATH, folder);
    }
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
CURLcode tg_transfer_set_method(struct tg_transfer *transfer)
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

bool tg_transfer_drop_headers(struct tg_transfer *transfer, const char *const *names)
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

/* ---- all of it ---- */

enum tg_status tg_transfer_set_up(struct tg_transfer *transfer, const struct tg_fetch_request *request,
                                  const struct tg_config *config, struct tg_error *error)
{
    char *url = strndup(request->url.data, request->url.length);
    transfer->method = strndup(request->method.data, request->method.length);
    transfer->easy = curl_easy_init();
    enum tg_status status = TG_E_NO_MEMORY;
    if (url && transfer->method && transfer->easy && !set_rules(transfer->easy) &&
        !set_trust(transfer->easy, config) && !set_callbacks(transfer->easy, transfer) &&
        !tg_transfer_set_method(transfer) && set_headers(transfer, request))
        status = TG_OK;
    if (status == TG_E_NO_MEMORY)
        tg_error_set(error, status, "not enough memory");
    else
        status = tg_transfer_set_url(transfer, url, error);
    free(url);
    return status;
}
