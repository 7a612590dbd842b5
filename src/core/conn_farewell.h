/* How a connection ends, once its socket has gone: the hooks of its topics, `disconnected`, and it is freed.
 *
 * Each hook may wait, for disconnected_timeout_ms; those of the topics so long together. Private to the files
 * of the connection.
 */
#ifndef TG_CORE_CONN_FAREWELL_H
#define TG_CORE_CONN_FAREWELL_H

#include "core/conn.h"

/* Runs the next hook, and so on. The connection may be gone when this returns. To be called again when one
 * has ended that waited. */
void tg_conn_farewell(struct tg_conn *conn);

/* The time of the hook that waits is over. The same. */
void tg_conn_farewell_late(struct tg_conn *conn);

/* Frees the connection, whatever still waits. */
void tg_conn_free(struct tg_conn *conn);

#endif
