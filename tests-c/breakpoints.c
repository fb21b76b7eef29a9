/* Breakpoints: from the text of a location to the line where they stand, their states, their stale ids. */
#include "shop.h"

#include <stdlib.h>
#include <string.h>

static void a_breakpoint_goes_from_pending_to_bound(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_COUNT);
    nonstop_breakpoint_report report;
    nonstop_breakpoint_id id;
    spec.user_data = 11;
    id = add(engine, spec);
    report = report_of(engine, id);
    CHECK(id != 0);
    CHECK_EQUAL(report.state, NONSTOP_PENDING);
    CHECK_EQUAL(report.code_objects, 0);
    CHECK(site_at(engine, 3) != 0);
    report = report_of(engine, id);
    CHECK_EQUAL(report.state, NONSTOP_BOUND);
    CHECK_EQUAL(report.requested_line, 3);
    CHECK_EQUAL(report.resolved_line, 3);
    CHECK_EQUAL(report.code_objects, 1);
    CHECK_EQUAL(report.enabled, 1);
    CHECK_EQUAL(report.user_data, 11);
    CHECK_STATUS(nonstop_code_forget(engine, 1), NONSTOP_OK);
    CHECK_EQUAL(report_of(engine, id).code_objects, 0);
    CHECK_EQUAL(report_of(engine, id).state, NONSTOP_BOUND);
    nonstop_engine_free(engine);
}

static void locations_are_files_functions_and_modules(void)
{
    static const struct {
        const char *location;
        uint32_t line;
    } places[] = {{"/app/shop.py:3", 3}, {"app/shop.py:3", 3}, {"shop.py:total", 2}, {"shop:5", 5}, {"shop.py:4", 5}};
    size_t place;
    for (place = 0; place < sizeof places / sizeof *places; place++) {
        nonstop_engine *engine = shop_engine(NULL);
        nonstop_breakpoint_id id = add_at(engine, places[place].location, NONSTOP_COUNT);
        CHECK(site_at(engine, places[place].line) != 0);
        CHECK_EQUAL(report_of(engine, id).resolved_line, places[place].line);
        nonstop_engine_free(engine);
    }
}

static void a_line_that_cannot_fire_is_unverified_and_names_its_neighbours(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_source source = shop_source();
    nonstop_breakpoint_id id = add_at(engine, "shop.py:99", NONSTOP_COUNT);
    char *reason;
    CHECK_STATUS(nonstop_source_register(engine, SHOP, strlen(SHOP), "shop", 4, &source), NONSTOP_OK);
    CHECK_EQUAL(report_of(engine, id).state, NONSTOP_UNVERIFIED);
    reason = reason_of(engine, id);
    CHECK_HOLDS(reason, "99");
    CHECK_HOLDS(reason, "nearest: 5");
    free(reason);
    nonstop_engine_free(engine);
}

static void the_lines_of_a_file_are_those_of_its_units(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    uint32_t lines[4] = {0, 0, 0, 0};
    size_t count = 0;
    CHECK_REFUSED(nonstop_source_lines(engine, SHOP, strlen(SHOP), lines, 3, &count), NONSTOP_ERROR_BUFFER_TOO_SMALL,
                  "room for 3");
    CHECK_EQUAL(count, 4);
    CHECK_EQUAL(lines[0], 0);
    CHECK_STATUS(nonstop_source_lines(engine, SHOP, strlen(SHOP), lines, 4, &count), NONSTOP_OK);
    CHECK(lines[0] == 1 && lines[1] == 2 && lines[2] == 3 && lines[3] == 5);
    CHECK_REFUSED(nonstop_source_lines(engine, "/app/other.py", 13, lines, 4, &count), NONSTOP_ERROR_NOT_FOUND,
                  "/app/other.py");
    nonstop_engine_free(engine);
}

