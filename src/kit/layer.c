/* A publication is one block: the struct, and behind it its texts, one after the other, each ended by its
 * length in the struct; names are kept with their lengths in front of them. */
#include "kit/layer.h"

#include "kit/alloc.h"

#include <stdlib.h>

struct kept {
    struct tg_list link;
    enum tg_publish kind;
    enum tg_publish_to to;
    bool is_topic;
    bool excludes_sender;
    uint64_t sender;
    uint64_t receivers;
    size_t action_length;
    size_t text_length;
    uint32_t names;
    char bytes[];
};

/* ---- keeping ---- */

static void drop_oldest(struct tg_kit_layer *layer)
{
    free(TG_CONTAINER(tg_list_take_first(&layer->kept), struct kept, link));
    layer->count--;
}

/* The names that a publication is for. Of a connection it is `id`, written into `text`. */
static const struct tg_slice *names_of(const struct tg_publication *publication, uint32_t *count,
                                       struct tg_slice *one, char *text)
{
    *count = 1;
    switch (publication->to) {
    case TG_TO_GROUPS:
        *count = publication->group_count;
        return publication->groups;
    case TG_TO_CONN:
        *one = tg_conn_id_text(publication->conn_id, text);
        return one;
    case TG_TO_CONSUMER:
        *one = publication->consumer;
        return one;
    case TG_TO_USER:
        break;
    }
    *one = publication->user;
    return one;
}

static struct tg_slice text_of(const struct tg_publication *publication)
{
    for (int naming = 0; naming < TG_NAMINGS; naming++)
        if (publication->texts[naming].data) return publication->texts[naming];
    return (struct tg_slice){0};
}

static void put(char **next, const void *bytes, size_t length)
{
    if (length) memcpy(*next, bytes, length);
    *next += length;
}

static void write_texts(struct kept *kept, const struct tg_publication *publication,
                        const struct tg_slice *names)
{
    struct tg_slice text = text_of(publication);
    char *next = kept->bytes;
    put(&next, publication->action.data, publication->action.length);
    put(&next, text.data, text.length);
    if (publication->tells_whose) put(&next, "}", 1);
    for (uint32_t i = 0; i < kept->names; i++) {
        put(&next, &names[i].length, sizeof names[i].length);
        put(&next, names[i].data, names[i].length);
    }
}

/* What there is no memory for is not kept. */
static void keep(struct tg_kit_layer *layer, const struct tg_publication *publication, uint64_t receivers)
{
    uint32_t count;
    struct tg_slice one;
    char text[TG_CONN_ID_BYTES];
    const struct tg_slice *names = names_of(publication, &count, &one, text);
    size_t text_length = text_of(publication).length + (publication->tells_whose ? 1 : 0);
    size_t bytes = publication->action.length + text_length;
    for (uint32_t i = 0; i < count; i++) bytes += sizeof names[i].length + names[i].length;
    tg_kit_alloc_pause();
    struct kept *kept = malloc(sizeof *kept + bytes);
    tg_kit_alloc_resume();
    layer->total++;
    if (!kept) return;
    *kept = (struct kept){.kind = publication->kind,
                          .to = publication->to,
                          .is_topic = publication->group_kind == TG_GROUP_TOPIC,
                          .excludes_sender = publication->exclude_sender,
                          .sender = publication->sender,
                          .receivers = receivers,
                          .action_length = publication->action.length,
                          .text_length = text_length,
                          .names = count};
    tg_list_init(&kept->link);
    write_texts(kept, publication, names);
    if (layer->count == TG_KIT_PUBLICATIONS) drop_oldest(layer);
    tg_list_append(&layer->kept, &kept->link);
    layer->count++;
}

/* ---- the layer ---- */

static enum tg_status publish(struct tg_layer *self, const struct tg_publication *publication,
                              uint64_t *receivers)
{
    struct tg_kit_layer *layer = (struct tg_kit_layer *)self;
    *receivers = 0;
    if (layer->is_down) return TG_E_IO;
    bool is_event = publication->kind == TG_PUBLISH_EVENT;
    enum tg_status status = TG_OK;
    if (!(is_event ? layer->swallows_events : layer->swallows_messages))
        status = layer->inner->ops->publish(layer->inner, publication, receivers);
    if (status == TG_OK) keep(layer, publication, *receivers);
    return status;
}

