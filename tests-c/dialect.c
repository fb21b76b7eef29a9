/* Code objects whose bytecode is told: dialects, lines, entries. The dialect here is none of Python's: seven opcodes, lines as
 * pairs of bytes, jumps in units of two bytes. The function is total of shop.py (shop.h); its line 3 runs over and over, like a
 * `while` with its body on the same line.
 */
#include "shop.h"

#include <string.h>

enum { WORK, LEAVE, LOOP, SKIP, MORE, TRY, CACHED };

/* 0: line 2; 2 and 4: line 3, from 4 back to 2 or on; 6: line 5. */
static const char TOTAL[] = {WORK, 0, WORK, 0, LOOP, 2, LEAVE, 0};
static const char TOTAL_LINES[] = {0, 1, 2, 1, 4, 2};

static nonstop_text bytes(const char *data, size_t len)
{
    nonstop_text made;
    made.data = data;
    made.len = len;
    return made;
}

static nonstop_dialect_facts facts(void)
{
    /* flow, jump, caches, reserved, flags */
    static const nonstop_opcode opcodes[] = {
        {NONSTOP_FLOW_NEXT, NONSTOP_JUMP_NONE, 0, 0, 0},        {NONSTOP_FLOW_STOP, NONSTOP_JUMP_NONE, 0, 0, 0},
        {NONSTOP_FLOW_BRANCH, NONSTOP_JUMP_BACKWARD, 0, 0, 0},  {NONSTOP_FLOW_JUMP, NONSTOP_JUMP_FORWARD, 0, 0, 0},
        {NONSTOP_FLOW_PREFIX, NONSTOP_JUMP_NONE, 0, 0, 0},      {NONSTOP_FLOW_BLOCK, NONSTOP_JUMP_FORWARD, 0, 0, 0},
        {NONSTOP_FLOW_NEXT, NONSTOP_JUMP_NONE, 2, 0, 0},
    };
    nonstop_dialect_facts made;
    memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    made.line_table = NONSTOP_LINE_TABLE_LNOTAB;
    made.exception_table = NONSTOP_EXCEPTION_TABLE_BLOCKS;
    made.jump_unit_bytes = 2;
    memcpy(made.opcodes, opcodes, sizeof opcodes);
    return made;
}

static nonstop_dialect *dialect(void)
{
    const nonstop_dialect_facts told = facts();
    nonstop_dialect *made = NULL;
    CHECK_STATUS(nonstop_dialect_new(&told, &made), NONSTOP_OK);
    return made;
}

/* The function total, by its bytecode. */
static nonstop_code_info told(uint64_t key, const nonstop_dialect *in)
{
    nonstop_code_info info = total(key);
    info.lines = NULL;
    info.line_count = 0;
    info.dialect = in;
    info.bytecode = bytes(TOTAL, sizeof TOTAL);
    info.line_table = bytes(TOTAL_LINES, sizeof TOTAL_LINES);
    return info;
}

/* Decides it; the arms go to room for ROOM. */
static nonstop_decision decided(const nonstop_engine *engine, nonstop_code_info info, nonstop_arm *arms)
{
    nonstop_decision decision;
    memset(&decision, 0, sizeof decision);
    decision.struct_size = sizeof decision;
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_CAPTURE);
    return decision;
}

static void a_dialect_is_made_and_freed(void)
{
    nonstop_dialect *made = dialect();
    CHECK(made != NULL);
    nonstop_dialect_free(made);
    nonstop_dialect_free(NULL);
}

