/* What a careless host does: a status and a message for each, and nothing is changed. */
#include "shop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NULL_IS_REFUSED(call, name) CHECK_REFUSED(call, NONSTOP_ERROR_NULL_POINTER, name " is NULL")
#define UTF8_IS_REFUSED(call, name) CHECK_REFUSED(call, NONSTOP_ERROR_INVALID_UTF8, name " is not UTF-8")

/* Latin-1, where UTF-8 is due. */
#define LATIN "caf\xe9"
#define LATIN_LEN 4

static nonstop_text latin(void)
{
    return text(LATIN);
}

static void a_missing_engine_is_refused_by_every_function(void)
{
    const nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_COUNT);
    const nonstop_source source = shop_source();
    const nonstop_code_info info = total(1);
    nonstop_breakpoint_id id = 1;
    nonstop_breakpoint_report report = {sizeof report, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    nonstop_channel_stats stats = {sizeof stats, 0, 0, 0, 0, 0};
    nonstop_decision decision = {sizeof decision, 0, 0, 0, 0, 0, 0};
    nonstop_snapshot *snapshot = NULL;
    nonstop_received batch;
    size_t batch_count;
    nonstop_hit_item item;
    nonstop_arm arm;
    char buffer[8];
    uint32_t site, lines[4];
    uint64_t epoch;
    size_t count;
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_capture *capture = begin_capture(1);
    NULL_IS_REFUSED(nonstop_engine_after_fork(NULL), "engine");
    NULL_IS_REFUSED(nonstop_engine_add_path_map(NULL, "/a", 2, "/b", 2), "engine");
    NULL_IS_REFUSED(nonstop_breakpoints_add(NULL, &spec, 1, &id), "engine");
    NULL_IS_REFUSED(nonstop_breakpoints_remove(NULL, &id, 1), "engine");
    NULL_IS_REFUSED(nonstop_breakpoints_set_enabled(NULL, &id, 1, 1), "engine");
    NULL_IS_REFUSED(nonstop_breakpoint_get_report(NULL, id, &report), "engine");
    NULL_IS_REFUSED(nonstop_breakpoint_reason(NULL, id, buffer, sizeof buffer, &count), "engine");
    NULL_IS_REFUSED(nonstop_breakpoint_set_state(NULL, id, NONSTOP_FAILED, "", 0), "engine");
    NULL_IS_REFUSED(nonstop_source_register(NULL, SHOP, 12, "", 0, &source), "engine");
    NULL_IS_REFUSED(nonstop_source_without_units(NULL, SHOP, 12, NULL, 0), "engine");
    NULL_IS_REFUSED(nonstop_source_lines(NULL, SHOP, 12, lines, 4, &count), "engine");
    NULL_IS_REFUSED(nonstop_filter_set(NULL, NULL, 0, NULL, 0), "engine");
    NULL_IS_REFUSED(nonstop_code_decide(NULL, &info, &arm, 1, &decision), "engine");
    NULL_IS_REFUSED(nonstop_code_get_probes(NULL, 1, NULL, 0, &count, &epoch), "engine");
    NULL_IS_REFUSED(nonstop_code_forget(NULL, 1), "engine");
    NULL_IS_REFUSED(nonstop_event(NULL, 1, NONSTOP_EVENT_LINE, 3, 7, 1, &site), "engine");
    NULL_IS_REFUSED(nonstop_hit(NULL, 1, 7, NULL, 0, 0, &item, 1, &count), "engine");
    NULL_IS_REFUSED(nonstop_hit_total(NULL, 1, 1), "engine");
    NULL_IS_REFUSED(nonstop_hit_commit(NULL, 1, NONSTOP_TRUE, 0, &item), "engine");
    NULL_IS_REFUSED(nonstop_hit_abandon(NULL, 1), "engine");
    NULL_IS_REFUSED(nonstop_capture_records(NULL, 1, "h", 1), "engine");
    /* The capture is not taken: it can still be freed. */
    NULL_IS_REFUSED(nonstop_capture_send(NULL, capture), "engine");
    NULL_IS_REFUSED(nonstop_channel_receive(NULL, 0, &snapshot), "engine");
    NULL_IS_REFUSED(nonstop_channel_receive_batch(NULL, 0, &batch, 1, &batch_count), "engine");
    NULL_IS_REFUSED(nonstop_channel_close(NULL), "engine");
    NULL_IS_REFUSED(nonstop_channel_get_stats(NULL, &stats), "engine");
    CHECK(nonstop_engine_epoch(NULL) == NULL);
    nonstop_engine_free(NULL);
    nonstop_capture_free(capture);
    nonstop_engine_free(engine);
}

