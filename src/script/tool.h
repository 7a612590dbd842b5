/* Tools over a loaded application: functions of tidegate's own Lua that look at all that was declared and
 * say something about it, as one text. No connection is there when they run. */
#ifndef TG_SCRIPT_TOOL_H
#define TG_SCRIPT_TOOL_H

#include "base/buf.h"
#include "base/status.h"
#include "script/host.h"

/* Calls `function` of tidegate's module `module` ("tidegate.types") without arguments and appends the string
 * that it returns. TG_E_SCRIPT when it raised: the error is appended instead. TG_E_NO_MEMORY. */
enum tg_status tg_tool_call(struct tg_host *host, const char *module, const char *function,
                            struct tg_buf *out);

#endif