static enum tg_status subscribe(struct tg_layer *self, struct tg_worker *worker, enum tg_group_kind kind,
                                struct tg_slice name)
{
    struct tg_layer *inner = ((struct tg_kit_layer *)self)->inner;
    return inner->ops->subscribe(inner, worker, kind, name);
}

static void unsubscribe(struct tg_layer *self, struct tg_worker *worker, enum tg_group_kind kind,
                        struct tg_slice name)
{
    struct tg_layer *inner = ((struct tg_kit_layer *)self)->inner;
    inner->ops->unsubscribe(inner, worker, kind, name);
}

static const struct tg_layer_ops ops = {publish, subscribe, unsubscribe};

void tg_kit_layer_init(struct tg_kit_layer *layer, struct tg_worker *worker)
{
    *layer = (struct tg_kit_layer){.layer = {&ops}, .inner = worker->layer};
    tg_list_init(&layer->kept);
    worker->layer = &layer->layer;
}

void tg_kit_layer_deinit(struct tg_kit_layer *layer)
{
    for (struct tg_list *node = layer->kept.next, *next; node != &layer->kept; node = next) {
        next = node->next;
        free(TG_CONTAINER(node, struct kept, link));
    }
    tg_list_init(&layer->kept);
    layer->count = 0;
}

/* ---- for specs ---- */

/* A topic's key is its pattern and its name, with a NUL between them: the name is what specs know. */
static void push_name(lua_State *L, const char *name, size_t length, bool is_topic)
{
    const char *nul = is_topic ? memchr(name, '\0', length) : NULL;
    size_t skip = nul ? (size_t)(nul + 1 - name) : 0;
    lua_pushlstring(L, name + skip, length - skip);
}

static void push_names(lua_State *L, const struct kept *kept, const char *next)
{
    lua_createtable(L, (int)kept->names, 0);
    for (uint32_t i = 0; i < kept->names; i++) {
        size_t length;
        memcpy(&length, next, sizeof length);
        next += sizeof length;
        push_name(L, next, length, kept->is_topic);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        next += length;
    }
}

static void set_text(lua_State *L, const char *name, const char *text, size_t length)
{
    lua_pushlstring(L, text, length);
    lua_setfield(L, -2, name);
}

static const char *name_of_to(const struct kept *kept)
{
    static const char *const names[] = {
        [TG_TO_GROUPS] = "groups",
        [TG_TO_CONN] = "conn",
        [TG_TO_CONSUMER] = "consumer",
        [TG_TO_USER] = "user",
    };
    return kept->to == TG_TO_GROUPS && kept->is_topic ? "topics" : names[kept->to];
}

static void push_kept(lua_State *L, const struct kept *kept)
{
    const char *text = kept->bytes + kept->action_length;
    lua_createtable(L, 0, 8);
    lua_pushstring(L, kept->kind == TG_PUBLISH_EVENT ? "event" : "message");
    lua_setfield(L, -2, "kind");
    set_text(L, "action", kept->bytes, kept->action_length);
    set_text(L, "text", text, kept->text_length);
    lua_pushstring(L, name_of_to(kept));
    lua_setfield(L, -2, "to");
    push_names(L, kept, text + kept->text_length);
    lua_setfield(L, -2, "names");
    if (kept->sender) {
        struct tg_slice id = tg_conn_id_text(kept->sender, (char[TG_CONN_ID_BYTES]){0});
        set_text(L, "sender", id.data, id.length);
    }
    lua_pushboolean(L, kept->excludes_sender);
    lua_setfield(L, -2, "excludes_sender");
    lua_pushinteger(L, (lua_Integer)kept->receivers);
    lua_setfield(L, -2, "receivers");
}

void tg_kit_layer_push(const struct tg_kit_layer *layer, lua_State *L, uint64_t skip)
{
    lua_newtable(L);
    lua_Integer i = 0;
    uint64_t number = layer->total - layer->count;
    for (const struct tg_list *node = layer->kept.next; node != &layer->kept; node = node->next) {
        if (number++ < skip) continue;
        push_kept(L, TG_CONTAINER(node, struct kept, link));
        lua_rawseti(L, -2, ++i);
    }
}
