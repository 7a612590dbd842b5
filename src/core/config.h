/* The values of all settings, which settings.h lists.
 *
 * They come from defaults < tidegate.lua < environment TIDEGATE_* < flags; a later source wins.
 * Each source hands over text or Lua scalars; they are checked as they come, and the error names the
 * source, the setting and what was expected.
 */
#ifndef TG_CORE_CONFIG_H
#define TG_CORE_CONFIG_H

#include "base/log.h"
#include "base/slice.h"
#include "base/status.h"
#include "core/proxy.h"

#include <stdbool.h>
#include <stdint.h>

enum tg_mode { TG_MODE_PRODUCTION, TG_MODE_DEVELOPMENT };

/* When what a script sends is checked in full against its schema. */
enum tg_outgoing { TG_OUTGOING_ALWAYS, TG_OUTGOING_DEVELOPMENT, TG_OUTGOING_NEVER };

/* What becomes of connections whose consumer a reload has taken away. */
enum tg_gone_consumers { TG_GONE_CLOSE, TG_GONE_STAY };

/* The libraries that a script can have beside the basic functions and `require`. */
#define TG_LUA_LIBRARIES                                                                                     \
    {                                                                                                        \
        "coroutine", "debug", "io", "math", "os", "string", "table", "utf8", NULL                            \
    }

struct tg_config {
    /* where */
    char *host;       /* an address, not a name: "127.0.0.1", "0.0.0.0", "::1" */
    uint16_t port;    /* 0: the kernel picks a free one */
    char *static_dir; /* "": the application's public/, if it has one */

    /* who comes */
    char *trusted_proxies;              /* addresses and blocks, with commas: core/proxy.h; "": none */
    enum tg_forwarded forwarded_header; /* where those say whom they forward */
    uint32_t login_attempts;  /* of an address that fail in a minute: core/attempts.h; 0: any number */
    uint64_t login_addresses; /* of which it is known; beyond, the one with the fewest is forgotten */

    /* what programs outside may ask for: core/api.h */
    char *api_host;            /* an address of its own; "": /api is on the main one */
    char *api_token;           /* secret; "": made at start in development, otherwise there is no /api */
    uint64_t api_max_bytes;    /* of a request's body; 413 beyond */
    uint32_t api_max_requests; /* whose bodies are being read at once; 503 beyond */
    uint32_t api_port;         /* of api_host; 0: the kernel picks a free one */

    /* requests to routes of the application: core/exchange.h */
    uint64_t max_body_bytes;    /* of a request, unless its route says another; 413 beyond */
    uint64_t max_answer_bytes;  /* of the body of an answer; a longer one is an error of the handler */
    uint32_t max_http_requests; /* under way at once; 503 beyond */
    uint32_t body_timeout_ms;   /* for the whole body to come; 408 beyond */
    /* who somebody is: core/secrets.h */
    char *secrets;            /* with commas between; secret; "": made at start in development, else none */
    char *secrets_file;       /* where they are read from, one a line; "": nowhere */
    uint64_t max_token_bytes; /* of a JSON Web Token; refused beyond */
    uint64_t max_password_hashes; /* being made or checked at once; beyond, the handler fails */

    /* what */
    enum tg_mode mode;
    enum tg_log_level log_level;
    enum tg_log_format log_format;
    enum tg_outgoing validate_outgoing;

    /* limits of one message */
    uint64_t max_message_bytes; /* 1009 beyond */
    uint32_t max_json_depth;    /* json_invalid beyond */
    uint32_t max_errors;        /* items in one error frame */
    uint32_t max_check_steps;   /* of one pattern, and of trying unions: value_error beyond */

    /* limits of one connection */
    uint64_t outbox_high_water_bytes;   /* above: the connection stops reading until half of it is left */
    uint64_t outbox_max_bytes;          /* a frame that would pass it is not queued; 1013 */
    uint32_t outbox_max_messages;       /* the same, counted */
    uint32_t inbox_messages;            /* that wait for a handler; at so many the connection stops reading */
    uint64_t inbox_max_bytes;           /* the same in bytes */
    uint32_t inbox_max_events;          /* that wait; further ones are not given to the connection */
    uint64_t inbox_max_event_bytes;     /* the same in bytes; but the only one may be longer */
    uint32_t max_groups_per_connection; /* tg_group_join answers TG_E_FULL beyond */
    uint32_t max_topics_per_connection; /* that it is subscribed to; too_many_topics beyond */
    uint32_t handler_timeout_ms;        /* a handler that waits longer is ended; 0: none is */
    uint32_t authentication_timeout_ms; /* an authenticator that waits longer: 4408 */
    uint32_t disconnected_timeout_ms;   /* the same for the hook `disconnected`, which cannot wait for ever */
    uint32_t heartbeat_seconds;         /* ping after so much silence; 0: never */
    uint32_t heartbeat_timeout_seconds;
    uint32_t slow_client_seconds; /* no progress in sending for so long: 1013 */
    uint32_t pause_seconds;       /* stopped reading for so long: 1013 */
    uint32_t close_timeout_ms;    /* from our close frame to the client's, then TCP is dropped */

