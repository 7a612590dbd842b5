/* Who got what, in a crowd: 500 clients join, leave, die and broadcast at random on a fake clock, and a model
 * that shares no code with the groups says what each must have got: all that was sent to its groups while it
 * was in them, once, in order, and nothing else.
 *
 * The model is a table of who is in what, and for each client a list of the numbers that it is to get. A
 * number is ours, counted up with each broadcast; it travels in the message, with what the receiver is told
 * about whose it is. A client that has died may have missed the end of its list, but nothing that had been
 * written to it.
 *
 * The same spec is linked once more with a leave that goes wrong now and then (unit/mutants/leave.c), and
 * must fail.
 */
#include "core/deliver.h"
#include "core/user.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENTS = 500, GROUPS = 16, USERS = 60, STEPS = 8000, SEEDS = 8, EXPECTED = 8192, MOST_GROUPS = 3 };
enum { IS_MINE = 1, IS_CURRENT = 2, TELLS_WHOSE = 4, NOTES = 8 };

struct member {
    bool is_open, is_choked, is_failing;
    bool is_in[GROUPS];
    int user;                    /* 0: anonymous */
    uint32_t expected[EXPECTED]; /* number * NOTES + notes */
    uint32_t count;              /* of them */
    uint32_t got;                /* of them */
    uint32_t written;            /* so many had to be, for the kernel took all */
};

struct crowd {
    struct fake_core *core;
    struct member members[CLIENTS];
    uint64_t random;
    uint32_t number; /* of the last broadcast */
};

/* xorshift64* (Vigna, 2016) */
static uint32_t below(struct crowd *crowd, uint32_t bound)
{
    crowd->random ^= crowd->random >> 12;
    crowd->random ^= crowd->random << 25;
    crowd->random ^= crowd->random >> 27;
    return (uint32_t)((crowd->random * 0x2545f4914f6cdd1du) >> 33) % bound;
}

static struct fake_client *client_of(struct crowd *crowd, uint32_t i)
{
    return &crowd->core->clients[i];
}

static struct tg_slice name_of(char text[16], uint32_t group)
{
    return (struct tg_slice){text, (size_t)snprintf(text, 16, "group:%u", group)};
}

/* ---- what came ---- */

static uint32_t flag(const char *text, const char *name, uint32_t value)
{
    const char *at = strstr(text, name);
    return at && strncmp(at + strlen(name), ":true", 5) == 0 ? value : 0;
}

static void receive(struct crowd *crowd, uint32_t i, const char *text)
{
    struct member *member = &crowd->members[i];
    uint32_t notes = strstr(text, "is_mine") ? TELLS_WHOSE : 0;
    notes |= flag(text, "\"is_mine\"", IS_MINE) | flag(text, "\"is_current\"", IS_CURRENT);
    uint32_t came = (uint32_t)strtoul(text + strlen("{\"n\":"), NULL, 10) * NOTES + notes;
    if (member->got == member->count || member->expected[member->got] != came)
        fail_msg("client %u got message %u (notes %u), which was not for it, or not yet, or came before", i,
                 came / NOTES, came % NOTES);
    member->got++;
}

static void read_frames(struct crowd *crowd, uint32_t i)
{
    struct fake_client *client = client_of(crowd, i);
    for (size_t at = 0; at < client->sent_bytes;) {
        const unsigned char *frame = client->sent + at;
        size_t length = frame[1];
        char text[126];
        assert_true(length < 126 && at + 2 + length <= client->sent_bytes);
        memcpy(text, frame + 2, length);
        text[length] = '\0';
        if (frame[0] == 0x81) receive(crowd, i, text);
        at += 2 + length;
    }
    client->sent_bytes = 0;
}

/* The socket is gone: whatever had been written has to be there. */
static void bury(struct crowd *crowd, uint32_t i)
{
    read_frames(crowd, i);
    struct member *member = &crowd->members[i];
    if (member->got < member->written)
        fail_msg("client %u got %u messages of at least %u", i, member->got, member->written);
    memset(member, 0, sizeof *member);
}

/* ---- what is done ---- */

static void turn(struct crowd *crowd)
{
    fake_core_turn(crowd->core);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct member *member = &crowd->members[i];
        if (client_of(crowd, i)->conn) {
            if (!member->is_choked && !member->is_failing) member->written = member->count;
            read_frames(crowd, i);
            if (!member->is_choked && !member->is_failing) assert_int_equal(member->got, member->count);
        } else if (member->is_failing || member->count) {
            bury(crowd, i);
        }
    }
}

static void open_client(struct crowd *crowd, uint32_t i)
{
    struct member *member = &crowd->members[i];
    bury(crowd, i);
    struct fake_client *client = fake_core_open(crowd->core, i, "/chat");
    assert_non_null(client);
    member->is_open = true;
    member->user = (int)below(crowd, 2 * USERS) - USERS;
    if (member->user < 0) member->user = 0;
    char id[16];
    snprintf(id, sizeof id, "user %d", member->user);
    if (member->user) assert_int_equal(tg_user_set(client->conn, tg_slice_of(id)), TG_OK);
}

/* Not OPEN any more: it gets nothing that is sent from now on. */
static void ends(struct member *member)
{
    member->is_open = false;
    memset(member->is_in, 0, sizeof member->is_in);
}