static void every_other_missing_pointer_is_refused_by_name(void)
{
    nonstop_received batch;
    size_t batch_count;
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    const nonstop_breakpoint_id id = add(engine, spec);
    const uint32_t site = site_at(engine, 3);
    const nonstop_ticket ticket = arrive(engine, site).items[0].ticket;
    nonstop_code_info info = total(1);
    nonstop_source source = shop_source();
    nonstop_decision decision = {sizeof decision, 0, 0, 0, 0, 0, 0};
    nonstop_breakpoint_id out_id;
    nonstop_hit_item item;
    nonstop_arm arms[ROOM];
    char buffer[64];
    uint32_t lines[4];
    NULL_IS_REFUSED(nonstop_engine_new(NULL, NULL), "out_engine");
    NULL_IS_REFUSED(nonstop_limits_default(NULL), "out_limits");
    NULL_IS_REFUSED(nonstop_engine_add_path_map(engine, NULL, 2, "/b", 2), "from");
    NULL_IS_REFUSED(nonstop_engine_add_path_map(engine, "/a", 2, NULL, 2), "to");
    NULL_IS_REFUSED(nonstop_breakpoints_add(engine, NULL, 1, &out_id), "specs");
    NULL_IS_REFUSED(nonstop_breakpoints_add(engine, &spec, 1, NULL), "out_ids");
    NULL_IS_REFUSED(nonstop_breakpoints_remove(engine, NULL, 1), "ids");
    NULL_IS_REFUSED(nonstop_breakpoints_set_enabled(engine, NULL, 1, 0), "ids");
    NULL_IS_REFUSED(nonstop_breakpoint_get_report(engine, id, NULL), "out_report");
    NULL_IS_REFUSED(nonstop_breakpoint_reason(engine, id, buffer, sizeof buffer, NULL), "out_len");
    NULL_IS_REFUSED(nonstop_breakpoint_set_state(engine, id, NONSTOP_FAILED, NULL, 3), "reason");
    NULL_IS_REFUSED(nonstop_source_register(engine, NULL, 12, "", 0, &source), "path");
    NULL_IS_REFUSED(nonstop_source_register(engine, SHOP, 12, NULL, 4, &source), "module");
    NULL_IS_REFUSED(nonstop_source_register(engine, SHOP, 12, "", 0, NULL), "source");
    source.scopes = NULL;
    NULL_IS_REFUSED(nonstop_source_register(engine, SHOP, 12, "", 0, &source), "scopes");
    source = shop_source();
    source.blocks = NULL;
    NULL_IS_REFUSED(nonstop_source_register(engine, SHOP, 12, "", 0, &source), "blocks");
    source = shop_source();
    source.units = NULL;
    NULL_IS_REFUSED(nonstop_source_register(engine, SHOP, 12, "", 0, &source), "units");
    NULL_IS_REFUSED(nonstop_source_without_units(engine, NULL, 12, NULL, 0), "path");
    NULL_IS_REFUSED(nonstop_source_lines(engine, NULL, 12, lines, 4, NULL), "path");
    NULL_IS_REFUSED(nonstop_source_lines(engine, SHOP, strlen(SHOP), lines, 4, NULL), "out_count");
    NULL_IS_REFUSED(nonstop_filter_set(engine, NULL, 1, NULL, 0), "rules");
    NULL_IS_REFUSED(nonstop_filter_set(engine, NULL, 0, NULL, 1), "just_my_code");
    NULL_IS_REFUSED(nonstop_code_decide(engine, NULL, arms, ROOM, &decision), "info");
    NULL_IS_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, NULL), "out_decision");
    NULL_IS_REFUSED(nonstop_code_decide(engine, &info, NULL, ROOM, &decision), "arms");
    CHECK_EQUAL(decision.arm_count, 0);
    info.lines = NULL;
    NULL_IS_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), "lines");
    info = total(1);
    info.path.data = NULL;
    NULL_IS_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), "path");
    NULL_IS_REFUSED(nonstop_event(engine, 1, NONSTOP_EVENT_LINE, 3, 7, 1, NULL), "out_site");
    NULL_IS_REFUSED(nonstop_hit(engine, site, 7, NULL, 6, 0, &item, 1, NULL), "thread_name");
    NULL_IS_REFUSED(nonstop_hit(engine, site, 7, NULL, 0, 0, &item, 1, NULL), "out_count");
    NULL_IS_REFUSED(nonstop_hit_commit(engine, ticket, NONSTOP_TRUE, 0, NULL), "out_item");
    NULL_IS_REFUSED(nonstop_capture_records(engine, ticket, NULL, 9), "records");
    NULL_IS_REFUSED(nonstop_channel_receive(engine, 0, NULL), "out_snapshot");
    NULL_IS_REFUSED(nonstop_channel_receive_batch(engine, 0, NULL, 1, &batch_count), "received");
    NULL_IS_REFUSED(nonstop_channel_receive_batch(engine, 0, &batch, 1, NULL), "out_count");
    NULL_IS_REFUSED(nonstop_received_free(NULL, 1), "received");
    NULL_IS_REFUSED(nonstop_channel_get_stats(engine, NULL), "out_stats");
    NULL_IS_REFUSED(nonstop_template_parse(NULL, 3, NULL, 0, NULL), "text");
    NULL_IS_REFUSED(nonstop_template_parse("{a}", 3, NULL, 0, NULL), "out_count");
    spec.location.data = NULL;
    NULL_IS_REFUSED(nonstop_breakpoints_add(engine, &spec, 1, &out_id), "location");
    CHECK_EQUAL(report_of(engine, id).arrivals, 0);
    CHECK_STATUS(send_price(engine, ticket, 1), NONSTOP_CAPTURE);
    CHECK_EQUAL(report_of(engine, id).arrivals, 1);
    nonstop_engine_free(engine);
}

