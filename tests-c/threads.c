/* Many threads at once: one site hit while breakpoints are edited and snapshots received, tickets answered twice. Every number
 * is exact, whoever was faster.
 */
#include "shop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A flag between threads: C99 has no atomics. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int is_set;
} flag;

#define FLAG_INITIALIZER {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}

static void set(flag *which)
{
    pthread_mutex_lock(&which->lock);
    which->is_set = 1;
    pthread_cond_broadcast(&which->changed);
    pthread_mutex_unlock(&which->lock);
}

static int is_set(flag *which)
{
    int found;
    pthread_mutex_lock(&which->lock);
    found = which->is_set;
    pthread_mutex_unlock(&which->lock);
    return found;
}

static void wait_for(flag *which)
{
    pthread_mutex_lock(&which->lock);
    while (!which->is_set) {
        pthread_cond_wait(&which->changed, &which->lock);
    }
    pthread_mutex_unlock(&which->lock);
}

/* --- one site, many threads ------------------------------------------------------------------------------------------------ */

enum { HITTERS = 4, HITS = 3000, RECEIVERS = 2 };

/* The breakpoints that nobody edits: their counters must come out exactly. */
typedef struct {
    const nonstop_engine *engine;
    uint32_t site;
    nonstop_breakpoint_id counter;
    nonstop_breakpoint_id conditional;
    nonstop_breakpoint_id each_third;
    nonstop_breakpoint_id first_thread;
    flag start;
    flag stop;
} crowd;

/* What one thread saw happen. */
typedef struct {
    crowd *shared;
    uint64_t thread_id;
    uint64_t false_conditions;
    uint64_t errors;
    /* Of the conditional breakpoint, of each_third, and of those that come and go. */
    uint64_t captured[3];
    uint64_t dropped[3];
    uint64_t abandoned[3];
    uint64_t received;
} tally;

/* Sends a capture, and notes what became of it. */
static void capture_for(tally *own, int whose, nonstop_ticket ticket)
{
    const nonstop_status verdict = send_price(own->shared->engine, ticket, whose);
    CHECK(verdict == NONSTOP_CAPTURE || verdict == NONSTOP_DROPPED);
    own->captured[whose] += verdict == NONSTOP_CAPTURE ? 1 : 0;
    own->dropped[whose] += verdict == NONSTOP_DROPPED ? 1 : 0;
}

/* Plays the condition: its outcomes take turns. */
static void answer_condition(tally *own, int turn, nonstop_ticket ticket)
{
    const nonstop_engine *engine = own->shared->engine;
    nonstop_hit_item item;
    switch (turn % 5) {
    case 0:
        CHECK_STATUS(nonstop_hit_commit(engine, ticket, NONSTOP_FALSE, 0, &item), NONSTOP_IGNORE);
        own->false_conditions++;
        break;
    case 1:
        CHECK_STATUS(nonstop_hit_commit(engine, ticket, NONSTOP_RAISED, 0, &item), NONSTOP_IGNORE);
        own->errors++;
        break;
    case 2:
        CHECK_STATUS(nonstop_hit_abandon(engine, ticket), NONSTOP_OK);
        own->errors++;
        break;
    case 3:
        CHECK_STATUS(nonstop_hit_commit(engine, ticket, NONSTOP_TRUE, 0, &item), NONSTOP_CAPTURE);
        CHECK_STATUS(nonstop_hit_abandon(engine, item.ticket), NONSTOP_OK);
        own->abandoned[0]++;
        break;
    default:
        CHECK_STATUS(nonstop_hit_commit(engine, ticket, NONSTOP_TRUE, 0, &item), NONSTOP_CAPTURE);
        capture_for(own, 0, item.ticket);
        break;
    }
    /* It was answered, one way or the other. */
    CHECK_STATUS(nonstop_hit_abandon(engine, ticket), NONSTOP_ERROR_NOT_FOUND);
}

