/* Structs of other versions: a shorter one has zero defaults, a longer one must not set what this library does not know.
 * Each lies in memory of exactly its size, so that a sanitizer or valgrind sees a byte too many.
 */
#include "shop.h"

#include <stdlib.h>
#include <string.h>

/* A struct with a size: a good one, and a call that reads or writes it. */
typedef struct {
    const char *name;
    size_t size;
    int is_written;
    void (*fill)(void *made);
    nonstop_status (*use)(const nonstop_engine *engine, void *given);
} sized;

static void fill_options(void *made)
{
    nonstop_engine_options options = {sizeof options, 2, 1U << 20};
    memcpy(made, &options, sizeof options);
}

static nonstop_status use_options(const nonstop_engine *engine, void *given)
{
    nonstop_engine *other = NULL;
    nonstop_status status = nonstop_engine_new(given, &other);
    (void)engine;
    nonstop_engine_free(other);
    return status;
}

static void fill_nothing(void *made)
{
    (void)made;
}

static nonstop_status use_limits(const nonstop_engine *engine, void *given)
{
    (void)engine;
    return nonstop_limits_default(given);
}

static void fill_spec(void *made)
{
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    spec.hit_condition = text("% 2");
    spec.thread_name = text("worker");
    spec.max_hits = 3;
    spec.rate_per_second = 4;
    spec.burst = 5;
    spec.user_data = 6;
    spec.limits.struct_size = sizeof spec.limits;
    spec.limits.snapshot_bytes = 20000;
    memcpy(made, &spec, sizeof spec);
}

static nonstop_status use_spec(const nonstop_engine *engine, void *given)
{
    nonstop_breakpoint_id id;
    return nonstop_breakpoints_add(engine, given, 1, &id);
}

static nonstop_status use_report(const nonstop_engine *engine, void *given)
{
    return nonstop_breakpoint_get_report(engine, add_at(engine, "shop.py:3", NONSTOP_COUNT), given);
}

static void fill_source(void *made)
{
    const nonstop_source source = shop_source();
    memcpy(made, &source, sizeof source);
}

static nonstop_status use_source(const nonstop_engine *engine, void *given)
{
    return nonstop_source_register(engine, SHOP, strlen(SHOP), "shop", 4, given);
}

static void fill_rule(void *made)
{
    nonstop_filter_rule rule;
    memset(&rule, 0, sizeof rule);
    rule.struct_size = sizeof rule;
    rule.include = 1;
    rule.events = NONSTOP_EVENT_CALL;
    rule.path_glob = text("/app/*");
    rule.function = text("total");
    memcpy(made, &rule, sizeof rule);
}

static nonstop_status use_rule(const nonstop_engine *engine, void *given)
{
    return nonstop_filter_set(engine, given, 1, NULL, 0);
}

static void fill_info(void *made)
{
    const nonstop_code_info info = total(1);
    memcpy(made, &info, sizeof info);
}

static nonstop_status use_info(const nonstop_engine *engine, void *given)
{
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    decision.struct_size = sizeof decision;
    return nonstop_code_decide(engine, given, arms, ROOM, &decision);
}

static nonstop_status use_decision(const nonstop_engine *engine, void *given)
{
    const nonstop_code_info info = total(1);
    nonstop_arm arms[ROOM];
    return nonstop_code_decide(engine, &info, arms, ROOM, given);
}

static void fill_facts(void *made)
{
    nonstop_dialect_facts facts;
    memset(&facts, 0, sizeof facts);
    facts.struct_size = sizeof facts;
    facts.line_table = NONSTOP_LINE_TABLE_LOCATIONS;
    facts.exception_table = NONSTOP_EXCEPTION_TABLE_RANGES;
    facts.jump_unit_bytes = 2;
    facts.opcodes[255].flow = NONSTOP_FLOW_JUMP;
    facts.opcodes[255].jump = NONSTOP_JUMP_ABSOLUTE;
    memcpy(made, &facts, sizeof facts);
}

static nonstop_status use_facts(const nonstop_engine *engine, void *given)
{
    nonstop_dialect *dialect = NULL;
    const nonstop_status status = nonstop_dialect_new(given, &dialect);
    (void)engine;
    nonstop_dialect_free(dialect);
    return status;
}

