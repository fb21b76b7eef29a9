/* Versions, names of statuses, messages, logging. */
#include "shop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void the_library_is_the_one_of_this_header(void)
{
    CHECK_EQUAL(nonstop_abi_version(), NONSTOP_ABI_VERSION);
    CHECK(nonstop_version()[0] >= '0' && nonstop_version()[0] <= '9');
}

static void every_status_has_the_name_that_it_has_in_the_header(void)
{
    static const struct {
        nonstop_status status;
        const char *name;
    } names[] = {
        {NONSTOP_OK, "OK"},
        {NONSTOP_DISABLE, "DISABLE"},
        {NONSTOP_EVALUATE, "EVALUATE"},
        {NONSTOP_CAPTURE, "CAPTURE"},
        {NONSTOP_DROPPED, "DROPPED"},
        {NONSTOP_ERROR_NULL_POINTER, "NULL_POINTER"},
        {NONSTOP_ERROR_INVALID_UTF8, "INVALID_UTF8"},
        {NONSTOP_ERROR_STRUCT_SIZE, "STRUCT_SIZE"},
        {NONSTOP_ERROR_INVALID_ARGUMENT, "INVALID_ARGUMENT"},
        {NONSTOP_ERROR_INVALID_LOCATION, "INVALID_LOCATION"},
        {NONSTOP_ERROR_INVALID_HIT_CONDITION, "INVALID_HIT_CONDITION"},
        {NONSTOP_ERROR_INVALID_TEMPLATE, "INVALID_TEMPLATE"},
        {NONSTOP_ERROR_INVALID_RECORDS, "INVALID_RECORDS"},
        {NONSTOP_ERROR_NOT_FOUND, "NOT_FOUND"},
        {NONSTOP_ERROR_BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL"},
        {NONSTOP_ERROR_CLOSED, "CLOSED"},
        {NONSTOP_ERROR_TIMEOUT, "TIMEOUT"},
        {NONSTOP_ERROR_WRONG_THREAD, "WRONG_THREAD"},
        {NONSTOP_ERROR_LIMIT_REACHED, "LIMIT_REACHED"},
        {NONSTOP_ERROR_INTERNAL, "INTERNAL"},
        {NONSTOP_ERROR_NOT_SUPPORTED, "NOT_SUPPORTED"},
        {5, "UNKNOWN"},
        {INT32_MIN, "UNKNOWN"},
        {INT32_MAX, "UNKNOWN"},
    };
    size_t row;
    for (row = 0; row < sizeof names / sizeof *names; row++) {
        CHECK(strcmp(nonstop_status_name(names[row].status), names[row].name) == 0);
    }
}

static void a_message_is_cut_to_its_buffer_and_ended(void)
{
    char whole[256], small[8];
    size_t len;
    CHECK_REFUSED(nonstop_channel_close(NULL), NONSTOP_ERROR_NULL_POINTER, "engine is NULL");
    len = nonstop_last_error(whole, sizeof whole);
    CHECK_EQUAL(len, strlen("engine is NULL"));
    CHECK_EQUAL(nonstop_last_error(NULL, 0), len);
    memset(small, 'x', sizeof small);
    CHECK_EQUAL(nonstop_last_error(small, 0), len);
    CHECK(small[0] == 'x');
    CHECK_EQUAL(nonstop_last_error(small, 1), len);
    CHECK(small[0] == '\0' && small[1] == 'x');
    CHECK_EQUAL(nonstop_last_error(small, 7), len);
    CHECK(memcmp(small, "engine\0x", 8) == 0);
}

static void a_message_is_cut_between_characters(void)
{
    /* The message quotes the name: "Zoë" has its third character in two bytes. */
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("Zo\xc3\xab", NONSTOP_COUNT);
    nonstop_breakpoint_id id;
    char whole[256], cut[256];
    const char *at;
    CHECK_REFUSED(nonstop_breakpoints_add(engine, &spec, 1, &id), NONSTOP_ERROR_INVALID_LOCATION, "Zo\xc3\xab");
    nonstop_last_error(whole, sizeof whole);
    at = strstr(whole, "\xc3\xab");
    if (CHECK(at != NULL)) {
        const size_t before = (size_t)(at - whole);
        nonstop_last_error(cut, before + 2);
        CHECK_EQUAL(strlen(cut), before);
        nonstop_last_error(cut, before + 3);
        CHECK_EQUAL(strlen(cut), before + 2);
    }
    nonstop_engine_free(engine);
}

static void a_success_leaves_the_message_as_it_was(void)
{
    char detail[256];
    CHECK_REFUSED(nonstop_channel_close(NULL), NONSTOP_ERROR_NULL_POINTER, "engine is NULL");
    nonstop_engine_free(shop_engine(NULL));
    nonstop_last_error(detail, sizeof detail);
    CHECK(strcmp(detail, "engine is NULL") == 0);
}

static void *message_of_a_fresh_thread(void *found)
{
    *(size_t *)found = nonstop_last_error(NULL, 0);
    return NULL;
}

static void each_thread_has_its_own_message(void)
{
    pthread_t thread;
    size_t found = 1;
    CHECK_REFUSED(nonstop_channel_close(NULL), NONSTOP_ERROR_NULL_POINTER, "engine is NULL");
    pthread_create(&thread, NULL, message_of_a_fresh_thread, &found);
    pthread_join(thread, NULL);
    CHECK_EQUAL(found, 0);
}

static void the_clock_goes_forward(void)
{
    const uint64_t before = nonstop_monotonic_ns();
    CHECK(before > 0);
    CHECK(nonstop_monotonic_ns() >= before);
}

/* What a callback was told. It runs in the thread that speaks, which here is the one that reads it. */
typedef struct {
    int32_t level;
    unsigned count;
    char target[64];
    char message[256];
} told;

static void keep(char *buffer, size_t room, const char *words, size_t len)
{
    const size_t kept = len < room ? len : room - 1;
    memcpy(buffer, words, kept);
    buffer[kept] = '\0';
}

static void listen(void *user_data, int32_t level, const char *target, size_t target_len, const char *message,
                   size_t message_len)
{
    told *heard = user_data;
    heard->count++;
    heard->level = level;
    keep(heard->target, sizeof heard->target, target, target_len);
    keep(heard->message, sizeof heard->message, message, message_len);
    /* A callback may call the library; what that has to say is dropped rather than told from within. */
    nonstop_engine_free(shop_engine(NULL));
}

static void the_end_of_a_breakpoint_is_logged(void)
{
    told heard;
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_COUNT);
    memset(&heard, 0, sizeof heard);
    spec.max_hits = 1;
    add(engine, spec);
    CHECK_STATUS(nonstop_set_logger(listen, &heard, NONSTOP_LOG_INFO), NONSTOP_OK);
    arrive(engine, site_at(engine, 3));
    CHECK_EQUAL(heard.count, 1);
    CHECK_EQUAL(heard.level, NONSTOP_LOG_INFO);
    CHECK_HOLDS(heard.target, "nonstop");
    CHECK_HOLDS(heard.message, "shop.py:3");
    CHECK_HOLDS(heard.message, "max_hits");
    CHECK_STATUS(nonstop_set_logger(NULL, NULL, NONSTOP_LOG_OFF), NONSTOP_OK);
    nonstop_engine_free(engine);
}

