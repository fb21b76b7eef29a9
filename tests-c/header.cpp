// The header as C++11 has it: a tool in that language links the library and goes from a breakpoint to its snapshot. Built and
// run by tests/c_program.rs; a program of its own, not part of the C one.
#include "nonstop.h"

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

namespace {

struct Free {
    void operator()(nonstop_engine *engine) const { nonstop_engine_free(engine); }
    void operator()(nonstop_snapshot *snapshot) const { nonstop_snapshot_free(snapshot); }
};

nonstop_text text(const char *words)
{
    return {words, std::strlen(words)};
}

std::string last_error()
{
    std::string detail(nonstop_last_error(nullptr, 0) + 1, '\0');
    nonstop_last_error(&detail[0], detail.size());
    return detail;
}

// The first call that fails ends it.
bool fine(nonstop_status status, const char *call)
{
    if (status >= 0) {
        return true;
    }
    std::printf("%s: %s: %s\n", call, nonstop_status_name(status), last_error().c_str());
    return false;
}

#define FINE(call) fine(call, #call)

bool breakpoint_to_snapshot()
{
    nonstop_engine *made = nullptr;
    if (!FINE(nonstop_engine_new(nullptr, &made))) {
        return false;
    }
    const std::unique_ptr<nonstop_engine, Free> engine(made);

    nonstop_breakpoint_spec spec = nonstop_breakpoint_spec();
    spec.struct_size = sizeof spec;
    spec.action = NONSTOP_SNAPSHOT;
    spec.location = text("scripts/init.lua:12");
    nonstop_breakpoint_id id = 0;

    const uint32_t lines[] = {10, 12};
    nonstop_code_info info = nonstop_code_info();
    info.struct_size = sizeof info;
    info.key = 1;
    info.first_line = 10;
    info.path = text("/game/scripts/init.lua");
    info.name = text("update");
    info.lines = lines;
    info.line_count = 2;
    nonstop_decision decision = nonstop_decision();
    decision.struct_size = sizeof decision;
    nonstop_arm arm;
    nonstop_hit_item item;
    size_t count = 0;
    if (!FINE(nonstop_breakpoints_add(engine.get(), &spec, 1, &id)) ||
        !FINE(nonstop_source_without_units(engine.get(), info.path.data, info.path.len, nullptr, 0)) ||
        !FINE(nonstop_code_decide(engine.get(), &info, &arm, 1, &decision)) || decision.arm_count != 1 ||
        nonstop_hit(engine.get(), arm.site, 1, nullptr, 0, 0, &item, 1, &count) != NONSTOP_CAPTURE || count != 1) {
        return false;
    }

    nonstop_capture_head head = nonstop_capture_head();
    head.line = 12;
    head.file = info.path;
    head.function = info.name;
    nonstop_capture *capture = nullptr;
    nonstop_snapshot *received = nullptr;
    if (!FINE(nonstop_capture_new(item.ticket, &head, &capture)) || !FINE(nonstop_capture_expressions(capture)) ||
        !FINE(nonstop_capture_name(capture, "speed", 5)) || !FINE(nonstop_capture_float(capture, "number", 6, 0.5)) ||
        nonstop_capture_send(engine.get(), capture) != NONSTOP_CAPTURE ||
        !FINE(nonstop_channel_receive(engine.get(), 0, &received))) {
        return false;
    }
    const std::unique_ptr<nonstop_snapshot, Free> snapshot(received);
    const char *json = nullptr;
    size_t len = 0;
    if (!FINE(nonstop_snapshot_json(snapshot.get(), &json, &len)) ||
        nonstop_snapshot_breakpoint(snapshot.get()) != id) {
        return false;
    }
    return std::string(json, len).find("\"speed\":{\"type\":\"number\",\"value\":0.5}") != std::string::npos;
}

}  // namespace

int main()
{
    const bool passed = nonstop_abi_version() == NONSTOP_ABI_VERSION && breakpoint_to_snapshot();
    std::printf("%d passed, %d failed\n", passed ? 1 : 0, passed ? 0 : 1);
    return passed ? 0 : 1;
}
