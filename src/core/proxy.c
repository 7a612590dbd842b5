/* The text of trusted_proxies is read anew for each connection: it has a few items, and nothing has to be
 * kept in step with the setting.
 */
#include "core/proxy.h"

#include "core/config.h"
#include "wire/forwarded.h"
#include "wire/pairs.h"

#include <strings.h>

/* ---- the setting ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the next item off a list with commas; spaces around it do not count. */
static bool next_item(const char **list, struct tg_slice *item)
{
    while (is_space(**list)) (*list)++;
    if (!**list) return false;
    size_t length = strcspn(*list, ",");
    *item = (struct tg_slice){*list, length};
    *list += length + ((*list)[length] == ',');
    while (item->length && is_space(item->data[item->length - 1])) item->length--;
    return true;
}

enum tg_status tg_proxy_check(const char *trusted_proxies, struct tg_error *error)
{
    struct tg_slice item;
    struct tg_cidr block;
    while (next_item(&trusted_proxies, &item))
        if (!tg_cidr_read(item, &block))
            return tg_error_set(error, TG_E_INVALID,
                                "trusted_proxies: \"%.*s\" is neither an address nor a block of them; write "
                                "10.0.0.0/8, 2001:db8::/32 or 192.0.2.7, with no bit set behind the prefix",
                                item.length < 80 ? (int)item.length : 80, item.data);
    return TG_OK;
}

static bool is_trusted(const struct tg_config *config, const struct tg_address *address)
{
    const char *list = config->trusted_proxies;
    struct tg_slice item;
    struct tg_cidr block;
    while (next_item(&list, &item))
        if (tg_cidr_read(item, &block) && tg_cidr_has(&block, address)) return true;
    return false;
}

/* ---- the way ---- */

/* The client as far as it has been found. */
struct walk {
    const struct tg_config *config;
    struct tg_client *client;
    bool is_over;
};

static void set_scheme(struct tg_client *client, struct tg_slice proto)
{
    bool is_secure = proto.length == 5 && strncasecmp(proto.data, "https", 5) == 0;
    bool is_plain = proto.length == 4 && strncasecmp(proto.data, "http", 4) == 0;
    if (is_secure || is_plain)
        client->is_secure = is_secure;
    else if (proto.length)
        client->is_malformed = true;
}

/* Goes on to `node`, if that is an address. False: it is the client, or makes no sense. */
static bool step(struct walk *walk, struct tg_slice node)
{
    struct tg_address address;
    uint16_t port;
    if (!tg_endpoint_read(node, &address, &port)) {
        walk->client->is_malformed = true;
        walk->is_over = true;
        return false;
    }
    walk->client->peer = tg_endpoint_write(&address, port, walk->client->text);
    walk->is_over = !is_trusted(walk->config, &address);
    return true;
}

/* X-Forwarded-Proto has an entry for each proxy, or one from the one that speaks TLS: the entry is looked for
 * that belongs to the client, else the leftmost. */
static void walk_x(struct walk *walk, const struct tg_pairs *headers)
{
    struct tg_slice rest = tg_pairs_get(headers, TG_SLICE("x-forwarded-for")), node;
    struct tg_slice protos = tg_pairs_get(headers, TG_SLICE("x-forwarded-proto")), proto = {0};
    uint32_t steps = 0;
    while (!walk->is_over && tg_forwarded_take(&rest, &node) && step(walk, node)) steps++;
    for (uint32_t i = 0; (i == 0 || i < steps) && tg_forwarded_take(&protos, &proto); i++) {
    }
    set_scheme(walk->client, proto);
}

static void walk_rfc7239(struct walk *walk, const struct tg_pairs *headers)
{
    struct tg_slice rest = tg_pairs_get(headers, TG_SLICE("forwarded")), element;
    struct tg_hop hop;
    while (!walk->is_over && tg_forwarded_take_element(&rest, &element)) {
        if (!tg_forwarded_read(element, &hop)) hop = (struct tg_hop){0};
        if (step(walk, hop.node)) set_scheme(walk->client, hop.proto);
    }
}

void tg_proxy_resolve(const struct tg_config *config, struct tg_slice peer, bool is_secure,
                      const struct tg_pairs *headers, struct tg_client *client)
{
    struct walk walk = {.config = config, .client = client};
    struct tg_address address;
    uint16_t port;
    client->peer = peer;
    client->is_secure = is_secure;
    client->is_malformed = false;
    if (!tg_endpoint_read(peer, &address, &port) || !is_trusted(config, &address)) return;
    if (config->forwarded_header == TG_FORWARDED_RFC7239)
        walk_rfc7239(&walk, headers);
    else
        walk_x(&walk, headers);
}
