/* Hits: rules, verdicts, conditions, and tickets that were answered already. */
#include "shop.h"

#include <string.h>

#define SECOND 1000000000U

static nonstop_status hit_at_ns(const nonstop_engine *engine, uint32_t site, uint64_t now_ns)
{
    size_t count;
    return nonstop_hit(engine, site, 7, NULL, 0, now_ns, NULL, 0, &count);
}

static void a_counter_leaves_nothing_to_do(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    const uint32_t site = site_at(engine, 3);
    CHECK_STATUS(hit_at_ns(engine, site, 0), NONSTOP_IGNORE);
    CHECK_STATUS(hit_at_ns(engine, site, 0), NONSTOP_IGNORE);
    CHECK_EQUAL(report_of(engine, id).captured, 2);
    CHECK_EQUAL(report_of(engine, id).arrivals, 2);
    nonstop_engine_free(engine);
}

static void an_item_says_whose_hit_it_is(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    nonstop_breakpoint_id id;
    arrival found;
    spec.user_data = 42;
    id = add(engine, spec);
    found = arrive(engine, site_at(engine, 3));
    CHECK_STATUS(found.verdict, NONSTOP_CAPTURE);
    CHECK_EQUAL(found.count, 1);
    CHECK_EQUAL(found.items[0].breakpoint, id);
    CHECK_EQUAL(found.items[0].hit, 1);
    CHECK_EQUAL(found.items[0].verdict, NONSTOP_CAPTURE);
    CHECK_EQUAL(found.items[0].action, NONSTOP_SNAPSHOT);
    CHECK_EQUAL(found.items[0].user_data, 42);
    CHECK(found.items[0].ticket != 0);
    nonstop_engine_free(engine);
}

static void each_outcome_of_a_condition_is_counted(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    nonstop_breakpoint_report report;
    nonstop_breakpoint_id id;
    nonstop_hit_item item;
    arrival found;
    uint32_t site;
    spec.flags = NONSTOP_HAS_CONDITION;
    id = add(engine, spec);
    site = site_at(engine, 3);

    found = arrive(engine, site);
    CHECK_STATUS(found.verdict, NONSTOP_EVALUATE);
    CHECK_EQUAL(found.items[0].hit, 0);
    CHECK_EQUAL(report_of(engine, id).arrivals, 0);
    CHECK_STATUS(nonstop_hit_commit(engine, found.items[0].ticket, NONSTOP_FALSE, 0, &item), NONSTOP_IGNORE);
    CHECK_EQUAL(item.ticket, 0);

    found = arrive(engine, site);
    CHECK_STATUS(nonstop_hit_commit(engine, found.items[0].ticket, NONSTOP_RAISED, 0, &item), NONSTOP_IGNORE);

    found = arrive(engine, site);
    CHECK_STATUS(nonstop_hit_commit(engine, found.items[0].ticket, NONSTOP_TRUE, 0, &item), NONSTOP_CAPTURE);
    CHECK_EQUAL(item.ticket, found.items[0].ticket);
    CHECK_EQUAL(item.breakpoint, id);
    CHECK_EQUAL(item.hit, 1);
    CHECK_STATUS(send_price(engine, item.ticket, 1), NONSTOP_CAPTURE);

    report = report_of(engine, id);
    CHECK_EQUAL(report.false_conditions, 1);
    CHECK_EQUAL(report.errors, 1);
    CHECK_EQUAL(report.captured, 1);
    CHECK_EQUAL(report.arrivals, 3);
    nonstop_engine_free(engine);
}

static void a_counter_with_a_condition_ends_with_its_commit(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_COUNT);
    nonstop_breakpoint_id id;
    nonstop_hit_item item;
    arrival found;
    spec.flags = NONSTOP_HAS_CONDITION;
    id = add(engine, spec);
    found = arrive(engine, site_at(engine, 3));
    CHECK_STATUS(found.verdict, NONSTOP_EVALUATE);
    CHECK_STATUS(nonstop_hit_commit(engine, found.items[0].ticket, NONSTOP_TRUE, 0, &item), NONSTOP_IGNORE);
    CHECK_EQUAL(item.ticket, 0);
    CHECK_EQUAL(item.hit, 1);
    CHECK_STATUS(nonstop_hit_abandon(engine, found.items[0].ticket), NONSTOP_ERROR_NOT_FOUND);
    CHECK_EQUAL(report_of(engine, id).captured, 1);
    nonstop_engine_free(engine);
}

