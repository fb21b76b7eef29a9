/* Code objects with calls in them. The dialect is that of dialect.c, with a call of four steps: WORK is what loads and
 * drops, and CALL has a unit of caches. The function is total of shop.py (shop.h); its line 3 runs over and over.
 */
#include "shop.h"

#include <stdlib.h>
#include <string.h>

enum { WORK, LEAVE, LOOP, SKIP, MORE, TRY, CALL };

/* 0: line 2; 2 and 4: line 3, from 4 back to 2 or on; 6: line 5. Its lines: so many bytes, so many lines on. */
static const char TOTAL[] = {WORK, 0, WORK, 0, LOOP, 2, LEAVE, 0};
static const char TOTAL_LINES[] = {2, 1, 4, 1, 2, 2};

/* The same with a call at line 3: LOOP goes on within the line, past it. */
static const char CALLED[] = {WORK, 0, WORK, 9, WORK, 8, CALL, 1, 0, 0, WORK, 0, WORK, 0, LOOP, 2, LEAVE, 0};

static nonstop_text bytes(const char *data, size_t len)
{
    nonstop_text made;
    made.data = data;
    made.len = len;
    return made;
}

static int is(nonstop_text text, const char *data, size_t len)
{
    return text.len == len && memcmp(text.data, data, len) == 0;
}

static nonstop_dialect_facts facts(void)
{
    /* flow, jump, caches, reserved, flags */
    static const nonstop_opcode opcodes[] = {
        {NONSTOP_FLOW_NEXT, NONSTOP_JUMP_NONE, 0, 0, 0},       {NONSTOP_FLOW_STOP, NONSTOP_JUMP_NONE, 0, 0, 0},
        {NONSTOP_FLOW_BRANCH, NONSTOP_JUMP_BACKWARD, 0, 0, 0}, {NONSTOP_FLOW_JUMP, NONSTOP_JUMP_FORWARD, 0, 0, 0},
        {NONSTOP_FLOW_PREFIX, NONSTOP_JUMP_NONE, 0, 0, 0},     {NONSTOP_FLOW_BLOCK, NONSTOP_JUMP_FORWARD, 0, 0, 0},
        {NONSTOP_FLOW_NEXT, NONSTOP_JUMP_NONE, 1, 0, 0},
    };
    static const nonstop_call_step call[] = {
        {WORK, NONSTOP_OPERAND_HOOK},
        {WORK, NONSTOP_OPERAND_ARGUMENT},
        {CALL, NONSTOP_OPERAND_COUNT},
        {WORK, NONSTOP_OPERAND_ZERO},
    };
    nonstop_dialect_facts made;
    memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    made.line_table = NONSTOP_LINE_TABLE_RANGES;
    made.exception_table = NONSTOP_EXCEPTION_TABLE_BLOCKS;
    made.jump_unit_bytes = 2;
    made.call_length = sizeof call / sizeof *call;
    made.call_stack = 2;
    made.prefix_opcode = MORE;
    made.jump_opcode = SKIP;
    memcpy(made.opcodes, opcodes, sizeof opcodes);
    memcpy(made.call, call, sizeof call);
    return made;
}

static nonstop_dialect *dialect(void)
{
    const nonstop_dialect_facts told = facts();
    nonstop_dialect *made = NULL;
    CHECK_STATUS(nonstop_dialect_new(&told, &made), NONSTOP_OK);
    return made;
}

static nonstop_patch_code code(void)
{
    nonstop_patch_code made;
    memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    made.first_line = 1;
    made.stack_size = 3;
    made.bytecode = bytes(TOTAL, sizeof TOTAL);
    made.line_table = bytes(TOTAL_LINES, sizeof TOTAL_LINES);
    return made;
}

static nonstop_probe probe(uint32_t offset, uint32_t line)
{
    nonstop_probe made;
    memset(&made, 0, sizeof made);
    made.offset = offset;
    made.first_line = line;
    made.last_line = line;
    made.hook = 9;
    made.argument = 8;
    return made;
}