static void a_missing_capture_or_head_is_refused_by_every_function(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_capture_head head;
    nonstop_capture *capture = NULL;
    memset(&head, 0, sizeof head);
    head.reserved = 1;
    CHECK_REFUSED(nonstop_capture_new(1, &head, &capture), NONSTOP_ERROR_INVALID_ARGUMENT, "reserved is 1");
    head.reserved = 0;
    NULL_IS_REFUSED(nonstop_capture_new(1, NULL, &capture), "head");
    NULL_IS_REFUSED(nonstop_capture_new(1, &head, NULL), "out_capture");
    head.task.len = 3;
    NULL_IS_REFUSED(nonstop_capture_new(1, &head, &capture), "task");
    CHECK(capture == NULL);
    NULL_IS_REFUSED(nonstop_capture_frame(NULL, SHOP, 12, 3, "total", 5, 1), "capture");
    NULL_IS_REFUSED(nonstop_capture_expressions(NULL), "capture");
    NULL_IS_REFUSED(nonstop_capture_name(NULL, "a", 1), "capture");
    NULL_IS_REFUSED(nonstop_capture_int(NULL, "int", 3, 1), "capture");
    NULL_IS_REFUSED(nonstop_capture_float(NULL, "float", 5, 1.0), "capture");
    NULL_IS_REFUSED(nonstop_capture_bool(NULL, "bool", 4, 1), "capture");
    NULL_IS_REFUSED(nonstop_capture_none(NULL, "None", 4), "capture");
    NULL_IS_REFUSED(nonstop_capture_text(NULL, "str", 3, "a", 1, -1, NULL, 0), "capture");
    NULL_IS_REFUSED(nonstop_capture_begin(NULL, NONSTOP_ITEMS, "list", 4, 0, -1), "capture");
    NULL_IS_REFUSED(nonstop_capture_end(NULL, NULL, 0), "capture");
    NULL_IS_REFUSED(nonstop_capture_reference(NULL, "list", 4, 1), "capture");
    NULL_IS_REFUSED(nonstop_capture_omitted(NULL, "list", 4, "depth", 5), "capture");
    NULL_IS_REFUSED(nonstop_capture_send(engine, NULL), "capture");
    nonstop_capture_free(NULL);
    nonstop_engine_free(engine);
}