static void a_host_without_source_or_lines_is_asked_for_them(void)
{
    nonstop_engine *engine = NULL;
    nonstop_code_info info = total(1);
    const nonstop_source source = shop_source();
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    decision.struct_size = sizeof decision;
    CHECK_STATUS(nonstop_engine_new(NULL, &engine), NONSTOP_OK);
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    info.lines = NULL;
    info.line_count = 0;
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_IGNORE);
    CHECK_EQUAL(decision.flags, NONSTOP_NEEDS_SOURCE | NONSTOP_NEEDS_LINES);
    CHECK_STATUS(nonstop_source_register(engine, SHOP, strlen(SHOP), "shop", 4, &source), NONSTOP_OK);
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_IGNORE);
    CHECK_EQUAL(decision.flags, NONSTOP_NEEDS_LINES);
    info = total(1);
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_CAPTURE);
    CHECK_EQUAL(decision.flags, 0);
    CHECK_EQUAL(decision.arm_count, 1);
    CHECK_EQUAL(arms[0].line, 3);
    nonstop_engine_free(engine);
}

static void a_tool_without_a_parser_uses_the_lines_of_its_code(void)
{
    /* A Lua function serves as well as a Python one: its key and its lines are all that it has. */
    static const uint32_t lines[] = {10, 12};
    nonstop_engine *engine = NULL;
    nonstop_code_info info;
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    size_t count;
    CHECK_STATUS(nonstop_engine_new(NULL, &engine), NONSTOP_OK);
    add_at(engine, "./init.lua:12", NONSTOP_COUNT);
    add_at(engine, "scripts/init.lua:12", NONSTOP_COUNT);
    CHECK_STATUS(nonstop_source_without_units(engine, "/game/scripts/init.lua", 22, NULL, 0), NONSTOP_OK);
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    info.key = UINT64_MAX;
    info.first_line = 10;
    info.path = text("/game/scripts/init.lua");
    info.name = text("update");
    info.lines = lines;
    info.line_count = 2;
    decision.struct_size = sizeof decision;
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_CAPTURE);
    CHECK_EQUAL(decision.arm_count, 1);
    CHECK_EQUAL(arms[0].line, 12);
    CHECK_STATUS(nonstop_hit(engine, arms[0].site, 1, NULL, 0, 0, NULL, 0, &count), NONSTOP_IGNORE);
    nonstop_engine_free(engine);
}

static void a_path_map_leads_from_a_container_to_the_local_file(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_source source = shop_source();
    add_at(engine, "/home/me/shop.py:3", NONSTOP_COUNT);
    CHECK_EQUAL(site_at(engine, 3), 0);
    CHECK_STATUS(nonstop_engine_add_path_map(engine, "/app", 4, "/home/me", 8), NONSTOP_OK);
    CHECK_STATUS(nonstop_source_register(engine, SHOP, strlen(SHOP), "shop", 4, &source), NONSTOP_OK);
    CHECK(site_at(engine, 3) != 0);
    nonstop_engine_free(engine);
}

static void every_edit_changes_the_epoch_and_a_look_does_not(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    uint64_t before = epoch_of(engine);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    const uint64_t *word = nonstop_engine_epoch(engine);
    CHECK(epoch_of(engine) != before);
    before = epoch_of(engine);
    report_of(engine, id);
    site_at(engine, 3);
    CHECK_STATUS(nonstop_breakpoints_set_enabled(engine, &id, 1, 1), NONSTOP_OK);
    CHECK_EQUAL(epoch_of(engine), before);
    CHECK_STATUS(nonstop_breakpoints_set_enabled(engine, &id, 1, 0), NONSTOP_OK);
    CHECK(epoch_of(engine) != before);
    before = epoch_of(engine);
    CHECK_STATUS(nonstop_breakpoints_remove(engine, &id, 1), NONSTOP_OK);
    CHECK(epoch_of(engine) != before);
    CHECK(nonstop_engine_epoch(engine) == word);
    nonstop_engine_free(engine);
}

static void a_unit_keeps_its_site_through_off_and_on(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    const uint32_t site = site_at(engine, 3);
    CHECK_STATUS(nonstop_breakpoints_set_enabled(engine, &id, 1, 0), NONSTOP_OK);
    CHECK_EQUAL(site_at(engine, 3), 0);
    CHECK_STATUS(arrive(engine, site).verdict, NONSTOP_DISABLE);
    CHECK_STATUS(nonstop_breakpoints_set_enabled(engine, &id, 1, 1), NONSTOP_OK);
    CHECK_EQUAL(site_at(engine, 3), site);
    arrive(engine, site);
    CHECK_EQUAL(report_of(engine, id).captured, 1);
    CHECK(report_of(engine, id).off_ns > 0);
    nonstop_engine_free(engine);
}

