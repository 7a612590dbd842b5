/* From a folder to a registry: finds the entry modules, runs them, reads what they declared. */
#ifndef TG_SCRIPT_LOADER_H
#define TG_SCRIPT_LOADER_H

#include "base/status.h"
#include "core/problem.h"
#include "script/world.h"

/* Loads the application in `folder` into the open world. What is wrong with its modules is added to
 * `problems`; TG_E_SCRIPT when there is any. Never raises. */
enum tg_status tg_load_application(struct tg_world *world, const char *folder, struct tg_problems *problems);

/* Declares what `produce(context)` pushes, as if the file `where` had returned it; modules are looked for
 * below the working directory. `may_declare_more`: a consumer that is declared but not pushed is no mistake.
 */
enum tg_status tg_load_value(struct tg_world *world, lua_CFunction produce, void *context, const char *where,
                             bool may_declare_more, struct tg_problems *problems);

#endif