static void fill_code(void *made)
{
    nonstop_patch_code code;
    memset(&code, 0, sizeof code);
    code.struct_size = sizeof code;
    code.first_line = 1;
    code.stack_size = 1;
    memcpy(made, &code, sizeof code);
}

/* A dialect whose calls are two instructions. */
static nonstop_patch *patch_of(const nonstop_patch_code *given, nonstop_status *status)
{
    nonstop_dialect_facts facts;
    nonstop_dialect *dialect = NULL;
    nonstop_patch *patch = NULL;
    memset(&facts, 0, sizeof facts);
    facts.struct_size = sizeof facts;
    facts.jump_unit_bytes = 2;
    facts.opcodes[254].flow = NONSTOP_FLOW_PREFIX;
    facts.opcodes[255].flow = NONSTOP_FLOW_JUMP;
    facts.opcodes[255].jump = NONSTOP_JUMP_FORWARD;
    facts.call_length = 2;
    facts.call_stack = 1;
    facts.prefix_opcode = 254;
    facts.jump_opcode = 255;
    facts.call[0].operand = NONSTOP_OPERAND_HOOK;
    facts.call[1].operand = NONSTOP_OPERAND_ARGUMENT;
    CHECK_STATUS(nonstop_dialect_new(&facts, &dialect), NONSTOP_OK);
    *status = nonstop_patch_new(dialect, given, NULL, 0, &patch);
    nonstop_dialect_free(dialect);
    return patch;
}

static nonstop_status use_code(const nonstop_engine *engine, void *given)
{
    nonstop_status status;
    (void)engine;
    nonstop_patch_free(patch_of(given, &status));
    return status;
}

static nonstop_status use_patched(const nonstop_engine *engine, void *given)
{
    nonstop_patch_code code;
    nonstop_status status;
    nonstop_patch *patch;
    (void)engine;
    fill_code(&code);
    patch = patch_of(&code, &status);
    status = nonstop_patch_get_code(patch, given);
    nonstop_patch_free(patch);
    return status;
}

static nonstop_status use_stats(const nonstop_engine *engine, void *given)
{
    return nonstop_channel_get_stats(engine, given);
}

static const sized all[] = {
    {"nonstop_engine_options", sizeof(nonstop_engine_options), 0, fill_options, use_options},
    {"nonstop_limits", sizeof(nonstop_limits), 1, fill_nothing, use_limits},
    {"nonstop_breakpoint_spec", sizeof(nonstop_breakpoint_spec), 0, fill_spec, use_spec},
    {"nonstop_breakpoint_report", sizeof(nonstop_breakpoint_report), 1, fill_nothing, use_report},
    {"nonstop_source", sizeof(nonstop_source), 0, fill_source, use_source},
    {"nonstop_filter_rule", sizeof(nonstop_filter_rule), 0, fill_rule, use_rule},
    {"nonstop_code_info", sizeof(nonstop_code_info), 0, fill_info, use_info},
    {"nonstop_decision", sizeof(nonstop_decision), 1, fill_nothing, use_decision},
    {"nonstop_channel_stats", sizeof(nonstop_channel_stats), 1, fill_nothing, use_stats},
    {"nonstop_dialect_facts", sizeof(nonstop_dialect_facts), 0, fill_facts, use_facts},
    {"nonstop_patch_code", sizeof(nonstop_patch_code), 0, fill_code, use_code},
    {"nonstop_patch_code, given", sizeof(nonstop_patch_code), 1, fill_nothing, use_patched},
};

#define ALL (sizeof all / sizeof *all)

/* A good struct, cut to or continued to `size` bytes; every byte beyond the known ones is `rest`. The caller frees it. */
static unsigned char *made(const sized *kind, uint32_t size, int rest)
{
    unsigned char *bytes = malloc(size), *whole = malloc(kind->size);
    if (!CHECK(bytes != NULL && whole != NULL)) {
        abort();
    }
    memset(whole, rest, kind->size);
    memset(bytes, rest, size);
    kind->fill(whole);
    memcpy(bytes, whole, size < kind->size ? size : kind->size);
    memcpy(bytes, &size, sizeof size);
    free(whole);
    return bytes;
}