/* Every way to answer a ticket that is owed no answer. Nothing may be counted. */
static void check_stale(const nonstop_engine *engine, nonstop_ticket ticket)
{
    nonstop_hit_item item;
    memset(&item, 0, sizeof item);
    CHECK_REFUSED(nonstop_hit_commit(engine, ticket, NONSTOP_TRUE, 0, &item), NONSTOP_ERROR_NOT_FOUND, "ticket");
    CHECK_EQUAL(item.breakpoint, 0);
    CHECK_REFUSED(nonstop_hit_abandon(engine, ticket), NONSTOP_ERROR_NOT_FOUND, "ticket");
    CHECK_REFUSED(nonstop_capture_records(engine, ticket, "h\x1f\x1e", 3), NONSTOP_ERROR_NOT_FOUND, "ticket");
    CHECK_REFUSED(send_price(engine, ticket, 1), NONSTOP_ERROR_NOT_FOUND, "ticket");
}

static void a_stale_ticket_is_not_found_by_any_function(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    const uint32_t site = site_at(engine, 3);
    const nonstop_ticket captured = arrive(engine, site).items[0].ticket;
    const nonstop_ticket abandoned = arrive(engine, site).items[0].ticket;
    CHECK_STATUS(send_price(engine, captured, 1), NONSTOP_CAPTURE);
    CHECK_STATUS(nonstop_hit_abandon(engine, abandoned), NONSTOP_OK);
    check_stale(engine, captured);
    check_stale(engine, abandoned);
    check_stale(engine, 0);
    check_stale(engine, UINT64_MAX);
    CHECK_EQUAL(report_of(engine, id).arrivals, 2);
    CHECK_EQUAL(stats_of(engine).sent, 1);
    CHECK_EQUAL(stats_of(engine).dropped, 0);
    nonstop_engine_free(engine);
}

static void an_answer_of_the_wrong_kind_leaves_the_ticket_open(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    nonstop_hit_item item;
    nonstop_ticket ticket;
    spec.flags = NONSTOP_HAS_CONDITION;
    add(engine, spec);
    ticket = arrive(engine, site_at(engine, 3)).items[0].ticket;
    CHECK_REFUSED(nonstop_capture_records(engine, ticket, "h\x1f\x1e", 3), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "does not wait for a capture");
    CHECK_REFUSED(send_price(engine, ticket, 1), NONSTOP_ERROR_INVALID_ARGUMENT, "does not wait for a capture");
    CHECK_REFUSED(nonstop_hit_commit(engine, ticket, 3, 0, &item), NONSTOP_ERROR_INVALID_ARGUMENT, "outcome 3");
    CHECK_REFUSED(nonstop_hit_commit(engine, ticket, -1, 0, &item), NONSTOP_ERROR_INVALID_ARGUMENT, "outcome -1");
    CHECK_STATUS(nonstop_hit_commit(engine, ticket, NONSTOP_TRUE, 0, &item), NONSTOP_CAPTURE);
    CHECK_REFUSED(nonstop_hit_commit(engine, ticket, NONSTOP_TRUE, 0, &item), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "does not wait for the outcome");
    CHECK_STATUS(send_price(engine, ticket, 1), NONSTOP_CAPTURE);
    nonstop_engine_free(engine);
}

static void an_abandoned_hit_is_an_error_or_a_drop(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    nonstop_breakpoint_id id;
    nonstop_hit_item item;
    nonstop_ticket ticket;
    uint32_t site;
    spec.flags = NONSTOP_HAS_CONDITION;
    id = add(engine, spec);
    site = site_at(engine, 3);
    CHECK_STATUS(nonstop_hit_abandon(engine, arrive(engine, site).items[0].ticket), NONSTOP_OK);
    CHECK_EQUAL(report_of(engine, id).errors, 1);
    ticket = arrive(engine, site).items[0].ticket;
    CHECK_STATUS(nonstop_hit_commit(engine, ticket, NONSTOP_TRUE, 0, &item), NONSTOP_CAPTURE);
    CHECK_STATUS(nonstop_hit_abandon(engine, ticket), NONSTOP_OK);
    CHECK_EQUAL(report_of(engine, id).dropped, 1);
    CHECK_EQUAL(report_of(engine, id).arrivals, 2);
    nonstop_engine_free(engine);
}

