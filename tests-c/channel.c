/* The channel: order, overflow, waiting, closing. */
#include "shop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MILLISECOND 1000000U

static nonstop_engine *engine_with_queue(uint32_t items, uint64_t bytes)
{
    nonstop_engine_options options;
    options.struct_size = sizeof options;
    options.queue_items = items;
    options.queue_bytes = bytes;
    return shop_engine(&options);
}

static void sleep_ms(long milliseconds)
{
    struct timespec pause;
    pause.tv_sec = 0;
    pause.tv_nsec = milliseconds * 1000000;
    nanosleep(&pause, NULL);
}

/* Hits a site `count` times and captures each; how many were queued. */
static unsigned capture_many(const nonstop_engine *engine, uint32_t site, unsigned count)
{
    unsigned each, queued = 0;
    for (each = 0; each < count; each++) {
        const nonstop_status verdict = send_price(engine, arrive(engine, site).items[0].ticket, 1);
        CHECK(verdict == NONSTOP_CAPTURE || verdict == NONSTOP_DROPPED);
        queued += verdict == NONSTOP_CAPTURE ? 1 : 0;
    }
    return queued;
}

static void snapshots_come_in_the_order_of_their_captures(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    char *json;
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    CHECK_EQUAL(capture_many(engine, site_at(engine, 3), 3), 3);
    json = received(engine);
    CHECK_HOLDS(json, "\"hit\":1,");
    free(json);
    json = received(engine);
    CHECK_HOLDS(json, "\"hit\":2,");
    free(json);
    CHECK_EQUAL(stats_of(engine).queued, 1);
    nonstop_engine_free(engine);
}

