/* Who writes down what clients send, so that it can be played again (testing.replay). net/record_file writes
 * it into a file; a worker without a recorder has NULL, and nothing is asked for.
 *
 * The calls come as things happen, before anything is done about them.
 */
#ifndef TG_CORE_RECORDER_H
#define TG_CORE_RECORDER_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_conn;
struct tg_recorder;

enum tg_ender { TG_ENDED_BY_CLIENT, TG_ENDED_BY_SERVER };

struct tg_recorder_ops {
    /* Before `connected` runs. */
    void (*opened)(struct tg_recorder *recorder, struct tg_conn *conn);
    /* A whole data message, whatever stands in it. */
    void (*received)(struct tg_recorder *recorder, struct tg_conn *conn, struct tg_slice message,
                     bool is_binary);
    /* Once: the first close frame of either side, or the end of TCP. The code is the connection's. */
    void (*closed)(struct tg_recorder *recorder, struct tg_conn *conn, enum tg_ender by,
                   struct tg_slice reason);
    /* Another consumer handles what it sends from now on. */
    void (*moved)(struct tg_recorder *recorder, struct tg_conn *conn);
};

struct tg_recorder {
    const struct tg_recorder_ops *ops;
};

#endif
