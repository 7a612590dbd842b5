/* The library has no callback for a ping. But to send the pong it waits for the socket to be
 * writable, and each time that it changes what it waits for it asks for the thread's id, from within.
 * So: a change that is none of ours is a ping. There and then reading is switched off, and the parser
 * stops behind the ping; the rest of what was read stays with the library.
 *
 *     reading --ping--> held --pong sent, writable again--> answered --before the next poll--> reading
 *
 * A connection is read again right before the poll and not at once, since the library hands what it
 * kept to the parser at the start of a turn: it would then be waiting for the socket still, and the
 * next ping would change nothing. In the poll itself the wait ends first.
 *
 * Other changes look like pings too, such as those that the library puts off to the end of a
 * callback. They cost a pause of one turn and no more, for whoever is held waits for the socket to be
 * writable. Connections that get no pings pay one comparison for each time that the kernel is full.
 *
 * One case is left: pings that arrive while the kernel is full may share one pong, as RFC 6455 5.5.3
 * allows.
 *
 * Invariant: is_armed is set whenever the library waits for the socket to be writable, except while
 * it is telling us so. */
#include "net/ping.h"

/* ---- of a WebSocket ---- */

static void arm(struct tg_ping *ping)
{
    ping->is_armed = true;
    ping->is_our_call = true;
    lws_callback_on_writable(ping->wsi);
    ping->is_our_call = false;
}

/* The library is told only of changes: told twice while it keeps input, it would ask to be writable
 * after every callback. */
static void update_reading(struct tg_ping *ping)
{
    bool is_reading = ping->is_wanted && !ping->is_held;
    if (is_reading == ping->is_reading) return;
    ping->is_reading = is_reading;
    ping->is_our_call = true;
    lws_rx_flow_control(ping->wsi, is_reading);
    ping->is_our_call = false;
}

void tg_ping_init(struct tg_ping *ping, struct tg_pings *pings, struct lws *wsi)
{
    *ping = (struct tg_ping){.pings = pings, .wsi = wsi, .is_wanted = true, .is_reading = true};
    tg_list_init(&ping->link);
}

void tg_ping_end(struct tg_ping *ping)
{
    ping->is_over = true;
    tg_list_remove(&ping->link);
}

void tg_ping_events_changed(struct tg_ping *ping)
{
    if (ping->is_our_call || ping->is_armed || ping->is_over) return;
    ping->is_held = true;
    update_reading(ping);
    arm(ping);
}

static void read_again(uv_prepare_t *handle);

void tg_ping_writable(struct tg_ping *ping)
{
    ping->is_armed = false;
    if (!ping->is_held || ping->is_over || tg_list_is_linked(&ping->link)) return;
    tg_list_append(&ping->pings->answered, &ping->link);
    uv_prepare_start(&ping->pings->before_poll, read_again);
}

int tg_ping_write(struct tg_ping *ping, unsigned char *bytes, size_t length)
{
    ping->is_our_call = true;
    int written = lws_write(ping->wsi, bytes, length, LWS_WRITE_RAW);
    ping->is_our_call = false;
    if (lws_partial_buffered(ping->wsi)) ping->is_armed = true;
    return written;
}

void tg_ping_ask_writable(struct tg_ping *ping)
{
    arm(ping);
}

void tg_ping_set_reading(struct tg_ping *ping, bool is_on)
{
    ping->is_wanted = is_on;
    update_reading(ping);
}

/* ---- of a server ---- */

static void read_again(uv_prepare_t *handle)
{
    struct tg_pings *pings = handle->data;
    struct tg_list *link;
    while ((link = tg_list_take_first(&pings->answered))) {
        struct tg_ping *ping = TG_CONTAINER(link, struct tg_ping, link);
        ping->is_held = false;
        update_reading(ping);
        /* With input that it kept the library waits for the socket already; now it does in any case. */
        arm(ping);
    }
    uv_prepare_stop(handle);
}

void tg_pings_open(struct tg_pings *pings, uv_loop_t *uv)
{
    tg_list_init(&pings->answered);
    uv_prepare_init(uv, &pings->before_poll);
    pings->before_poll.data = pings;
}

/* Exported by the library, though in none of its headers. Without it pings are answered as the
 * library does by itself. */
// NOLINTNEXTLINE(bugprone-reserved-identifier): the library's name
extern int _lws_plat_service_tsi(struct lws_context *context, int timeout_ms, int thread)
    __attribute__((weak));

void tg_pings_listen(struct tg_pings *pings, struct lws_context *context)
{
    if (!_lws_plat_service_tsi) return;
    /* The library wants to know the thread once it has been told one, and it asks for that in the poll
     * that it would do without an event loop. Stopped, the loop does not turn here. */
    uv_stop(pings->before_poll.loop);
    _lws_plat_service_tsi(context, -1, 0);
    pings->is_listening = true;
}

void tg_pings_close(struct tg_pings *pings)
{
    uv_close((uv_handle_t *)&pings->before_poll, NULL);
}