static void the_first_drop_is_logged_and_no_other(void)
{
    told heard;
    nonstop_engine_options options = {sizeof options, 1, 0};
    nonstop_engine *engine = shop_engine(&options);
    int hit;
    uint32_t site;
    memset(&heard, 0, sizeof heard);
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    site = site_at(engine, 3);
    CHECK_STATUS(nonstop_set_logger(listen, &heard, NONSTOP_LOG_WARN), NONSTOP_OK);
    for (hit = 0; hit < 4; hit++) {
        send_price(engine, arrive(engine, site).items[0].ticket, hit);
    }
    CHECK_EQUAL(heard.count, 1);
    CHECK_EQUAL(heard.level, NONSTOP_LOG_WARN);
    CHECK_HOLDS(heard.message, "full");
    CHECK_STATUS(nonstop_set_logger(NULL, NULL, NONSTOP_LOG_OFF), NONSTOP_OK);
    nonstop_engine_free(engine);
}

static void a_callback_taken_away_hears_nothing(void)
{
    told heard;
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    memset(&heard, 0, sizeof heard);
    CHECK_STATUS(nonstop_set_logger(listen, &heard, NONSTOP_LOG_TRACE), NONSTOP_OK);
    CHECK_STATUS(nonstop_set_logger(NULL, NULL, NONSTOP_LOG_TRACE), NONSTOP_OK);
    CHECK_STATUS(nonstop_breakpoint_set_state(engine, id, NONSTOP_FAILED, "no", 2), NONSTOP_OK);
    CHECK_EQUAL(heard.count, 0);
    nonstop_engine_free(engine);
}

static void there_are_six_levels(void)
{
    int32_t level;
    for (level = NONSTOP_LOG_OFF; level <= NONSTOP_LOG_TRACE; level++) {
        CHECK_STATUS(nonstop_set_logger(NULL, NULL, level), NONSTOP_OK);
    }
    CHECK_STATUS(nonstop_set_logger(listen, NULL, 6), NONSTOP_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(nonstop_set_logger(listen, NULL, -1), NONSTOP_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(nonstop_set_logger(NULL, NULL, NONSTOP_LOG_OFF), NONSTOP_OK);
}

const test library_tests[] = {
    TEST(the_library_is_the_one_of_this_header),
    TEST(every_status_has_the_name_that_it_has_in_the_header),
    TEST(a_message_is_cut_to_its_buffer_and_ended),
    TEST(a_message_is_cut_between_characters),
    TEST(a_success_leaves_the_message_as_it_was),
    TEST(each_thread_has_its_own_message),
    TEST(the_clock_goes_forward),
    TEST(the_end_of_a_breakpoint_is_logged),
    TEST(the_first_drop_is_logged_and_no_other),
    TEST(a_callback_taken_away_hears_nothing),
    TEST(there_are_six_levels),
    END,
};
