/* The way into the gateway from outside, as the program opens it: the token of /api, and what is left in the
 * served folder for the commands (app/local.h).
 */
#ifndef TG_APP_DOOR_H
#define TG_APP_DOOR_H

#include "app/local.h"
#include "core/api.h"
#include "core/config.h"

#include <stdbool.h>
#include <stdint.h>

/* Room for http://[address]:port. */
#define TG_DOOR_ADDRESS_BYTES 96

struct tg_door {
    struct tg_api api;                   /* its token is empty while there is none */
    const char *folder;                  /* borrowed */
    char token[TG_LOCAL_TOKEN_BYTES];    /* made here; empty: the setting's, or none */
    char address[TG_DOOR_ADDRESS_BYTES]; /* of /api, as left in the folder; empty: it was not */
};

/* Before the server opens. The setting's token, or in development one that is made; in production without the
 * setting the API stays off. `folder` is borrowed. */
void tg_door_init(struct tg_door *door, struct tg_worker *worker, const struct tg_config *config,
                  const char *folder);

/* The server listens, with /api on `port`: in development the commands are told where, and the token that was
 * made. Where that cannot be written there is a warning, and no API. */
void tg_door_open(struct tg_door *door, const struct tg_config *config, uint16_t port);

/* Takes away what was left in the folder. Nothing without tg_door_open. */
void tg_door_close(struct tg_door *door);

/* http://127.0.0.1:8000; the address that is meant by 0.0.0.0 or :: is this machine's own. */
void tg_door_write_address(char text[TG_DOOR_ADDRESS_BYTES], const char *host, uint16_t port);

#endif
