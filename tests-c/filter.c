/* The event filter, for a tool that has nothing but raw trace events. */
#include "shop.h"

#include <string.h>

#define ALL (NONSTOP_EVENT_CALL | NONSTOP_EVENT_LINE | NONSTOP_EVENT_RETURN | NONSTOP_EVENT_EXCEPTION)

static nonstop_filter_rule rule(uint32_t include, uint32_t events)
{
    nonstop_filter_rule made;
    memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    made.include = include;
    made.events = events;
    return made;
}

/* The events wanted of total, which is decided under key 1. */
static uint32_t mask_of(const nonstop_engine *engine)
{
    const nonstop_code_info info = total(1);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    memset(&decision, 0, sizeof decision);
    decision.struct_size = sizeof decision;
    CHECK(nonstop_code_decide(engine, &info, arms, ROOM, &decision) >= 0);
    return decision.event_mask;
}

static void an_event_of_unknown_code_is_not_found(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    uint32_t site = 77;
    CHECK_REFUSED(nonstop_event(engine, 1, NONSTOP_EVENT_LINE, 3, 7, 1, &site), NONSTOP_ERROR_NOT_FOUND, "decide");
    CHECK_EQUAL(site, 77);
    nonstop_engine_free(engine);
}

static void the_line_of_a_breakpoint_is_wanted_without_a_rule(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    uint32_t site = 0, armed;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    armed = site_at(engine, 3);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_LINE, 3, 7, 1, &site), NONSTOP_CAPTURE);
    CHECK_EQUAL(site, armed);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_LINE, 2, 7, 1, &site), NONSTOP_DISABLE);
    CHECK_EQUAL(site, 0);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_CALL, 1, 7, 1, &site), NONSTOP_DISABLE);
    CHECK_EQUAL(mask_of(engine), NONSTOP_EVENT_LINE);
    nonstop_engine_free(engine);
}

static void an_event_follows_an_edit_without_a_new_decision(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id;
    uint32_t site = 0;
    CHECK_EQUAL(mask_of(engine), 0);
    id = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_LINE, 3, 7, 1, &site), NONSTOP_CAPTURE);
    CHECK(site != 0);
    CHECK_STATUS(nonstop_breakpoints_remove(engine, &id, 1), NONSTOP_OK);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_LINE, 3, 7, 1, &site), NONSTOP_DISABLE);
    nonstop_engine_free(engine);
}

static void the_first_rule_that_matches_decides(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_filter_rule rules[3];
    uint32_t site = 77;
    rules[0] = rule(0, NONSTOP_EVENT_RETURN);
    rules[0].function = text("total");
    rules[1] = rule(1, ALL);
    rules[1].path_glob = text("/app/*.py");
    rules[2] = rule(0, ALL);
    CHECK_STATUS(nonstop_filter_set(engine, rules, 3, NULL, 0), NONSTOP_OK);
    CHECK_EQUAL(mask_of(engine), ALL & ~(uint32_t)NONSTOP_EVENT_RETURN);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_CALL, 1, 7, 1, &site), NONSTOP_CAPTURE);
    CHECK_EQUAL(site, 0);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_RETURN, 5, 7, 1, &site), NONSTOP_DISABLE);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_EXCEPTION, 5, 7, 1, &site), NONSTOP_CAPTURE);
    /* None of them any more: only breakpoints. */
    CHECK_STATUS(nonstop_filter_set(engine, NULL, 0, NULL, 0), NONSTOP_OK);
    CHECK_EQUAL(mask_of(engine), 0);
    nonstop_engine_free(engine);
}

static void thread_and_depth_are_asked_for_each_event(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_filter_rule calls = rule(1, NONSTOP_EVENT_CALL);
    uint32_t site;
    calls.thread_id = 7;
    calls.max_depth = 2;
    calls.module = text("shop.*");
    CHECK_STATUS(nonstop_filter_set(engine, &calls, 1, NULL, 0), NONSTOP_OK);
    CHECK_EQUAL(mask_of(engine), NONSTOP_EVENT_CALL);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_CALL, 1, 7, 2, &site), NONSTOP_CAPTURE);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_CALL, 1, 7, 3, &site), NONSTOP_IGNORE);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_CALL, 1, 8, 1, &site), NONSTOP_IGNORE);
    CHECK_STATUS(nonstop_event(engine, 1, NONSTOP_EVENT_LINE, 2, 7, 1, &site), NONSTOP_DISABLE);
    nonstop_engine_free(engine);
}

static void just_my_code_leaves_directories_out_but_not_breakpoints(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_filter_rule all = rule(1, NONSTOP_EVENT_CALL);
    nonstop_text directories[2];
    directories[0] = text("/usr/lib/python3");
    directories[1] = text("/app");
    CHECK_STATUS(nonstop_filter_set(engine, &all, 1, directories, 1), NONSTOP_OK);
    CHECK_EQUAL(mask_of(engine), NONSTOP_EVENT_CALL);
    CHECK_STATUS(nonstop_filter_set(engine, &all, 1, directories, 2), NONSTOP_OK);
    CHECK_EQUAL(mask_of(engine), 0);
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    CHECK_EQUAL(mask_of(engine), NONSTOP_EVENT_LINE);
    nonstop_engine_free(engine);
}

static void a_bad_rule_is_named_and_the_filter_stays(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_filter_rule rules[2];
    uint64_t before;
    rules[0] = rule(1, NONSTOP_EVENT_CALL);
    CHECK_STATUS(nonstop_filter_set(engine, rules, 1, NULL, 0), NONSTOP_OK);
    before = epoch_of(engine);
    rules[1] = rule(1, 0);
    CHECK_REFUSED(nonstop_filter_set(engine, rules, 2, NULL, 0), NONSTOP_ERROR_INVALID_ARGUMENT, "rule 1: events 0x0");
    rules[1] = rule(1, 16);
    CHECK_REFUSED(nonstop_filter_set(engine, rules, 2, NULL, 0), NONSTOP_ERROR_INVALID_ARGUMENT, "0x10");
    rules[1] = rule(2, NONSTOP_EVENT_CALL);
    CHECK_REFUSED(nonstop_filter_set(engine, rules, 2, NULL, 0), NONSTOP_ERROR_INVALID_ARGUMENT, "include 2");
    CHECK_EQUAL(epoch_of(engine), before);
    CHECK_EQUAL(mask_of(engine), NONSTOP_EVENT_CALL);
    nonstop_engine_free(engine);
}

static void an_event_is_exactly_one_kind(void)
{
    static const uint32_t kinds[] = {0, 3, 16, UINT32_MAX};
    nonstop_engine *engine = shop_engine(NULL);
    uint32_t site = 77;
    size_t each;
    mask_of(engine);
    for (each = 0; each < sizeof kinds / sizeof *kinds; each++) {
        CHECK_REFUSED(nonstop_event(engine, 1, kinds[each], 3, 7, 1, &site), NONSTOP_ERROR_INVALID_ARGUMENT,
                      "there is no event");
    }
    CHECK_EQUAL(site, 77);
    nonstop_engine_free(engine);
}

const test filter_tests[] = {
    TEST(an_event_of_unknown_code_is_not_found),
    TEST(the_line_of_a_breakpoint_is_wanted_without_a_rule),
    TEST(an_event_follows_an_edit_without_a_new_decision),
    TEST(the_first_rule_that_matches_decides),
    TEST(thread_and_depth_are_asked_for_each_event),
    TEST(just_my_code_leaves_directories_out_but_not_breakpoints),
    TEST(a_bad_rule_is_named_and_the_filter_stays),
    TEST(an_event_is_exactly_one_kind),
    END,
};