static void a_small_buffer_counts_nothing(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id ids[3];
    nonstop_hit_item items[2];
    size_t count = 77, each;
    uint32_t site;
    ids[0] = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    ids[1] = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    ids[2] = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    site = site_at(engine, 3);
    memset(items, 0, sizeof items);
    CHECK_REFUSED(nonstop_hit(engine, site, 7, NULL, 0, 0, items, 1, &count), NONSTOP_ERROR_BUFFER_TOO_SMALL,
                  "room for 2");
    CHECK_EQUAL(count, 2);
    count = 77;
    CHECK_REFUSED(nonstop_hit(engine, site, 7, NULL, 0, 0, NULL, 2, &count), NONSTOP_ERROR_BUFFER_TOO_SMALL,
                  "room for 2");
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(items[0].ticket, 0);
    for (each = 0; each < 3; each++) {
        CHECK_EQUAL(report_of(engine, ids[each]).arrivals, 0);
    }
    CHECK_STATUS(nonstop_hit(engine, site, 7, NULL, 0, 0, items, 2, &count), NONSTOP_CAPTURE);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(report_of(engine, ids[1]).captured, 1);
    nonstop_engine_free(engine);
}

static void a_site_goes_with_its_code_object(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    uint32_t site, other;
    size_t count;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    site = site_at(engine, 3);
    CHECK_STATUS(nonstop_code_forget(engine, 1), NONSTOP_OK);
    CHECK_REFUSED(nonstop_code_forget(engine, 1), NONSTOP_ERROR_NOT_FOUND, "key 1");
    CHECK_REFUSED(hit_at_ns(engine, site, 0), NONSTOP_ERROR_NOT_FOUND, "forgotten");
    other = site_at(engine, 3);
    CHECK(other != 0 && other != site);
    CHECK_STATUS(hit_at_ns(engine, site, 0), NONSTOP_ERROR_NOT_FOUND);
    CHECK_STATUS(nonstop_hit(engine, 0, 7, NULL, 0, 0, NULL, 0, &count), NONSTOP_ERROR_NOT_FOUND);
    CHECK_STATUS(nonstop_hit(engine, UINT32_MAX, 7, NULL, 0, 0, NULL, 0, &count), NONSTOP_ERROR_NOT_FOUND);
    nonstop_engine_free(engine);
}

static void a_removed_breakpoint_is_hit_no_more_but_its_open_hits_end(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    const uint32_t site = site_at(engine, 3);
    const nonstop_ticket ticket = arrive(engine, site).items[0].ticket;
    arrival late;
    CHECK_STATUS(nonstop_breakpoints_remove(engine, &id, 1), NONSTOP_OK);
    /* A host that has not looked at the epoch yet. */
    late = arrive(engine, site);
    CHECK_STATUS(late.verdict, NONSTOP_DISABLE);
    CHECK_EQUAL(late.count, 0);
    CHECK_STATUS(send_price(engine, ticket, 1), NONSTOP_CAPTURE);
    CHECK_EQUAL(stats_of(engine).queued, 1);
    nonstop_engine_free(engine);
}

static void max_hits_are_taken_and_the_line_is_switched_off(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_COUNT);
    nonstop_breakpoint_id id;
    uint32_t site;
    uint64_t before;
    spec.max_hits = 2;
    id = add(engine, spec);
    site = site_at(engine, 3);
    before = epoch_of(engine);
    CHECK_STATUS(hit_at_ns(engine, site, 0), NONSTOP_IGNORE);
    CHECK_EQUAL(epoch_of(engine), before);
    CHECK_STATUS(hit_at_ns(engine, site, 0), NONSTOP_DISABLE);
    CHECK(epoch_of(engine) != before);
    CHECK_STATUS(hit_at_ns(engine, site, 0), NONSTOP_DISABLE);
    CHECK_EQUAL(report_of(engine, id).state, NONSTOP_EXHAUSTED);
    CHECK_EQUAL(report_of(engine, id).captured, 2);
    CHECK_EQUAL(report_of(engine, id).skipped, 1);
    CHECK_EQUAL(site_at(engine, 3), 0);
    nonstop_engine_free(engine);
}

static void hit_conditions_and_rates_count_what_they_hold_back(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_COUNT);
    const uint64_t now = nonstop_monotonic_ns();
    nonstop_breakpoint_report report;
    nonstop_breakpoint_id id;
    uint32_t site;
    int hit;
    spec.hit_condition = text(">= 3");
    spec.rate_per_second = 1;
    spec.burst = 2;
    id = add(engine, spec);
    site = site_at(engine, 3);
    for (hit = 0; hit < 6; hit++) {
        CHECK_STATUS(hit_at_ns(engine, site, now), NONSTOP_IGNORE);
    }
    CHECK_STATUS(hit_at_ns(engine, site, now + SECOND), NONSTOP_IGNORE);
    report = report_of(engine, id);
    CHECK_EQUAL(report.passed, 2);
    CHECK_EQUAL(report.captured, 3);
    CHECK_EQUAL(report.limited, 2);
    CHECK_EQUAL(report.arrivals, 7);
    nonstop_engine_free(engine);
}

