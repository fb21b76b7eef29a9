/* The child of a fork: fresh locks, the same breakpoints. */
#include "shop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that waits for a lock which nobody will release dies of this. */
#define PATIENCE_SECONDS 60

/* Ends the child: 0 when none of its checks failed. */
static void end_child(unsigned long failures_before)
{
    _exit(check_failures() == failures_before ? 0 : 1);
}

/* Waits for the child, which must end well. */
static void check_child(pid_t child)
{
    int status = 0;
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    /* The signal first: what a crash or a wait without end died of. */
    CHECK_EQUAL(WIFSIGNALED(status) ? WTERMSIG(status) : 0, 0);
    CHECK_EQUAL(WIFEXITED(status) ? WEXITSTATUS(status) : 0, 0);
}

static void a_child_goes_on_with_the_breakpoints_of_its_parent(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_source source = shop_source();
    const uint64_t *word = nonstop_engine_epoch(engine);
    nonstop_breakpoint_id kept = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    nonstop_breakpoint_id removed = add_at(engine, "shop.py:2", NONSTOP_COUNT);
    const uint32_t site = site_at(engine, 3);
    const uint64_t epoch = epoch_of(engine);
    const unsigned long failures = check_failures();
    nonstop_ticket open;
    pid_t child;
    CHECK_STATUS(nonstop_breakpoints_remove(engine, &removed, 1), NONSTOP_OK);
    CHECK_STATUS(send_price(engine, arrive(engine, site).items[0].ticket, 1), NONSTOP_CAPTURE);
    open = arrive(engine, site).items[0].ticket;
    child = fork();
    if (child == 0) {
        nonstop_snapshot *snapshot = NULL;
        nonstop_breakpoint_report report;
        size_t count;
        char *json;
        alarm(PATIENCE_SECONDS);
        CHECK_STATUS(nonstop_engine_after_fork(engine), NONSTOP_OK);
        CHECK(nonstop_engine_epoch(engine) == word);
        CHECK(epoch_of(engine) != epoch);
        /* The same breakpoints and counters; what was stale is stale. */
        CHECK_EQUAL(report_of(engine, kept).captured, 1);
        report.struct_size = sizeof report;
        CHECK_STATUS(nonstop_breakpoint_get_report(engine, removed, &report), NONSTOP_ERROR_NOT_FOUND);
        CHECK(add_at(engine, "shop.py:2", NONSTOP_COUNT) != removed);
        /* Queued snapshots and open hits stay with the parent, and so do sites. */
        CHECK_STATUS(nonstop_channel_receive(engine, 0, &snapshot), NONSTOP_ERROR_TIMEOUT);
        CHECK_STATUS(nonstop_hit_abandon(engine, open), NONSTOP_ERROR_NOT_FOUND);
        CHECK_STATUS(nonstop_hit(engine, site, 7, NULL, 0, 0, NULL, 0, &count), NONSTOP_ERROR_NOT_FOUND);
        CHECK_STATUS(nonstop_source_register(engine, SHOP, strlen(SHOP), "shop", 4, &source), NONSTOP_OK);
        CHECK_STATUS(send_price(engine, arrive(engine, site_at(engine, 3)).items[0].ticket, 2), NONSTOP_CAPTURE);
        json = received(engine);
        CHECK_HOLDS(json, "\"value\":2}");
        free(json);
        CHECK_EQUAL(report_of(engine, kept).captured, 2);
        nonstop_engine_free(engine);
        end_child(failures);
    }
    check_child(child);
    CHECK_STATUS(nonstop_hit_abandon(engine, open), NONSTOP_OK);
    CHECK_EQUAL(stats_of(engine).queued, 1);
    CHECK_EQUAL(report_of(engine, kept).captured, 1);
    nonstop_engine_free(engine);
}

/* Threads that hold the locks of the engine at the time of a fork. */
typedef struct {
    const nonstop_engine *engine;
    pthread_mutex_t lock;
    int stop;
} busy;

static int is_over(busy *shared)
{
    int stop;
    pthread_mutex_lock(&shared->lock);
    stop = shared->stop;
    pthread_mutex_unlock(&shared->lock);
    return stop;
}

static void *edit(void *given)
{
    busy *shared = given;
    while (!is_over(shared)) {
        nonstop_breakpoint_id id = add_at(shared->engine, "shop.py:3", NONSTOP_COUNT);
        site_at(shared->engine, 3);
        CHECK_STATUS(nonstop_filter_set(shared->engine, NULL, 0, NULL, 0), NONSTOP_OK);
        CHECK_STATUS(nonstop_breakpoints_remove(shared->engine, &id, 1), NONSTOP_OK);
    }
    return NULL;
}

static void *capture(void *given)
{
    busy *shared = given;
    const uint32_t site = site_at(shared->engine, 3);
    while (!is_over(shared)) {
        const arrival found = arrive(shared->engine, site);
        size_t item;
        for (item = 0; item < found.count; item++) {
            send_price(shared->engine, found.items[item].ticket, 1);
        }
        free(received(shared->engine));
    }
    return NULL;
}

static void a_child_needs_no_lock_that_another_thread_held(void)
{
    enum { FORKS = 30 };
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_source source = shop_source();
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    busy shared = {engine, PTHREAD_MUTEX_INITIALIZER, 0};
    pthread_t editor, capturer;
    int each;
    pthread_create(&editor, NULL, edit, &shared);
    pthread_create(&capturer, NULL, capture, &shared);
    for (each = 0; each < FORKS; each++) {
        const unsigned long failures = check_failures();
        const pid_t child = fork();
        if (child == 0) {
            uint64_t before;
            alarm(PATIENCE_SECONDS);
            CHECK_STATUS(nonstop_engine_after_fork(engine), NONSTOP_OK);
            before = report_of(engine, id).captured;
            CHECK_STATUS(nonstop_source_register(engine, SHOP, strlen(SHOP), "shop", 4, &source), NONSTOP_OK);
            add_at(engine, "shop.py:3", NONSTOP_COUNT);
            CHECK_STATUS(send_price(engine, arrive(engine, site_at(engine, 3)).items[0].ticket, 1), NONSTOP_CAPTURE);
            CHECK_EQUAL(report_of(engine, id).captured, before + 1);
            free(received(engine));
            end_child(failures);
        }
        check_child(child);
    }
    pthread_mutex_lock(&shared.lock);
    shared.stop = 1;
    pthread_mutex_unlock(&shared.lock);
    pthread_join(editor, NULL);
    pthread_join(capturer, NULL);
    nonstop_engine_free(engine);
}

const test fork_tests[] = {
    TEST(a_child_goes_on_with_the_breakpoints_of_its_parent),
    TEST(a_child_needs_no_lock_that_another_thread_held),
    END,
};