static void a_size_that_is_none_is_refused(void)
{
    static const uint32_t sizes[] = {0, 1, 3, 65537, UINT32_MAX};
    nonstop_engine *engine = shop_engine(NULL);
    size_t kind, size;
    for (kind = 0; kind < ALL; kind++) {
        for (size = 0; size < sizeof sizes / sizeof *sizes; size++) {
            unsigned char *bytes = made(&all[kind], (uint32_t)all[kind].size, 0);
            memcpy(bytes, &sizes[size], sizeof *sizes);
            CHECK_REFUSED(all[kind].use(engine, bytes), NONSTOP_ERROR_STRUCT_SIZE, "struct_size");
            free(bytes);
        }
    }
    nonstop_engine_free(engine);
}

static void a_longer_struct_with_a_zero_tail_is_as_good(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    size_t kind;
    uint32_t more;
    for (kind = 0; kind < ALL; kind++) {
        for (more = 0; more <= 24; more++) {
            unsigned char *bytes = made(&all[kind], (uint32_t)all[kind].size + more, 0);
            CHECK(all[kind].use(engine, bytes) >= 0);
            free(bytes);
        }
    }
    nonstop_engine_free(engine);
}

static void a_longer_struct_that_sets_unknown_fields_is_refused(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    size_t kind;
    uint32_t at;
    for (kind = 0; kind < ALL; kind++) {
        for (at = 0; at < 16 && !all[kind].is_written; at++) {
            unsigned char *bytes = made(&all[kind], (uint32_t)all[kind].size + 16, 0);
            bytes[all[kind].size + at] = 1;
            CHECK_REFUSED(all[kind].use(engine, bytes), NONSTOP_ERROR_STRUCT_SIZE, "use a newer library");
            free(bytes);
        }
    }
    nonstop_engine_free(engine);
}

static void the_unknown_tail_of_a_written_struct_is_zeroed(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    size_t kind;
    uint32_t at;
    for (kind = 0; kind < ALL; kind++) {
        if (all[kind].is_written) {
            const uint32_t size = (uint32_t)all[kind].size + 16;
            unsigned char *bytes = made(&all[kind], size, 0xee);
            CHECK(all[kind].use(engine, bytes) >= 0);
            CHECK(memcmp(bytes, &size, sizeof size) == 0);
            for (at = (uint32_t)all[kind].size; at < size; at++) {
                CHECK_EQUAL(bytes[at], 0);
            }
            free(bytes);
        }
    }
    nonstop_engine_free(engine);
}

static void a_shorter_struct_is_read_and_written_as_far_as_it_goes(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    size_t kind;
    uint32_t size;
    for (kind = 0; kind < ALL; kind++) {
        for (size = sizeof(uint32_t); size < all[kind].size; size++) {
            unsigned char *bytes = made(&all[kind], size, 0xee);
            const nonstop_status status = all[kind].use(engine, bytes);
            /* What is missing may be what makes sense of it; but the size itself is none to complain about. */
            CHECK(status >= 0 || (!all[kind].is_written && status != NONSTOP_ERROR_STRUCT_SIZE &&
                                  status != NONSTOP_ERROR_INTERNAL));
            CHECK(memcmp(bytes, &size, sizeof size) == 0);
            free(bytes);
        }
    }
    nonstop_engine_free(engine);
}

static void an_old_program_gets_zero_defaults(void)
{
    const sized options = {"", sizeof(nonstop_engine_options), 0, fill_options, use_options};
    const sized spec = {"", sizeof(nonstop_breakpoint_spec), 0, fill_spec, use_spec};
    unsigned char *bytes = made(&options, offsetof(nonstop_engine_options, queue_bytes), 0);
    nonstop_engine *engine = shop_engine((const nonstop_engine_options *)(const void *)bytes);
    nonstop_breakpoint_id ids[2] = {0, 0};
    nonstop_breakpoint_report report;
    uint32_t site;
    int hit;
    free(bytes);
    /* No hit condition, thread, maximum and rate: those fields came later. */
    bytes = made(&spec, offsetof(nonstop_breakpoint_spec, hit_condition), 0);
    CHECK_STATUS(nonstop_breakpoints_add(engine, (const nonstop_breakpoint_spec *)(const void *)bytes, 1, ids),
                 NONSTOP_OK);
    free(bytes);
    site = site_at(engine, 3);
    for (hit = 0; hit < 5; hit++) {
        send_price(engine, arrive(engine, site).items[0].ticket, hit);
    }
    report = report_of(engine, ids[0]);
    CHECK_EQUAL(report.user_data, 0);
    CHECK_EQUAL(report.captured, 2);
    CHECK_EQUAL(report.dropped, 3);
    CHECK_EQUAL(report.arrivals, 5);
    nonstop_engine_free(engine);
}