static void facts_that_make_no_sense_are_refused_by_name(void)
{
    nonstop_dialect_facts bad;
    nonstop_dialect *made = NULL;
#define REFUSED(change, words)                                                                                \
    (bad = facts(), (change),                                                                                 \
     CHECK_REFUSED(nonstop_dialect_new(&bad, &made), NONSTOP_ERROR_INVALID_ARGUMENT, (words)), CHECK(made == NULL))
    REFUSED(bad.line_table = 4, "line_table is 4");
    REFUSED(bad.line_table = -1, "line_table is -1");
    REFUSED(bad.exception_table = 2, "exception_table is 2");
    REFUSED(bad.jump_unit_bytes = 0, "jump_unit_bytes is 0");
    REFUSED(bad.jump_unit_bytes = 4, "jump_unit_bytes is 4");
    REFUSED(bad.flags = 2, "flags of a dialect are 2");
    REFUSED(bad.opcodes[200].flow = 6, "flow of opcode 200 is 6");
    REFUSED(bad.opcodes[255].jump = 4, "jump of opcode 255 is 4");
    REFUSED(bad.opcodes[9].flags = 0x80000000U, "opcode 9 has the flags 0x80000000");
    REFUSED(bad.opcodes[9].reserved = 1, "opcode 9 has the flags 0x0 and reserved is 1");
    REFUSED(bad.opcodes[LOOP].jump = NONSTOP_JUMP_NONE, "opcode 2 has the flow 1 and the jump 0");
    REFUSED(bad.opcodes[WORK].jump = NONSTOP_JUMP_ABSOLUTE, "opcode 0 has the flow 0 and the jump 3");
    REFUSED(bad.opcodes[LEAVE].jump = NONSTOP_JUMP_FORWARD, "opcode 1 has the flow 3 and the jump 1");
#undef REFUSED
    bad = facts();
    CHECK_REFUSED(nonstop_dialect_new(NULL, &made), NONSTOP_ERROR_NULL_POINTER, "facts");
    CHECK_REFUSED(nonstop_dialect_new(&bad, NULL), NONSTOP_ERROR_NULL_POINTER, "out_dialect");
    CHECK(made == NULL);
}

static void lines_are_those_that_can_run(void)
{
    /* 2 and 4 stand behind what leaves: line 3 can't run. */
    static const char dead[] = {LEAVE, 0, WORK, 0, LEAVE, 0};
    static const char dead_lines[] = {0, 1, 2, 1};
    nonstop_dialect *in = dialect();
    const nonstop_text none = bytes(NULL, 0);
    const nonstop_text code = bytes(TOTAL, sizeof TOTAL), table = bytes(TOTAL_LINES, sizeof TOTAL_LINES);
    uint32_t lines[4] = {9, 9, 9, 9};
    size_t count = 9;
    CHECK_STATUS(nonstop_dialect_lines(in, code, table, none, 1, lines, 4, &count), NONSTOP_OK);
    CHECK(count == 3 && lines[0] == 2 && lines[1] == 3 && lines[2] == 5 && lines[3] == 9);
    /* They are counted from the first line. */
    CHECK_STATUS(nonstop_dialect_lines(in, code, table, none, 41, lines, 4, &count), NONSTOP_OK);
    CHECK(count == 3 && lines[0] == 42);
    CHECK_STATUS(nonstop_dialect_lines(in, bytes(dead, sizeof dead), bytes(dead_lines, sizeof dead_lines), none, 1,
                                       lines, 4, &count),
                 NONSTOP_OK);
    CHECK(count == 1 && lines[0] == 2);
    count = 9;
    CHECK_STATUS(nonstop_dialect_lines(in, code, table, none, 1, lines, 2, &count), NONSTOP_ERROR_BUFFER_TOO_SMALL);
    CHECK_EQUAL(count, 3);
    CHECK_STATUS(nonstop_dialect_lines(in, code, table, none, 1, NULL, 0, &count), NONSTOP_ERROR_BUFFER_TOO_SMALL);
    CHECK_STATUS(nonstop_dialect_lines(in, none, none, none, 1, NULL, 0, &count), NONSTOP_OK);
    CHECK_EQUAL(count, 0);
    CHECK_REFUSED(nonstop_dialect_lines(NULL, code, table, none, 1, lines, 4, &count), NONSTOP_ERROR_NULL_POINTER,
                  "dialect");
    CHECK_REFUSED(nonstop_dialect_lines(in, code, table, none, 1, lines, 4, NULL), NONSTOP_ERROR_NULL_POINTER,
                  "out_count");
    nonstop_dialect_free(in);
}

static void bytes_that_are_no_bytecode_are_refused_and_said_why(void)
{
    static const char astray[] = {LOOP, 9}, between[] = {CACHED, 0, 0, 0, 0, 0, LOOP, 2}, cut[] = {0, 1, 2};
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_code_info info = told(1, in);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    memset(&decision, 0, sizeof decision);
    decision.struct_size = sizeof decision;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
#define REFUSED(words)                                                                                    \
    CHECK_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_ERROR_INVALID_ARGUMENT, words)
    info.bytecode = bytes(TOTAL, sizeof TOTAL - 1);
    REFUSED("7 bytes");
    info.bytecode = bytes(astray, sizeof astray);
    REFUSED("at 0 jumps to -16");
    info.bytecode = bytes(between, sizeof between);
    REFUSED("at 6 jumps to 4");
    info = told(1, in);
    info.line_table = bytes(cut, sizeof cut);
    REFUSED("line table");
