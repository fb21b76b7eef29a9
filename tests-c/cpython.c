/* The hooks for CPython, in a process that is none. */
#include "shop.h"

#include <string.h>

static nonstop_cpython_host host(void)
{
    static int object;
    nonstop_cpython_host made;
    memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    made.disable = made.at_instruction = made.answer = made.outdated = made.callbacks = &object;
    return made;
}

static void a_process_without_python_lacks_its_symbols(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_cpython_host given = host();
    nonstop_entry entry;
    memset(&entry, 0, sizeof entry);
    CHECK_REFUSED(nonstop_cpython_start(engine, &given), NONSTOP_ERROR_NOT_SUPPORTED, "PyGILState_Ensure");
    CHECK_REFUSED(nonstop_cpython_arm(engine, &entry, 1, 1), NONSTOP_ERROR_NOT_FOUND, "nonstop_cpython_start");
    CHECK_REFUSED(nonstop_cpython_check(engine), NONSTOP_ERROR_NOT_SUPPORTED, "PyGILState_Ensure");
    CHECK_REFUSED(nonstop_cpython_check(NULL), NONSTOP_ERROR_NOT_SUPPORTED, "PyGILState_Ensure");
    CHECK_EQUAL(nonstop_cpython_spent_ns(), 0);
    nonstop_cpython_stop();
    nonstop_cpython_ignore_thread(1);
    nonstop_cpython_ignore_thread(0);
    nonstop_engine_free(engine);
}

static void a_host_without_an_object_is_refused_by_its_name(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_cpython_host given = host();
    given.answer = NULL;
    CHECK_REFUSED(nonstop_cpython_start(engine, &given), NONSTOP_ERROR_NULL_POINTER, "answer");
    given = host();
    given.callbacks = NULL;
    CHECK_REFUSED(nonstop_cpython_start(engine, &given), NONSTOP_ERROR_NULL_POINTER, "callbacks");
    given = host();
    given.flags = 4;
    CHECK_REFUSED(nonstop_cpython_start(engine, &given), NONSTOP_ERROR_INVALID_ARGUMENT, "newer library");
    given.flags = NONSTOP_CPYTHON_FREE_THREADED | NONSTOP_CPYTHON_PUTS_CALLS;
    CHECK_REFUSED(nonstop_cpython_start(engine, &given), NONSTOP_ERROR_INVALID_ARGUMENT, "without a GIL");
    given = host();
    given.struct_size = 3;
    CHECK_REFUSED(nonstop_cpython_start(engine, &given), NONSTOP_ERROR_STRUCT_SIZE, "host");
    CHECK_REFUSED(nonstop_cpython_start(engine, NULL), NONSTOP_ERROR_NULL_POINTER, "host");
    CHECK_REFUSED(nonstop_cpython_start(NULL, &given), NONSTOP_ERROR_NULL_POINTER, "engine");
    nonstop_engine_free(engine);
}

static void what_needs_a_session_is_refused_without_one(void)
{
    int object = 0;
    CHECK_REFUSED(nonstop_cpython_listen(&object), NONSTOP_ERROR_NOT_SUPPORTED, "audit hook");
    CHECK_REFUSED(nonstop_cpython_replace_constant(&object, 3, &object, &object), NONSTOP_ERROR_NOT_FOUND, "3");
    CHECK_REFUSED(nonstop_cpython_replace_constant(&object, 3, NULL, &object), NONSTOP_ERROR_NULL_POINTER, "old");
    CHECK_REFUSED(nonstop_cpython_set_trace(7, &object, &object, &object, &object), NONSTOP_ERROR_NOT_FOUND, "7");
    CHECK_REFUSED(nonstop_cpython_set_trace(7, &object, &object, &object, NULL), NONSTOP_ERROR_NULL_POINTER, "tracer");
}

static void instructions_to_arm_are_ascending(void)
{
    nonstop_entry entries[2];
    memset(entries, 0, sizeof entries);
    entries[0].offset = 4;
    entries[1].offset = 2;
    CHECK_REFUSED(nonstop_cpython_arm(entries, entries, 2, 1), NONSTOP_ERROR_INVALID_ARGUMENT, "ascending");
    CHECK_REFUSED(nonstop_cpython_arm(entries, NULL, 2, 1), NONSTOP_ERROR_NULL_POINTER, "instructions");
}

const test cpython_tests[] = {
    TEST(a_process_without_python_lacks_its_symbols),
    TEST(a_host_without_an_object_is_refused_by_its_name),
    TEST(what_needs_a_session_is_refused_without_one),
    TEST(instructions_to_arm_are_ascending),
    END,
};
