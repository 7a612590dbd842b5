/* Counters of one worker, and their Prometheus text (exposition format 0.0.4).
 *
 * A counter is a field that its owner increments: no lookup, no lock, no branch. Every limit of the
 * gateway has one that counts how often it was hit.
 */
#ifndef TG_CORE_METRICS_H
#define TG_CORE_METRICS_H

#include "base/buf.h"

#include <stdint.h>

/* X(field, kind, help): kind is `counter` or `gauge`; exported as tidegate_<field>, counters with
 * the suffix _total. */
#define TG_METRICS(X)                                                                                        \
    X(connections, gauge, "WebSocket connections open now")                                                  \
    X(connections_opened, counter, "WebSocket connections accepted")                                         \
    X(connections_refused, counter, "Clients refused: max_connections, or no descriptor")                    \
    X(handshakes_refused, counter, "Upgrades refused for any other reason")                                  \
    X(origins_refused, counter, "Of these: the page's origin is not allowed")                                \
    X(admissions_refused, counter, "Of these: admit did not let them in, or failed")                         \
    X(login_attempts_refused, counter, "Of these: login_attempts")                                           \
    X(login_addresses_forgotten, counter,                                                                    \
      "Addresses whose refused logins had to be forgotten: login_addresses")                                 \
    X(password_hashes, gauge, "Passwords that wait to be hashed or checked, or are")                         \
    X(password_hashes_full, counter, "Handlers that failed instead: max_password_hashes")                    \
    X(forwarded_malformed, counter, "Clients that a trusted proxy named in a way that makes no sense")       \
    X(messages_received, counter, "Whole data messages received")                                            \
    X(messages_sent, counter, "Data messages queued for clients")                                            \
    X(bytes_received, counter, "Payload bytes of received data messages")                                    \
    X(bytes_sent, counter, "Bytes of frames handed to the kernel")                                           \
    X(writes, counter, "Calls that handed frames to the kernel")                                             \
    X(messages_invalid, counter, "Messages answered with a list of errors")                                  \
    X(check_steps_hit, counter, "Messages refused because a pattern or a union took max_check_steps")        \
    X(handler_errors, counter, "Handlers and hooks that raised")                                             \
    X(handler_cpu_hit, counter, "Handlers, hooks and tasks stopped because of handler_cpu_ms")               \
    X(lua_memory_hit, counter, "Handlers, hooks and tasks that failed: lua_memory_mb")                       \
    X(too_large, counter, "Connections closed with 1009: max_message_bytes")                                 \
    X(bad_utf8, counter, "Connections closed with 1007")                                                     \
    X(protocol_errors, counter, "Connections closed with 1002")                                              \
    X(reading_paused, counter, "Times a connection stopped reading: outbox_high_water_bytes")                \
    X(inbox_full, counter, "Times a connection stopped reading: inbox_messages, inbox_max_bytes")            \
    X(inbox_messages, gauge, "Messages that wait for a handler of their connection now")                     \
    X(inbox_events, gauge, "Events that wait for their connection now")                                      \
    X(events_dropped, counter, "Events not given to a connection: inbox_max_events, inbox_max_event_bytes")  \
    X(events_invalid, counter, "Events that a receiver's schema or its checks refused")                      \
    X(subscriptions, gauge, "Topics that connections are subscribed to now")                                 \
    X(subscribes_refused, counter, "Topics that an authoriser refused, or failed to allow")                  \
    X(topics_full, counter, "Topics refused: max_topics_per_connection")                                     \
    X(topic_frames_refused, counter, "Frames of topics that are unknown or not subscribed to")               \
    X(groups, gauge, "Groups and topics that have members now")                                              \
    X(group_memberships, gauge, "Connections in a group or topic now, once for each")                        \
    X(groups_full, counter, "Times a connection could not join: max_groups_per_connection")                  \
    X(broadcasts, counter, "Messages and events for groups, consumers, users and single connections")        \
    X(deliveries, counter, "Connections that such a message or event reached")                               \
    X(payload_bytes, gauge, "Bytes of frames that are shared by their receivers, once for each frame")       \
    X(tasks, gauge, "Tasks alive now: handlers that wait, and what was spawned")                             \
    X(handler_timeouts, counter, "Handlers and hooks ended because they waited too long")                    \
    X(authentications_refused, counter, "Clients that an authenticator did not let in")                      \
    X(tokens_too_large, counter, "JSON Web Tokens refused: max_token_bytes")                                 \
    X(authentication_timeouts, counter, "Connections closed with 4408: authentication_timeout_ms")           \
    X(messages_forbidden, counter, "Messages that the `allow` of their handler refused")                     \
    X(credentials_expired, counter, "Connections closed with 4401: what let them in has expired")            \
    X(credentials_renewed, counter, "New credentials that clients have sent and that count")                 \
    X(credentials_asked_again, counter, "Times an authenticator was asked again: reauthenticate_seconds")    \
    X(slow_clients, counter, "Connections closed with 1013: no progress, or paused for too long")            \
    X(outbox_full, counter, "Connections closed with 1013: outbox_max_bytes, outbox_max_messages")           \
    X(heartbeat_timeouts, counter, "Connections dropped: no answer in heartbeat_timeout_seconds")            \
    X(close_timeouts, counter, "Connections dropped: no close frame back in close_timeout_ms")               \
    X(no_memory, counter, "Messages that failed because memory was out")                                     \
    X(streams, gauge, "TCP connections to other servers open now")                                           \
    X(streams_opened, counter, "TCP connections to other servers begun")                                     \
    X(streams_refused, counter, "TCP connections to other servers not begun: tcp_max_streams")               \
    X(stream_bytes_received, counter, "Bytes received from other servers over TCP")                          \
    X(stream_bytes_sent, counter, "Bytes sent to other servers over TCP")                                    \
    X(processes, gauge, "Child programs running now")                                                        \
    X(processes_started, counter, "Child programs started")                                                  \
    X(processes_refused, counter, "Child programs not started: process_max_concurrent")                      \
    X(processes_killed, counter, "Child programs killed: their time, their output, or nobody waits")         \
    X(blocking_calls, counter, "Calls that held the loop for blocking_call_ms; development only")            \
    X(inbox_bytes, gauge, "Bytes of such messages")                                                          \
    X(loop_stalls, counter, "Turns of the loop that took longer than stall_ms")                              \
    X(gc_cycles, counter, "Collections of the Lua state that ended while the loop was idle")                 \
    X(outbox_bytes, gauge, "Bytes queued in all outboxes now")                                               \
    X(script_heap_bytes, gauge, "Memory of the Lua state")                                                   \
    X(generation, gauge, "Number of the generation that serves")                                             \
    X(generations_alive, gauge, "Generations that serve, or still have connections or hooks of their own")   \
    X(reloads, counter, "Reloads after which new code served")                                               \
    X(reloads_failed, counter, "Reloads that changed nothing, because the new code was wrong")               \
    X(reloads_postponed, counter, "Reloads that waited for a generation to end: max_generations")            \
    X(connections_moved, counter, "Connections moved to a newer generation")                                 \
    X(connections_orphaned, counter, "Connections whose consumer was gone after a reload")                   \
    X(handlers_retired, counter, "Connections whose handlers were ended for a reload: retire_seconds")       \
    X(states_left_behind, counter, "Connections moved without their state: state_max_bytes")                 \
    X(keep_bytes, gauge, "Bytes that tide.keep holds")                                                       \
    X(keep_full, counter, "Values that tide.keep did not take: keep_max_bytes")                              \
    X(moves_failed, counter, "Moves of connections put off because memory was out")                          \
    X(recording, gauge, "1 while what clients send is recorded")                                             \
    X(recorded_lines, counter, "Lines of the recording")                                                     \
    X(recorded_bytes, counter, "Bytes of the recording")                                                     \
    X(recordings_ended, counter, "Recordings that ended early: record_max_bytes, or the disk")               \
    X(http_requests, counter, "Plain HTTP requests answered")                                                \
    X(http_exchanges, gauge, "Requests to routes of the application under way now")                          \
    X(http_invalid, counter, "Requests to routes whose body was answered with a list of errors")             \
    X(http_too_large, counter, "Requests to routes refused: max_body_bytes")                                 \
    X(http_full, counter, "Requests to routes refused: max_http_requests")                                   \
    X(http_origins_refused, counter, "Requests to routes refused: another site's page sent them")            \
    X(http_body_timeouts, counter, "Requests to routes refused: no whole body in body_timeout_ms")           \
    X(api_requests, counter, "Requests under /api")                                                          \
    X(api_unauthorized, counter, "Of these: with a wrong token, or without one")                             \
    X(api_too_large, counter, "Of these: api_max_bytes")                                                     \
    X(api_full, counter, "Of these: api_max_requests")                                                       \
    X(fetches, counter, "Outgoing HTTP requests begun")                                                      \
    X(fetches_running, gauge, "Outgoing HTTP requests under way now")                                        \
    X(fetches_waiting, gauge, "Outgoing HTTP requests that wait for a place: fetch_max_concurrent")          \
    X(fetches_refused, counter, "Outgoing HTTP requests refused: fetch_max_waiting")                         \
    X(fetch_errors, counter, "Outgoing HTTP requests without an answer, whatever the reason")                \
    X(fetch_timeouts, counter, "Of these: no whole answer in time")                                          \
    X(fetches_too_large, counter, "Of these: fetch_max_bytes, or too many headers")

struct tg_metrics {
#define TG_METRIC_FIELD(field, kind, help) uint64_t field;
    TG_METRICS(TG_METRIC_FIELD)
#undef TG_METRIC_FIELD
};

/* Appends all metrics as text. Check the buf's status. */
void tg_metrics_write(const struct tg_metrics *metrics, struct tg_buf *out);

#endif
