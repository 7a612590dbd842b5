/* The calls of core/script.h: what core asks of a generation whose code is Lua. */
#ifndef TG_SCRIPT_HOST_OPS_H
#define TG_SCRIPT_HOST_OPS_H

#include "script/host.h"

extern const struct tg_script_ops tg_host_ops;

/* The host of a script; NULL when its code is no Lua. */
static inline struct tg_host *tg_host_of(struct tg_script *script)
{
    return script->ops == &tg_host_ops ? TG_CONTAINER(script, struct tg_host, script) : NULL;
}

#endif