static void a_batch_has_what_is_there_up_to_its_room(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    nonstop_received batch[3];
    size_t count = 77;
    CHECK_STATUS(nonstop_channel_receive_batch(engine, 0, batch, 3, &count), NONSTOP_ERROR_TIMEOUT);
    CHECK_EQUAL(count, 77);
    CHECK_EQUAL(capture_many(engine, site_at(engine, 3), 5), 5);
    CHECK_STATUS(nonstop_channel_receive_batch(engine, 0, batch, 0, &count), NONSTOP_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(nonstop_channel_receive_batch(engine, -1, batch, 3, &count), NONSTOP_OK);
    CHECK_EQUAL(count, 3);
    CHECK_EQUAL(batch[0].breakpoint, id);
    CHECK_EQUAL(batch[2].action, NONSTOP_SNAPSHOT);
    CHECK_EQUAL(batch[1].json_len > 0 && batch[1].json[0] == '{', 1);
    CHECK_EQUAL(nonstop_snapshot_breakpoint(batch[1].snapshot), id);
    CHECK_STATUS(nonstop_received_free(batch, count), NONSTOP_OK);
    CHECK_EQUAL(stats_of(engine).queued, 2);
    CHECK_STATUS(nonstop_channel_close(engine), NONSTOP_OK);
    CHECK_STATUS(nonstop_channel_receive_batch(engine, -1, batch, 3, &count), NONSTOP_OK);
    CHECK_EQUAL(count, 2);
    CHECK_STATUS(nonstop_received_free(batch, count), NONSTOP_OK);
    CHECK_STATUS(nonstop_channel_receive_batch(engine, -1, batch, 3, &count), NONSTOP_ERROR_CLOSED);
    CHECK_STATUS(nonstop_received_free(NULL, 0), NONSTOP_OK);
    nonstop_engine_free(engine);
}

static void a_queue_full_of_items_drops_and_counts(void)
{
    nonstop_engine *engine = engine_with_queue(3, 0);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    const uint32_t site = site_at(engine, 3);
    nonstop_channel_stats stats;
    CHECK_EQUAL(capture_many(engine, site, 8), 3);
    stats = stats_of(engine);
    CHECK_EQUAL(stats.queued, 3);
    CHECK_EQUAL(stats.sent, 3);
    CHECK_EQUAL(stats.dropped, 5);
    CHECK_EQUAL(report_of(engine, id).captured, 3);
    CHECK_EQUAL(report_of(engine, id).dropped, 5);
    free(received(engine));
    CHECK_EQUAL(capture_many(engine, site, 2), 1);
    CHECK_EQUAL(stats_of(engine).dropped, 6);
    CHECK_EQUAL(report_of(engine, id).arrivals, 10);
    nonstop_engine_free(engine);
}

static void a_queue_full_of_bytes_drops_and_counts(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_channel_stats stats;
    nonstop_breakpoint_id id;
    uint64_t one;
    char *json;
    /* Hits 1 to 9 at the same place make documents of the same length. */
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    capture_many(engine, site_at(engine, 3), 1);
    one = stats_of(engine).queued_bytes;
    json = received(engine);
    CHECK(json != NULL && strlen(json) == one);
    CHECK_EQUAL(stats_of(engine).queued_bytes, 0);
    free(json);
    nonstop_engine_free(engine);

    engine = engine_with_queue(0, 3 * one - 1);
    id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    CHECK_EQUAL(capture_many(engine, site_at(engine, 3), 9), 2);
    stats = stats_of(engine);
    CHECK_EQUAL(stats.queued, 2);
    CHECK_EQUAL(stats.queued_bytes, 2 * one);
    CHECK_EQUAL(stats.dropped, 7);
    CHECK_EQUAL(report_of(engine, id).dropped, 7);
    nonstop_engine_free(engine);

    engine = engine_with_queue(0, 3 * one);
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    CHECK_EQUAL(capture_many(engine, site_at(engine, 3), 9), 3);
    nonstop_engine_free(engine);
}

static void a_snapshot_larger_than_the_queue_is_dropped(void)
{
    nonstop_engine *engine = engine_with_queue(0, 16);
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    CHECK_EQUAL(capture_many(engine, site_at(engine, 3), 2), 0);
    CHECK_EQUAL(stats_of(engine).queued, 0);
    CHECK_EQUAL(stats_of(engine).dropped, 2);
    nonstop_engine_free(engine);
}

static void a_huge_queue_costs_nothing_until_it_is_filled(void)
{
    nonstop_engine *engine = engine_with_queue(UINT32_MAX, UINT64_MAX);
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    CHECK_EQUAL(capture_many(engine, site_at(engine, 3), 2), 2);
    nonstop_engine_free(engine);
}

static void a_receiver_does_not_wait_longer_than_it_says(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_snapshot *snapshot = NULL;
    uint64_t before = nonstop_monotonic_ns();
    CHECK_REFUSED(nonstop_channel_receive(engine, 0, &snapshot), NONSTOP_ERROR_TIMEOUT, "0 ms");
    before = nonstop_monotonic_ns();
    CHECK_REFUSED(nonstop_channel_receive(engine, 20, &snapshot), NONSTOP_ERROR_TIMEOUT, "20 ms");
    CHECK(nonstop_monotonic_ns() - before >= 20 * MILLISECOND);
    CHECK(snapshot == NULL);
    nonstop_engine_free(engine);
}

static void what_is_queued_outlives_the_close(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    const uint32_t site = site_at(engine, 3);
    nonstop_snapshot *snapshot = NULL;
    char *json;
    CHECK_EQUAL(capture_many(engine, site, 2), 2);
    CHECK_STATUS(nonstop_channel_close(engine), NONSTOP_OK);
    CHECK_STATUS(nonstop_channel_close(engine), NONSTOP_OK);
    CHECK_EQUAL(capture_many(engine, site, 3), 0);
    CHECK_EQUAL(report_of(engine, id).dropped, 3);
    CHECK_EQUAL(stats_of(engine).dropped, 3);
    json = received(engine);
    CHECK(json != NULL);
    free(json);
    json = received(engine);
    CHECK(json != NULL);
    free(json);
    CHECK_REFUSED(nonstop_channel_receive(engine, -1, &snapshot), NONSTOP_ERROR_CLOSED, "closed");
    CHECK_STATUS(nonstop_channel_receive(engine, 0, &snapshot), NONSTOP_ERROR_CLOSED);
    CHECK_STATUS(nonstop_channel_receive(engine, INT64_MAX, &snapshot), NONSTOP_ERROR_CLOSED);
    CHECK(snapshot == NULL);
    nonstop_engine_free(engine);
}

static void a_snapshot_outlives_its_engine(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_snapshot *snapshot = NULL;
    const char *json = NULL;
    size_t len = 0;
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    capture_many(engine, site_at(engine, 3), 1);
    CHECK_STATUS(nonstop_channel_receive(engine, 0, &snapshot), NONSTOP_OK);
    nonstop_engine_free(engine);
    CHECK_EQUAL(nonstop_snapshot_breakpoint(snapshot), id);
    CHECK_EQUAL(nonstop_snapshot_action(snapshot), NONSTOP_SNAPSHOT);
    CHECK_STATUS(nonstop_snapshot_json(snapshot, &json, &len), NONSTOP_OK);
    CHECK(len > 2 && json[0] == '{' && json[len - 1] == '}');
    nonstop_snapshot_free(snapshot);
}

/* A thread that waits for one snapshot for ever. */
typedef struct {
    const nonstop_engine *engine;
    nonstop_status status;
} waiting;

static void *wait_for_one(void *given)
{
    waiting *own = given;
    nonstop_snapshot *snapshot = NULL;
    own->status = nonstop_channel_receive(own->engine, -1, &snapshot);
    nonstop_snapshot_free(snapshot);
    return NULL;
}

static void a_close_wakes_everyone_who_waits(void)
{
    enum { WAITING = 3 };
    nonstop_engine *engine = shop_engine(NULL);
    pthread_t threads[WAITING];
    waiting each[WAITING];
    int thread;
    for (thread = 0; thread < WAITING; thread++) {
        each[thread].engine = engine;
        each[thread].status = NONSTOP_OK;
        pthread_create(&threads[thread], NULL, wait_for_one, &each[thread]);
    }
    /* Most runs close while they wait; whoever comes later finds it closed. */
    sleep_ms(30);
    CHECK_STATUS(nonstop_channel_close(engine), NONSTOP_OK);
    for (thread = 0; thread < WAITING; thread++) {
        pthread_join(threads[thread], NULL);
        CHECK_STATUS(each[thread].status, NONSTOP_ERROR_CLOSED);
    }
    nonstop_engine_free(engine);
}

static void a_capture_wakes_one_who_waits(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    pthread_t thread;
    waiting one;
    one.engine = engine;
    one.status = NONSTOP_ERROR_TIMEOUT;
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    pthread_create(&thread, NULL, wait_for_one, &one);
    sleep_ms(30);
    CHECK_EQUAL(capture_many(engine, site_at(engine, 3), 1), 1);
    pthread_join(thread, NULL);
    CHECK_STATUS(one.status, NONSTOP_OK);
    CHECK_EQUAL(stats_of(engine).queued, 0);
    nonstop_engine_free(engine);
}

const test channel_tests[] = {
    TEST(snapshots_come_in_the_order_of_their_captures),
    TEST(a_batch_has_what_is_there_up_to_its_room),
    TEST(a_queue_full_of_items_drops_and_counts),
    TEST(a_queue_full_of_bytes_drops_and_counts),
    TEST(a_snapshot_larger_than_the_queue_is_dropped),
    TEST(a_huge_queue_costs_nothing_until_it_is_filled),
    TEST(a_receiver_does_not_wait_longer_than_it_says),
    TEST(what_is_queued_outlives_the_close),
    TEST(a_snapshot_outlives_its_engine),
    TEST(a_close_wakes_everyone_who_waits),
    TEST(a_capture_wakes_one_who_waits),
    END,
};
