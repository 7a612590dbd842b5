/* Where generations come from: the files of an application. script/source reads them; specs fake it.
 *
 * All of it runs on the background thread (background.h), but for the first load of a program, before there
 * is a loop. It touches no worker.
 */
#ifndef TG_CORE_SOURCE_H
#define TG_CORE_SOURCE_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_contract_report;
struct tg_files;
struct tg_generation;
struct tg_problems;
struct tg_source;

/* One attempt. What the last four point at is the attempt's own, made by `load` and freed by `forget`. */
struct tg_load {
    uint32_t number;                     /* what the generation will be called */
    const struct tg_generation *serving; /* what the report compares with: constant, alive; NULL: none */
    const struct tg_load *serving_load;  /* how that was loaded; NULL: not known */
    uint64_t took_ns;
    struct tg_generation *generation;  /* NULL: it failed. tg_generation_serve, or its script's `close` */
    struct tg_problems *problems;      /* why; NULL: no memory */
    struct tg_files *files;            /* what was read or looked for, also when it failed; NULL: unknown */
    struct tg_contract_report *report; /* what is other than in `serving`; NULL: no comparison */
};

struct tg_source_ops {
    /* Reads, runs and checks everything anew. TG_E_SCRIPT: `problems` says why. TG_E_NO_MEMORY. */
    enum tg_status (*load)(struct tg_source *source, struct tg_load *load);
    /* A file of which loading again would find something else; NULL: there is none. Borrowed from the load.
     */
    const char *(*differs)(struct tg_source *source, const struct tg_load *load);
    /* The same, or one that was written while the others were read; NULL: all lay on disk together. */
    const char *(*is_torn)(struct tg_source *source, const struct tg_load *load);
    /* Frees problems, files and report, if there are any. */
    void (*forget)(struct tg_source *source, struct tg_load *load);
};

struct tg_source {
    const struct tg_source_ops *ops;
};

#endif
