#include "app/remote.h"

#include "app/cli.h"
#include "app/local.h"
#include "net/post.h"
#include "wire/json.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

void tg_remote_init(struct tg_remote *remote, const char *folder, const char *given_url,
                    const char *token_file)
{
    *remote = (struct tg_remote){.folder = folder, .given_url = given_url, .token_file = token_file};
    tg_buf_init(&remote->url);
    tg_buf_init(&remote->token);
    tg_buf_init(&remote->answer);
}

void tg_remote_deinit(struct tg_remote *remote)
{
    tg_buf_deinit(&remote->url);
    tg_buf_deinit(&remote->token);
    tg_buf_deinit(&remote->answer);
    tg_config_deinit(&remote->config);
}

/* ---- where and who ---- */

static enum tg_status configure(struct tg_remote *remote)
{
    const struct tg_cli cli = {.folder = remote->folder, .is_dev_flagged = true};
    if (tg_config_init(&remote->config) != TG_OK)
        return tg_error_set(&remote->error, TG_E_NO_MEMORY, "not enough memory");
    return tg_cli_configure(&cli, environ, &remote->config, &remote->error);
}

/* TG_E_NOT_FOUND: no gateway has left it there. */
static enum tg_status read_left(struct tg_remote *remote, const char *name, struct tg_buf *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/.tidegate/%s", remote->folder, name);
    return tg_local_read(path, text, &remote->error);
}

static enum tg_status find_url(struct tg_remote *remote)
{
    const char *folder = remote->folder;
    enum tg_status status = TG_OK;
    if (remote->given_url)
        tg_buf_append_slice(&remote->url, tg_slice_of(remote->given_url));
    else
        status = read_left(remote, TG_LOCAL_ADDRESS, &remote->url);
    if (status == TG_E_NOT_FOUND)
        return tg_error_set(
            &remote->error, status,
            "no gateway in development serves '%s': `tidegate run --dev %s` starts one, --url "
            "names another",
            folder, folder);
    if (status != TG_OK) return status;
    while (remote->url.length && remote->url.data[remote->url.length - 1] == '/')
        tg_buf_truncate(&remote->url, remote->url.length - 1);
    return TG_OK;
}

static enum tg_status find_token(struct tg_remote *remote)
{
    if (remote->token_file) return tg_local_read(remote->token_file, &remote->token, &remote->error);
    if (remote->config.api_token[0]) {
        tg_buf_append_slice(&remote->token, tg_slice_of(remote->config.api_token));
        return TG_OK;
    }
    enum tg_status status = read_left(remote, TG_LOCAL_TOKEN, &remote->token);
    if (status != TG_E_NOT_FOUND) return status;
    return tg_error_set(
        &remote->error, status,
        "there is no token for %.*s: set TIDEGATE_API_TOKEN, or name a file with --token-file",
        TG_SLICE_ARG(tg_buf_peek(&remote->url)));
}

static enum tg_status prepare(struct tg_remote *remote)
{
    enum tg_status status = configure(remote);
    if (status == TG_OK) status = find_url(remote);
    if (status == TG_OK) status = find_token(remote);
    if (status != TG_OK) return status;
    tg_buf_append_char(&remote->url, '\0');
    tg_buf_append_char(&remote->token, '\0');
    if (remote->url.has_failed || remote->token.has_failed)
        return tg_error_set(&remote->error, TG_E_NO_MEMORY, "not enough memory");
    return TG_OK;
}

/* ---- the request ---- */

static enum tg_status send_request(struct tg_remote *remote, const char *what, struct tg_slice body)
{
    struct tg_buf url;
    struct tg_error why;
    tg_buf_init(&url);
    tg_buf_printf(&url, "%s/api/%s", remote->url.data, what);
    tg_buf_append_char(&url, '\0');
    const struct tg_post post = {url.data, remote->token.data, body, remote->config.fetch_ca_file};
    enum tg_status status = url.has_failed ? tg_error_set(&why, TG_E_NO_MEMORY, "not enough memory")
                                           : tg_post_send(&post, &remote->status, &remote->answer, &why);
    tg_buf_deinit(&url);
    if (status == TG_OK) return TG_OK;
    if (remote->given_url)
        return tg_error_set(&remote->error, status, "no gateway answers at %s: %s", remote->url.data,
                            why.text);
    return tg_error_set(&remote->error, status,
                        "no gateway answers at %s: %s; `tidegate run --dev %s` starts one", remote->url.data,
                        why.text, remote->folder);
}

enum tg_status tg_remote_ask(struct tg_remote *remote, const char *what, struct tg_slice body)
{
    enum tg_status status = prepare(remote);
    return status == TG_OK ? send_request(remote, what, body) : status;
}

/* ---- what came of it ---- */

const struct tg_value *tg_remote_read(const struct tg_remote *remote, struct tg_arena *arena)
{
    enum { DEPTH_MAX = 16 };
    struct tg_error error;
    struct tg_value *answer = tg_arena_alloc(arena, sizeof *answer);
    if (!answer) return NULL;
    enum tg_status status = tg_json_parse(tg_buf_peek(&remote->answer), DEPTH_MAX, arena, answer, &error);
    return status == TG_OK && answer->type == TG_VALUE_OBJECT ? answer : NULL;
}

void tg_remote_print_refusal(const struct tg_remote *remote, const struct tg_value *answer)
{
    const struct tg_value *detail = answer ? tg_value_get(answer, TG_SLICE("detail")) : NULL;
    const char *url = remote->url.data;
    bool is_told = detail && detail->type == TG_VALUE_STRING;
    if (remote->status == 401)
        fprintf(stderr,
                "tidegate: %s does not take this token: it is that of another gateway, or an old one\n", url);
    else if (remote->status == 403 && is_told)
        fprintf(stderr,
                "tidegate: /api is off at %s: set api_token there, in its environment as "
                "TIDEGATE_API_TOKEN\n",
                url);
    else
        fprintf(stderr, "tidegate: %s answered %ld%s%.*s\n", url, remote->status, is_told ? ": " : "",
                is_told ? (int)detail->length : 0, is_told ? detail->string : "");
}