static void a_breakpoint_can_start_disabled(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_COUNT);
    spec.flags = NONSTOP_DISABLED;
    CHECK_EQUAL(report_of(engine, add(engine, spec)).enabled, 0);
    CHECK_EQUAL(site_at(engine, 3), 0);
    nonstop_engine_free(engine);
}

static void a_removed_id_is_not_found_by_any_function(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_breakpoint_id never[] = {0, 1, UINT64_MAX, (nonstop_breakpoint_id)1 << 32};
    nonstop_breakpoint_report report;
    size_t len = 77, row;
    char buffer[64];
    nonstop_breakpoint_id ids[5];
    ids[0] = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    CHECK_STATUS(nonstop_breakpoints_remove(engine, ids, 1), NONSTOP_OK);
    /* Its place is given to another, which the old id must not reach. */
    CHECK(add_at(engine, "shop.py:2", NONSTOP_COUNT) != ids[0]);
    memcpy(ids + 1, never, sizeof never);
    ids[4] = ids[0] + ((nonstop_breakpoint_id)1 << 40);
    for (row = 0; row < 5; row++) {
        memset(&report, 0, sizeof report);
        report.struct_size = sizeof report;
        CHECK_REFUSED(nonstop_breakpoint_get_report(engine, ids[row], &report), NONSTOP_ERROR_NOT_FOUND,
                      "no breakpoint has the id");
        CHECK_EQUAL(report.requested_line, 0);
        CHECK_REFUSED(nonstop_breakpoint_reason(engine, ids[row], buffer, sizeof buffer, &len),
                      NONSTOP_ERROR_NOT_FOUND, "no breakpoint has the id");
        CHECK_EQUAL(len, 77);
        CHECK_REFUSED(nonstop_breakpoint_set_state(engine, ids[row], NONSTOP_FAILED, "no", 2),
                      NONSTOP_ERROR_NOT_FOUND, "no breakpoint has the id");
        CHECK_REFUSED(nonstop_breakpoints_set_enabled(engine, &ids[row], 1, 0), NONSTOP_ERROR_NOT_FOUND,
                      "no breakpoint has the id");
        CHECK_REFUSED(nonstop_breakpoints_remove(engine, &ids[row], 1), NONSTOP_ERROR_NOT_FOUND,
                      "no breakpoint has the id");
    }
    nonstop_engine_free(engine);
}

static void a_batch_with_one_stale_id_changes_nothing(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id ids[2];
    ids[0] = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    ids[1] = add_at(engine, "shop.py:2", NONSTOP_COUNT);
    CHECK_STATUS(nonstop_breakpoints_remove(engine, &ids[1], 1), NONSTOP_OK);
    CHECK_STATUS(nonstop_breakpoints_remove(engine, ids, 2), NONSTOP_ERROR_NOT_FOUND);
    CHECK_STATUS(nonstop_breakpoints_set_enabled(engine, ids, 2, 0), NONSTOP_ERROR_NOT_FOUND);
    CHECK_EQUAL(report_of(engine, ids[0]).enabled, 1);
    ids[1] = ids[0];
    CHECK_REFUSED(nonstop_breakpoints_remove(engine, ids, 2), NONSTOP_ERROR_NOT_FOUND, "twice");
    CHECK_STATUS(nonstop_breakpoints_remove(engine, ids, 1), NONSTOP_OK);
    nonstop_engine_free(engine);
}

static void a_batch_with_one_bad_element_adds_nothing_and_names_it(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec specs[3];
    nonstop_breakpoint_id ids[3] = {9, 9, 9};
    const uint64_t before = epoch_of(engine);
    specs[0] = specs[1] = specs[2] = spec_at("shop.py:3", NONSTOP_COUNT);
    specs[1].location = text("shop.py");
    CHECK_REFUSED(nonstop_breakpoints_add(engine, specs, 3, ids), NONSTOP_ERROR_INVALID_LOCATION, "breakpoint 1: ");
    CHECK(ids[0] == 9 && ids[1] == 9 && ids[2] == 9);
    CHECK_EQUAL(epoch_of(engine), before);
    CHECK_EQUAL(site_at(engine, 3), 0);
    nonstop_engine_free(engine);
}