static void a_missing_text_of_a_capture_is_refused_by_name(void)
{
    nonstop_capture *capture = begin_capture(1);
    NULL_IS_REFUSED(nonstop_capture_frame(capture, NULL, 12, 3, "total", 5, 1), "file");
    NULL_IS_REFUSED(nonstop_capture_frame(capture, SHOP, 12, 3, NULL, 5, 1), "function");
    NULL_IS_REFUSED(nonstop_capture_name(capture, NULL, 1), "name");
    NULL_IS_REFUSED(nonstop_capture_int(capture, NULL, 3, 1), "type");
    NULL_IS_REFUSED(nonstop_capture_float(capture, NULL, 5, 1.0), "type");
    NULL_IS_REFUSED(nonstop_capture_bool(capture, NULL, 4, 1), "type");
    NULL_IS_REFUSED(nonstop_capture_none(capture, NULL, 4), "type");
    NULL_IS_REFUSED(nonstop_capture_text(capture, NULL, 3, "a", 1, -1, NULL, 0), "type");
    NULL_IS_REFUSED(nonstop_capture_text(capture, "str", 3, NULL, 1, -1, NULL, 0), "text");
    NULL_IS_REFUSED(nonstop_capture_text(capture, "str", 3, "a", 1, -1, NULL, 1), "cut");
    NULL_IS_REFUSED(nonstop_capture_begin(capture, NONSTOP_ITEMS, NULL, 4, 0, -1), "type");
    NULL_IS_REFUSED(nonstop_capture_end(capture, NULL, 1), "cut");
    NULL_IS_REFUSED(nonstop_capture_reference(capture, NULL, 4, 1), "type");
    NULL_IS_REFUSED(nonstop_capture_omitted(capture, NULL, 4, "depth", 5), "type");
    NULL_IS_REFUSED(nonstop_capture_omitted(capture, "list", 4, NULL, 5), "cut");
    nonstop_capture_free(capture);
}

static void a_missing_snapshot_is_refused(void)
{
    const char *json;
    size_t len;
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_snapshot *snapshot = NULL;
    NULL_IS_REFUSED(nonstop_snapshot_json(NULL, &json, &len), "snapshot");
    CHECK_EQUAL(nonstop_snapshot_breakpoint(NULL), 0);
    CHECK_EQUAL(nonstop_snapshot_action(NULL), NONSTOP_COUNT);
    nonstop_snapshot_free(NULL);
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    send_price(engine, arrive(engine, site_at(engine, 3)).items[0].ticket, 1);
    CHECK_STATUS(nonstop_channel_receive(engine, 0, &snapshot), NONSTOP_OK);
    NULL_IS_REFUSED(nonstop_snapshot_json(snapshot, NULL, &len), "out_json");
    NULL_IS_REFUSED(nonstop_snapshot_json(snapshot, &json, NULL), "out_len");
    nonstop_snapshot_free(snapshot);
    nonstop_engine_free(engine);
}

static void nothing_of_nothing_is_fine(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    CHECK_STATUS(nonstop_breakpoints_add(engine, NULL, 0, NULL), NONSTOP_OK);
    CHECK_STATUS(nonstop_breakpoints_remove(engine, NULL, 0), NONSTOP_OK);
    CHECK_STATUS(nonstop_breakpoints_set_enabled(engine, NULL, 0, 1), NONSTOP_OK);
    nonstop_engine_free(engine);
}

