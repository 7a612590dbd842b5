#include "app/badge.h"

#include "base/slice.h"
#include "base/utf8.h"

#include <sys/stat.h>

enum { EXPIRES_S_MAX = 2000000000 };

/* For which of the four a flag is. */
enum { TOKEN_MAKE = 1, TOKEN_CHECK = 2, SESSION_MAKE = 4, SESSION_CHECK = 8 };

static const char *name_of(const struct tg_badge *badge)
{
    return badge->is_session ? "session" : "token";
}

static int kind_of(const struct tg_badge *badge)
{
    if (badge->is_session) return badge->is_check ? SESSION_CHECK : SESSION_MAKE;
    return badge->is_check ? TOKEN_CHECK : TOKEN_MAKE;
}

static enum tg_status set_expires(struct tg_badge *badge, const char *value, struct tg_error *error)
{
    uint64_t seconds = 0;
    const char *c = value;
    for (; *c >= '0' && *c <= '9' && seconds <= EXPIRES_S_MAX; c++)
        seconds = seconds * 10 + (uint64_t)(*c - '0');
    if (*c || seconds == 0 || seconds > EXPIRES_S_MAX)
        return tg_error_set(error, TG_E_INVALID, "--expires: '%.80s' is no number of seconds from 1 to %d",
                            value, EXPIRES_S_MAX);
    badge->expires_s = seconds;
    return TG_OK;
}

static enum tg_status set_flag(struct tg_badge *badge, struct tg_slice flag, const char *value,
                               struct tg_error *error)
{
    const struct {
        struct tg_slice flag;
        int kinds;
        const char **field;
    } rows[] = {{TG_SLICE("--key"), TOKEN_MAKE | TOKEN_CHECK, &badge->key_path},
                {TG_SLICE("--alg"), TOKEN_MAKE | TOKEN_CHECK, &badge->alg},
                {TG_SLICE("--id"), TOKEN_MAKE, &badge->id},
                {TG_SLICE("--subject"), TOKEN_MAKE, &badge->subject},
                {TG_SLICE("--audience"), TOKEN_CHECK, &badge->audience},
                {TG_SLICE("--issuer"), TOKEN_CHECK, &badge->issuer},
                {TG_SLICE("--cookie"), SESSION_MAKE | SESSION_CHECK, &badge->cookie},
                {TG_SLICE("--expires"), TOKEN_MAKE | SESSION_MAKE, NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!tg_slice_equal(rows[i].flag, flag) || !(rows[i].kinds & kind_of(badge))) continue;
        if (!value) return tg_error_set(error, TG_E_INVALID, "%.*s needs a value", TG_SLICE_ARG(flag));
        if (!tg_utf8_is_valid(value, strlen(value)))
            return tg_error_set(error, TG_E_INVALID, "%.*s: its value is not UTF-8", TG_SLICE_ARG(flag));
        if (!rows[i].field) return set_expires(badge, value, error);
        *rows[i].field = value;
        return TG_OK;
    }
    return tg_error_set(error, TG_E_INVALID, "%s %s has no %.*s; `tidegate %s --help` lists what there is",
                        name_of(badge), badge->is_check ? "check" : "make", TG_SLICE_ARG(flag),
                        name_of(badge));
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The text, then the folder; claims may be left out. */
static enum tg_status read_other(struct tg_badge *badge, const char *argument, bool *has_folder,
                                 struct tg_error *error)
{
    bool may_be_claims = kind_of(badge) != TOKEN_MAKE || *argument == '{' || strcmp(argument, "-") == 0;
    if (!badge->text && !*has_folder && may_be_claims) {
        badge->text = argument;
        return TG_OK;
    }
    if (*has_folder || !is_folder(argument))
        return tg_error_set(error, TG_E_INVALID, "what is '%.80s'? %s", argument,
                            *has_folder ? "one folder at most" : "it is no folder");
    *has_folder = true;
    badge->folder = argument;
    return TG_OK;
}

static enum tg_status read_verb(struct tg_badge *badge, int count, char *const *arguments,
                                struct tg_error *error)
{
    badge->is_check = count > 0 && strcmp(arguments[0], "check") == 0;
    badge->is_help = count > 0 && strcmp(arguments[0], "--help") == 0;
    if (badge->is_check || badge->is_help || (count > 0 && strcmp(arguments[0], "make") == 0)) return TG_OK;
    return tg_error_set(error, TG_E_INVALID, "`tidegate %s make` or `tidegate %s check`? --help tells more",
                        name_of(badge), name_of(badge));
}

enum tg_status tg_badge_read(struct tg_badge *badge, bool is_session, int count, char *const *arguments,
                             struct tg_error *error)
{
    bool has_folder = false;
    *badge = (struct tg_badge){.is_session = is_session, .folder = "."};
    enum tg_status status = read_verb(badge, count, arguments, error);
    for (int i = 1; i < count && status == TG_OK && !badge->is_help; i++) {
        const char *argument = arguments[i];
        if (strcmp(argument, "--help") == 0) {
            badge->is_help = true;
        } else if (strncmp(argument, "--", 2) == 0) {
            const char *equals = strchr(argument, '=');
            const char *value = equals ? equals + 1 : i + 1 < count ? arguments[++i] : NULL;
            struct tg_slice flag = {argument, equals ? (size_t)(equals - argument) : strlen(argument)};
            status = set_flag(badge, flag, value, error);
        } else {
            status = read_other(badge, argument, &has_folder, error);
        }
    }
    if (status != TG_OK || badge->is_help || badge->text || kind_of(badge) == TOKEN_MAKE) return status;
    if (badge->is_check)
        return tg_error_set(error, TG_E_INVALID,
                            "check what? `tidegate %s check TEXT`, or - for standard input", name_of(badge));
    return tg_error_set(error, TG_E_INVALID, "whose session? `tidegate session make USER_ID`");
}
