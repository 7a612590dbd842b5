/* An intrusive doubly linked ring. The node lies inside its owner; the list allocates nothing.
 *
 * A node that is in no list points to itself, so tg_list_remove may be called at any time after
 * tg_list_init and tg_list_is_linked tells whether it is in one.
 */
#ifndef TG_BASE_LIST_H
#define TG_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct tg_list {
    struct tg_list *next;
    struct tg_list *previous;
};

/* The owner of a node: TG_CONTAINER(node, struct tg_conn, dirty_link). */
#define TG_CONTAINER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void tg_list_init(struct tg_list *node)
{
    node->next = node->previous = node;
}

static inline bool tg_list_is_linked(const struct tg_list *node)
{
    return node->next != node;
}

static inline bool tg_list_is_empty(const struct tg_list *list)
{
    return list->next == list;
}

/* Adds `node`, which must be in no list, at the end. */
static inline void tg_list_append(struct tg_list *list, struct tg_list *node)
{
    node->previous = list->previous;
    node->next = list;
    list->previous->next = node;
    list->previous = node;
}

static inline void tg_list_remove(struct tg_list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    tg_list_init(node);
}

/* Takes the first node out; NULL when empty. */
static inline struct tg_list *tg_list_take_first(struct tg_list *list)
{
    if (tg_list_is_empty(list)) return NULL;
    struct tg_list *node = list->next;
    tg_list_remove(node);
    return node;
}

/* Moves all nodes of `from` to the end of `to`. */
static inline void tg_list_move_all(struct tg_list *to, struct tg_list *from)
{
    if (tg_list_is_empty(from)) return;
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    tg_list_init(from);
}

#endif
