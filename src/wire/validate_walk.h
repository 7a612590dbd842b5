/* One walk over a value; private to validate.c and the validate_*.c beside it.
 *
 * A walk tells what is wrong, or it is inside a trial of a union's branch: then nothing is told, and every
 * list is copied before it is changed, since the next branch must see what was sent.
 */
#ifndef TG_WIRE_VALIDATE_WALK_H
#define TG_WIRE_VALIDATE_WALK_H

#include "wire/validate.h"

enum tg_walk_mode {
    TG_WALK_TELLS,
    TG_WALK_TRIES,  /* ends at the first thing that is wrong */
    TG_WALK_WEIGHS, /* goes on, to know how much is wrong */
};

/* The path to a value below the root. Every path that the walk makes is the first member of one. */
struct tg_walk_step {
    struct tg_path path;
    const struct tg_path *kept; /* its copy in the arena, made with the first call that needs it */
};

/* The references that the walk is inside of, on the C stack. */
struct tg_walk_ref {
    const struct tg_walk_ref *outer;
    const struct tg_schema *schema;
    uint32_t depth; /* how often this one is open */
};

struct tg_walk {
    struct tg_validation *validation;
    struct tg_arena *arena;
    const struct tg_path *root; /* as the caller gave it */
    const struct tg_path *kept_root;
    const struct tg_call **last_call; /* where the next one is linked */
    const struct tg_walk_ref *refs;
    uint64_t weight;       /* of what is wrong, in a trial */
    uint32_t wrong;        /* how many things are, in this walk or trial */
    uint32_t steps;        /* values, and parts of long texts, that nested trials have looked at */
    uint32_t unions;       /* with several branches to try, that the walk is inside of */
    uint32_t nesting;      /* unions and references that the walk is inside of */
    uint32_t long_matches; /* patterns that took more than a few steps */
    enum tg_walk_mode mode;
    bool is_exact;
    bool is_secret; /* inside a secret value */
    bool is_key;    /* at a key of a map */
    bool is_over;   /* the trial has failed, or there is no memory: nothing more to look at */
    bool is_out_of_memory;
};

/* The whole of one value. Does not change what `value` borrows while in a trial. */
void tg_walk_check(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                   const struct tg_path *path);

/* ---- what a walk finds ---- */

/* Most values are right: what tells of the others stays out of their way. */
#define TG_WALK_COLD __attribute__((cold, noinline))

/* Takes `got` out of what is secret. */
TG_WALK_COLD void tg_walk_report(struct tg_walk *walk, struct tg_issue *issue);

/* An issue of a type that needs no more than what was sent; and one that has a limit. */
TG_WALK_COLD void tg_walk_refuse(struct tg_walk *walk, enum tg_issue_type type, const struct tg_value *value,
                                 const struct tg_path *path);
TG_WALK_COLD void tg_walk_refuse_limit(struct tg_walk *walk, enum tg_issue_type type,
                                       const struct tg_value *value, const struct tg_path *path,
                                       int64_t limit);

/* The same for what took more steps than there are. */
TG_WALK_COLD void tg_walk_refuse_steps(struct tg_walk *walk, const struct tg_value *value,
                                       const struct tg_path *path);

/* Whether anybody reads what is said of one more issue. */
bool tg_walk_is_read(const struct tg_walk *walk);

void tg_walk_add_call(struct tg_walk *walk, const struct tg_schema *schema, const struct tg_path *path,
                      bool is_default);

void tg_walk_fail_memory(struct tg_walk *walk);

/* ---- what a walk spends ---- */

/* Counts `count` steps and one more, if this is a trial inside another. False: there are not as many, and the
 * walk is over. */
bool tg_walk_spend(struct tg_walk *walk, uint64_t count);

/* How much of a text is one step. */
enum { TG_WALK_STEP_BYTES = 64 };

/* Before a text is looked at; a short one is counted by the list that holds it. */
static inline bool tg_walk_read(struct tg_walk *walk, uint32_t bytes)
{
    return bytes < TG_WALK_STEP_BYTES || tg_walk_spend(walk, bytes / TG_WALK_STEP_BYTES);
}

/* Counts what a list holds, and gives it items or members of its own. False: the walk is over. */
bool tg_walk_copy(struct tg_walk *walk, struct tg_value *list);

/* Before a list is changed. */
static inline bool tg_walk_own(struct tg_walk *walk, struct tg_value *list)
{
    return walk->mode == TG_WALK_TELLS || tg_walk_copy(walk, list);
}

/* Nested trials have looked at as much as they may. */
bool tg_walk_is_exhausted(const struct tg_walk *walk);

/* Into a union or a reference; false when there are more of them inside each other than the C stack is
 * meant for, which is told. */
bool tg_walk_enter(struct tg_walk *walk, const struct tg_value *value, const struct tg_path *path);

/* ---- kinds ---- */

void tg_walk_boolean(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                     const struct tg_path *path);
void tg_walk_integer(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                     const struct tg_path *path);
void tg_walk_number(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path);
void tg_walk_string(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path);
void tg_walk_choice(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path);
void tg_walk_object(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path);
void tg_walk_union(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                   const struct tg_path *path);
void tg_walk_tagged(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path);

#endif
