/* Whether a connection is in a group, found by walking its list: the way that group.c does not go. */
#ifndef TG_UNIT_SUPPORT_MEMBERSHIP_H
#define TG_UNIT_SUPPORT_MEMBERSHIP_H

#include "core/group.h"

static inline bool is_member(const struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name)
{
    const struct tg_membership *membership = tg_group_first_of(conn, kind);
    while (membership && !tg_slice_equal(tg_group_name(membership->group), name))
        membership = tg_group_next_of(membership);
    return membership != NULL;
}

#endif
