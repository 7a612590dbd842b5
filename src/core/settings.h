/* Every setting of the gateway: its name, default, range and help in one table. All else follows from it:
 * defaults, parsing, the names in the environment, flags, and --help.
 */
#ifndef TG_CORE_SETTINGS_H
#define TG_CORE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

/* How a setting's value looks; which C type it fills is the table's affair. */
enum tg_setting_type { TG_SETTING_TEXT, TG_SETTING_INTEGER, TG_SETTING_CHOICE, TG_SETTING_SET };

struct tg_setting {
    const char *name; /* "max_message_bytes"; flag --max-message-bytes, TIDEGATE_MAX_MESSAGE_BYTES */
    enum tg_setting_type type;
    const char *default_text;
    int64_t min, max;           /* integers */
    const char *const *choices; /* NULL-terminated names of a choice, or of a set's members */
    const char *help;           /* one line, with the unit and what happens when the limit is hit */
    size_t offset, bytes;       /* of the field in struct tg_config */
};

/* The table, in the order of the struct; `*count` rows. Each default is permitted by its row. */
const struct tg_setting *tg_settings(size_t *count);

#endif