#undef REFUSED
    info = told(1, in);
    info.bytecode.data = NULL;
    CHECK_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_ERROR_NULL_POINTER, "bytecode");
    CHECK_EQUAL(decision.arm_count, 0);
    CHECK_STATUS(nonstop_code_forget(engine, 1), NONSTOP_ERROR_NOT_FOUND);
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

static void lines_and_entries_are_read_from_the_bytecode(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_breakpoint_spec named = spec_at("shop.py:5", NONSTOP_COUNT);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    nonstop_entry entries[ROOM];
    uint64_t epoch = 0;
    size_t count = 0;
    add_at(engine, "shop.py:2", NONSTOP_COUNT);
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    named.thread_name = text("worker");
    add(engine, named);
    decision = decided(engine, told(1, in), arms);
    CHECK_EQUAL(decision.flags, 0);
    CHECK(decision.arm_count == 3 && arms[0].line == 2 && arms[1].line == 3 && arms[2].line == 5);
    CHECK_EQUAL(decision.entry_count, 3);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, ROOM, &count, &epoch), NONSTOP_OK);
    CHECK_EQUAL(epoch, decision.epoch);
    if (CHECK_EQUAL(count, 3)) {
        CHECK(entries[0].offset == 0 && entries[0].line == 2 && entries[0].site == arms[0].site);
        CHECK_EQUAL(entries[0].flags, NONSTOP_ENTRY_ONLY_COUNTS);
        CHECK(entries[1].offset == 2 && entries[1].line == 3 && entries[1].site == arms[1].site);
        CHECK_EQUAL(entries[1].flags, NONSTOP_ENTRY_MIXED | NONSTOP_ENTRY_ONLY_COUNTS);
        CHECK(entries[2].offset == 6 && entries[2].line == 5 && entries[2].site == arms[2].site);
        CHECK_EQUAL(entries[2].flags, NONSTOP_ARM_NEEDS_THREAD_NAME);
    }
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

static void single_instructions_show_what_lines_would_not(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    nonstop_entry entries[ROOM];
    uint64_t epoch = 0;
    size_t count = 0;
    int at;
    add_at(engine, "shop.py:2", NONSTOP_COUNT);
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    add_at(engine, "shop.py:5", NONSTOP_COUNT);
    decision = decided(engine, told(1, in), arms);
    CHECK_STATUS(nonstop_code_get_instructions(engine, 1, entries, ROOM, &count, &epoch), NONSTOP_OK);
    CHECK_EQUAL(epoch, decision.epoch);
    if (CHECK_EQUAL(count, 3)) {
        /* The loop at line 3 is entered from line 2 and, from inside, by a branch of its own. */
        CHECK(entries[0].offset == 0 && entries[0].line == 2 && entries[0].site == arms[0].site);
        CHECK(entries[1].offset == 2 && entries[1].line == 3 && entries[1].flags & NONSTOP_ENTRY_MIXED);
        CHECK(entries[2].offset == 6 && entries[2].line == 5 && entries[2].site == arms[2].site);
        for (at = 0; at < 3; at++) CHECK_EQUAL(entries[at].flags & NONSTOP_ENTRY_HIDDEN, 0);
    }
    CHECK_STATUS(nonstop_code_get_instructions(engine, 1, entries, 1, &count, &epoch),
                 NONSTOP_ERROR_BUFFER_TOO_SMALL);
    CHECK_EQUAL(count, 3);
    CHECK_STATUS(nonstop_code_get_instructions(engine, 9, entries, ROOM, &count, &epoch), NONSTOP_ERROR_NOT_FOUND);
    CHECK_REFUSED(nonstop_code_get_instructions(engine, 1, entries, ROOM, &count, NULL), NONSTOP_ERROR_NULL_POINTER,
                  "out_epoch");
    CHECK_REFUSED(nonstop_code_get_instructions(NULL, 1, entries, ROOM, &count, &epoch), NONSTOP_ERROR_NULL_POINTER,
                  "engine");
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

static void an_entry_is_where_the_prefixes_begin(void)
{
    /* Line 2, then line 3 with an argument of two bytes. */
    static const char code[] = {WORK, 0, MORE, 1, WORK, 0, LEAVE, 0};
    static const char lines[] = {0, 1, 2, 1};
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_code_info info = told(1, in);
    nonstop_arm arms[ROOM];
    nonstop_entry entry;
    uint64_t epoch;
    size_t count;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    info.bytecode = bytes(code, sizeof code);
    info.line_table = bytes(lines, sizeof lines);
    decided(engine, info, arms);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, &entry, 1, &count, &epoch), NONSTOP_OK);
    CHECK(count == 1 && entry.offset == 2 && entry.line == 3);
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

