/* How many decisions a second the engine gives a host in C, in each of some threads at once:
 *
 *     scripts/bench, or: cc -std=c99 -O2 -pthread -Iinclude benches/decide.c -Ltarget/release -lnonstop
 *
 * Functions with a breakpoint in each: the threads go round them. */
#define _POSIX_C_SOURCE 200112L

#include <nonstop.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FUNCTIONS = 1024, LINES = 4, MANY = 4000000, ROUNDS = 11, MOST_THREADS = 2 };

typedef struct {
    nonstop_engine *engine;
    uint32_t sites[FUNCTIONS];
} world;

typedef struct {
    const char *name;
    /* Whether the goal of 50 million a second is meant. */
    int is_decision;
    nonstop_status expected;
    nonstop_status (*once)(const world *, size_t);
    /* A power of two. */
    size_t functions;
} question;

typedef struct {
    const world *asked;
    const question *what;
    pthread_barrier_t *begin;
    double seconds;
} worker;

static void fine(nonstop_status status)
{
    if (status < 0) {
        fprintf(stderr, "%s\n", nonstop_status_name(status));
        exit(1);
    }
}

static nonstop_text text(const char *words)
{
    nonstop_text made;
    made.data = words;
    made.len = strlen(words);
    return made;
}

/* Line 4 f + 3 of each function f carries a breakpoint. */
static void set_up(world *made)
{
    static const char path[] = "/app/shop.py";
    size_t f;
    fine(nonstop_engine_new(NULL, &made->engine));
    fine(nonstop_source_without_units(made->engine, path, strlen(path), NULL, 0));
    for (f = 0; f < FUNCTIONS; f++) {
        char location[32], name[16];
        uint32_t lines[LINES], each;
        nonstop_breakpoint_spec spec;
        nonstop_breakpoint_id id;
        nonstop_code_info info;
        nonstop_decision decision;
        nonstop_arm arm;
        memset(&spec, 0, sizeof spec);
        memset(&info, 0, sizeof info);
        sprintf(location, "shop.py:%lu", (unsigned long)(LINES * f + 3));
        sprintf(name, "f%lu", (unsigned long)f);
        spec.struct_size = sizeof spec;
        spec.location = text(location);
        fine(nonstop_breakpoints_add(made->engine, &spec, 1, &id));
        for (each = 0; each < LINES; each++) {
            lines[each] = (uint32_t)(LINES * f) + 1 + each;
        }
        info.struct_size = sizeof info;
        info.first_line = lines[0];
        info.key = f + 1;
        info.path = text(path);
        info.name = info.qualname = text(name);
        info.lines = lines;
        info.line_count = LINES;
        decision.struct_size = sizeof decision;
        fine(nonstop_code_decide(made->engine, &info, &arm, 1, &decision));
        made->sites[f] = arm.site;
    }
}

static nonstop_status line_event(const world *asked, size_t f, uint32_t line)
{
    uint32_t site;
    return nonstop_event(asked->engine, f + 1, NONSTOP_EVENT_LINE, (uint32_t)(LINES * f) + line, 1, 1, &site);
}

static nonstop_status at_another_line(const world *asked, size_t f)
{
    return line_event(asked, f, 2);
}

static nonstop_status at_the_line(const world *asked, size_t f)
{
    return line_event(asked, f, 3);
}

static nonstop_status a_hit(const world *asked, size_t f)
{
    nonstop_hit_item items[4];
    size_t count;
    return nonstop_hit(asked->engine, asked->sites[f], 1, NULL, 0, 0, items, 4, &count);
}

static const question questions[] = {
    {"a line without a breakpoint, 128 functions", 1, NONSTOP_DISABLE, at_another_line, 128},
    {"a line with one, 128 functions", 1, NONSTOP_CAPTURE, at_the_line, 128},
    {"a line with one, 1024 functions", 1, NONSTOP_CAPTURE, at_the_line, FUNCTIONS},
    {"a hit that is counted, 128 functions", 0, NONSTOP_IGNORE, a_hit, 128},
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void *work(void *argument)
{
    worker *own = argument;
    const size_t mask = own->what->functions - 1;
    size_t turn;
    double began;
    pthread_barrier_wait(own->begin);
    began = now();
    for (turn = 0; turn < MANY; turn++) {
        if (own->what->once(own->asked, turn & mask) != own->what->expected) {
            fprintf(stderr, "%s: not as expected\n", own->what->name);
            exit(1);
        }
    }
    own->seconds = now() - began;
    return NULL;
}

/* Millions a second, of the slowest thread. */
static double rate_of(const world *asked, const question *what, unsigned threads)
{
    worker workers[MOST_THREADS];
    pthread_t ids[MOST_THREADS];
    pthread_barrier_t begin;
    double slowest = 0;
    unsigned each;
    pthread_barrier_init(&begin, NULL, threads);
    for (each = 0; each < threads; each++) {
        workers[each].asked = asked;
        workers[each].what = what;
        workers[each].begin = &begin;
        if (pthread_create(&ids[each], NULL, work, &workers[each]) != 0) {
            exit(1);
        }
    }
    for (each = 0; each < threads; each++) {
        pthread_join(ids[each], NULL);
        slowest = workers[each].seconds > slowest ? workers[each].seconds : slowest;
    }
    pthread_barrier_destroy(&begin);
    return MANY / slowest / 1e6;
}

static int ascending(const void *one, const void *other)
{
    const double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

int main(void)
{
    static const size_t count = sizeof questions / sizeof *questions;
    static double rates[sizeof questions / sizeof *questions][MOST_THREADS][ROUNDS];
    world asked;
    size_t each, round;
    unsigned threads;
    set_up(&asked);
    printf("nonstop %s, millions a second in each thread, %d rounds: median (least-most)\n", nonstop_version(), ROUNDS);
    for (round = 0; round < ROUNDS; round++) {
        for (each = 0; each < count; each++) {
            for (threads = 1; threads <= MOST_THREADS; threads++) {
                rates[each][threads - 1][round] = rate_of(&asked, &questions[each], threads);
            }
        }
    }
    for (each = 0; each < count; each++) {
        for (threads = 1; threads <= MOST_THREADS; threads++) {
            double *found = rates[each][threads - 1];
            qsort(found, ROUNDS, sizeof *found, ascending);
            printf("  %-43s %u thread%s %6.1f (%.1f-%.1f)%s\n", questions[each].name, threads, threads > 1 ? "s" : " ",
                   found[ROUNDS / 2], found[0], found[ROUNDS - 1],
                   questions[each].is_decision && found[ROUNDS / 2] < 50 ? "  below the goal of 50" : "");
        }
    }
    nonstop_engine_free(asked.engine);
    return 0;
}
