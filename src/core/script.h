/* What core asks of the code that people write. script/host runs it in Lua; tests fake it.
 *
 * Every call runs to its end before it returns and never jumps out. Handlers reach back through
 * conn.h; what a handler raises is answered and logged by the script layer.
 */
#ifndef TG_CORE_SCRIPT_H
#define TG_CORE_SCRIPT_H

#include "base/slice.h"
#include "core/registry.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_conn;
struct tg_script;

struct tg_script_ops {
    /* The connection is open. False: the hook raised; an error frame is queued. */
    bool (*connected)(struct tg_script *script, struct tg_conn *conn);
    /* A valid message. The envelope's tree is gone when this returns. */
    void (*message)(struct tg_script *script, struct tg_conn *conn, const struct tg_action *action,
                    const struct tg_envelope *envelope);
    /* A frame as it is: each one of a text consumer, binary ones of a consumer that takes them. */
    void (*frame)(struct tg_script *script, struct tg_conn *conn, struct tg_slice data, bool is_binary);
    /* The connection has ended; once, and only when `connected` had begun. */
    void (*disconnected)(struct tg_script *script, struct tg_conn *conn, uint16_t code,
                         struct tg_slice reason);
    /* The connection is about to be freed: forget what is kept for it. */
    void (*forget)(struct tg_script *script, struct tg_conn *conn);
};

struct tg_script {
    const struct tg_script_ops *ops;
};

/* One load of the code: what it declared, and who runs it. */
struct tg_generation {
    uint32_t number; /* from 1 */
    struct tg_registry registry;
    struct tg_script *script;
};

#endif