static void a_text_that_is_not_utf8_is_refused_by_name(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_breakpoint_id known = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    const uint32_t site = site_at(engine, 3);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_LOG);
    nonstop_decision decision = {sizeof decision, 0, 0, 0, 0, 0, 0};
    nonstop_source source = shop_source();
    nonstop_scope scopes[2];
    nonstop_filter_rule rule;
    nonstop_code_info info;
    nonstop_breakpoint_id id;
    nonstop_arm arms[ROOM];
    size_t count;
    spec.hit_condition = latin();
    UTF8_IS_REFUSED(nonstop_breakpoints_add(engine, &spec, 1, &id), "breakpoint 0: hit_condition");
    spec = spec_at("shop.py:3", NONSTOP_LOG);
    spec.log_template = latin();
    UTF8_IS_REFUSED(nonstop_breakpoints_add(engine, &spec, 1, &id), "log_template");
    spec = spec_at("shop.py:3", NONSTOP_COUNT);
    spec.thread_name = latin();
    UTF8_IS_REFUSED(nonstop_breakpoints_add(engine, &spec, 1, &id), "thread_name");
    UTF8_IS_REFUSED(nonstop_breakpoint_set_state(engine, known, NONSTOP_FAILED, LATIN, LATIN_LEN), "reason");
    UTF8_IS_REFUSED(nonstop_source_register(engine, SHOP, 12, LATIN, LATIN_LEN, &source), "module");
    memcpy(scopes, source.scopes, sizeof scopes);
    source.scopes = scopes;
    scopes[1].name = latin();
    UTF8_IS_REFUSED(nonstop_source_register(engine, SHOP, 12, "", 0, &source), "scope 1: name");
    scopes[1].name = text("total");
    scopes[1].qualname = latin();
    UTF8_IS_REFUSED(nonstop_source_register(engine, SHOP, 12, "", 0, &source), "scope 1: qualname");
    memset(&rule, 0, sizeof rule);
    rule.struct_size = sizeof rule;
    rule.events = NONSTOP_EVENT_CALL;
    rule.module = latin();
    UTF8_IS_REFUSED(nonstop_filter_set(engine, &rule, 1, NULL, 0), "rule 0: module");
    rule.module = text("");
    rule.function = latin();
    UTF8_IS_REFUSED(nonstop_filter_set(engine, &rule, 1, NULL, 0), "rule 0: function");
    info = total(2);
    info.module = latin();
    UTF8_IS_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), "module");
    info = total(2);
    info.name = latin();
    UTF8_IS_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), "name");
    info = total(2);
    info.qualname = latin();
    UTF8_IS_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), "qualname");
    UTF8_IS_REFUSED(nonstop_hit(engine, site, 7, LATIN, LATIN_LEN, 0, NULL, 0, &count), "thread_name");
    UTF8_IS_REFUSED(nonstop_template_parse(LATIN, LATIN_LEN, NULL, 0, &count), "text");
    CHECK_STATUS(nonstop_code_forget(engine, 2), NONSTOP_ERROR_NOT_FOUND);
    CHECK_EQUAL(report_of(engine, known).arrivals, 0);
    CHECK_EQUAL(report_of(engine, known).state, NONSTOP_BOUND);
    nonstop_engine_free(engine);
}