static void a_call_stands_on_the_ways_from_outside(void)
{
    static const char lines[] = {2, 1, 14, 1, 2, 2};
    nonstop_dialect *in = dialect();
    const nonstop_patch_code told = code();
    const nonstop_probe at = probe(2, 3);
    nonstop_patch *patch = NULL;
    nonstop_patch_code made;
    memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    CHECK_STATUS(nonstop_patch_new(in, &told, &at, 1, &patch), NONSTOP_OK);
    /* Nothing is kept of what it was made of. */
    nonstop_dialect_free(in);
    CHECK_STATUS(nonstop_patch_get_code(patch, &made), NONSTOP_OK);
    CHECK_EQUAL(made.struct_size, sizeof made);
    CHECK_EQUAL(made.first_line, 0);
    CHECK_EQUAL(made.stack_size, 5);
    CHECK(is(made.bytecode, CALLED, sizeof CALLED));
    CHECK(is(made.line_table, lines, sizeof lines));
    CHECK_EQUAL(made.exception_table.len, 0);
    nonstop_patch_free(patch);
    nonstop_patch_free(NULL);
}

static void a_unit_that_is_reentered_is_entered_on_each_way(void)
{
    nonstop_dialect *in = dialect();
    const nonstop_patch_code told = code();
    nonstop_probe at = probe(2, 3);
    nonstop_patch *patch = NULL;
    nonstop_patch_code made;
    made.struct_size = sizeof made;
    at.flags = NONSTOP_ARM_REENTERED;
    CHECK_STATUS(nonstop_patch_new(in, &told, &at, 1, &patch), NONSTOP_OK);
    CHECK_STATUS(nonstop_patch_get_code(patch, &made), NONSTOP_OK);
    /* LOOP leads back to the call. */
    CHECK(made.bytecode.len == sizeof CALLED && made.bytecode.data[14] == LOOP && made.bytecode.data[15] == 7);
    nonstop_patch_free(patch);
    nonstop_dialect_free(in);
}

static void offsets_lead_there_and_back(void)
{
    static const uint32_t there[] = {0, 12, 14, 16}, back[] = {0, 2, 2, 2, 2, 2, 2, 4, 6};
    nonstop_dialect *in = dialect();
    const nonstop_patch_code told = code();
    const nonstop_probe at = probe(2, 3);
    nonstop_patch *patch = NULL;
    uint32_t found = 77, unit;
    CHECK_STATUS(nonstop_patch_new(in, &told, &at, 1, &patch), NONSTOP_OK);
    for (unit = 0; unit < 4; unit++) {
        CHECK_STATUS(nonstop_patch_new_offset(patch, 2 * unit, &found), NONSTOP_OK);
        CHECK_EQUAL(found, there[unit]);
    }
    for (unit = 0; unit < 9; unit++) {
        CHECK_STATUS(nonstop_patch_old_offset(patch, 2 * unit, &found), NONSTOP_OK);
        CHECK_EQUAL(found, back[unit]);
    }
    found = 77;
    CHECK_REFUSED(nonstop_patch_new_offset(patch, 8, &found), NONSTOP_ERROR_INVALID_ARGUMENT, "8 is beyond the end");
    CHECK_REFUSED(nonstop_patch_old_offset(patch, 18, &found), NONSTOP_ERROR_INVALID_ARGUMENT, "18 is beyond");
    CHECK_REFUSED(nonstop_patch_old_offset(patch, UINT32_MAX, &found), NONSTOP_ERROR_INVALID_ARGUMENT, "beyond");
    CHECK_EQUAL(found, 77);
    nonstop_patch_free(patch);
    nonstop_dialect_free(in);
}

