/* What only a program in C can show: the interface as a tool uses it that is neither Rust nor Python.
 *
 * `cargo test` builds and runs it (tests/c_program.rs), linked with the shared library and with the static one. By hand, from
 * the root of the project:
 *
 *     cargo build
 *     cc -std=c99 -Wall -Wextra -pedantic -Werror -g -pthread -Iinclude tests-c/?*.c \
 *         -Ltarget/debug -lnonstop -Wl,-rpath,"$PWD/target/debug" -o target/tests-c && target/tests-c
 *
 * Built with -fsanitize=address,undefined it looks for misuse of memory on this side and for leaks on both; valgrind looks into
 * the library too:
 *
 *     target/tests-c -needs_no_lock
 *     valgrind -q --error-exitcode=1 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
 *         target/tests-c -a_child
 *
 * Arguments choose tests: a word runs those whose names hold it, `-word` leaves them out. Left out here are forks: the
 * sanitizer's allocator keeps its lock in the child of a process with threads, and a child leaks what its parent's threads held.
 * -fsanitize=thread is of no use, since it can't see the locks of a library that was not built with it.
 */
#include "check.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static unsigned long failures;

/* A failed check ends nothing: what follows often says why. */
static void failed(const char *file, int line, const char *what)
{
    char detail[512];
    nonstop_last_error(detail, sizeof detail);
    pthread_mutex_lock(&counting);
    failures++;
    printf("%s:%d: %s\n    last error of this thread: %s\n", file, line, what, detail[0] ? detail : "(none)");
    pthread_mutex_unlock(&counting);
}

unsigned long check_failures(void)
{
    unsigned long found;
    pthread_mutex_lock(&counting);
    found = failures;
    pthread_mutex_unlock(&counting);
    return found;
}

int check_true(const char *file, int line, const char *expression, int holds)
{
    if (!holds) {
        failed(file, line, expression);
    }
    return holds;
}

int check_equal(const char *file, int line, const char *expression, uint64_t found, uint64_t wanted)
{
    char what[512];
    if (found == wanted) {
        return 1;
    }
    snprintf(what, sizeof what, "%s is %" PRId64 ", not %" PRId64, expression, (int64_t)found, (int64_t)wanted);
    failed(file, line, what);
    return 0;
}

int check_status(const char *file, int line, const char *call, nonstop_status found, nonstop_status wanted)
{
    char what[512];
    if (found == wanted) {
        return 1;
    }
    snprintf(what, sizeof what, "%s gives %s (%" PRId32 "), not %s", call, nonstop_status_name(found), found,
             nonstop_status_name(wanted));
    failed(file, line, what);
    return 0;
}

int check_refused(const char *file, int line, const char *call, nonstop_status found, nonstop_status wanted,
                  const char *words)
{
    char detail[512], what[512];
    if (!check_status(file, line, call, found, wanted)) {
        return 0;
    }
    nonstop_last_error(detail, sizeof detail);
    if (strstr(detail, words) != NULL) {
        return 1;
    }
    snprintf(what, sizeof what, "%s: the message does not say '%s'", call, words);
    failed(file, line, what);
    return 0;
}

int check_holds(const char *file, int line, const char *expression, const char *text, const char *words)
{
    char what[4096];
    if (text != NULL && strstr(text, words) != NULL) {
        return 1;
    }
    snprintf(what, sizeof what, "%s does not hold '%s': %s", expression, words, text == NULL ? "(none)" : text);
    failed(file, line, what);
    return 0;
}

void check_forget_detail(void)
{
    /* A refusal that changes nothing and that no test waits for. */
    nonstop_set_logger(NULL, NULL, 99);
}

static int is_chosen(const char *name, int argc, char **argv)
{
    int asked = 0, named = 0, argument;
    for (argument = 1; argument < argc; argument++) {
        const char *word = argv[argument];
        if (word[0] == '-') {
            if (strstr(name, word + 1) != NULL) {
                return 0;
            }
        } else {
            asked = 1;
            named = named || strstr(name, word) != NULL;
        }
    }
    return named || !asked;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *noun;
        const test *tests;
    } groups[] = {
        {"library", library_tests}, {"breakpoints", breakpoints_tests}, {"filter", filter_tests},
        {"hits", hits_tests},       {"capture", capture_tests},         {"channel", channel_tests},
        {"structs", struct_tests},  {"bad input", bad_input_tests},     {"threads", thread_tests},
        {"fork", fork_tests},       {"calls", calls_tests},
        {"dialect", dialect_tests}, {"patch", patch_tests},             {"cpython", cpython_tests},
    };
    unsigned passed = 0, not_passed = 0;
    size_t group;
    /* A crash must not take the lines before it along. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (nonstop_abi_version() != NONSTOP_ABI_VERSION) {
        printf("the library has ABI %u, this program was built for %u\n", (unsigned)nonstop_abi_version(),
               (unsigned)NONSTOP_ABI_VERSION);
        return 2;
    }
    for (group = 0; group < sizeof groups / sizeof *groups; group++) {
        const test *each;
        for (each = groups[group].tests; each->run != NULL; each++) {
            const unsigned long before = check_failures();
            int fine;
            if (!is_chosen(each->name, argc, argv)) {
                continue;
            }
            each->run();
            fine = check_failures() == before;
            passed += fine ? 1 : 0;
            not_passed += fine ? 0 : 1;
            printf("%s  %s: %s\n", fine ? "ok    " : "FAILED", groups[group].noun, each->name);
        }
    }
    printf("%u passed, %u failed\n", passed, not_passed);
    return not_passed == 0 && passed > 0 ? 0 : 1;
}
