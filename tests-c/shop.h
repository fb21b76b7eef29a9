/* The host's side: what it would know of a program, shop.py, and how it goes through a hit.
 *
 *     1 def total(items):
 *     2     price = 1
 *     3     price += 1
 *     4
 *     5     return price
 */
#ifndef NONSTOP_TESTS_SHOP_H
#define NONSTOP_TESTS_SHOP_H

#include "check.h"

#define SHOP "/app/shop.py"

/* The room that a hit of the tests needs at most. */
#define ROOM 8

/* What one arrival gave. */
typedef struct {
    nonstop_status verdict;
    size_t count;
    nonstop_hit_item items[ROOM];
} arrival;

/* A text that lives as long as `words`. */
nonstop_text text(const char *words);

/* An engine that knows the units of shop.py; the caller frees it. */
nonstop_engine *shop_engine(const nonstop_engine_options *options);

/* The unit table of shop.py; its rows are static. */
nonstop_source shop_source(void);

/* The function total, under this key. */
nonstop_code_info total(uint64_t key);

/* A breakpoint of this action, without rules. */
nonstop_breakpoint_spec spec_at(const char *location, int32_t action);

/* Adds one; 0, and a failed check, when it is refused. */
nonstop_breakpoint_id add(const nonstop_engine *engine, nonstop_breakpoint_spec spec);

/* Adds a snapshot, log or counter without rules. */
nonstop_breakpoint_id add_at(const nonstop_engine *engine, const char *location, int32_t action);

/* Decides total under key 1 and gives the site of a line; 0 when the line is not armed. */
uint32_t site_at(const nonstop_engine *engine, uint32_t line);

/* Arrives at a site on thread 7, MainThread. */
arrival arrive(const nonstop_engine *engine, uint32_t site);

/* Sends a capture with one local, price; the outcome is that of nonstop_capture_send. */
nonstop_status send_price(const nonstop_engine *engine, nonstop_ticket ticket, int64_t price);

/* Begins a capture at line 3 of total, in one frame with locals. */
nonstop_capture *begin_capture(nonstop_ticket ticket);

/* Receives without waiting: the document, which the caller frees, or NULL. */
char *received(const nonstop_engine *engine);

/* The report; all zero, and a failed check, when it is refused. Its sums are checked. */
nonstop_breakpoint_report report_of(const nonstop_engine *engine, nonstop_breakpoint_id id);

/* The reason; the caller frees it. */
char *reason_of(const nonstop_engine *engine, nonstop_breakpoint_id id);

/* How full the channel is. */
nonstop_channel_stats stats_of(const nonstop_engine *engine);

/* The epoch now. */
uint64_t epoch_of(const nonstop_engine *engine);

#endif