static void a_text_of_a_capture_that_is_not_utf8_is_refused_by_name(void)
{
    nonstop_capture *capture = NULL;
    nonstop_capture_head head;
    memset(&head, 0, sizeof head);
    head.file = latin();
    UTF8_IS_REFUSED(nonstop_capture_new(1, &head, &capture), "file");
    memset(&head, 0, sizeof head);
    head.function = latin();
    UTF8_IS_REFUSED(nonstop_capture_new(1, &head, &capture), "function");
    memset(&head, 0, sizeof head);
    head.thread_name = latin();
    UTF8_IS_REFUSED(nonstop_capture_new(1, &head, &capture), "thread_name");
    memset(&head, 0, sizeof head);
    head.task = latin();
    UTF8_IS_REFUSED(nonstop_capture_new(1, &head, &capture), "task");
    CHECK(capture == NULL);
    capture = begin_capture(1);
    UTF8_IS_REFUSED(nonstop_capture_frame(capture, LATIN, LATIN_LEN, 3, "total", 5, 1), "file");
    UTF8_IS_REFUSED(nonstop_capture_frame(capture, SHOP, 12, 3, LATIN, LATIN_LEN, 1), "function");
    UTF8_IS_REFUSED(nonstop_capture_name(capture, LATIN, LATIN_LEN), "name");
    UTF8_IS_REFUSED(nonstop_capture_int(capture, LATIN, LATIN_LEN, 1), "type");
    UTF8_IS_REFUSED(nonstop_capture_float(capture, LATIN, LATIN_LEN, 1.0), "type");
    UTF8_IS_REFUSED(nonstop_capture_bool(capture, LATIN, LATIN_LEN, 1), "type");
    UTF8_IS_REFUSED(nonstop_capture_none(capture, LATIN, LATIN_LEN), "type");
    UTF8_IS_REFUSED(nonstop_capture_text(capture, LATIN, LATIN_LEN, "a", 1, -1, NULL, 0), "type");
    UTF8_IS_REFUSED(nonstop_capture_text(capture, "str", 3, LATIN, LATIN_LEN, -1, NULL, 0), "text");
    UTF8_IS_REFUSED(nonstop_capture_text(capture, "str", 3, "a", 1, -1, LATIN, LATIN_LEN), "cut");
    UTF8_IS_REFUSED(nonstop_capture_begin(capture, NONSTOP_ITEMS, LATIN, LATIN_LEN, 0, -1), "type");
    UTF8_IS_REFUSED(nonstop_capture_end(capture, LATIN, LATIN_LEN), "cut");
    UTF8_IS_REFUSED(nonstop_capture_reference(capture, LATIN, LATIN_LEN, 1), "type");
    UTF8_IS_REFUSED(nonstop_capture_omitted(capture, LATIN, LATIN_LEN, "depth", 5), "type");
    UTF8_IS_REFUSED(nonstop_capture_omitted(capture, "list", 4, LATIN, LATIN_LEN), "cut");
    nonstop_capture_free(capture);
}

static void a_path_need_not_be_utf8(void)
{
    static const char path[] = "/app/" LATIN ".py";
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_source source = shop_source();
    nonstop_code_info info = total(1);
    nonstop_decision decision = {sizeof decision, 0, 0, 0, 0, 0, 0};
    nonstop_arm arms[ROOM];
    nonstop_breakpoint_id id = add_at(engine, LATIN ".py:3", NONSTOP_COUNT);
    uint32_t lines[4];
    size_t count;
    info.path = text(path);
    CHECK_STATUS(nonstop_source_register(engine, path, strlen(path), "", 0, &source), NONSTOP_OK);
    CHECK_STATUS(nonstop_source_lines(engine, path, strlen(path), lines, 4, &count), NONSTOP_OK);
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_CAPTURE);
    CHECK_EQUAL(report_of(engine, id).resolved_line, 3);
    CHECK_STATUS(nonstop_engine_add_path_map(engine, "/" LATIN, LATIN_LEN + 1, "/x", 2), NONSTOP_OK);
    nonstop_engine_free(engine);
}

static void a_location_that_is_none_is_refused_and_quoted(void)
{
    static const struct {
        const char *location;
        const char *words;
    } bad[] = {
        {"", "':'"},
        {"shop.py", "shop.py"},
        {":3", "precedes"},
        {"shop.py:", "follows"},
        {"shop.py:0", "start at 1"},
        {"shop.py:-1", "-1"},
        {"shop.py:4294967296", "4294967296"},
        {"shop.py:to tal", "to tal"},
        {"a shop:3", "a shop"},
        {"shop.py:" LATIN, "UTF-8"},
    };
    nonstop_engine *engine = shop_engine(NULL);
    size_t each;
    for (each = 0; each < sizeof bad / sizeof *bad; each++) {
        const nonstop_breakpoint_spec spec = spec_at(bad[each].location, NONSTOP_COUNT);
        nonstop_breakpoint_id id = 9;
        CHECK_REFUSED(nonstop_breakpoints_add(engine, &spec, 1, &id), NONSTOP_ERROR_INVALID_LOCATION, bad[each].words);
        CHECK_EQUAL(id, 9);
    }
    nonstop_engine_free(engine);
}