static void room_for_fewer_entries_tells_how_many_there_are(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_arm arms[ROOM];
    nonstop_entry entries[2];
    uint64_t epoch = 77;
    size_t count = 0;
    memset(entries, 0, sizeof entries);
    add_at(engine, "shop.py:2", NONSTOP_COUNT);
    add_at(engine, "shop.py:5", NONSTOP_COUNT);
    decided(engine, told(1, in), arms);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, 1, &count, &epoch), NONSTOP_ERROR_BUFFER_TOO_SMALL);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(epoch, 77);
    CHECK_EQUAL(entries[0].line, 0);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, NULL, 0, &count, &epoch), NONSTOP_ERROR_BUFFER_TOO_SMALL);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, 2, &count, &epoch), NONSTOP_OK);
    CHECK(count == 2 && entries[0].line == 2 && entries[1].line == 5);
    CHECK_REFUSED(nonstop_code_get_entries(engine, 1, entries, 2, NULL, &epoch), NONSTOP_ERROR_NULL_POINTER,
                  "out_count");
    CHECK_REFUSED(nonstop_code_get_entries(engine, 1, entries, 2, &count, NULL), NONSTOP_ERROR_NULL_POINTER,
                  "out_epoch");
    CHECK_REFUSED(nonstop_code_get_entries(NULL, 1, entries, 2, &count, &epoch), NONSTOP_ERROR_NULL_POINTER, "engine");
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

static void code_that_was_not_decided_has_no_entries(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_arm arms[ROOM];
    nonstop_entry entries[ROOM];
    uint64_t epoch = 0;
    int32_t inside = 9;
    size_t count = 0;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, ROOM, &count, &epoch), NONSTOP_ERROR_NOT_FOUND);
    decided(engine, told(1, in), arms);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, ROOM, &count, &epoch), NONSTOP_OK);
    CHECK_STATUS(nonstop_code_forget(engine, 1), NONSTOP_OK);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, ROOM, &count, &epoch), NONSTOP_ERROR_NOT_FOUND);
    CHECK_STATUS(nonstop_code_is_inside(engine, 1, arms[0].site, 2, &inside), NONSTOP_ERROR_NOT_FOUND);
    CHECK_EQUAL(inside, 9);
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

static void code_that_told_its_lines_only_has_arms_but_no_entries(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    nonstop_entry entries[ROOM];
    uint64_t epoch = 0;
    int32_t inside;
    size_t count = 9;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    decision = decided(engine, total(1), arms);
    CHECK_EQUAL(decision.arm_count, 1);
    CHECK_EQUAL(decision.entry_count, 0);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, ROOM, &count, &epoch), NONSTOP_OK);
    CHECK_EQUAL(count, 0);
    CHECK_STATUS(nonstop_code_is_inside(engine, 1, arms[0].site, 2, &inside), NONSTOP_ERROR_NOT_FOUND);
    nonstop_engine_free(engine);
}