static void join_or_leave(struct crowd *crowd, uint32_t i, bool is_joining)
{
    struct member *member = &crowd->members[i];
    char text[16];
    uint32_t group = below(crowd, GROUPS);
    struct tg_slice name = name_of(text, group);
    struct tg_conn *conn = client_of(crowd, i)->conn;
    if (is_joining)
        assert_int_equal(tg_group_join(conn, TG_GROUP_NAMED, name), member->is_open ? TG_OK : TG_E_CLOSED);
    else
        assert_int_equal(tg_group_leave(conn, TG_GROUP_NAMED, name), member->is_in[group]);
    member->is_in[group] = member->is_open && is_joining;
}

static void expect_at(struct crowd *crowd, uint32_t i, uint32_t sender, bool tells_whose)
{
    struct member *member = &crowd->members[i];
    uint32_t notes = 0;
    if (tells_whose) {
        notes = TELLS_WHOSE | (i == sender ? IS_CURRENT : 0);
        if (member->user && member->user == crowd->members[sender].user) notes |= IS_MINE;
    }
    assert_true(member->count < EXPECTED);
    member->expected[member->count++] = crowd->number * NOTES + notes;
}

static void broadcast(struct crowd *crowd, uint32_t sender)
{
    char names[MOST_GROUPS][16], text[32];
    struct tg_slice groups[MOST_GROUPS];
    uint32_t chosen[MOST_GROUPS], group_count = 1 + below(crowd, MOST_GROUPS);
    for (uint32_t g = 0; g < group_count; g++)
        groups[g] = name_of(names[g], chosen[g] = below(crowd, GROUPS));
    bool is_excluded = below(crowd, 3) == 0, tells_whose = below(crowd, 2) == 0;
    crowd->number++;
    uint64_t expected = 0, receivers = 0;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        bool is_for = false;
        for (uint32_t g = 0; g < group_count; g++) is_for = is_for || crowd->members[i].is_in[chosen[g]];
        if (!is_for || (is_excluded && i == sender)) continue;
        expect_at(crowd, i, sender, tells_whose);
        expected++;
    }
    const struct tg_conn *conn = client_of(crowd, sender)->conn;
    int length = snprintf(text, sizeof text, "{\"n\":%u%s", crowd->number, tells_whose ? "" : "}");
    const struct tg_publication publication = {
        .texts = {{text, (size_t)length}},
        .tells_whose = tells_whose,
        .groups = groups,
        .group_count = group_count,
        .sender = conn->id,
        .sender_user = conn->user_id,
        .exclude_sender = is_excluded,
    };
    struct tg_layer *layer = crowd->core->worker.layer;
    assert_int_equal(layer->ops->publish(layer, &publication, &receivers), TG_OK);
    if (receivers != expected)
        fail_msg("message %u reached %u clients, and not the %u that were members", crowd->number,
                 (unsigned)receivers, (unsigned)expected);
}

static void die(struct crowd *crowd, uint32_t i)
{
    struct fake_client *client = client_of(crowd, i);
    struct member *member = &crowd->members[i];
    switch (below(crowd, 4)) {
    case 0: /* closed from here; the socket goes when the client does not answer */
        tg_conn_close(client->conn, 1000, TG_SLICE("bye"));
        ends(member);
        break;
    case 1: /* closed from there */
        tg_conn_peer_closing(client->conn, 1001, TG_SLICE(""));
        ends(member);
        break;
    case 2: /* the next write finds it broken, at the end of that turn */
        member->is_failing = client->is_write_failing = true;
        break;
    default: /* TCP ends */
        fake_client_vanish(client);
        bury(crowd, i);
    }
}

static void choke_or_read(struct crowd *crowd, uint32_t i)
{
    struct member *member = &crowd->members[i];
    if (member->is_failing || !member->is_open) return;
    member->is_choked = !member->is_choked;
    if (member->is_choked)
        fake_client_choke(client_of(crowd, i), 0);
    else
        fake_client_read_all(client_of(crowd, i));
}

static void step(struct crowd *crowd)
{
    uint32_t i = below(crowd, CLIENTS), action = below(crowd, 100);
    if (!client_of(crowd, i)->conn)
        open_client(crowd, i);
    else if (action < 40)
        join_or_leave(crowd, i, true);
    else if (action < 55)
        join_or_leave(crowd, i, false);
    else if (action < 80)
        broadcast(crowd, i);
    else if (action < 84)
        die(crowd, i);
    else if (action < 89)
        choke_or_read(crowd, i);
    else if (action < 90)
        fake_core_sleep(crowd->core, 1 + below(crowd, 1500));
    if (action >= 88) turn(crowd);
}

static void run(uint64_t seed)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    crowd->core = fake_core_new_for(CLIENTS);
    crowd->core->is_journal_closed = true;
    crowd->core->config.heartbeat_seconds = 0;
    crowd->core->config.slow_client_seconds = 86400;
    crowd->random = seed * 0x9e3779b97f4a7c15u;
    for (uint32_t i = 0; i < CLIENTS; i++) open_client(crowd, i);
    for (uint32_t n = 0; n < STEPS; n++) step(crowd);
    for (uint32_t i = 0; i < CLIENTS; i++)
        if (crowd->members[i].is_choked && client_of(crowd, i)->conn) choke_or_read(crowd, i);
    turn(crowd);
    assert_true(crowd->core->worker.metrics.deliveries > STEPS);
    fake_core_free(crowd->core);
    free(crowd);
}

static void every_member_gets_what_was_sent_while_it_was_one_once_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_gets_what_was_sent_while_it_was_one_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