static void thousands_are_added_and_removed_at_once(void)
{
    enum { MANY = 5000 };
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec *specs = malloc(MANY * sizeof *specs);
    nonstop_breakpoint_id *ids = malloc(MANY * sizeof *ids);
    uint64_t before = epoch_of(engine);
    size_t each;
    if (CHECK(specs != NULL && ids != NULL)) {
        for (each = 0; each < MANY; each++) {
            specs[each] = spec_at(each % 2 ? "shop.py:2" : "shop.py:3", NONSTOP_COUNT);
            specs[each].user_data = each;
        }
        CHECK_STATUS(nonstop_breakpoints_add(engine, specs, MANY, ids), NONSTOP_OK);
        CHECK_EQUAL(epoch_of(engine), before + 1);
        CHECK_EQUAL(report_of(engine, ids[0]).user_data, 0);
        CHECK_EQUAL(report_of(engine, ids[MANY - 1]).user_data, MANY - 1);
        arrive(engine, site_at(engine, 3));
        CHECK_EQUAL(report_of(engine, ids[MANY - 2]).captured, 1);
        CHECK_EQUAL(report_of(engine, ids[MANY - 1]).captured, 0);
        CHECK_STATUS(nonstop_breakpoints_remove(engine, ids, MANY), NONSTOP_OK);
        CHECK_EQUAL(site_at(engine, 3), 0);
    }
    free(specs);
    free(ids);
    nonstop_engine_free(engine);
}

static void a_host_can_fail_a_breakpoint_and_say_why(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    char buffer[4] = "xxx";
    size_t len = 0;
    char *reason;
    CHECK_REFUSED(nonstop_breakpoint_set_state(engine, id, NONSTOP_BOUND, "", 0), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "state 1");
    CHECK_STATUS(nonstop_breakpoint_set_state(engine, id, NONSTOP_UNVERIFIED, "no such line", 12), NONSTOP_OK);
    CHECK_EQUAL(report_of(engine, id).state, NONSTOP_UNVERIFIED);
    CHECK_STATUS(nonstop_breakpoint_set_state(engine, id, NONSTOP_FAILED, "can't compile", 13), NONSTOP_OK);
    CHECK_EQUAL(report_of(engine, id).state, NONSTOP_FAILED);
    CHECK_EQUAL(site_at(engine, 3), 0);
    reason = reason_of(engine, id);
    CHECK(strcmp(reason, "can't compile") == 0);
    free(reason);
    CHECK_REFUSED(nonstop_breakpoint_reason(engine, id, buffer, sizeof buffer, &len), NONSTOP_ERROR_BUFFER_TOO_SMALL,
                  "room for 4");
    CHECK_EQUAL(len, 13);
    CHECK(strcmp(buffer, "xxx") == 0);
    nonstop_engine_free(engine);
}

static void the_files_are_told_in_which_a_breakpoint_stands(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_file files[3];
    nonstop_breakpoint_id ids[2];
    uint8_t carry[3] = {9, 9, 9};
    files[0].path = text(SHOP);
    files[1].path = text("/app/cart.py");
    files[2].path = text("/lib/tax.py");
    files[0].module = files[1].module = text("");
    files[2].module = text("tax");
    CHECK_STATUS(nonstop_files_carry(engine, files, 3, NULL, 0, carry), NONSTOP_OK);
    CHECK(carry[0] == 0 && carry[1] == 0 && carry[2] == 0);
    ids[0] = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    ids[1] = add_at(engine, "tax:1", NONSTOP_COUNT);
    CHECK_STATUS(nonstop_files_carry(engine, files, 3, NULL, 0, carry), NONSTOP_OK);
    CHECK(carry[0] == 1 && carry[1] == 0 && carry[2] == 1);
    CHECK_STATUS(nonstop_files_carry(engine, files, 3, &ids[1], 1, carry), NONSTOP_OK);
    CHECK(carry[0] == 0 && carry[1] == 0 && carry[2] == 1);
    CHECK_STATUS(nonstop_breakpoints_remove(engine, &ids[1], 1), NONSTOP_OK);
    CHECK_STATUS(nonstop_files_carry(engine, files, 3, ids, 2, carry), NONSTOP_OK);
    CHECK(carry[0] == 1 && carry[1] == 0 && carry[2] == 0);
    CHECK_STATUS(nonstop_files_carry(engine, NULL, 0, NULL, 0, NULL), NONSTOP_OK);
    CHECK_REFUSED(nonstop_files_carry(engine, files, 3, NULL, 0, NULL), NONSTOP_ERROR_NULL_POINTER, "out_carry");
    CHECK_REFUSED(nonstop_files_carry(engine, NULL, 3, NULL, 0, carry), NONSTOP_ERROR_NULL_POINTER, "files");
    CHECK_REFUSED(nonstop_files_carry(engine, files, 3, NULL, 2, carry), NONSTOP_ERROR_NULL_POINTER, "breakpoints");
    CHECK_REFUSED(nonstop_files_carry(NULL, files, 3, NULL, 0, carry), NONSTOP_ERROR_NULL_POINTER, "engine");
    nonstop_engine_free(engine);
}