static void nothing_changes_without_probes(void)
{
    nonstop_dialect *in = dialect();
    const nonstop_patch_code told = code();
    nonstop_patch *patch = NULL;
    nonstop_patch_code made;
    made.struct_size = sizeof made;
    CHECK_STATUS(nonstop_patch_new(in, &told, NULL, 0, &patch), NONSTOP_OK);
    CHECK_STATUS(nonstop_patch_get_code(patch, &made), NONSTOP_OK);
    CHECK(is(made.bytecode, TOTAL, sizeof TOTAL));
    CHECK_EQUAL(made.stack_size, 3);
    nonstop_patch_free(patch);
    nonstop_dialect_free(in);
}

static void probes_that_make_no_sense_are_refused_by_name(void)
{
    nonstop_dialect *in = dialect();
    const nonstop_patch_code told = code();
    nonstop_probe at[2];
    nonstop_patch *patch = NULL;
#define REFUSED(change, words)                                                                      \
    (at[0] = probe(2, 3), at[1] = probe(6, 5), (change),                                            \
     CHECK_REFUSED(nonstop_patch_new(in, &told, at, 2, &patch), NONSTOP_ERROR_INVALID_ARGUMENT, words), \
     CHECK(patch == NULL))
    REFUSED(at[1].offset = 2, "there are two probes at 2");
    REFUSED(at[1].offset = 3, "no instruction begins at 3");
    REFUSED(at[1].offset = 8, "no instruction begins at 8");
    REFUSED(at[1].offset = UINT32_MAX, "no instruction begins at 4294967295");
    REFUSED(at[1].flags = NONSTOP_ARM_NEEDS_THREAD_NAME, "probe 1: the flags are 0x1");
    REFUSED(at[1].flags = 0x80000000U, "probe 1: the flags are 0x80000000");
    REFUSED(at[0].first_line = 0, "probe 0: the lines 0 to 3");
    REFUSED(at[0].last_line = 2, "probe 0: the lines 3 to 2");
    REFUSED(at[0].inner_first = 4, "and 4 to 0 inside");
    REFUSED(at[0].offset = 4, "control does not come to 4 from outside");
#undef REFUSED
    nonstop_dialect_free(in);
}

static void code_that_makes_no_sense_is_refused(void)
{
    static const char cut[] = {WORK, 0, CALL, 0}, astray[] = {LOOP, 9};
    nonstop_dialect *in = dialect();
    nonstop_patch_code told;
    nonstop_patch *patch = NULL;
#define REFUSED(change, words)                                                                              \
    (told = code(), (change),                                                                               \
     CHECK_REFUSED(nonstop_patch_new(in, &told, NULL, 0, &patch), NONSTOP_ERROR_INVALID_ARGUMENT, words),   \
     CHECK(patch == NULL))
    REFUSED(told.bytecode.len = 7, "7 bytes");
    REFUSED(told.bytecode = bytes(cut, sizeof cut), "in the midst of an instruction");
    REFUSED(told.bytecode = bytes(astray, sizeof astray), "at 0 jumps to -16");
    REFUSED(told.line_table.len = 5, "line table");
    REFUSED(told.reserved = 1, "reserved is 1");
    REFUSED(told.bytecode.len = SIZE_MAX, "impossible count");
#undef REFUSED
    told = code();
    told.stack_size = UINT32_MAX;
    {
        const nonstop_probe at = probe(2, 3);
        CHECK_REFUSED(nonstop_patch_new(in, &told, &at, 1, &patch), NONSTOP_ERROR_INVALID_ARGUMENT, "stack");
    }
    told.struct_size = 0;
    CHECK_REFUSED(nonstop_patch_new(in, &told, NULL, 0, &patch), NONSTOP_ERROR_STRUCT_SIZE, "struct_size of code");
    nonstop_dialect_free(in);
}

