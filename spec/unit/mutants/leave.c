/* A leave that is off by one: one in a hundred is answered and not done. Linked in place of the real one into
 * a second build of accounting_test.c, which has to notice. */
#include "support/membership.h"

bool __real_tg_group_leave(struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name);
bool __wrap_tg_group_leave(struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name);

bool __wrap_tg_group_leave(struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name)
{
    static unsigned calls;
    if (is_member(conn, kind, name) && ++calls % 100 == 0) return true;
    return __real_tg_group_leave(conn, kind, name);
}