static void *hit_often(void *given)
{
    tally *own = given;
    nonstop_hit_item items[ROOM];
    int turn;
    wait_for(&own->shared->start);
    for (turn = 0; turn < HITS; turn++) {
        size_t count = 0, item;
        const nonstop_status verdict =
            nonstop_hit(own->shared->engine, own->shared->site, own->thread_id, NULL, 0, 0, items, ROOM, &count);
        CHECK(verdict == NONSTOP_EVALUATE || verdict == NONSTOP_CAPTURE);
        for (item = 0; item < count; item++) {
            if (items[item].breakpoint == own->shared->conditional) {
                CHECK_EQUAL(items[item].verdict, NONSTOP_EVALUATE);
                answer_condition(own, turn, items[item].ticket);
            } else {
                capture_for(own, items[item].breakpoint == own->shared->each_third ? 1 : 2, items[item].ticket);
            }
        }
    }
    return NULL;
}

/* Adds, switches and removes other breakpoints at the same site, and changes what else decisions are made from. */
static void *edit_often(void *given)
{
    tally *own = given;
    const nonstop_engine *engine = own->shared->engine;
    wait_for(&own->shared->start);
    while (!is_set(&own->shared->stop)) {
        nonstop_breakpoint_spec specs[3];
        nonstop_breakpoint_id ids[3];
        nonstop_filter_rule rule;
        specs[0] = specs[1] = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
        specs[1].max_hits = 1;
        specs[2] = spec_at("shop.py:2", NONSTOP_COUNT);
        CHECK_STATUS(nonstop_breakpoints_add(engine, specs, 3, ids), NONSTOP_OK);
        CHECK_EQUAL(site_at(engine, 3), own->shared->site);
        CHECK_STATUS(nonstop_breakpoints_set_enabled(engine, ids, 3, 0), NONSTOP_OK);
        CHECK_EQUAL(site_at(engine, 3), own->shared->site);
        CHECK_STATUS(nonstop_breakpoints_set_enabled(engine, ids, 2, 1), NONSTOP_OK);
        memset(&rule, 0, sizeof rule);
        rule.struct_size = sizeof rule;
        rule.events = NONSTOP_EVENT_CALL;
        CHECK_STATUS(nonstop_filter_set(engine, &rule, 1, NULL, 0), NONSTOP_OK);
        CHECK_EQUAL(site_at(engine, 3), own->shared->site);
        report_of(engine, ids[0]);
        CHECK_STATUS(nonstop_breakpoints_remove(engine, ids, 3), NONSTOP_OK);
        CHECK_STATUS(nonstop_breakpoints_remove(engine, ids, 1), NONSTOP_ERROR_NOT_FOUND);
    }
    return NULL;
}

/* Looks at reports in the middle of it all: their sums hold at every moment. */
static void *look_often(void *given)
{
    tally *own = given;
    const crowd *shared = own->shared;
    wait_for(&own->shared->start);
    while (!is_set(&own->shared->stop)) {
        uint64_t before = report_of(shared->engine, shared->counter).arrivals;
        report_of(shared->engine, shared->conditional);
        report_of(shared->engine, shared->each_third);
        CHECK(report_of(shared->engine, shared->counter).arrivals >= before);
        CHECK(stats_of(shared->engine).queued <= 50);
    }
    return NULL;
}

static void *receive_until_closed(void *given)
{
    tally *own = given;
    nonstop_status status;
    do {
        nonstop_snapshot *snapshot = NULL;
        status = nonstop_channel_receive(own->shared->engine, -1, &snapshot);
        if (status == NONSTOP_OK) {
            const char *json = NULL;
            size_t len = 0;
            CHECK_STATUS(nonstop_snapshot_json(snapshot, &json, &len), NONSTOP_OK);
            CHECK(len > 2 && json[0] == '{' && json[len - 1] == '}');
            own->received++;
        }
        nonstop_snapshot_free(snapshot);
    } while (status == NONSTOP_OK);
    CHECK_STATUS(status, NONSTOP_ERROR_CLOSED);
    return NULL;
}

