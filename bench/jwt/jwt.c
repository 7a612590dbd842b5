/* What it costs to verify a JSON Web Token, in nanoseconds of CPU time. Prints "ALG NANOSECONDS" lines for
 * bench/jwt/run.
 *
 *     jwt FOLDER ROUNDS
 *
 * FOLDER has ALG.key (a public PEM, or a secret) and ALG.token for each algorithm. The fastest round counts:
 * what disturbs one only makes it slower.
 */
#include "wire/jwt.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FILE_BYTES_MAX = 1 << 16, ROUND_NS = 200 * 1000 * 1000, CALLS_MIN = 100 };

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "jwt: %s\n", what);
    exit(EXIT_FAILURE);
}

static struct tg_slice read_file(const char *folder, const char *alg, const char *kind, struct tg_buf *text)
{
    char path[4096];
    struct tg_error error;
    snprintf(path, sizeof path, "%s/%s.%s", folder, alg, kind);
    tg_buf_init(text);
    if (tg_file_read(path, FILE_BYTES_MAX, text, &error) != TG_OK) die(error.text);
    struct tg_slice line = tg_buf_peek(text);
    while (line.length && line.data[line.length - 1] == '\n') line.length--;
    return line;
}

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* As an authenticator does it, and each answer is looked at. */
static void verify(const struct tg_keys *keys, struct tg_slice token, struct tg_arena *arena)
{
    static const struct tg_slice audience[] = {TG_SLICE("chat")}, issuer[] = {TG_SLICE("https://login.test")};
    const struct tg_jwt_rules rules = {
        .audiences = {audience, 1}, .issuers = {issuer, 1}, .now_s = (double)time(NULL), .max_bytes = 16384};
    struct tg_value claims;
    struct tg_error error;
    tg_arena_reset(arena);
    if (tg_jwt_verify(keys, token, &rules, arena, &claims, &error) != TG_JWT_OK) die(error.text);
}

static double measure_round(const struct tg_keys *keys, struct tg_slice token, struct tg_arena *arena)
{
    double began = now_ns(), taken = 0;
    int64_t calls = 0;
    while (taken < ROUND_NS) {
        for (int i = 0; i < CALLS_MIN; i++) verify(keys, token, arena);
        calls += CALLS_MIN;
        taken = now_ns() - began;
    }
    return taken / (double)calls;
}

static void measure(const char *folder, const char *name, int rounds)
{
    struct tg_keys keys;
    struct tg_buf key_text, token_text;
    struct tg_arena arena;
    struct tg_error error;
    enum tg_alg alg;
    struct tg_slice key = read_file(folder, name, "key", &key_text);
    struct tg_slice token = read_file(folder, name, "token", &token_text);
    if (!tg_alg_find(tg_slice_of(name), &alg)) die(name);
    tg_keys_init(&keys);
    tg_arena_init(&arena, FILE_BYTES_MAX);
    enum tg_status status = tg_alg_is_secret(alg)
                                ? tg_keys_add_secret(&keys, (struct tg_slice){0}, alg, key, &error)
                                : tg_keys_add_pem(&keys, (struct tg_slice){0}, alg, key, &error);
    if (status != TG_OK) die(error.text);
    double least = 0;
    for (int round = 0; round < rounds; round++) {
        double ns = measure_round(&keys, token, &arena);
        if (round == 0 || ns < least) least = ns;
    }
    printf("%s %.0f\n", name, least);
    tg_arena_deinit(&arena);
    tg_keys_deinit(&keys);
    tg_buf_deinit(&key_text);
    tg_buf_deinit(&token_text);
}

int main(int count, char **arguments)
{
    static const char *const algs[] = {"HS256", "RS256", "ES256", "EdDSA"};
    if (count != 3) die("usage: jwt FOLDER ROUNDS");
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
        measure(arguments[1], algs[i], atoi(arguments[2]));
    return EXIT_SUCCESS;
}
