/* The envelope of a message, in and out.
 *
 *     {"action":"chat","payload":{"content":"hi"},"ref":"7"}
 *
 * In: reads the envelope out of a parsed object, reporting what is wrong with it.
 * Out: keys in the order action, payload, topic, ref; compact.
 */
#ifndef TG_WIRE_MESSAGE_H
#define TG_WIRE_MESSAGE_H

#include "base/buf.h"
#include "base/status.h"
#include "wire/issue.h"
#include "wire/validate.h"
#include "wire/value.h"

/* The longest `ref` that is taken, in bytes of its text. */
#define TG_REF_MAX_BYTES 128

/* What a frame answers: the stream that it belongs to, and the client's name for its question, echoed on
 * every frame that answers it. */
struct tg_ref {
    enum { TG_REF_NONE, TG_REF_INTEGER, TG_REF_STRING } type;
    int64_t integer;
    struct tg_slice string; /* borrowed */
    struct tg_slice topic;  /* borrowed; data NULL: the connection's own stream */
};

struct tg_envelope {
    struct tg_slice action;
    struct tg_value *payload;    /* NULL: absent or null */
    struct tg_slice topic;       /* data NULL: none */
    struct tg_ref ref;           /* filled whenever it is right, whatever else is wrong */
    const struct tg_call *calls; /* what the script has to do for the payload (validate.h); set by dispatch */
};

/* Who knows what the actions are, so that all that is wrong with a message is told at once. */
struct tg_envelope_judge {
    void *context;
    /* Whether somebody handles the action, which stands in the envelope with its topic: union_tag_invalid
     * otherwise. */
    bool (*knows)(void *context, const struct tg_envelope *envelope);
    /* Checks `envelope->payload` (NULL: none), which belongs to a known action. TG_E_INVALID: the issues have
     * what is wrong; TG_E_NO_MEMORY. */
    enum tg_status (*payload)(void *context, struct tg_envelope *envelope);
};

/* Reads `message`. TG_E_INVALID: not an object (model_type), no action (union_tag_not_found), one that nobody
 * knows or an action or topic that is no string, a bad ref (string_type at ["ref"]), a payload that is not
 * right: all in `issues`, what is missing first and the rest in document order. `judge` NULL: any action and
 * any payload are right. The envelope borrows from the message. */
enum tg_status tg_envelope_read(struct tg_value *message, struct tg_envelope *envelope,
                                const struct tg_envelope_judge *judge, struct tg_issues *issues);

/* `,"topic":...,"ref":...`, as far as there are any; the closing brace is the caller's. */
void tg_message_write_ref(struct tg_buf *out, const struct tg_ref *ref);

/* {"action":"error","payload":[<items>],"topic":...,"ref":...} */
void tg_message_write_issues(struct tg_buf *out, struct tg_slice items, const struct tg_ref *ref);

/* What went wrong, when it is not a list of issues. Slices without data are left out. */
struct tg_detail {
    struct tg_slice code;      /* machine name, "not_found" */
    struct tg_slice reason;    /* the same of what concerns a topic, "not_subscribed" */
    struct tg_slice detail;    /* one sentence */
    struct tg_slice traceback; /* development only, as what follows */
    struct tg_slice file;
    int64_t line;           /* 0: left out, as generation */
    struct tg_slice source; /* of the file, around the line: JSON already */
    uint32_t generation;
};

/* {"code":...,"detail":...,...} */
void tg_message_write_detail_object(struct tg_buf *out, const struct tg_detail *detail);

/* {"action":"error","payload":{"code":...,"detail":...,...},"topic":...,"ref":...} */
void tg_message_write_detail(struct tg_buf *out, const struct tg_detail *detail, const struct tg_ref *ref);

#endif