static void every_arrival_is_counted_once_while_others_edit_and_receive(void)
{
    enum { EDITOR = HITTERS, LOOKER, FIRST_RECEIVER, THREADS = FIRST_RECEIVER + RECEIVERS };
    const nonstop_engine_options options = {sizeof options, 50, 0};
    const uint64_t arrivals = (uint64_t)HITTERS * HITS;
    nonstop_engine *engine = shop_engine(&options);
    nonstop_breakpoint_spec spec;
    crowd shared = {engine, 0, 0, 0, 0, 0, FLAG_INITIALIZER, FLAG_INITIALIZER};
    tally tallies[THREADS], sum;
    pthread_t threads[THREADS];
    nonstop_breakpoint_report report;
    nonstop_channel_stats stats;
    int thread, whose;
    shared.counter = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    spec.flags = NONSTOP_HAS_CONDITION;
    shared.conditional = add(engine, spec);
    spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    spec.hit_condition = text("% 3");
    shared.each_third = add(engine, spec);
    spec = spec_at("shop.py:3", NONSTOP_COUNT);
    spec.thread_id = 100;
    shared.first_thread = add(engine, spec);
    shared.site = site_at(engine, 3);

    memset(tallies, 0, sizeof tallies);
    for (thread = 0; thread < THREADS; thread++) {
        void *(*work)(void *) = thread < HITTERS      ? hit_often
                                : thread == EDITOR    ? edit_often
                                : thread == LOOKER    ? look_often
                                                      : receive_until_closed;
        tallies[thread].shared = &shared;
        tallies[thread].thread_id = (uint64_t)(100 + thread);
        pthread_create(&threads[thread], NULL, work, &tallies[thread]);
    }
    set(&shared.start);
    for (thread = 0; thread < HITTERS; thread++) {
        pthread_join(threads[thread], NULL);
    }
    set(&shared.stop);
    pthread_join(threads[EDITOR], NULL);
    pthread_join(threads[LOOKER], NULL);
    CHECK_STATUS(nonstop_channel_close(engine), NONSTOP_OK);
    for (thread = FIRST_RECEIVER; thread < THREADS; thread++) {
        pthread_join(threads[thread], NULL);
    }

    memset(&sum, 0, sizeof sum);
    for (thread = 0; thread < THREADS; thread++) {
        sum.false_conditions += tallies[thread].false_conditions;
        sum.errors += tallies[thread].errors;
        sum.received += tallies[thread].received;
        for (whose = 0; whose < 3; whose++) {
            sum.captured[whose] += tallies[thread].captured[whose];
            sum.dropped[whose] += tallies[thread].dropped[whose];
            sum.abandoned[whose] += tallies[thread].abandoned[whose];
        }
    }
    report = report_of(engine, shared.counter);
    CHECK_EQUAL(report.arrivals, arrivals);
    CHECK_EQUAL(report.captured, arrivals);
    report = report_of(engine, shared.conditional);
    CHECK_EQUAL(report.arrivals, arrivals);
    CHECK_EQUAL(report.false_conditions, sum.false_conditions);
    CHECK_EQUAL(report.errors, sum.errors);
    CHECK_EQUAL(report.captured, sum.captured[0]);
    CHECK_EQUAL(report.dropped, sum.dropped[0] + sum.abandoned[0]);
    report = report_of(engine, shared.each_third);
    CHECK_EQUAL(report.arrivals, arrivals);
    CHECK_EQUAL(report.passed, arrivals - arrivals / 3);
    CHECK_EQUAL(report.captured, sum.captured[1]);
    CHECK_EQUAL(report.dropped, sum.dropped[1]);
    report = report_of(engine, shared.first_thread);
    CHECK_EQUAL(report.captured, HITS);
    CHECK_EQUAL(report.skipped, arrivals - HITS);
    stats = stats_of(engine);
    CHECK_EQUAL(stats.sent, sum.captured[0] + sum.captured[1] + sum.captured[2]);
    CHECK_EQUAL(stats.dropped, sum.dropped[0] + sum.dropped[1] + sum.dropped[2]);
    CHECK_EQUAL(stats.sent, sum.received);
    CHECK_EQUAL(stats.queued, 0);
    CHECK_EQUAL(stats.queued_bytes, 0);
    nonstop_engine_free(engine);
}

