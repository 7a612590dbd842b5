/* A line is one block: the struct, and behind it per field "key\0", the type, and an integer or a length with
 * its bytes; the event comes first, as a text. */
#include "kit/journal.h"

#include "kit/alloc.h"

#include <lauxlib.h>
#include <stdlib.h>

struct line {
    struct tg_list link;
    enum tg_log_level level;
    uint64_t at_ms;
    uint32_t fields;
    char bytes[];
};

void tg_kit_journal_init(struct tg_kit_journal *journal, struct tg_clock *clock,
                         const struct tg_worker *worker)
{
    *journal =
        (struct tg_kit_journal){.clock = clock, .worker = worker, .began_ms = tg_clock_monotonic_ms(clock)};
    tg_list_init(&journal->lines);
}

static void drop_oldest(struct tg_kit_journal *journal)
{
    free(TG_CONTAINER(tg_list_take_first(&journal->lines), struct line, link));
    journal->count--;
}

void tg_kit_journal_deinit(struct tg_kit_journal *journal)
{
    /* By the count: an app that was not opened has no list yet. */
    struct tg_list *node = journal->lines.next;
    for (; journal->count > 0; journal->count--) {
        struct tg_list *next = node->next;
        free(TG_CONTAINER(node, struct line, link));
        node = next;
    }
    tg_list_init(&journal->lines);
}

static void put(char **next, const void *bytes, size_t length)
{
    if (length) memcpy(*next, bytes, length);
    *next += length;
}

static size_t bytes_of(const struct tg_log_field *field)
{
    return strlen(field->key) + 2 + sizeof(int64_t) + sizeof(size_t) + field->text.length;
}

static void put_field(struct line *line, char **next, const struct tg_log_field *field)
{
    const char type = field->type == TG_LOG_FIELD_INTEGER ? 'i' : 't';
    put(next, field->key, strlen(field->key) + 1);
    put(next, &type, 1);
    if (type == 'i') {
        put(next, &field->integer, sizeof field->integer);
    } else {
        put(next, &field->text.length, sizeof field->text.length);
        put(next, field->text.data, field->text.length);
    }
    line->fields++;
}

/* As the program's log has it: the generation that serves, where a line names none itself. */
static struct tg_log_field generation_for(const struct tg_kit_journal *journal,
                                          const struct tg_log_field *fields)
{
    uint64_t number = journal->worker->metrics.generation;
    for (; fields->key; fields++)
        if (strcmp(fields->key, "generation") == 0) number = 0;
    return number ? TG_LOG_I("generation", number) : (struct tg_log_field){.key = NULL};
}

void tg_kit_journal_take(void *context, enum tg_log_level level, const char *event,
                         const struct tg_log_field *fields)
{
    struct tg_kit_journal *journal = context;
    const struct tg_log_field generation = generation_for(journal, fields);
    size_t bytes = strlen(event) + 1 + (generation.key ? bytes_of(&generation) : 0);
    for (const struct tg_log_field *field = fields; field->key; field++) bytes += bytes_of(field);
    tg_kit_alloc_pause();
    struct line *line = malloc(sizeof *line + bytes);
    tg_kit_alloc_resume();
    if (!line) return;
    *line = (struct line){.level = level, .at_ms = tg_clock_monotonic_ms(journal->clock)};
    tg_list_init(&line->link);
    char *next = line->bytes;
    put(&next, event, strlen(event) + 1);
    for (; fields->key; fields++) put_field(line, &next, fields);
    if (generation.key) put_field(line, &next, &generation);
    if (journal->count == TG_KIT_JOURNAL_LINES) drop_oldest(journal);
    tg_list_append(&journal->lines, &line->link);
    journal->count++;
}

/* Pushes the value behind a key and returns where the next field begins. [-0, +1, e] */
static const char *push_value(lua_State *L, const char *next)
{
    bool is_integer = *next++ == 'i';
    if (is_integer) {
        int64_t integer;
        memcpy(&integer, next, sizeof integer);
        lua_pushinteger(L, integer);
        return next + sizeof integer;
    }
    size_t length;
    memcpy(&length, next, sizeof length);
    lua_pushlstring(L, next + sizeof length, length);
    return next + sizeof length + length;
}

static void push_line(lua_State *L, const struct line *line, uint64_t began_ms)
{
    const char *next = line->bytes;
    lua_createtable(L, 0, 4);
    lua_pushstring(L, tg_log_level_name(line->level));
    lua_setfield(L, -2, "level");
    lua_pushstring(L, next);
    lua_setfield(L, -2, "event");
    lua_pushnumber(L, (double)(line->at_ms - began_ms) / 1000);
    lua_setfield(L, -2, "at");
    next += strlen(next) + 1;
    lua_createtable(L, 0, (int)line->fields);
    for (uint32_t i = 0; i < line->fields; i++) {
        lua_pushstring(L, next);
        next = push_value(L, next + strlen(next) + 1);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "fields");
}

void tg_kit_journal_push(const struct tg_kit_journal *journal, lua_State *L)
{
    lua_createtable(L, (int)journal->count, 0);
    lua_Integer i = 0;
    for (const struct tg_list *node = journal->lines.next; node != &journal->lines; node = node->next) {
        push_line(L, TG_CONTAINER(node, struct line, link), journal->began_ms);
        lua_rawseti(L, -2, ++i);
    }
}
