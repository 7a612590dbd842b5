#include "app/door.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

void tg_door_init(struct tg_door *door, struct tg_worker *worker, const struct tg_config *config,
                  const char *folder)
{
    *door = (struct tg_door){.folder = folder};
    door->api = (struct tg_api){
        .worker = worker, .token = tg_slice_of(config->api_token), .folder = tg_slice_of(folder)};
    if (config->api_token[0] || !tg_config_is_development(config)) return;
    if (tg_local_make_token(door->token) == TG_OK)
        door->api.token = tg_slice_of(door->token);
    else
        tg_log(TG_LOG_WARNING, "api_off", TG_LOG_S("why", "the kernel has no random bytes"),
               TG_LOG_S("help", "set api_token"));
}

void tg_door_write_address(char text[TG_DOOR_ADDRESS_BYTES], const char *host, uint16_t port)
{
    if (strcmp(host, "0.0.0.0") == 0) host = "127.0.0.1";
    if (strcmp(host, "::") == 0) host = "::1";
    bool is_ipv6 = strchr(host, ':') != NULL;
    snprintf(text, TG_DOOR_ADDRESS_BYTES, "http://%s%s%s:%u", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
             (unsigned)port);
}

void tg_door_open(struct tg_door *door, const struct tg_config *config, uint16_t port)
{
    struct tg_error error;
    enum tg_status status = TG_OK;
    if (!tg_config_is_development(config) || !door->api.token.length) return;
    if (door->token[0])
        status = tg_local_write(door->folder, TG_LOCAL_TOKEN, tg_slice_of(door->token), &error);
    if (status == TG_OK) {
        tg_door_write_address(door->address, config->api_host[0] ? config->api_host : config->host, port);
        status = tg_local_write(door->folder, TG_LOCAL_ADDRESS, tg_slice_of(door->address), &error);
    }
    if (status == TG_OK) return;
    if (door->token[0]) {
        door->api.token = (struct tg_slice){0};
        tg_log(TG_LOG_WARNING, "api_off", TG_LOG_S("why", error.text),
               TG_LOG_S("help", "make the folder writable, or set api_token"));
    } else {
        tg_log(TG_LOG_WARNING, "api_address_unknown", TG_LOG_S("why", error.text),
               TG_LOG_S("help", "the commands need --url"));
    }
}

void tg_door_close(struct tg_door *door)
{
    if (!door->folder) return;
    if (door->address[0]) tg_local_remove(door->folder, TG_LOCAL_ADDRESS, tg_slice_of(door->address));
    if (door->token[0]) tg_local_remove(door->folder, TG_LOCAL_TOKEN, tg_slice_of(door->token));
}