/* --- tickets answered twice ------------------------------------------------------------------------------------------------ */

enum { TICKETS = 2000, RIVALS = 2 };

/* One of two threads that answer the same tickets in the same order. */
typedef struct {
    const nonstop_engine *engine;
    const nonstop_ticket *tickets;
    flag *start;
    int rival;
    unsigned char won[TICKETS];
} rival;

static void *answer_conditions(void *given)
{
    rival *own = given;
    int each;
    wait_for(own->start);
    for (each = 0; each < TICKETS; each++) {
        nonstop_hit_item item;
        const nonstop_status status =
            nonstop_hit_commit(own->engine, own->tickets[each], own->rival ? NONSTOP_FALSE : NONSTOP_TRUE, 0, &item);
        own->won[each] = status >= 0;
        /* To who comes second it is answered already, or waits for the capture. */
        CHECK(status >= 0 || status == NONSTOP_ERROR_NOT_FOUND || status == NONSTOP_ERROR_INVALID_ARGUMENT);
    }
    return NULL;
}

static void *send_captures(void *given)
{
    rival *own = given;
    int each;
    wait_for(own->start);
    for (each = 0; each < TICKETS; each++) {
        const nonstop_status status = own->rival ? nonstop_hit_abandon(own->engine, own->tickets[each])
                                                 : send_price(own->engine, own->tickets[each], each);
        own->won[each] = status >= 0;
        CHECK(status >= 0 || status == NONSTOP_ERROR_NOT_FOUND);
    }
    return NULL;
}

/* Lets two threads answer all tickets; of each ticket exactly one must win. Gives how often the first did. */
static uint64_t race(const nonstop_engine *engine, const nonstop_ticket *tickets, void *(*answer)(void *))
{
    static rival rivals[RIVALS];
    flag start = FLAG_INITIALIZER;
    pthread_t threads[RIVALS];
    uint64_t first = 0;
    int each;
    for (each = 0; each < RIVALS; each++) {
        memset(&rivals[each], 0, sizeof rivals[each]);
        rivals[each].engine = engine;
        rivals[each].tickets = tickets;
        rivals[each].start = &start;
        rivals[each].rival = each;
        pthread_create(&threads[each], NULL, answer, &rivals[each]);
    }
    set(&start);
    for (each = 0; each < RIVALS; each++) {
        pthread_join(threads[each], NULL);
    }
    for (each = 0; each < TICKETS; each++) {
        CHECK_EQUAL(rivals[0].won[each] + rivals[1].won[each], 1);
        first += rivals[0].won[each];
    }
    return first;
}

