/* The rows of settings.c drive all of it: which name is meant, how its value is read, where it goes.
 *
 * Invariant: every field holds a value that its row permits, from tg_config_init on; a value that is
 * refused is never stored.
 */
#include "core/config.h"

#include "base/nearest.h"
#include "core/secrets.h"
#include "core/settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES_MAX = 64 }; /* more than any setting's name has */

/* ---- names ---- */

#define FLAG_PREFIX "--"
#define VARIABLE_PREFIX "TIDEGATE_"

/* How the source of a value spells the settings: max_errors, --max-errors, TIDEGATE_MAX_ERRORS. */
enum spelling { SPELLED_PLAIN, SPELLED_AS_FLAG, SPELLED_AS_VARIABLE };

struct spelled_name {
    char text[sizeof VARIABLE_PREFIX + NAME_BYTES_MAX];
};

static enum spelling spelling_of(const char *origin)
{
    if (strncmp(origin, FLAG_PREFIX, strlen(FLAG_PREFIX)) == 0) return SPELLED_AS_FLAG;
    if (strncmp(origin, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) == 0) return SPELLED_AS_VARIABLE;
    return SPELLED_PLAIN;
}

static struct spelled_name spell(enum spelling spelling, const char *name)
{
    static const char *const prefixes[] = {"", FLAG_PREFIX, VARIABLE_PREFIX};
    struct spelled_name spelled;
    snprintf(spelled.text, sizeof spelled.text, "%s%s", prefixes[spelling], name);
    for (char *c = spelled.text + strlen(prefixes[spelling]); *c; c++) {
        if (spelling == SPELLED_AS_FLAG && *c == '_') *c = '-';
        if (spelling == SPELLED_AS_VARIABLE) *c = (char)toupper((unsigned char)*c);
    }
    return spelled;
}