static void missing_and_misaligned_pointers_are_refused_by_name(void)
{
    nonstop_dialect *in = dialect();
    nonstop_patch_code told = code();
    const nonstop_probe at[2] = {probe(2, 3), probe(6, 5)};
    const nonstop_probe *odd = (const nonstop_probe *)(const void *)((const char *)(const void *)at + 1);
    nonstop_patch *patch = NULL;
    uint32_t offset = 0;
#define REFUSED(call, words) CHECK_REFUSED(call, NONSTOP_ERROR_NULL_POINTER, words)
    REFUSED(nonstop_patch_new(NULL, &told, at, 1, &patch), "dialect");
    REFUSED(nonstop_patch_new(in, NULL, at, 1, &patch), "code");
    REFUSED(nonstop_patch_new(in, &told, NULL, 1, &patch), "probes");
    REFUSED(nonstop_patch_new(in, &told, at, 1, NULL), "out_patch");
    REFUSED(nonstop_patch_get_code(NULL, &told), "patch");
    REFUSED(nonstop_patch_new_offset(NULL, 0, &offset), "patch");
    REFUSED(nonstop_patch_old_offset(NULL, 0, &offset), "patch");
    told.bytecode.data = NULL;
    REFUSED(nonstop_patch_new(in, &told, at, 1, &patch), "bytecode");
    told = code();
    CHECK_REFUSED(nonstop_patch_new(in, &told, odd, 1, &patch), NONSTOP_ERROR_INVALID_ARGUMENT, "probes is misaligned");
    CHECK_REFUSED(nonstop_patch_new(in, &told, at, SIZE_MAX, &patch), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "impossible count");
    CHECK(patch == NULL);
    CHECK_STATUS(nonstop_patch_new(in, &told, at, 2, &patch), NONSTOP_OK);
    REFUSED(nonstop_patch_get_code(patch, NULL), "out_code");
    REFUSED(nonstop_patch_new_offset(patch, 0, NULL), "out_offset");
    REFUSED(nonstop_patch_old_offset(patch, 0, NULL), "out_offset");
    told.struct_size = 1;
    CHECK_REFUSED(nonstop_patch_get_code(patch, &told), NONSTOP_ERROR_STRUCT_SIZE, "out_code");
#undef REFUSED
    nonstop_patch_free(patch);
    nonstop_dialect_free(in);
}

static void a_call_that_makes_no_sense_is_refused_by_name(void)
{
    nonstop_dialect_facts bad;
    nonstop_dialect *made = NULL;
#define REFUSED(change, words)                                                                              \
    (bad = facts(), (change),                                                                               \
     CHECK_REFUSED(nonstop_dialect_new(&bad, &made), NONSTOP_ERROR_INVALID_ARGUMENT, words), CHECK(made == NULL))
    REFUSED(bad.call_length = NONSTOP_CALL_STEPS + 1, "call_length is 9");
    REFUSED(bad.call_stack = 0, "call_stack is 0");
    REFUSED(bad.call[3].operand = 4, "operand of step 3 of the call is 4");
    REFUSED(bad.call[2].opcode = LEAVE, "step 2 of the call is opcode 1");
    REFUSED(bad.call[0].operand = NONSTOP_OPERAND_ZERO, "one step with the operand Hook");
    REFUSED(bad.call[3].operand = NONSTOP_OPERAND_ARGUMENT, "one step with the operand Argument");
    REFUSED(bad.prefix_opcode = WORK, "prefix_opcode is 0");
    REFUSED(bad.jump_opcode = LOOP, "jump_opcode is 2");
    REFUSED(bad.opcodes[SKIP].caches = 1, "jump_opcode is 3");
#undef REFUSED
}

static void a_dialect_without_a_call_only_reads(void)
{
    nonstop_dialect_facts told = facts();
    const nonstop_patch_code total_code = code();
    nonstop_dialect *in = NULL;
    nonstop_patch *patch = NULL;
    /* That of a program from before there were calls. */
    told.struct_size = offsetof(nonstop_dialect_facts, call_length);
    CHECK_STATUS(nonstop_dialect_new(&told, &in), NONSTOP_OK);
    CHECK_REFUSED(nonstop_patch_new(in, &total_code, NULL, 0, &patch), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "does not say how a hook is called");
    CHECK(patch == NULL);
    nonstop_dialect_free(in);
}