static void a_ticket_that_two_threads_answer_is_answered_once(void)
{
    const nonstop_engine_options options = {sizeof options, 2 * TICKETS, 0};
    nonstop_engine *engine = shop_engine(&options);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    static nonstop_ticket tickets[TICKETS];
    nonstop_breakpoint_report report;
    nonstop_breakpoint_id id;
    uint64_t held, captured;
    uint32_t site;
    int each;
    spec.flags = NONSTOP_HAS_CONDITION;
    id = add(engine, spec);
    site = site_at(engine, 3);
    for (each = 0; each < TICKETS; each++) {
        tickets[each] = arrive(engine, site).items[0].ticket;
    }
    held = race(engine, tickets, answer_conditions);
    report = report_of(engine, id);
    CHECK_EQUAL(report.false_conditions, TICKETS - held);
    CHECK_EQUAL(report.arrivals, TICKETS - held);

    CHECK_STATUS(nonstop_breakpoints_remove(engine, &id, 1), NONSTOP_OK);
    id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    site = site_at(engine, 3);
    for (each = 0; each < TICKETS; each++) {
        tickets[each] = arrive(engine, site).items[0].ticket;
    }
    captured = race(engine, tickets, send_captures);
    report = report_of(engine, id);
    CHECK_EQUAL(report.captured, captured);
    CHECK_EQUAL(report.dropped, TICKETS - captured);
    CHECK_EQUAL(stats_of(engine).sent, captured);
    nonstop_engine_free(engine);
}

/* --- edits and decisions --------------------------------------------------------------------------------------------------- */

enum { EDITORS = 4, EDITS = 300, BATCH = 3 };

typedef struct {
    const nonstop_engine *engine;
    flag *start;
    nonstop_breakpoint_id ids[EDITS][BATCH];
} editor;

static void *add_and_remove(void *given)
{
    editor *own = given;
    int edit, each;
    wait_for(own->start);
    for (edit = 0; edit < EDITS; edit++) {
        nonstop_breakpoint_spec specs[BATCH];
        nonstop_breakpoint_report report;
        report.struct_size = sizeof report;
        for (each = 0; each < BATCH; each++) {
            specs[each] = spec_at("shop.py:3", NONSTOP_COUNT);
            specs[each].user_data = (uint64_t)(edit * BATCH + each);
        }
        CHECK_STATUS(nonstop_breakpoints_add(own->engine, specs, BATCH, own->ids[edit]), NONSTOP_OK);
        for (each = 0; each < BATCH; each++) {
            CHECK_EQUAL(report_of(own->engine, own->ids[edit][each]).user_data, edit * BATCH + each);
        }
        CHECK_STATUS(nonstop_breakpoints_remove(own->engine, own->ids[edit], BATCH), NONSTOP_OK);
        CHECK_STATUS(nonstop_breakpoint_get_report(own->engine, own->ids[edit][0], &report), NONSTOP_ERROR_NOT_FOUND);
    }
    return NULL;
}

static int by_number(const void *left, const void *right)
{
    const nonstop_breakpoint_id one = *(const nonstop_breakpoint_id *)left;
    const nonstop_breakpoint_id other = *(const nonstop_breakpoint_id *)right;
    return (one > other) - (one < other);
}

static void an_id_is_never_given_out_twice(void)
{
    enum { ALL = EDITORS * EDITS * BATCH };
    static editor editors[EDITORS];
    static nonstop_breakpoint_id ids[ALL];
    nonstop_engine *engine = shop_engine(NULL);
    flag start = FLAG_INITIALIZER;
    pthread_t threads[EDITORS];
    int each;
    for (each = 0; each < EDITORS; each++) {
        editors[each].engine = engine;
        editors[each].start = &start;
        pthread_create(&threads[each], NULL, add_and_remove, &editors[each]);
    }
    set(&start);
    for (each = 0; each < EDITORS; each++) {
        pthread_join(threads[each], NULL);
        memcpy(ids + (size_t)each * EDITS * BATCH, editors[each].ids, sizeof editors[each].ids);
    }
    qsort(ids, ALL, sizeof *ids, by_number);
    for (each = 1; each < ALL; each++) {
        CHECK(ids[each] != ids[each - 1]);
    }
    CHECK_EQUAL(site_at(engine, 3), 0);
    nonstop_engine_free(engine);
}

static void *decide_often(void *given)
{
    tally *own = given;
    while (!is_set(&own->shared->stop)) {
        site_at(own->shared->engine, 3);
    }
    return NULL;
}

