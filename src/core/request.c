/* Layout of the block: the struct, the header pairs, the parameters, then all text.
 *
 * Empty slices point into the block as well, so that nothing of it borrows from the caller.
 */
#include "core/request.h"

#include <stdlib.h>

static struct tg_slice copy_text(char **next, struct tg_slice slice)
{
    struct tg_slice copy = {*next, slice.length};
    if (slice.length) memcpy(*next, slice.data, slice.length);
    *next += slice.length;
    return copy;
}

static size_t text_bytes(const struct tg_request *parts)
{
    size_t bytes = parts->path.length + parts->query.length + parts->peer.length + parts->subprotocol.length;
    for (uint32_t i = 0; i < parts->headers.count; i++)
        bytes += parts->headers.items[i].name.length + parts->headers.items[i].value.length;
    for (uint32_t i = 0; i < parts->param_count; i++)
        bytes += parts->params[i].name.length + parts->params[i].value.length;
    return bytes;
}

struct tg_request *tg_request_new(const struct tg_request *parts)
{
    /* Pairs and parameters hold pointers and 64-bit numbers like the struct: no padding is needed. */
    size_t header_bytes = parts->headers.count * sizeof(struct tg_pair);
    size_t param_bytes = parts->param_count * sizeof(struct tg_param);
    struct tg_request *request = malloc(sizeof *request + header_bytes + param_bytes + text_bytes(parts));
    if (!request) return NULL;
    struct tg_pair *headers = (struct tg_pair *)(request + 1);
    struct tg_param *params = (struct tg_param *)(headers + parts->headers.count);
    char *text = (char *)(params + parts->param_count);
    for (uint32_t i = 0; i < parts->headers.count; i++) {
        headers[i].name = copy_text(&text, parts->headers.items[i].name);
        headers[i].value = copy_text(&text, parts->headers.items[i].value);
    }
    for (uint32_t i = 0; i < parts->param_count; i++) {
        params[i] = parts->params[i];
        params[i].name = copy_text(&text, parts->params[i].name);
        params[i].value = copy_text(&text, parts->params[i].value);
    }
    *request = (struct tg_request){
        .path = copy_text(&text, parts->path),
        .query = copy_text(&text, parts->query),
        .peer = copy_text(&text, parts->peer),
        .subprotocol = copy_text(&text, parts->subprotocol),
        .is_secure = parts->is_secure,
        .headers = {headers, parts->headers.count},
        .params = params,
        .param_count = parts->param_count,
    };
    return request;
}
