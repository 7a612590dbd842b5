/* /tidegate/dev: what somebody who develops an application is told while it runs. A WebSocket of tidegate's
 * own, in development only, for pages of the same origin; no Lua runs for it.
 *
 *     {"action":"status","payload":{"generation":7}}              first, and after each reload
 *     {"action":"reloaded","payload":{"generation":8,...}}
 *     {"action":"reload_failed","payload":{"problems":[...]}}     again to whoever comes while it is so
 *     {"action":"handler_failed","payload":{"consumer":...,"action":...,...}}
 */
#ifndef TG_CORE_DEV_H
#define TG_CORE_DEV_H

#include "base/slice.h"
#include "core/contract.h"
#include "core/problem.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_dev;
struct tg_generation;
struct tg_reload;
struct tg_worker;

#define TG_DEV_PATH "/tidegate/dev"
#define TG_DEV_SCRIPT_PATH "/tidegate/dev.js"

/* Puts it at worker->dev. TG_E_NO_MEMORY. */
enum tg_status tg_dev_open(struct tg_worker *worker);

/* No connection may be left. Nothing where there is none. */
void tg_dev_close(struct tg_worker *worker);

/* Who serves a path: dev its own, whatever the application declares, and the worker's generation all others.
 * In production, where worker->dev is NULL, all. */
struct tg_generation *tg_dev_serving(const struct tg_worker *worker, struct tg_slice path);

/* Hears of reloads from now on. */
void tg_dev_observe(struct tg_dev *dev, struct tg_reload *reload);

/* ---- what listeners are told; nothing where dev is NULL ---- */

void tg_dev_tell_reloaded(struct tg_dev *dev, uint32_t generation, uint64_t took_ms,
                          const struct tg_contract_report *report);

/* What is on disk is again what `generation` serves: the problems are over. */
void tg_dev_tell_mended(struct tg_dev *dev, uint32_t generation);

void tg_dev_tell_problems(struct tg_dev *dev, const struct tg_problems *problems);

/* A handler that raised. Empty slices are left out. */
struct tg_dev_failure {
    struct tg_slice consumer, action, message, traceback, file;
    int64_t line;
    struct tg_slice source; /* {"first_line":...,"lines":[...]}, JSON already */
    uint32_t generation;
};

/* At most TG_DEV_FAILURES_MAX a second; a page that is shown one will do. */
enum { TG_DEV_FAILURES_MAX = 20 };
void tg_dev_tell_failure(struct tg_dev *dev, const struct tg_dev_failure *failure);

#endif