/* Adds a spec that must be refused. */
static void refuse(const nonstop_engine *engine, nonstop_breakpoint_spec spec, nonstop_status status, const char *words)
{
    nonstop_breakpoint_id id = 9;
    CHECK_REFUSED(nonstop_breakpoints_add(engine, &spec, 1, &id), status, words);
    CHECK_EQUAL(id, 9);
}

static void rules_that_make_no_sense_are_refused_and_quoted(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_breakpoint_spec good = spec_at("shop.py:3", NONSTOP_COUNT);
    nonstop_breakpoint_spec spec = good;
    spec.action = 3;
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "action 3");
    spec = good;
    spec.flags = 4;
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "flags 0x4");
    spec = good;
    spec.reserved = 1;
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "reserved 1");
    spec = good;
    spec.hit_condition = text("=> 3");
    refuse(engine, spec, NONSTOP_ERROR_INVALID_HIT_CONDITION, "=> 3");
    spec.hit_condition = text("% 0");
    refuse(engine, spec, NONSTOP_ERROR_INVALID_HIT_CONDITION, "% 0");
    spec = good;
    spec.action = NONSTOP_LOG;
    spec.log_template = text("{");
    refuse(engine, spec, NONSTOP_ERROR_INVALID_TEMPLATE, "{");
    spec = good;
    spec.thread_id = 7;
    spec.thread_name = text("worker");
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "not both");
    spec = good;
    spec.burst = 2;
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "rate_per_second");
    spec = good;
    spec.rate_per_second = -1;
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "-1");
    spec.rate_per_second = (double)NAN;
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "NaN");
    spec.rate_per_second = (double)INFINITY;
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "inf");
    spec.rate_per_second = 1;
    spec.burst = -2;
    refuse(engine, spec, NONSTOP_ERROR_INVALID_ARGUMENT, "-2");
    nonstop_engine_free(engine);
}

static void a_bad_rate_names_its_element_like_everything_else(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec specs[2];
    nonstop_breakpoint_id ids[2];
    specs[0] = specs[1] = spec_at("shop.py:3", NONSTOP_COUNT);
    specs[1].rate_per_second = -1;
    CHECK_REFUSED(nonstop_breakpoints_add(engine, specs, 2, ids), NONSTOP_ERROR_INVALID_ARGUMENT, "breakpoint 1: ");
    nonstop_engine_free(engine);
}

static void a_unit_table_with_a_bad_row_is_refused_and_names_it(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_source good = shop_source();
    nonstop_source source = good;
    nonstop_scope scopes[2];
    nonstop_block blocks[2];
    nonstop_unit units[4];
    uint32_t lines[4];
    size_t count;
#define RESET()                                                                                           \
    (source = good, source.scopes = scopes, source.blocks = blocks, source.units = units,                 \
     memcpy(scopes, good.scopes, sizeof scopes), memcpy(blocks, good.blocks, sizeof blocks),              \
     memcpy(units, good.units, sizeof units))
#define REFUSED(words)                                                                                    \
    CHECK_REFUSED(nonstop_source_register(engine, "/app/other.py", 13, "", 0, &source),                   \
                  NONSTOP_ERROR_INVALID_ARGUMENT, words)
    RESET();
    scopes[1].kind = 5;
    REFUSED("scope 1: there is no kind of scope 5");
    RESET();
    scopes[1].parent = 2;
    REFUSED("scope 1");
    RESET();
    scopes[1].body_block = 9;
    REFUSED("scope 1");
    RESET();
    scopes[1].reserved = 1;
    REFUSED("scope 1");
    RESET();
    blocks[1].parent = 1;
    REFUSED("block 1");
    RESET();
    blocks[1].scope = 9;
    REFUSED("block 1");
    RESET();
    units[2].kind = 6;
    REFUSED("unit 2: there is no kind of unit 6");
    RESET();
    units[2].block = 2;
    REFUSED("unit 2");
    RESET();
    units[2].scope = 2;
    REFUSED("unit 2");
    RESET();
    units[2].first_line = 0;
    REFUSED("unit 2");
    RESET();
    units[2].last_line = 2;
    REFUSED("unit 2");
    RESET();
    units[2].last_line = 6;
    REFUSED("unit 2");
    RESET();
    units[2].flags = 4;
    REFUSED("unit 2");
    RESET();
    source.scope_count = 0;
    REFUSED("scope");
    RESET();
    source.block_count = 0;
    REFUSED("block");
    RESET();
    source.unit_count = SIZE_MAX;
    REFUSED("impossible count");
#undef REFUSED
#undef RESET
    CHECK_STATUS(nonstop_source_lines(engine, "/app/other.py", 13, lines, 4, &count), NONSTOP_ERROR_NOT_FOUND);
    nonstop_engine_free(engine);
}