static const struct tg_setting *find_setting(struct tg_slice name)
{
    size_t count;
    const struct tg_setting *settings = tg_settings(&count);
    for (size_t i = 0; i < count; i++)
        if (tg_slice_equal(tg_slice_of(settings[i].name), name)) return &settings[i];
    return NULL;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct tg_slice name_at(const void *table, size_t index)
{
    return tg_slice_of(((const struct tg_setting *)table)[index].name);
}

static enum tg_status refuse_name(const char *origin, struct tg_slice name, struct tg_error *error)
{
    enum spelling spelling = spelling_of(origin);
    char what[NAME_BYTES_MAX + 16] = "such setting";
    if (spelling == SPELLED_PLAIN)
        snprintf(what, sizeof what, "setting \"%.*s\"", (int)least(name.length, NAME_BYTES_MAX), name.data);
    size_t count;
    const struct tg_setting *settings = tg_settings(&count);
    size_t nearest = tg_nearest(name, settings, count, name_at);
    if (nearest == TG_NEAREST_NONE)
        return tg_error_set(error, TG_E_NOT_FOUND, "%s: there is no %s; tidegate run --help lists them all",
                            origin, what);
    return tg_error_set(error, TG_E_NOT_FOUND, "%s: there is no %s; did you mean %s?", origin, what,
                        spell(spelling, settings[nearest].name).text);
}

/* ---- values ---- */

/* Who says what of which setting. */
struct assignment {
    const char *origin;
    const struct tg_setting *setting;
    struct tg_slice text;
    struct tg_error *error;
};

/* The reason quotes `text` with as much as a person needs to find it. */
#define QUOTED(text) (int)least((text).length, 80), (text).length ? (text).data : ""

__attribute__((format(printf, 2, 3))) static enum tg_status refuse_value(const struct assignment *a,
                                                                         const char *format, ...)
{
    char reason[TG_ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (spelling_of(a->origin) == SPELLED_PLAIN)
        return tg_error_set(a->error, TG_E_INVALID, "%s: %s: %s", a->origin, a->setting->name, reason);
    return tg_error_set(a->error, TG_E_INVALID, "%s: %s", a->origin, reason);
}

static enum tg_status store_text(const struct assignment *a, char **field)
{
    if (a->text.length && memchr(a->text.data, '\0', a->text.length))
        return refuse_value(a, "the text has a zero byte");
    char *copy = malloc(a->text.length + 1);
    if (!copy) return tg_error_set(a->error, TG_E_NO_MEMORY, "%s: out of memory", a->origin);
    if (a->text.length) memcpy(copy, a->text.data, a->text.length);
    copy[a->text.length] = '\0';
    free(*field);
    *field = copy;
    return TG_OK;
}

static void store_number(void *field, size_t bytes, uint64_t value)
{
    if (bytes == sizeof(uint16_t))
        memcpy(field, &(uint16_t){(uint16_t)value}, bytes);
    else if (bytes == sizeof(uint32_t))
        memcpy(field, &(uint32_t){(uint32_t)value}, bytes);
    else
        memcpy(field, &value, sizeof value);
}

/* Digits with an optional '-', nothing else; what does not fit is INT64_MAX or INT64_MIN, beyond every
 * range. */
static bool read_integer(struct tg_slice text, int64_t *integer)
{
    bool is_negative = text.length > 0 && text.data[0] == '-';
    if (text.length == (is_negative ? 1u : 0u)) return false;
    int64_t value = 0;
    for (size_t i = is_negative; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        int digit = text.data[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, is_negative ? -digit : digit, &value))
            value = is_negative ? INT64_MIN : INT64_MAX;
    }
    *integer = value;
    return true;
}

static enum tg_status store_integer(const struct assignment *a, void *field)
{
    const struct tg_setting *setting = a->setting;
    int64_t value;
    if (!read_integer(a->text, &value))
        return refuse_value(a, "\"%.*s\" is not a whole number", QUOTED(a->text));
    if (value < setting->min || value > setting->max)
        return refuse_value(a, "%.*s is not between %" PRId64 " and %" PRId64, QUOTED(a->text), setting->min,
                            setting->max);
    store_number(field, setting->bytes, (uint64_t)value);
    return TG_OK;
}

static size_t find_choice(const struct tg_setting *setting, struct tg_slice name)
{
    size_t i = 0;
    while (setting->choices[i] && !tg_slice_equal(tg_slice_of(setting->choices[i]), name)) i++;
    return i;
}

static enum tg_status refuse_choice(const struct assignment *a, struct tg_slice name)
{
    char listed[128] = "";
    for (size_t i = 0; a->setting->choices[i]; i++) {
        size_t length = strlen(listed);
        snprintf(listed + length, sizeof listed - length, "%s%s", i ? ", " : "", a->setting->choices[i]);
    }
    return refuse_value(a, "\"%.*s\" is none of %s", QUOTED(name), listed);
}

static enum tg_status store_choice(const struct assignment *a, void *field)
{
    size_t i = find_choice(a->setting, a->text);
    if (!a->setting->choices[i]) return refuse_choice(a, a->text);
    store_number(field, a->setting->bytes, i);
    return TG_OK;
}

/* Names with commas between; spaces around them do not count. Empty: none. */
static enum tg_status store_set(const struct assignment *a, void *field)
{
    uint64_t members = 0;
    const char *next = a->text.data, *end = next + a->text.length;
    while (next < end) {
        const char *comma = memchr(next, ',', (size_t)(end - next));
        struct tg_slice name = {next, (size_t)((comma ? comma : end) - next)};
        next = comma ? comma + 1 : end;
        for (; name.length && name.data[0] == ' '; name.data++) name.length--;
        while (name.length && name.data[name.length - 1] == ' ') name.length--;
        size_t i = find_choice(a->setting, name);
        if (!a->setting->choices[i]) return refuse_choice(a, name);
        members |= 1ull << i;
    }
    store_number(field, a->setting->bytes, members);
    return TG_OK;
}

static enum tg_status store(struct tg_config *config, const struct assignment *a)
{
    void *field = (char *)config + a->setting->offset;
    switch (a->setting->type) {
    case TG_SETTING_TEXT:
        return store_text(a, field);
    case TG_SETTING_INTEGER:
        return store_integer(a, field);
    case TG_SETTING_CHOICE:
        return store_choice(a, field);
    case TG_SETTING_SET:
        return store_set(a, field);
    }
    return TG_E_INVALID;
}

/* ---- sources ---- */

enum tg_status tg_config_init(struct tg_config *config)
{
    *config = (struct tg_config){0};
    size_t count;
    const struct tg_setting *settings = tg_settings(&count);
    for (size_t i = 0; i < count; i++) {
        const struct assignment a = {"default", &settings[i], tg_slice_of(settings[i].default_text), NULL};
        enum tg_status status = store(config, &a);
        if (status == TG_OK) continue;
        tg_config_deinit(config);
        return status;
    }
    return TG_OK;
}

void tg_config_deinit(struct tg_config *config)
{
    size_t count;
    const struct tg_setting *settings = tg_settings(&count);
    for (size_t i = 0; i < count; i++) {
        if (settings[i].type != TG_SETTING_TEXT) continue;
        char **field = (void *)((char *)config + settings[i].offset);
        free(*field);
        *field = NULL;
    }
}

enum tg_status tg_config_set(struct tg_config *config, const char *origin, struct tg_slice name,
                             struct tg_slice text, struct tg_error *error)
{
    const struct tg_setting *setting = find_setting(name);
    if (!setting) return refuse_name(origin, name, error);
    return store(config, &(struct assignment){origin, setting, text, error});
}

/* `variable` is TIDEGATE_SOMETHING. */
static enum tg_status set_variable(struct tg_config *config, struct tg_slice variable, struct tg_slice text,
                                   struct tg_error *error)
{
    /* A name that is cut here is longer than that of any setting, and is refused. */
    struct spelled_name origin, plain;
    snprintf(origin.text, sizeof origin.text, "%.*s", TG_SLICE_ARG(variable));
    plain = origin;
    for (char *c = plain.text; *c; c++) *c = (char)tolower((unsigned char)*c);
    struct tg_slice name = tg_slice_of(plain.text + strlen(VARIABLE_PREFIX));
    const struct tg_setting *setting = find_setting(name);
    if (!setting || strcmp(spell(SPELLED_AS_VARIABLE, setting->name).text, origin.text) != 0)
        return refuse_name(origin.text, name, error);
    return store(config, &(struct assignment){origin.text, setting, text, error});
}

/* What lua/tidegate/testing/kit.lua reads: a gateway that a spec starts has it in its environment too. */
static bool is_of_the_kit(struct tg_slice variable)
{
    return tg_slice_equal(variable, TG_SLICE("TIDEGATE_KIT"));
}

enum tg_status tg_config_set_environment(struct tg_config *config, char *const *environment,
                                         struct tg_error *error)
{
    for (; *environment; environment++) {
        const char *entry = *environment;
        const char *equals = strchr(entry, '=');
        if (!equals || strncmp(entry, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) != 0) continue;
        if (is_of_the_kit((struct tg_slice){entry, (size_t)(equals - entry)})) continue;
        struct tg_slice variable = {entry, (size_t)(equals - entry)};
        enum tg_status status = set_variable(config, variable, tg_slice_of(equals + 1), error);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

/* ---- one against another ---- */

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static enum tg_status check_host(const char *setting, const char *host, struct tg_error *error)
{
    if (strcmp(host, "localhost") == 0)
        return tg_error_set(error, TG_E_INVALID, "%s: \"localhost\" is a name; write 127.0.0.1", setting);
    if (!is_address(host))
        return tg_error_set(error, TG_E_INVALID,
                            "%s: \"%.80s\" is no address; write one such as 127.0.0.1, 0.0.0.0 or ::1",
                            setting, host);
    return TG_OK;
}

/* The error does not quote the token. It has to fit into a header (RFC 6750 2.1), and not to be guessed. */
static enum tg_status check_token(const char *token, struct tg_error *error)
{
    enum { TOKEN_BYTES_MIN = 16, TOKEN_BYTES_MAX = 1024 };
    size_t length = strlen(token), visible = 0;
    while (token[visible] > ' ' && token[visible] <= '~') visible++;
    if (length == 0 || (visible == length && length >= TOKEN_BYTES_MIN && length <= TOKEN_BYTES_MAX))
        return TG_OK;
    return tg_error_set(error, TG_E_INVALID,
                        "api_token: a token has %d to %d visible ASCII characters without spaces; "
                        "`openssl rand -hex 32` makes one",
                        TOKEN_BYTES_MIN, TOKEN_BYTES_MAX);
}

static enum tg_status check_api(const struct tg_config *config, struct tg_error *error)
{
    enum tg_status status = check_token(config->api_token, error);
    if (status == TG_OK && config->api_host[0]) status = check_host("api_host", config->api_host, error);
    if (status == TG_OK && config->api_port && !config->api_host[0])
        return tg_error_set(
            error, TG_E_INVALID,
            "api_port: it is the port of api_host, which is not set; set it, too, to 127.0.0.1 "
            "for instance");
    return status;
}

static enum tg_status check_secrets(const struct tg_config *config, struct tg_error *error)
{
    if (config->secrets[0] && config->secrets_file[0])
        return tg_error_set(error, TG_E_INVALID, "secrets_file: `secrets` are set as well; give one of them");
    return tg_secrets_check(tg_slice_of(config->secrets), error);
}

enum tg_status tg_config_check(const struct tg_config *config, struct tg_error *error)
{
    enum tg_status status = check_host("host", config->host, error);
    if (status == TG_OK) status = check_api(config, error);
    if (status == TG_OK) status = tg_proxy_check(config->trusted_proxies, error);
    if (status == TG_OK) status = check_secrets(config, error);
    if (status != TG_OK) return status;
    if (config->outbox_high_water_bytes > config->outbox_max_bytes)
        return tg_error_set(error, TG_E_INVALID,
                            "outbox_high_water_bytes: %" PRIu64 " is more than outbox_max_bytes, %" PRIu64
                            "; lower the first or raise the second",
                            config->outbox_high_water_bytes, config->outbox_max_bytes);
    if (config->watchdog_seconds && config->handler_cpu_ms >= config->watchdog_seconds * 1000ull)
        return tg_error_set(error, TG_E_INVALID,
                            "handler_cpu_ms: %" PRIu32 " is not less than watchdog_seconds, %" PRIu32
                            "; lower the first or raise the second",
                            config->handler_cpu_ms, config->watchdog_seconds);
    return TG_OK;
}
