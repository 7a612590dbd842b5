/* The library streams the file; which file, and the headers, are ours. A client that has the same
 * file already (RFC 9110 13.1.2) is told so: browsers ask each time, since files change when the
 * application does. In development nobody keeps any: what lies on disk is what a page gets. */
#include "net/files.h"

#include "net/head.h"
#include "net/http.h"
#include "wire/handshake.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *extension, *content_type;
} types[] = {
    {"html", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"xml", "text/xml; charset=utf-8"},
    {"svg", "image/svg+xml; charset=utf-8"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"ico", "image/x-icon"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"wasm", "application/wasm"},
    {"pdf", "application/pdf"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
};

static const char *type_of(const char *file)
{
    const char *name = strrchr(file, '/');
    const char *dot = strrchr(name ? name : file, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(types[i].extension, dot + 1) == 0) return types[i].content_type;
    return "application/octet-stream";
}

/* The file's name with all links resolved, which must lie below the folder. */
static bool find(const char *root, struct tg_slice relative, const char *suffix, char file[PATH_MAX],
                 struct stat *info)
{
    char wanted[PATH_MAX];
    int length = snprintf(wanted, sizeof wanted, "%s/%.*s%s", root, TG_SLICE_ARG(relative), suffix);
    if (length >= (int)sizeof wanted || !realpath(wanted, file)) return false;
    size_t root_bytes = strlen(root);
    return strncmp(file, root, root_bytes) == 0 && file[root_bytes] == '/' && stat(file, info) == 0;
}

/* A folder named without the '/' at its end: relative links of its page would miss it. */
static int redirect_to_folder(struct lws *wsi, struct tg_slice path)
{
    struct tg_buf headers;
    tg_buf_init(&headers);
    tg_buf_append_literal(&headers, "Location: ");
    tg_head_encode(&headers, path, "/");
    tg_buf_append(&headers, "/\r\n", sizeof "/\r\n"); /* with its terminator */
    struct tg_answer answer = TG_ANSWER_ERROR(301, "Moved permanently");
    answer.headers = headers.data;
    answer.has_no_body_sent = tg_head_method(wsi) == TG_METHOD_HEAD;
    int result = headers.has_failed ? -1 : tg_http_write(wsi, &answer);
    tg_buf_deinit(&headers);
    return result;
}

/* RFC 9110 13.1.2; the tags compare weakly, so a W/ in front does not matter. */
static bool client_has(struct tg_server *server, struct lws *wsi, const char *etag)
{
    struct tg_slice known = tg_head_value(server, wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
    if (!known.data) return false;
    return tg_slice_equal(known, TG_SLICE("*")) || memmem(known.data, known.length, etag, strlen(etag));
}

static int send_file(struct lws *wsi, const char *file, const char *headers, int length)
{
    int result = lws_serve_http_file(wsi, file, type_of(file), headers, length);
    if (result > 0) result = lws_http_transaction_completed(wsi);
    return result ? -1 : 0;
}

static int serve(struct tg_server *server, struct lws *wsi, const char *file, const struct stat *info)
{
    static const char fresh[] = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    char etag[64], headers[192];
    if (tg_config_is_development(server->worker->config))
        return send_file(wsi, file, fresh, sizeof fresh - 1);
    snprintf(etag, sizeof etag, "\"%llx-%llx%08lx\"", (unsigned long long)info->st_size,
             (unsigned long long)info->st_mtim.tv_sec, (unsigned long)info->st_mtim.tv_nsec);
    /* The library looks for this spelling of Cache-Control before it adds its own. */
    int length = snprintf(headers, sizeof headers,
                          "ETag: %s\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n", etag);
    if (client_has(server, wsi, etag))
        return tg_http_write(wsi, &(struct tg_answer){.status = 304, .headers = headers});
    return send_file(wsi, file, headers, length);
}

bool tg_files_serve(struct tg_server *server, struct lws *wsi, struct tg_slice path, int *result)
{
    char file[PATH_MAX];
    struct stat info;
    struct tg_slice relative;
    bool needs_index;
    if (!server->static_root || !tg_static_path(path, &relative, &needs_index)) return false;
    const char *root = server->static_root;
    if (!find(root, relative, needs_index ? "index.html" : "", file, &info)) return false;
    bool is_folder = S_ISDIR(info.st_mode);
    if (is_folder && !find(root, relative, "/index.html", file, &info)) return false;
    if (!S_ISREG(info.st_mode) || access(file, R_OK) != 0) return false;
    if (is_folder) {
        *result = redirect_to_folder(wsi, path);
        return true;
    }
    *result = serve(server, wsi, file, &info);
    return true;
}
