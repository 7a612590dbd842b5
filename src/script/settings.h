/* tidegate.lua: the settings of an application, a Lua file that returns a table.
 *
 *     return { port = 9000, log_level = "debug" }
 */
#ifndef TG_SCRIPT_SETTINGS_H
#define TG_SCRIPT_SETTINGS_H

#include "base/status.h"
#include "core/config.h"

/* Runs the file and sets what it returned. TG_E_NOT_FOUND: there is no such file. TG_E_SCRIPT: it does not
 * run or returns no table. TG_E_INVALID: a setting that does not exist or has a bad value. */
enum tg_status tg_settings_load(const char *path, struct tg_config *config, struct tg_error *error);

#endif
