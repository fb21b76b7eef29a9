/* Checks that say what failed where, and go on; and the list of tests that main.c runs. */
#ifndef NONSTOP_TESTS_CHECK_H
#define NONSTOP_TESTS_CHECK_H

/* For threads and fork: the language itself has neither. Before any other header. */
#define _POSIX_C_SOURCE 200809L

#include <stddef.h>
#include <stdint.h>

#include "nonstop.h"

/* A fact, and the function that shows it. */
typedef struct {
    const char *name;
    void (*run)(void);
} test;

/* A row of a list of tests; END closes it. */
#define TEST(function) {#function, function}
#define END {NULL, NULL}

/* One list for each file. */
extern const test library_tests[];
extern const test breakpoints_tests[];
extern const test filter_tests[];
extern const test hits_tests[];
extern const test capture_tests[];
extern const test channel_tests[];
extern const test struct_tests[];
extern const test bad_input_tests[];
extern const test thread_tests[];
extern const test fork_tests[];
extern const test dialect_tests[];
extern const test patch_tests[];
extern const test calls_tests[];
extern const test cpython_tests[];

/* The condition holds. */
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, (condition) ? 1 : 0)

/* Both numbers are the same; negative ones too. */
#define CHECK_EQUAL(found, wanted) check_equal(__FILE__, __LINE__, #found, (uint64_t)(found), (uint64_t)(wanted))

/* The call gives this status or verdict. */
#define CHECK_STATUS(call, wanted) check_status(__FILE__, __LINE__, #call, (call), (wanted))

/* The call is refused with this status, and its own message has these words. */
#define CHECK_REFUSED(call, wanted, words) \
    (check_forget_detail(), check_refused(__FILE__, __LINE__, #call, (call), (wanted), (words)))

/* Text is there, and holds these words. */
#define CHECK_HOLDS(text, words) check_holds(__FILE__, __LINE__, #text, (text), (words))

/* Whether the check passed, so that a test can leave out what would make no sense. Any thread. */
int check_true(const char *file, int line, const char *expression, int holds);
int check_equal(const char *file, int line, const char *expression, uint64_t found, uint64_t wanted);
int check_status(const char *file, int line, const char *call, nonstop_status found, nonstop_status wanted);
int check_refused(const char *file, int line, const char *call, nonstop_status found, nonstop_status wanted,
                  const char *words);
int check_holds(const char *file, int line, const char *expression, const char *text, const char *words);

/* Replaces this thread's detail, so that a message found later is the call's own. */
void check_forget_detail(void);

/* How many checks failed so far. */
unsigned long check_failures(void);

#endif
