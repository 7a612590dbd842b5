/* A choice is stored as the index of its name, which is the enumerator; a set as bits, the i-th for its i-th
 * name. How wide a field is follows from the struct. */
#include "core/settings.h"

#include "core/config.h"

enum {
    GIB = 1024 * 1024 * 1024,
    DAY_SECONDS = 86400,
    DAY_MS = DAY_SECONDS * 1000,
    CONNECTIONS_MAX = (1 << 24) - 1, /* TG_SLOT_BITS */
};

static const char *const modes[] = {"production", "development", NULL};
static const char *const log_levels[] = {"debug", "info", "warning", "error", "off", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const lua_libraries[] = TG_LUA_LIBRARIES;
static const char *const forwarded[] = {"x-forwarded-for", "forwarded", NULL};
static const char *const gone_consumers[] = {"close", "stay", NULL};
static const char *const outgoing[] = {"always", "development", "never", NULL};

#define FIELD(field)                                                                                         \
    .offset = offsetof(struct tg_config, field), .bytes = sizeof(((struct tg_config *)0)->field)
#define TEXT(field, default_, help_)                                                                         \
    {                                                                                                        \
        .name = #field, .type = TG_SETTING_TEXT, .default_text = (default_), .help = (help_), FIELD(field)   \
    }
#define CHOICE(field, default_, choices_, help_)                                                             \
    {                                                                                                        \
        .name = #field, .type = TG_SETTING_CHOICE, .default_text = (default_), .choices = (choices_),        \
        .help = (help_), FIELD(field)                                                                        \
    }
#define SET(field, default_, choices_, help_)                                                                \
    {                                                                                                        \
        .name = #field, .type = TG_SETTING_SET, .default_text = (default_), .choices = (choices_),           \
        .help = (help_), FIELD(field)                                                                        \
    }
#define INTEGER(field, default_, min_, max_, help_)                                                          \
    {                                                                                                        \
        .name = #field, .type = TG_SETTING_INTEGER, .default_text = (default_), .min = (min_),               \
        .max = (max_), .help = (help_), FIELD(field)                                                         \
    }

/* clang-format off */
static const struct tg_setting settings[] = {
    TEXT(host, "127.0.0.1", "address to listen on, IPv4 or IPv6, not a name"),
    INTEGER(port, "8000", 0, UINT16_MAX, "TCP port to listen on; 0: a free one"),
    TEXT(static_dir, "", "folder of files to serve; empty: the application's public/"),
    TEXT(trusted_proxies, "",
         "addresses and blocks (10.0.0.0/8) whose word on their clients is taken, separated by commas"),
    CHOICE(forwarded_header, "x-forwarded-for", forwarded, "where trusted proxies name their client"),
    INTEGER(login_attempts, "30", 0, 6000,
            "logins of one address that may fail in a minute; beyond: 429; 0: any number"),
    INTEGER(login_addresses, "16384", 8, 1 << 24,
            "addresses whose failed logins are counted; beyond: that with the fewest is forgotten"),
    TEXT(api_host, "", "address for /api alone; empty: /api is on the main address"),
    TEXT(api_token, "", "who sends it may use /api, secret; empty: made at start in development, else /api is off"),
    INTEGER(api_max_bytes, "1048576", 1, GIB, "bytes of the body of a request to /api; beyond: 413"),
    INTEGER(api_max_requests, "16", 1, 1024, "requests to /api that are being read at once; beyond: 503"),
    INTEGER(api_port, "0", 0, UINT16_MAX, "TCP port for /api, with api_host; 0: a free one"),
    INTEGER(max_body_bytes, "1048576", 1, GIB,
            "bytes of the body of a request to a route, unless it says another; beyond: 413"),
    INTEGER(max_answer_bytes, "8388608", 1, GIB, "bytes of what a route answers; beyond: its handler fails"),
    INTEGER(max_http_requests, "256", 1, 65536, "requests to routes under way at once; beyond: 503"),
    INTEGER(body_timeout_ms, "30000", 1, DAY_MS, "wait for the whole body of such a request; then: 408"),
    TEXT(secrets, "", "what cookies are signed with, secret, commas between; empty: made in development, else none"),
    TEXT(secrets_file, "", "file with such secrets, one a line; the first signs, all of them verify"),
    INTEGER(max_token_bytes, "16384", 256, 1 << 20, "bytes of a JSON Web Token; beyond: refused"),
    INTEGER(max_password_hashes, "100", 1, 10000,
            "passwords that are hashed or checked at once; beyond: the handler fails"),
    CHOICE(mode, "production", modes, "development tells clients more about errors"),
    CHOICE(log_level, "info", log_levels, "the least important lines that are logged"),
    CHOICE(log_format, "text", log_formats, "key=value pairs or one JSON object per line"),
    CHOICE(validate_outgoing, "development", outgoing, "when messages are checked in full as scripts make them"),
    INTEGER(max_message_bytes, "1048576", 1, GIB, "bytes of one message; beyond: closed with 1009"),
    INTEGER(max_json_depth, "64", 1, 512, "levels of nesting; beyond: answered as invalid JSON"),
    INTEGER(max_errors, "50", 1, 1000, "errors told about one message; the rest is left out"),
    INTEGER(max_check_steps, "100000", 100, 100000000,
            "steps of one pattern, and of trying unions, in one message; beyond: answered as value_error"),
    INTEGER(outbox_high_water_bytes, "262144", 1, 4 * (int64_t)GIB,
            "unsent bytes of one client; beyond: nothing is read from it"),
    INTEGER(outbox_max_bytes, "8388608", 1, 4 * (int64_t)GIB,
            "unsent bytes of one client; beyond: closed with 1013"),
    INTEGER(outbox_max_messages, "16384", 1, 1 << 24,
            "unsent messages of one client; beyond: closed with 1013"),
    INTEGER(inbox_messages, "64", 1, 1 << 20,
            "messages of one client that wait for a handler; at so many: nothing is read from it"),
    INTEGER(inbox_max_bytes, "1048576", 1, 4 * (int64_t)GIB,
            "bytes of such messages; at so many: nothing is read from it"),
    INTEGER(inbox_max_events, "1024", 1, 1 << 20,
            "events that wait for one connection; further ones do not reach it"),
    INTEGER(inbox_max_event_bytes, "4194304", 1, 4 * (int64_t)GIB,
            "bytes of such events; beyond: the same"),
    INTEGER(max_groups_per_connection, "1000", 0, 1 << 20,
            "groups that one client is in; beyond: conn:join is refused"),
    INTEGER(max_topics_per_connection, "100", 1, 1000,
            "topics that one connection is subscribed to; beyond: refused"),
    INTEGER(handler_timeout_ms, "0", 0, DAY_MS,
            "a handler that waits longer is ended and answered for; 0: none is"),
    INTEGER(authentication_timeout_ms, "10000", 1, DAY_MS,
            "an authenticator that waits longer is ended, and its client closed with 4408"),
    INTEGER(disconnected_timeout_ms, "5000", 1, DAY_MS,
            "a hook `disconnected` that waits longer is ended; before it all `on_unsubscribe` together"),
    INTEGER(heartbeat_seconds, "25", 0, DAY_SECONDS, "silence of a client before it is pinged; 0: never"),
    INTEGER(heartbeat_timeout_seconds, "20", 1, DAY_SECONDS, "wait for an answer to a ping; then: dropped"),
    INTEGER(slow_client_seconds, "30", 1, DAY_SECONDS,
            "a client that takes nothing for so long is closed with 1013"),
    INTEGER(pause_seconds, "60", 1, DAY_SECONDS,
            "a client that was not read from for so long is closed with 1013"),
    INTEGER(close_timeout_ms, "2000", 1, 60000, "wait for a client's close frame; then: dropped"),
    INTEGER(tcp_max_streams, "1024", 0, 1 << 20, "TCP connections to other servers at once; beyond: refused"),
    INTEGER(tcp_max_receive_bytes, "16777216", 1, GIB, "bytes of one receive of a TCP stream; beyond: it fails"),
    INTEGER(process_max_concurrent, "16", 0, 4096, "child programs at once; beyond: refused"),
    INTEGER(process_max_output_bytes, "1048576", 1, GIB,
            "output of a child program, and errors of it; beyond: killed"),
    INTEGER(process_timeout_seconds, "60", 1, DAY_SECONDS, "time of a child program; then: killed"),
    INTEGER(blocking_call_ms, "5", 1, 60000,
            "in development a call that held the gateway so long is named in the log"),
    INTEGER(max_connections, "0", 0, CONNECTIONS_MAX,
            "open connections, refused with 503 beyond; 0: as many as the limit of open files allows"),
    INTEGER(max_tasks, "100000", 1, 1 << 24, "tasks of scripts alive at once; beyond: tide.spawn raises"),
    INTEGER(stall_ms, "50", 1, DAY_MS, "a turn of the loop that takes longer is counted and logged"),
    INTEGER(drain_seconds, "10", 0, DAY_SECONDS, "wait for clients to leave when the gateway stops"),
    INTEGER(state_max_bytes, "1048576", 1024, GIB,
            "bytes of conn.state that move with one connection in a reload; beyond: it stays behind"),
    INTEGER(keep_max_bytes, "16777216", 1024, 4 * (int64_t)GIB,
            "bytes that all of tide.keep together hold; beyond: not kept"),
    INTEGER(retire_seconds, "60", 0, DAY_SECONDS, "a handler of code that was replaced is ended after so long"),
    INTEGER(max_generations, "4", 2, 64, "loads of the code alive at once; beyond: the oldest is ended first"),
    CHOICE(gone_consumers, "close", gone_consumers,
           "clients of a consumer that a reload took away: closed with 1012, or left with the old code"),
    INTEGER(reload_quiet_ms, "10", 0, 60000, "from the last change of a file to the reload"),
    INTEGER(fetch_max_bytes, "8388608", 1, GIB, "bytes of one answer to tide.http; beyond: an error"),
    INTEGER(fetch_timeout_seconds, "30", 1, DAY_SECONDS, "for one tide.http request, unless it names another"),
    INTEGER(fetch_max_concurrent, "32", 1, 1024, "tide.http requests under way; beyond: they wait"),
    INTEGER(fetch_max_waiting, "1000", 0, 100000, "tide.http requests that wait; beyond: an error"),
    TEXT(fetch_ca_file, "", "certificates that tide.http trusts, PEM; empty: the system's"),
    TEXT(record_file, "", "new file for what clients send, {time} in its name is the time; empty: none"),
    INTEGER(record_max_bytes, "67108864", 4096, 1024 * (int64_t)GIB,
            "bytes of the recording; it ends there, the gateway does not"),
    INTEGER(record_buffer_bytes, "8388608", 4096, GIB,
            "bytes of the recording that wait for the disk; beyond: it ends"),
    INTEGER(lua_memory_mb, "256", 8, 65536, "MB of memory for the Lua code; beyond: the handler fails"),
    INTEGER(handler_cpu_ms, "100", 5, 60000, "CPU time of one run of a handler; beyond: it is stopped"),
    INTEGER(load_cpu_ms, "5000", 100, 600000, "CPU time of all modules as they load; beyond: an error"),
    SET(lua_libraries, "coroutine,debug,io,math,os,string,table,utf8", lua_libraries,
        "libraries of Lua that scripts have, separated by commas"),
    INTEGER(watchdog_seconds, "10", 0, DAY_SECONDS,
            "a handler stuck in a C function for so long ends the program; 0: never"),
};
/* clang-format on */

const struct tg_setting *tg_settings(size_t *count)
{
    *count = sizeof settings / sizeof settings[0];
    return settings;
}