static void expiry_goes_by_the_time_that_is_passed_in(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_COUNT);
    nonstop_breakpoint_id id;
    uint32_t site;
    spec.expires_after_ns = (uint64_t)3600 * SECOND;
    id = add(engine, spec);
    site = site_at(engine, 3);
    CHECK_STATUS(hit_at_ns(engine, site, nonstop_monotonic_ns()), NONSTOP_IGNORE);
    CHECK_STATUS(hit_at_ns(engine, site, nonstop_monotonic_ns() + (uint64_t)7200 * SECOND), NONSTOP_DISABLE);
    CHECK_EQUAL(report_of(engine, id).state, NONSTOP_EXPIRED);
    CHECK_EQUAL(report_of(engine, id).skipped, 1);
    CHECK_EQUAL(report_of(engine, id).captured, 1);
    nonstop_engine_free(engine);
}

static void only_the_thread_that_was_asked_for_is_looked_at(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec by_id = spec_at("shop.py:3", NONSTOP_COUNT);
    nonstop_breakpoint_spec by_name = by_id;
    const nonstop_code_info info = total(1);
    nonstop_breakpoint_id ids[2];
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    size_t count;
    by_id.thread_id = 7;
    by_name.thread_name = text("worker");
    ids[0] = add(engine, by_id);
    ids[1] = add(engine, by_name);
    decision.struct_size = sizeof decision;
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_CAPTURE);
    CHECK_EQUAL(arms[0].flags, NONSTOP_ARM_NEEDS_THREAD_NAME);
    CHECK_STATUS(nonstop_hit(engine, arms[0].site, 7, "worker", 6, 0, NULL, 0, &count), NONSTOP_IGNORE);
    CHECK_STATUS(nonstop_hit(engine, arms[0].site, 8, "worker-2", 8, 0, NULL, 0, &count), NONSTOP_IGNORE);
    CHECK_STATUS(nonstop_hit(engine, arms[0].site, 7, NULL, 0, 0, NULL, 0, &count), NONSTOP_IGNORE);
    CHECK_EQUAL(report_of(engine, ids[0]).captured, 2);
    CHECK_EQUAL(report_of(engine, ids[0]).skipped, 1);
    CHECK_EQUAL(report_of(engine, ids[1]).captured, 1);
    CHECK_EQUAL(report_of(engine, ids[1]).skipped, 2);
    nonstop_engine_free(engine);
}

static void a_host_that_never_answers_loses_hits_and_no_memory(void)
{
    /* The engine keeps 65536 open hits; for each one more the oldest is given up, and counted as dropped. */
    enum { OPEN = 65536, MORE = 100 };
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    const uint32_t site = site_at(engine, 3);
    nonstop_ticket first = 0, kept = 0;
    int hit;
    for (hit = 0; hit < OPEN + MORE; hit++) {
        const arrival found = arrive(engine, site);
        CHECK_STATUS(found.verdict, NONSTOP_CAPTURE);
        first = hit == 0 ? found.items[0].ticket : first;
        kept = hit == MORE ? found.items[0].ticket : kept;
    }
    CHECK_EQUAL(report_of(engine, id).dropped, MORE);
    check_stale(engine, first);
    CHECK_STATUS(send_price(engine, kept, 1), NONSTOP_CAPTURE);
    CHECK_EQUAL(report_of(engine, id).arrivals, MORE + 1);
    nonstop_engine_free(engine);
}

const test hits_tests[] = {
    TEST(a_counter_leaves_nothing_to_do),
    TEST(an_item_says_whose_hit_it_is),
    TEST(each_outcome_of_a_condition_is_counted),
    TEST(a_counter_with_a_condition_ends_with_its_commit),
    TEST(a_stale_ticket_is_not_found_by_any_function),
    TEST(an_answer_of_the_wrong_kind_leaves_the_ticket_open),
    TEST(an_abandoned_hit_is_an_error_or_a_drop),
    TEST(a_small_buffer_counts_nothing),
    TEST(a_site_goes_with_its_code_object),
    TEST(a_removed_breakpoint_is_hit_no_more_but_its_open_hits_end),
    TEST(max_hits_are_taken_and_the_line_is_switched_off),
    TEST(hit_conditions_and_rates_count_what_they_hold_back),
    TEST(expiry_goes_by_the_time_that_is_passed_in),
    TEST(only_the_thread_that_was_asked_for_is_looked_at),
    TEST(a_host_that_never_answers_loses_hits_and_no_memory),
    END,
};