static void the_elements_of_an_array_are_as_long_as_the_first_says(void)
{
    /* Also sizes that leave the second element misaligned. */
    static const uint32_t sizes[] = {offsetof(nonstop_breakpoint_spec, hit_condition),
                                     offsetof(nonstop_breakpoint_spec, hit_condition) + 1,
                                     offsetof(nonstop_breakpoint_spec, limits), sizeof(nonstop_breakpoint_spec),
                                     sizeof(nonstop_breakpoint_spec) + 3, sizeof(nonstop_breakpoint_spec) + 8};
    const sized *kind = &all[2];
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id ids[2];
    size_t each;
    for (each = 0; each < sizeof sizes / sizeof *sizes; each++) {
        const uint32_t size = sizes[each];
        unsigned char *first = made(kind, size, 0), *two = malloc((size_t)2 * size);
        if (CHECK(two != NULL)) {
            memcpy(two, first, size);
            memcpy(two + size, first, size);
            CHECK_STATUS(nonstop_breakpoints_add(engine, (const nonstop_breakpoint_spec *)(const void *)two, 2, ids),
                         NONSTOP_OK);
            CHECK_EQUAL(report_of(engine, ids[1]).requested_line, 3);
            CHECK_STATUS(nonstop_breakpoints_remove(engine, ids, 2), NONSTOP_OK);
        }
        free(two);
        free(first);
    }
    nonstop_engine_free(engine);
}

static void elements_of_different_sizes_are_refused(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec specs[2];
    nonstop_filter_rule rules[2];
    nonstop_breakpoint_id ids[2];
    fill_spec(&specs[0]);
    fill_spec(&specs[1]);
    specs[1].struct_size += 8;
    CHECK_REFUSED(nonstop_breakpoints_add(engine, specs, 2, ids), NONSTOP_ERROR_STRUCT_SIZE, "breakpoint 1: ");
    specs[1].struct_size = 0;
    CHECK_REFUSED(nonstop_breakpoints_add(engine, specs, 2, ids), NONSTOP_ERROR_STRUCT_SIZE, "breakpoint 1: ");
    fill_rule(&rules[0]);
    fill_rule(&rules[1]);
    rules[1].struct_size += 8;
    CHECK_REFUSED(nonstop_filter_set(engine, rules, 2, NULL, 0), NONSTOP_ERROR_STRUCT_SIZE, "rule 1: ");
    nonstop_engine_free(engine);
}

static void the_default_limits_are_the_documented_ones(void)
{
    nonstop_limits limits;
    limits.struct_size = sizeof limits;
    CHECK_STATUS(nonstop_limits_default(&limits), NONSTOP_OK);
    CHECK_EQUAL(limits.struct_size, sizeof limits);
    CHECK_EQUAL(limits.depth, 3);
    CHECK_EQUAL(limits.items, 25);
    CHECK_EQUAL(limits.named_items, 100);
    CHECK_EQUAL(limits.text_chars, 256);
    CHECK_EQUAL(limits.named_text_chars, 4096);
    CHECK_EQUAL(limits.fields, 50);
    CHECK_EQUAL(limits.frames, 20);
    CHECK_EQUAL(limits.frames_with_locals, 4);
    CHECK_EQUAL(limits.snapshot_bytes, 65536);
}

const test struct_tests[] = {
    TEST(a_size_that_is_none_is_refused),
    TEST(a_longer_struct_with_a_zero_tail_is_as_good),
    TEST(a_longer_struct_that_sets_unknown_fields_is_refused),
    TEST(the_unknown_tail_of_a_written_struct_is_zeroed),
    TEST(a_shorter_struct_is_read_and_written_as_far_as_it_goes),
    TEST(an_old_program_gets_zero_defaults),
    TEST(the_elements_of_an_array_are_as_long_as_the_first_says),
    TEST(elements_of_different_sizes_are_refused),
    TEST(the_default_limits_are_the_documented_ones),
    END,
};
