#include "shop.h"

#include <stdlib.h>
#include <string.h>

nonstop_text text(const char *words)
{
    nonstop_text made;
    made.data = words;
    made.len = strlen(words);
    return made;
}

nonstop_source shop_source(void)
{
    /* kind, first and last line, parent, body block, reserved, name, qualified name */
    static const nonstop_scope scopes[] = {
        {NONSTOP_SCOPE_MODULE, 1, 5, 0, 0, 0, {"<module>", 8}, {"<module>", 8}},
        {NONSTOP_SCOPE_FUNCTION, 1, 5, 0, 1, 0, {"total", 5}, {"total", 5}},
    };
    static const nonstop_block blocks[] = {{1, 5, 0, 0}, {2, 5, 0, 1}};
    /* kind, first and last line, block, scope, inner lines, flags */
    static const nonstop_unit units[] = {
        {NONSTOP_UNIT_HEADER, 1, 1, 0, 0, 0, 0, 0},
        {NONSTOP_UNIT_STATEMENT, 2, 2, 1, 1, 0, 0, 0},
        {NONSTOP_UNIT_STATEMENT, 3, 3, 1, 1, 0, 0, 0},
        {NONSTOP_UNIT_STATEMENT, 5, 5, 1, 1, 0, 0, 0},
    };
    nonstop_source source;
    memset(&source, 0, sizeof source);
    source.struct_size = sizeof source;
    source.line_count = 5;
    source.scopes = scopes;
    source.scope_count = sizeof scopes / sizeof *scopes;
    source.blocks = blocks;
    source.block_count = sizeof blocks / sizeof *blocks;
    source.units = units;
    source.unit_count = sizeof units / sizeof *units;
    return source;
}

nonstop_engine *shop_engine(const nonstop_engine_options *options)
{
    const nonstop_source source = shop_source();
    nonstop_engine *engine = NULL;
    CHECK_STATUS(nonstop_engine_new(options, &engine), NONSTOP_OK);
    CHECK_STATUS(nonstop_source_register(engine, SHOP, strlen(SHOP), "shop", 4, &source), NONSTOP_OK);
    return engine;
}

nonstop_code_info total(uint64_t key)
{
    static const uint32_t lines[] = {1, 2, 3, 5};
    nonstop_code_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    info.first_line = 1;
    info.key = key;
    info.path = text(SHOP);
    info.module = text("shop");
    info.name = text("total");
    info.qualname = text("total");
    info.lines = lines;
    info.line_count = sizeof lines / sizeof *lines;
    return info;
}

nonstop_breakpoint_spec spec_at(const char *location, int32_t action)
{
    nonstop_breakpoint_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.action = action;
    spec.location = text(location);
    return spec;
}

nonstop_breakpoint_id add(const nonstop_engine *engine, nonstop_breakpoint_spec spec)
{
    nonstop_breakpoint_id id = 0;
    CHECK_STATUS(nonstop_breakpoints_add(engine, &spec, 1, &id), NONSTOP_OK);
    return id;
}

nonstop_breakpoint_id add_at(const nonstop_engine *engine, const char *location, int32_t action)
{
    return add(engine, spec_at(location, action));
}

uint32_t site_at(const nonstop_engine *engine, uint32_t line)
{
    const nonstop_code_info info = total(1);
    nonstop_arm arms[ROOM];
    nonstop_decision decision;
    size_t arm;
    decision.struct_size = sizeof decision;
    if (!CHECK(nonstop_code_decide(engine, &info, arms, ROOM, &decision) >= 0)) {
        return 0;
    }
    for (arm = 0; arm < decision.arm_count; arm++) {
        if (arms[arm].line == line) {
            return arms[arm].site;
        }
    }
    return 0;
}

arrival arrive(const nonstop_engine *engine, uint32_t site)
{
    arrival found;
    memset(&found, 0, sizeof found);
    found.verdict = nonstop_hit(engine, site, 7, "MainThread", 10, 0, found.items, ROOM, &found.count);
    return found;
}

nonstop_capture *begin_capture(nonstop_ticket ticket)
{
    nonstop_capture_head head;
    nonstop_capture *capture = NULL;
    memset(&head, 0, sizeof head);
    head.line = 3;
    head.file = text(SHOP);
    head.function = text("total");
    head.time_ns = 1700000000000000000U;
    head.thread_id = 7;
    head.thread_name = text("MainThread");
    CHECK_STATUS(nonstop_capture_new(ticket, &head, &capture), NONSTOP_OK);
    CHECK_STATUS(nonstop_capture_frame(capture, SHOP, strlen(SHOP), 3, "total", 5, 1), NONSTOP_OK);
    return capture;
}

nonstop_status send_price(const nonstop_engine *engine, nonstop_ticket ticket, int64_t price)
{
    nonstop_capture *capture = begin_capture(ticket);
    CHECK_STATUS(nonstop_capture_name(capture, "price", 5), NONSTOP_OK);
    CHECK_STATUS(nonstop_capture_int(capture, "int", 3, price), NONSTOP_OK);
    return nonstop_capture_send(engine, capture);
}

char *received(const nonstop_engine *engine)
{
    nonstop_snapshot *snapshot = NULL;
    const char *json = NULL;
    size_t len = 0;
    char *copy;
    if (nonstop_channel_receive(engine, 0, &snapshot) != NONSTOP_OK) {
        return NULL;
    }
    CHECK_STATUS(nonstop_snapshot_json(snapshot, &json, &len), NONSTOP_OK);
    copy = malloc(len + 1);
    if (CHECK(copy != NULL)) {
        memcpy(copy, json, len);
        copy[len] = '\0';
    }
    nonstop_snapshot_free(snapshot);
    return copy;
}

nonstop_breakpoint_report report_of(const nonstop_engine *engine, nonstop_breakpoint_id id)
{
    nonstop_breakpoint_report report;
    memset(&report, 0, sizeof report);
    report.struct_size = sizeof report;
    CHECK_STATUS(nonstop_breakpoint_get_report(engine, id, &report), NONSTOP_OK);
    CHECK_EQUAL(report.arrivals, report.skipped + report.false_conditions + report.errors + report.hits);
    CHECK_EQUAL(report.hits, report.passed + report.limited + report.captured + report.dropped);
    return report;
}

char *reason_of(const nonstop_engine *engine, nonstop_breakpoint_id id)
{
    size_t len = 0;
    char *reason;
    nonstop_status status = nonstop_breakpoint_reason(engine, id, NULL, 0, &len);
    CHECK(status == NONSTOP_ERROR_BUFFER_TOO_SMALL || (status == NONSTOP_OK && len == 0));
    reason = calloc(len + 1, 1);
    if (CHECK(reason != NULL)) {
        CHECK_STATUS(nonstop_breakpoint_reason(engine, id, reason, len, &len), NONSTOP_OK);
    }
    return reason;
}

nonstop_channel_stats stats_of(const nonstop_engine *engine)
{
    nonstop_channel_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    CHECK_STATUS(nonstop_channel_get_stats(engine, &stats), NONSTOP_OK);
    return stats;
}

uint64_t epoch_of(const nonstop_engine *engine)
{
    /* The word changes under our feet: the compiler must read it each time. */
    return *(const volatile uint64_t *)nonstop_engine_epoch(engine);
}
