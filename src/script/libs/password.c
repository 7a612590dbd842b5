/* Two structs, since either may go first: the job is the background's until it is done, the box is Lua's.
 * They know each other while somebody waits. When the job is done it is the box's, which frees it; when the
 * task gives up before, it frees itself.
 *
 * Invariant: `waiting` is looked at on the loop's thread alone. The other thread reads the texts and
 * `is_in_vain`, and writes what it found.
 */
#include "script/libs/password.h"

#include "core/background.h"
#include "core/worker.h"
#include "script/libs/crypto.h"
#include "script/place.h"
#include "script/scratch.h"
#include "script/task.h"
#include "wire/crypto.h"

#include <lauxlib.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { UPVALUE_WORLD = 1, UPVALUE_META };

enum { SECRET = 1, HASH, BOX };

struct hashing {
    struct tg_job job;
    struct tg_worker *worker;
    struct box *waiting;    /* NULL: nobody any more */
    atomic_bool is_in_vain; /* the same, for the other thread */
    struct tg_slice secret; /* behind the struct, as the next */
    struct tg_slice hash;   /* to be compared with; data NULL: one is made */
    struct tg_buf made;
    enum tg_status status;
    bool is_right;
};

/* A userdata. */
struct box {
    struct tg_wait wait;
    struct hashing *hashing; /* that is waited for, or done; owned when it is done */
};

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(UPVALUE_WORLD));
}

/* ---- the other thread ---- */

static void work(struct tg_job *job)
{
    struct hashing *hashing = TG_CONTAINER(job, struct hashing, job);
    if (atomic_load(&hashing->is_in_vain)) return;
    if (hashing->hash.data)
        hashing->is_right = tg_crypto_check(hashing->secret, hashing->hash);
    else
        hashing->status = tg_crypto_hash_password(hashing->secret, &hashing->made);
}

/* ---- the loop ---- */

static void free_hashing(struct hashing *hashing)
{
    if (!hashing) return;
    explicit_bzero((char *)hashing->secret.data, hashing->secret.length);
    tg_buf_deinit(&hashing->made);
    free(hashing);
}

static void done(struct tg_job *job)
{
    struct hashing *hashing = TG_CONTAINER(job, struct hashing, job);
    hashing->worker->metrics.password_hashes--;
    if (hashing->waiting)
        tg_task_wake(&hashing->waiting->wait);
    else
        free_hashing(hashing);
}

static void give_up(struct tg_wait *wait)
{
    struct box *box = TG_CONTAINER(wait, struct box, wait);
    box->hashing->waiting = NULL;
    atomic_store(&box->hashing->is_in_vain, true);
    box->hashing = NULL;
}

/* Of one that was waited for in vain there is nothing left; what is there is done. */
static int box_gc(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    free_hashing(box->hashing);
    box->hashing = NULL;
    return 0;
}

static struct hashing *new_hashing(struct tg_worker *worker, struct tg_slice secret, struct tg_slice hash)
{
    struct hashing *hashing = malloc(sizeof *hashing + secret.length + hash.length);
    if (!hashing) return NULL;
    char *text = (char *)(hashing + 1);
    *hashing = (struct hashing){.job = {.work = work, .done = done}, .worker = worker};
    if (secret.length) memcpy(text, secret.data, secret.length);
    hashing->secret = (struct tg_slice){text, secret.length};
    if (hash.length) memcpy(text + secret.length, hash.data, hash.length);
    if (hash.data) hashing->hash = (struct tg_slice){text + secret.length, hash.length};
    tg_buf_init(&hashing->made);
    return hashing;
}

static int push_made(lua_State *L, enum tg_status status, const struct tg_buf *made)
{
    if (status == TG_E_IO) return luaL_error(L, "the system has no random bytes");
    if (status != TG_OK) return luaL_error(L, "not enough memory");
    lua_pushlstring(L, made->data, made->length);
    return 1;
}

static int hashed(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    const struct hashing *hashing = ((struct box *)lua_touserdata(L, BOX))->hashing;
    if (!hashing->hash.data) return push_made(L, hashing->status, &hashing->made);
    lua_pushboolean(L, hashing->is_right);
    return 1;
}

static void check_room(lua_State *L, struct tg_worker *worker)
{
    uint64_t most = worker->config->max_password_hashes;
    if (worker->metrics.password_hashes < most) return;
    worker->metrics.password_hashes_full++;
    tg_place_push(L);
    luaL_error(L, "%s: too many passwords are being looked at, max_password_hashes = %d", lua_tostring(L, -1),
               (int)most);
}

/* The secret lies at 1, the hash (or nil) at 2. */
static int hash_elsewhere(lua_State *L, struct tg_worker *worker, struct tg_slice secret,
                          struct tg_slice hash)
{
    check_room(L, worker);
    lua_settop(L, HASH);
    struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct box){.wait.cancel = give_up};
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_META));
    lua_setmetatable(L, BOX);
    box->hashing = tg_world_check_memory(L, new_hashing(worker, secret, hash));
    box->hashing->waiting = box;
    worker->metrics.password_hashes++;
    worker->hasher->ops->run(worker->hasher, &box->hashing->job);
    return tg_task_wait(L, &box->wait, hashed, 0);
}

/* ---- functions ---- */

static bool is_elsewhere(lua_State *L, const struct tg_world *world)
{
    return world->worker && world->worker->hasher && tg_task_can_wait(L);
}

/* crypto.hash_password(password) -> text */
static int hash_password(lua_State *L)
{
    struct tg_world *world = world_of(L);
    struct tg_slice password = tg_crypto_check_text(L, SECRET);
    if (is_elsewhere(L, world)) return hash_elsewhere(L, world->worker, password, (struct tg_slice){0});
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    return push_made(L, tg_crypto_hash_password(password, &scratch->text), &scratch->text);
}

/* crypto.check(secret, hash) -> boolean */
static int check(lua_State *L)
{
    struct tg_world *world = world_of(L);
    struct tg_slice secret = tg_crypto_check_text(L, SECRET), hash = tg_crypto_check_text(L, HASH);
    if (tg_crypto_is_slow(hash) && is_elsewhere(L, world))
        return hash_elsewhere(L, world->worker, secret, hash);
    lua_pushboolean(L, tg_crypto_check(secret, hash));
    return 1;
}

void tg_password_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {{"hash_password", hash_password}, {"check", check}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__gc", box_gc}, {NULL, NULL}};
    tg_world_push_self(world, L);
    luaL_newlib(L, metamethods);
    luaL_setfuncs(L, functions, 2);
}