    /* limits of what handlers use */
    uint32_t tcp_max_streams;          /* open at once: tide.tcp.connect answers nil, "too many streams" */
    uint64_t tcp_max_receive_bytes;    /* of one receive: nil, "too much" beyond */
    uint32_t process_max_concurrent;   /* children at once: tide.process.run answers nil beyond */
    uint64_t process_max_output_bytes; /* of a child's output, and of its errors; it is killed beyond */
    uint32_t process_timeout_seconds;  /* of a child, unless the call says another */
    uint32_t blocking_call_ms;         /* in development a call that took so long is named in the log */

    /* limits of the process */
    uint32_t max_connections; /* 0: what the system's limit of open files allows; 503 beyond */
    uint32_t max_tasks;       /* alive at once of those that scripts spawn; tide.spawn raises beyond */
    uint32_t stall_ms;        /* a turn of the loop that takes longer is counted and logged */
    uint32_t drain_seconds;   /* from SIGTERM to leaving, at most */

    /* reload */
    uint64_t state_max_bytes; /* that move with a connection; beyond: its state stays behind */
    uint64_t keep_max_bytes;  /* of all that tide.keep holds; nil, "full" beyond */
    uint32_t retire_seconds;  /* handlers of code that was replaced are ended then */
    uint32_t max_generations; /* alive at once; a reload that would make another waits for the oldest */
    enum tg_gone_consumers gone_consumers;
    uint32_t reload_quiet_ms; /* from the last change of a file to the reload */

    /* outgoing HTTP of scripts */
    uint64_t fetch_max_bytes;       /* of the body of one answer; a request may ask for less */
    uint32_t fetch_timeout_seconds; /* of a request that names none of its own */
    uint32_t fetch_max_concurrent;  /* beyond: they wait for a place */
    uint32_t fetch_max_waiting;     /* beyond: refused */
    char *fetch_ca_file;            /* certificates of the authorities that are trusted; "": the system's */

    /* recording */
    char *record_file;            /* what clients send is written here; "": nowhere */
    uint64_t record_max_bytes;    /* of the file; the recording ends there */
    uint64_t record_buffer_bytes; /* that wait for the disk; the recording ends beyond */

    /* limits of scripts */
    uint32_t lua_memory_mb;    /* of a Lua state; what would pass it is not allocated */
    uint32_t handler_cpu_ms;   /* of one run of a handler, until it waits or ends */
    uint32_t load_cpu_ms;      /* of all modules together, while they load */
    uint32_t lua_libraries;    /* of TG_LUA_LIBRARIES: bit i is the i-th */
    uint32_t watchdog_seconds; /* stuck in a C function for so long: the process ends; 0: never */
};

/* TG_OK with all defaults, or TG_E_NO_MEMORY. */
enum tg_status tg_config_init(struct tg_config *config);

void tg_config_deinit(struct tg_config *config);

/* Sets the setting called `name` ("max_message_bytes") from text (copied). TG_E_NOT_FOUND: no such
 * setting; `error` suggests the nearest. TG_E_INVALID: a bad value. The earlier value stays then.
 * `origin` begins the error text: "--port", "TIDEGATE_PORT", "tidegate.lua:3"; an origin that is a flag
 * or a variable names the setting itself, and a suggestion is spelled as it is. */
enum tg_status tg_config_set(struct tg_config *config, const char *origin, struct tg_slice name,
                             struct tg_slice text, struct tg_error *error);

/* Takes TIDEGATE_<NAME> of every setting out of `environment` (NULL-terminated NAME=VALUE strings).
 * A TIDEGATE_ variable that is no setting is an error, with the nearest name. */
enum tg_status tg_config_set_environment(struct tg_config *config, char *const *environment,
                                         struct tg_error *error);

/* What can only be checked when everything is known, such as one limit against another. */
enum tg_status tg_config_check(const struct tg_config *config, struct tg_error *error);

static inline bool tg_config_is_development(const struct tg_config *config)
{
    return config->mode == TG_MODE_DEVELOPMENT;
}

/* Whether messages are checked when a script makes them. */
static inline bool tg_config_checks_outgoing(const struct tg_config *config)
{
    if (config->validate_outgoing == TG_OUTGOING_DEVELOPMENT) return tg_config_is_development(config);
    return config->validate_outgoing == TG_OUTGOING_ALWAYS;
}

#endif
