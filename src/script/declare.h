/* What the modules declared, read into the registry.
 *
 * lua/tidegate/consumer.lua flattens what a module returned into plain tables (its `collect`); here they
 * are compiled: consumers, actions with their schemas, paths, hooks.
 */
#ifndef TG_SCRIPT_DECLARE_H
#define TG_SCRIPT_DECLARE_H

#include "script/world.h"

/* Where names of groups come from. */
struct tg_group_source {
    struct tg_slice name;
    int function; /* 0: the name is all */
};

/* The functions of one consumer, as references of the world; 0 where there is none. A consumer's
 * script_data points to its own. */
struct tg_hooks {
    int object; /* the consumer itself, first argument of its hooks */
    int connected, disconnected;
    int receive; /* text consumers */
    int binary;
    int before;
    int admit;
    int authenticate, load_object, permissions;
    uint64_t authentication_timeout_ms; /* of the three together; 0: that of the settings */
    uint64_t grace_ms, ask_every_ms;    /* of core/credential.h */
    int migrate, reloaded;              /* for a connection that comes from another generation */
    bool sends_authentication;          /* frames that say how it ended */
    struct tg_group_source *groups;     /* in the arena */
    uint32_t group_count;
};

/* The same of a topic: its stream's script_data. */
struct tg_topic_hooks {
    int object; /* the declaration, which remembers what was compiled of it */
    int authorise, on_subscribe, on_unsubscribe;
};

/* Adds the declaration at `index`. Raises what does not fit with the others, naming both places.
 * [-0, +0, e] */
void tg_declare_consumer(struct tg_world *world, lua_State *L, int index);

/* Its address is the key of a topic that has been compiled, in its declaration. */
extern const char tg_declare_topic_key;

/* Lets go of the functions of all consumers and topics of a registry that is given back while its world lives
 * on, and has their declarations forget what was compiled of them. [-0, +0, -] */
void tg_declare_forget(struct tg_world *world, lua_State *L, const struct tg_registry *registry);

#endif