static void a_breakpoint_fires_from_its_decision_on_whoever_else_decides(void)
{
    enum { ROUNDS = 3000, DECIDERS = 3 };
    nonstop_engine *engine = shop_engine(NULL);
    crowd shared = {engine, 0, 0, 0, 0, 0, FLAG_INITIALIZER, FLAG_INITIALIZER};
    pthread_t threads[DECIDERS];
    tally own;
    int each, round;
    memset(&own, 0, sizeof own);
    own.shared = &shared;
    for (each = 0; each < DECIDERS; each++) {
        pthread_create(&threads[each], NULL, decide_often, &own);
    }
    for (round = 0; round < ROUNDS; round++) {
        nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_COUNT);
        const uint32_t site = site_at(engine, 3);
        size_t count;
        /* The epoch has not changed since the decision: nobody can undo it. */
        if (!CHECK(site != 0) ||
            !CHECK_STATUS(nonstop_hit(engine, site, 7, NULL, 0, 0, NULL, 0, &count), NONSTOP_IGNORE) ||
            !CHECK_EQUAL(report_of(engine, id).arrivals, 1)) {
            break;
        }
        CHECK_STATUS(nonstop_breakpoints_remove(engine, &id, 1), NONSTOP_OK);
    }
    set(&shared.stop);
    for (each = 0; each < DECIDERS; each++) {
        pthread_join(threads[each], NULL);
    }
    nonstop_engine_free(engine);
}

/* --- code that comes and goes ---------------------------------------------------------------------------------------------- */

enum { LOADERS = 4, LOADS = 1500 };

typedef struct {
    const nonstop_engine *engine;
    uint64_t key;
} loader;

static void *load_and_unload(void *given)
{
    const loader *own = given;
    const nonstop_code_info info = total(own->key);
    int load;
    for (load = 0; load < LOADS; load++) {
        nonstop_decision decision = {sizeof decision, 0, 0, 0, 0, 0, 0};
        nonstop_arm arms[ROOM];
        size_t count;
        uint32_t site = 0;
        CHECK_STATUS(nonstop_code_decide(own->engine, &info, arms, ROOM, &decision), NONSTOP_CAPTURE);
        CHECK_STATUS(nonstop_event(own->engine, own->key, NONSTOP_EVENT_LINE, 3, 7, 1, &site), NONSTOP_CAPTURE);
        CHECK_EQUAL(site, arms[0].site);
        CHECK_STATUS(nonstop_hit(own->engine, site, 7, NULL, 0, 0, NULL, 0, &count), NONSTOP_IGNORE);
        CHECK_STATUS(nonstop_code_forget(own->engine, own->key), NONSTOP_OK);
        CHECK_STATUS(nonstop_hit(own->engine, site, 7, NULL, 0, 0, NULL, 0, &count), NONSTOP_ERROR_NOT_FOUND);
    }
    return NULL;
}

static void code_objects_come_and_go_on_many_threads(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_COUNT);
    pthread_t threads[LOADERS];
    loader loaders[LOADERS];
    int each;
    for (each = 0; each < LOADERS; each++) {
        loaders[each].engine = engine;
        loaders[each].key = (uint64_t)each + 1;
        pthread_create(&threads[each], NULL, load_and_unload, &loaders[each]);
    }
    for (each = 0; each < LOADERS; each++) {
        pthread_join(threads[each], NULL);
    }
    CHECK_EQUAL(report_of(engine, id).captured, (uint64_t)LOADERS * LOADS);
    CHECK_EQUAL(report_of(engine, id).code_objects, 0);
    nonstop_engine_free(engine);
}

const test thread_tests[] = {
    TEST(every_arrival_is_counted_once_while_others_edit_and_receive),
    TEST(a_ticket_that_two_threads_answer_is_answered_once),
    TEST(an_id_is_never_given_out_twice),
    TEST(a_breakpoint_fires_from_its_decision_on_whoever_else_decides),
    TEST(code_objects_come_and_go_on_many_threads),
    END,
};