static void what_is_inside_of_a_unit_is_told_by_offset(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_arm arms[ROOM];
    int32_t inside = 9;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    decided(engine, told(1, in), arms);
    CHECK_STATUS(nonstop_code_is_inside(engine, 1, arms[0].site, 0, &inside), NONSTOP_OK);
    CHECK_EQUAL(inside, 0);
    CHECK_STATUS(nonstop_code_is_inside(engine, 1, arms[0].site, 2, &inside), NONSTOP_OK);
    CHECK_EQUAL(inside, 1);
    CHECK_STATUS(nonstop_code_is_inside(engine, 1, arms[0].site, 4, &inside), NONSTOP_OK);
    CHECK_EQUAL(inside, 1);
    CHECK_STATUS(nonstop_code_is_inside(engine, 1, arms[0].site, 6, &inside), NONSTOP_OK);
    CHECK_EQUAL(inside, 0);
    /* No other unit of the function is armed. */
    CHECK_STATUS(nonstop_code_is_inside(engine, 1, arms[0].site + 1, 2, &inside), NONSTOP_ERROR_NOT_FOUND);
    CHECK_REFUSED(nonstop_code_is_inside(engine, 1, arms[0].site, 2, NULL), NONSTOP_ERROR_NULL_POINTER, "out_inside");
    CHECK_REFUSED(nonstop_code_is_inside(NULL, 1, arms[0].site, 2, &inside), NONSTOP_ERROR_NULL_POINTER, "engine");
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

static void the_engine_needs_neither_dialect_nor_bytes_again(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_code_info info = total(1);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    nonstop_entry entries[ROOM];
    uint64_t epoch = 0;
    size_t count = 0;
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    decided(engine, told(1, in), arms);
    nonstop_dialect_free(in);
    add_at(engine, "shop.py:5", NONSTOP_COUNT);
    info.lines = NULL;
    info.line_count = 0;
    decision = decided(engine, info, arms);
    CHECK_EQUAL(decision.flags, 0);
    CHECK_EQUAL(decision.entry_count, 2);
    CHECK_STATUS(nonstop_code_get_entries(engine, 1, entries, ROOM, &count, &epoch), NONSTOP_OK);
    CHECK(count == 2 && entries[0].offset == 2 && entries[1].offset == 6);
    CHECK_EQUAL(epoch, epoch_of(engine));
    nonstop_engine_free(engine);
}

static void a_unit_that_control_never_enters_is_not_armed(void)
{
    /* Line 2 leaves: line 3 behind it can't run. */
    static const char code[] = {WORK, 0, LEAVE, 0, WORK, 0, LEAVE, 0};
    static const char lines[] = {0, 1, 4, 1};
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_dialect *in = dialect();
    nonstop_code_info info = told(1, in);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    add_at(engine, "shop.py:2", NONSTOP_COUNT);
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    info.bytecode = bytes(code, sizeof code);
    info.line_table = bytes(lines, sizeof lines);
    decision = decided(engine, info, arms);
    CHECK(decision.arm_count == 1 && arms[0].line == 2);
    CHECK_EQUAL(decision.entry_count, 1);
    nonstop_dialect_free(in);
    nonstop_engine_free(engine);
}

static void a_program_from_before_dialects_goes_on(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_code_info info = total(1);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    add_at(engine, "shop.py:3", NONSTOP_COUNT);
    /* What lies behind its structs is not its own: nothing is read or written there. */
    info.struct_size = offsetof(nonstop_code_info, dialect);
    memset((char *)&info + info.struct_size, 0x5a, sizeof info - info.struct_size);
    memset(&decision, 0x5a, sizeof decision);
    decision.struct_size = offsetof(nonstop_decision, entry_count);
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_CAPTURE);
    CHECK(decision.arm_count == 1 && arms[0].line == 3);
    CHECK_EQUAL(decision.entry_count, (size_t)0x5a5a5a5a5a5a5a5aU);
    nonstop_engine_free(engine);
}

static void code_of_another_source_has_its_lines_for_units(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_code_info info = total(1);
    nonstop_decision decision;
    nonstop_arm arms[ROOM];
    add_at(engine, "shop.py:4", NONSTOP_COUNT);
    /* By the source that is registered, the blank line 4 moves on to 5. */
    decision = decided(engine, info, arms);
    CHECK(decision.arm_count == 1 && arms[0].line == 5);
    info.key = 2;
    info.flags = NONSTOP_CODE_OF_OTHER_SOURCE;
    decision.struct_size = sizeof decision;
    CHECK_STATUS(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_IGNORE);
    CHECK_EQUAL(decision.arm_count, 0);
    add_at(engine, "shop.py:2", NONSTOP_COUNT);
    decision = decided(engine, info, arms);
    CHECK(decision.arm_count == 1 && arms[0].line == 2);
    info.flags = 2;
    CHECK_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "flags are 0x2");
    info.flags = 0;
    info.reserved = 1;
    CHECK_REFUSED(nonstop_code_decide(engine, &info, arms, ROOM, &decision), NONSTOP_ERROR_INVALID_ARGUMENT,
                  "reserved is 1");
    nonstop_engine_free(engine);
}

const test dialect_tests[] = {
    TEST(a_dialect_is_made_and_freed),
    TEST(facts_that_make_no_sense_are_refused_by_name),
    TEST(lines_are_those_that_can_run),
    TEST(bytes_that_are_no_bytecode_are_refused_and_said_why),
    TEST(lines_and_entries_are_read_from_the_bytecode),
    TEST(single_instructions_show_what_lines_would_not),
    TEST(an_entry_is_where_the_prefixes_begin),
    TEST(room_for_fewer_entries_tells_how_many_there_are),
    TEST(code_that_was_not_decided_has_no_entries),
    TEST(code_that_told_its_lines_only_has_arms_but_no_entries),
    TEST(what_is_inside_of_a_unit_is_told_by_offset),
    TEST(the_engine_needs_neither_dialect_nor_bytes_again),
    TEST(a_unit_that_control_never_enters_is_not_armed),
    TEST(a_program_from_before_dialects_goes_on),
    TEST(code_of_another_source_has_its_lines_for_units),
    END,
};
