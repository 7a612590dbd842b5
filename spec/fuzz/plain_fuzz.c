/* Any bytes to the reader of plain data; what it takes can be written, and read again. */
#include "script/call.h"
#include "script/plain.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

struct input {
    struct tg_world *world;
    struct tg_slice bytes;
};

/* open_world(world) */
static int open_world(lua_State *L)
{
    tg_world_open(lua_touserdata(L, 1));
    return 0;
}

/* try(input) */
static int try(lua_State *L)
{
    const struct input *input = lua_touserdata(L, 1);
    const struct tg_plain plain = {.name = "value"};
    struct tg_buf again;
    int top = lua_gettop(L);
    enum tg_status status = tg_plain_read(input->world, L, input->bytes);
    require(lua_gettop(L) == top + (status == TG_OK));
    if (status != TG_OK) return 0;
    tg_buf_init(&again);
    require(tg_plain_write(input->world, L, -1, &plain, &again) == TG_OK);
    require(tg_plain_read(input->world, L, tg_buf_peek(&again)) == TG_OK);
    require(lua_type(L, -1) == lua_type(L, -2));
    tg_buf_deinit(&again);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_heap heap = {0};
    const struct tg_config config = {0};
    struct tg_world world = {.L = lua_newstate(tg_heap_alloc, &heap), .config = &config};
    struct input input = {&world, {(const char *)data, size}};
    require(world.L && tg_call_protected(world.L, open_world, &world, NULL) == LUA_OK);
    require(tg_call_protected(world.L, try, &input, NULL) == LUA_OK);
    lua_close(world.L);
    tg_world_deinit(&world);
    tg_heap_deinit(&heap);
    return 0;
}
