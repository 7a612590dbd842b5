/* Whether a schema refuses what another one accepted, and why: what a client that has not changed runs into
 * when the code behind it is reloaded.
 *
 * Silence is a promise: whatever the old schema accepted, the new one accepts too; but for members that were
 * not declared and ignored, and are declared now. Where it cannot be seen (two patterns, functions of the
 * script that check), it is told that it has changed. The other direction is no promise: what is told may be
 * harmless.
 */
#ifndef TG_WIRE_STRICTER_H
#define TG_WIRE_STRICTER_H

#include "base/buf.h"
#include "wire/schema.h"

struct tg_stricter {
    /* `path`: "payload.items[].text"; `what`: "max was 2000, is 200". Both borrowed for the call. */
    void (*tell)(struct tg_stricter *stricter, struct tg_slice path, struct tg_slice what);
};

/* Tells each place where `after` accepts less than `before`, whose fields clients name as `naming` says.
 * `path`: how the value itself is called. TG_E_NO_MEMORY: not all was told. */
enum tg_status tg_stricter_compare(struct tg_stricter *stricter, struct tg_slice path,
                                   const struct tg_schema *before, const struct tg_schema *after,
                                   enum tg_naming naming);

#endif