static void lines_of_code_are_ascending_each_once(void)
{
    static const uint32_t falling[] = {3, 2}, twice[] = {2, 2};
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_decision decision = {sizeof decision, 0, 0, 0, 0, 0, 0};
    nonstop_code_info info = total(1);
    nonstop_arm arms[ROOM];
    info.line_count = 2;
    info.lines = falling;
    CHECK_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "ascending");
    info.lines = twice;
    CHECK_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "ascending");
    CHECK_STATUS(nonstop_code_forget(engine, 1), NONSTOP_ERROR_NOT_FOUND);
    nonstop_engine_free(engine);
}

static void room_for_fewer_arms_tells_how_many_there_are(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_decision decision = {sizeof decision, 0, 0, 0, 0, 0, 0};
    const nonstop_code_info info = total(1);
    nonstop_arm arms[2];
    memset(arms, 0, sizeof arms);
    add_at(engine, "shop.py:2", NONSTOP_COUNT);
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    CHECK_REFUSED(nonstop_code_decide(engine, &info, arms, 1, &decision), NONSTOP_ERROR_BUFFER_TOO_SMALL, "room for 1");
    CHECK_EQUAL(decision.arm_count, 2);
    CHECK_EQUAL(arms[0].line, 0);
    CHECK_REFUSED(nonstop_code_decide(engine, &info, NULL, 0, &decision), NONSTOP_ERROR_BUFFER_TOO_SMALL, "room for 0");
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, 2, &decision), NONSTOP_CAPTURE);
    CHECK(arms[0].line == 2 && arms[1].line == 3);
    nonstop_engine_free(engine);
}

static void a_text_of_impossible_length_is_refused(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    size_t count;
    CHECK_REFUSED(nonstop_source_without_units(engine, SHOP, SIZE_MAX, NULL, 0), NONSTOP_ERROR_INVALID_ARGUMENT, "path");
    CHECK_REFUSED(nonstop_template_parse("a", SIZE_MAX, NULL, 0, &count), NONSTOP_ERROR_INVALID_ARGUMENT, "text");
    nonstop_engine_free(engine);
}

static void a_path_map_from_nothing_is_refused(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const uint64_t before = epoch_of(engine);
    CHECK_REFUSED(nonstop_engine_add_path_map(engine, "", 0, "/b", 2), NONSTOP_ERROR_INVALID_ARGUMENT, "path map");
    CHECK_EQUAL(epoch_of(engine), before);
    nonstop_engine_free(engine);
}

const test bad_input_tests[] = {
    TEST(a_missing_engine_is_refused_by_every_function),
    TEST(every_other_missing_pointer_is_refused_by_name),
    TEST(a_missing_capture_or_head_is_refused_by_every_function),
    TEST(a_missing_text_of_a_capture_is_refused_by_name),
    TEST(a_missing_snapshot_is_refused),
    TEST(nothing_of_nothing_is_fine),
    TEST(a_text_that_is_not_utf8_is_refused_by_name),
    TEST(a_text_of_a_capture_that_is_not_utf8_is_refused_by_name),
    TEST(a_path_need_not_be_utf8),
    TEST(a_location_that_is_none_is_refused_and_quoted),
    TEST(rules_that_make_no_sense_are_refused_and_quoted),
    TEST(a_bad_rate_names_its_element_like_everything_else),
    TEST(a_unit_table_with_a_bad_row_is_refused_and_names_it),
    TEST(lines_of_code_are_ascending_each_once),
    TEST(room_for_fewer_arms_tells_how_many_there_are),
    TEST(a_text_of_impossible_length_is_refused),
    TEST(a_path_map_from_nothing_is_refused),
    END,
};