static void the_functions_of_a_file_are_told_whose_code_carries_a_breakpoint(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    uint32_t lines[ROOM] = {9, 9};
    size_t count = 9;
    CHECK_STATUS(nonstop_file_scopes(engine, SHOP, strlen(SHOP), "", 0, lines, ROOM, &count), NONSTOP_OK);
    CHECK_EQUAL(count, 0);
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    add_at(engine, "shop.py:5", NONSTOP_COUNT);
    CHECK_REFUSED(nonstop_file_scopes(engine, SHOP, strlen(SHOP), "", 0, lines, 0, &count),
                  NONSTOP_ERROR_BUFFER_TOO_SMALL, "room for 0");
    CHECK_EQUAL(count, 1);
    CHECK_STATUS(nonstop_file_scopes(engine, SHOP, strlen(SHOP), "", 0, lines, ROOM, &count), NONSTOP_OK);
    CHECK(count == 1 && lines[0] == 1 && lines[1] == 9);
    CHECK_REFUSED(nonstop_file_scopes(engine, "/app/other.py", 13, "", 0, lines, ROOM, &count),
                  NONSTOP_ERROR_NOT_FOUND, "/app/other.py");
    CHECK_REFUSED(nonstop_file_scopes(engine, SHOP, strlen(SHOP), "", 0, lines, ROOM, NULL),
                  NONSTOP_ERROR_NULL_POINTER, "out_count");
    nonstop_engine_free(engine);
}

static void two_engines_know_nothing_of_each_other(void)
{
    nonstop_engine *one = shop_engine(NULL), *other = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(one, "shop.py:3", NONSTOP_COUNT);
    nonstop_breakpoint_report report;
    report.struct_size = sizeof report;
    CHECK(site_at(one, 3) != 0);
    CHECK_EQUAL(site_at(other, 3), 0);
    CHECK_STATUS(nonstop_breakpoint_get_report(other, id, &report), NONSTOP_ERROR_NOT_FOUND);
    nonstop_engine_free(one);
    nonstop_engine_free(other);
}

const test breakpoints_tests[] = {
    TEST(a_breakpoint_goes_from_pending_to_bound),
    TEST(locations_are_files_functions_and_modules),
    TEST(a_line_that_cannot_fire_is_unverified_and_names_its_neighbours),
    TEST(the_lines_of_a_file_are_those_of_its_units),
    TEST(a_host_without_source_or_lines_is_asked_for_them),
    TEST(a_tool_without_a_parser_uses_the_lines_of_its_code),
    TEST(a_path_map_leads_from_a_container_to_the_local_file),
    TEST(every_edit_changes_the_epoch_and_a_look_does_not),
    TEST(a_unit_keeps_its_site_through_off_and_on),
    TEST(a_breakpoint_can_start_disabled),
    TEST(a_removed_id_is_not_found_by_any_function),
    TEST(a_batch_with_one_stale_id_changes_nothing),
    TEST(a_batch_with_one_bad_element_adds_nothing_and_names_it),
    TEST(thousands_are_added_and_removed_at_once),
    TEST(a_host_can_fail_a_breakpoint_and_say_why),
    TEST(the_files_are_told_in_which_a_breakpoint_stands),
    TEST(the_functions_of_a_file_are_told_whose_code_carries_a_breakpoint),
    TEST(two_engines_know_nothing_of_each_other),
    END,
};