static void the_probes_of_a_code_object_are_those_of_its_entries(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    const nonstop_patch_code told = code();
    nonstop_code_info info = total(1);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    nonstop_entry entries[ROOM];
    nonstop_probe probes[ROOM];
    nonstop_patch *patch = NULL;
    nonstop_patch_code made;
    uint64_t epoch = 77;
    size_t count = 0, entry_count = 0, at;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    add_at(engine, "shop.py:5", NONSTOP_COUNT);
    CHECK_STATUS(nonstop_code_get_probes(engine, 1, probes, ROOM, &count, &epoch), NONSTOP_ERROR_NOT_FOUND);
    CHECK(count == 0 && epoch == 77);
    info.lines = NULL;
    info.line_count = 0;
    info.dialect = in;
    info.bytecode = told.bytecode;
    info.line_table = told.line_table;
    memset(&decision, 0, sizeof decision);
    decision.struct_size = sizeof decision;
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_CAPTURE);
    CHECK_STATUS(nonstop_code_get_probes(engine, 1, probes, 1, &count, &epoch), NONSTOP_ERROR_BUFFER_TOO_SMALL);
    CHECK(count == 2 && epoch == 77);
    CHECK_STATUS(nonstop_code_get_probes(engine, 1, NULL, 0, &count, &epoch), NONSTOP_ERROR_BUFFER_TOO_SMALL);
    CHECK_STATUS(nonstop_code_get_probes(engine, 1, probes, ROOM, &count, &epoch), NONSTOP_OK);
    CHECK_EQUAL(epoch, decision.epoch);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, ROOM, &entry_count, &epoch), NONSTOP_OK);
    if (CHECK(count == 2 && entry_count == 2)) {
        for (at = 0; at < count; at++) {
            CHECK(probes[at].offset == entries[at].offset && probes[at].site == entries[at].site);
            CHECK(probes[at].first_line == entries[at].line && probes[at].last_line == entries[at].line);
            CHECK(probes[at].inner_first == 0 && probes[at].inner_last == 0 && probes[at].flags == 0);
            CHECK(probes[at].hook == 0 && probes[at].argument == 0);
            probes[at].hook = 9;
            probes[at].argument = 8;
        }
    }
    /* They are what a patch is made of. */
    CHECK_STATUS(nonstop_patch_new(in, &told, probes, 1, &patch), NONSTOP_OK);
    made.struct_size = sizeof made;
    CHECK_STATUS(nonstop_patch_get_code(patch, &made), NONSTOP_OK);
    CHECK(is(made.bytecode, CALLED, sizeof CALLED));
    nonstop_patch_free(patch);
    CHECK_REFUSED(nonstop_code_get_probes(NULL, 1, probes, ROOM, &count, &epoch), NONSTOP_ERROR_NULL_POINTER, "engine");
    CHECK_REFUSED(nonstop_code_get_probes(engine, 1, probes, ROOM, NULL, &epoch), NONSTOP_ERROR_NULL_POINTER,
                  "out_count");
    CHECK_REFUSED(nonstop_code_get_probes(engine, 1, probes, ROOM, &count, NULL), NONSTOP_ERROR_NULL_POINTER,
                  "out_epoch");
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

const test patch_tests[] = {
    TEST(a_call_stands_on_the_ways_from_outside),
    TEST(a_unit_that_is_reentered_is_entered_on_each_way),
    TEST(offsets_lead_there_and_back),
    TEST(nothing_changes_without_probes),
    TEST(probes_that_make_no_sense_are_refused_by_name),
    TEST(code_that_makes_no_sense_is_refused),
    TEST(missing_and_misaligned_pointers_are_refused_by_name),
    TEST(a_call_that_makes_no_sense_is_refused_by_name),
    TEST(a_dialect_without_a_call_only_reads),
    TEST(the_probes_of_a_code_object_are_those_of_its_entries),
    END,
};
