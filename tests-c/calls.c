/* The language-neutral scenarios (conformance/engine) through the C interface: the lines, the names, and the tests. */
#include "calls.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int wrong(run *at_work, const char *format, ...)
{
    va_list values;
    /* The first reason is the one that helps. */
    if (at_work->why[0] == '\0') {
        va_start(values, format);
        vsnprintf(at_work->why, sizeof at_work->why, format, values);
        va_end(values);
    }
    return 0;
}

int goes_on(run *at_work, const line *said, nonstop_status status)
{
    char detail[512];
    if (is_left(&said->call)) {
        return wrong(at_work, "'%s' is too much", said->call.all[said->call.at]);
    }
    if (status >= 0) {
        return said->refusal == NULL || wrong(at_work, "not refused as %s", said->refusal);
    }
    nonstop_last_error(detail, sizeof detail);
    if (said->refusal == NULL || strcmp(said->refusal, nonstop_status_name(status)) != 0 ||
        strstr(detail, said->message) == NULL) {
        return wrong(at_work, "refused as %s: %s", nonstop_status_name(status), detail);
    }
    at_work->is_refused = 1;
    return 0;
}

const char *one_word(run *at_work, words *from, const char *what)
{
    const char *word = next_word(from);
    if (word == NULL) {
        wrong(at_work, "%s is missing", what);
    }
    return word;
}

int a_number(run *at_work, const char *word, uint64_t most, uint64_t *out_number)
{
    return read_number(word, most, out_number) || wrong(at_work, "'%s' is no number of this kind", word);
}

int next_number(run *at_work, words *from, uint64_t most, uint64_t *out_number)
{
    const char *word = one_word(at_work, from, "a number");
    return word != NULL && a_number(at_work, word, most, out_number);
}

int is_next(run *at_work, line *said, const char *found)
{
    const char *word = one_word(at_work, &said->answer, found);
    return word != NULL && (strcmp(word, found) == 0 || wrong(at_work, "found '%s', not '%s'", found, word));
}

const char *verdict_name(nonstop_status verdict)
{
    static const char *const names[] = {"ignore", "disable", "evaluate", "capture", "dropped"};
    return verdict < 0 || verdict > NONSTOP_DROPPED ? "no verdict" : names[verdict];
}

/* The name, if it stands for something of this sort. */
static known *look_up(run *at_work, sort of, const char *name)
{
    size_t each;
    for (each = 0; each < at_work->name_count; each++) {
        if (at_work->names[each].of == of && strcmp(at_work->names[each].name, name) == 0) {
            return &at_work->names[each];
        }
    }
    return NULL;
}

known *numbered(run *at_work, sort of, uint64_t number)
{
    size_t each;
    for (each = 0; each < at_work->name_count; each++) {
        if (at_work->names[each].of == of && at_work->names[each].number == number) {
            return &at_work->names[each];
        }
    }
    return NULL;
}

known *named(run *at_work, sort of, const char *name)
{
    known *found = look_up(at_work, of, name);
    if (found == NULL) {
        wrong(at_work, "nothing has the name '%s'", name);
    }
    return found;
}

known *next_named(run *at_work, line *said, sort of)
{
    const char *name = one_word(at_work, &said->call, "a name");
    return name == NULL ? NULL : named(at_work, of, name);
}

known *meet(run *at_work, sort of, const char *name, uint64_t number)
{
    known *found = look_up(at_work, of, name), *other = numbered(at_work, of, number);
    if (number == 0 || *name == '\0' || strlen(name) >= sizeof found->name || at_work->name_count == MOST_NAMES) {
        wrong(at_work, "'%s' can't name %" PRIu64, name, number);
        return NULL;
    }
    if (found != other) {
        wrong(at_work, "%" PRIu64 " has the name %s, not %s", number, other == NULL ? "(none)" : other->name, name);
        return NULL;
    }
    if (found == NULL) {
        found = &at_work->names[at_work->name_count++];
        memset(found, 0, sizeof *found);
        found->of = of;
        found->number = number;
        strcpy(found->name, name);
    }
    return found;
}

known *give(run *at_work, sort of, const char *name, uint64_t number)
{
    if (look_up(at_work, of, name) != NULL) {
        wrong(at_work, "%s is given already", name);
        return NULL;
    }
    return meet(at_work, of, name, number);
}

static void start(run *at_work, const nonstop_engine_options *options)
{
    nonstop_engine_free(at_work->engine);
    at_work->engine = NULL;
    if (nonstop_engine_new(options, &at_work->engine) != NONSTOP_OK) {
        wrong(at_work, "no engine can be made");
        return;
    }
    at_work->epoch = epoch_of(at_work->engine);
    at_work->is_fresh = 1;
}

static void call_engine(run *at_work, line *said)
{
    nonstop_engine_options options;
    const char *word, *value;
    uint64_t items = 0;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    while ((word = next_word(&said->call)) != NULL) {
        if ((value = value_of(word, "queue_items")) != NULL) {
            a_number(at_work, value, UINT32_MAX, &items);
        } else if ((value = value_of(word, "queue_bytes")) != NULL) {
            a_number(at_work, value, UINT64_MAX, &options.queue_bytes);
        } else {
            wrong(at_work, "there is no option '%s'", word);
        }
    }
    options.queue_items = (uint32_t)items;
    if (!at_work->is_fresh) {
        wrong(at_work, "another engine in the middle");
    }
    if (at_work->why[0] == '\0') {
        start(at_work, &options);
    }
}

static void call_wait(run *at_work, line *said)
{
    uint64_t milliseconds;
    struct timespec time;
    if (next_number(at_work, &said->call, 60000, &milliseconds)) {
        time.tv_sec = (time_t)(milliseconds / 1000);
        time.tv_nsec = (long)(milliseconds % 1000) * 1000000;
        nanosleep(&time, NULL);
    }
}

static void call_epoch(run *at_work, line *said)
{
    const uint64_t before = at_work->epoch;
    at_work->epoch = epoch_of(at_work->engine);
    is_next(at_work, said, before == at_work->epoch ? "same" : "changed");
}

/* Does what a line says, and compares; `at_work->why` tells what is wrong. */
static void run_line(run *at_work, const char *text)
{
    static const struct {
        const char *name;
        call *does;
        int has_answer;
    } calls[] = {
        {"engine", call_engine, 0},       {"add", call_add, 0},
        {"remove", call_remove, 0},       {"enable", call_enable, 0},
        {"disable", call_disable, 0},     {"set_state", call_set_state, 0},
        {"report", call_report, 1},       {"source", call_source, 0},
        {"no_source", call_no_source, 0}, {"source_lines", call_source_lines, 1},
        {"path_map", call_path_map, 0},   {"filter", call_filter, 0},
        {"decide", call_decide, 1},       {"carries", call_carries, 1},
        {"forget", call_forget, 0},       {"event", call_event, 1},
        {"hit", call_hit, 1},             {"commit", call_commit, 1},
        {"total", call_total, 0},         {"abandon", call_abandon, 0},
        {"capture", call_capture, 1},     {"records", call_records, 1},
        {"receive", call_receive, 1},     {"close", call_close, 0},
        {"stats", call_stats, 1},         {"epoch", call_epoch, 1},
        {"wait", call_wait, 0},           {"template", call_template, 1},
    };
    line said;
    const char *problem = line_read(&said, text), *name = problem == NULL ? next_word(&said.call) : NULL;
    size_t each;
    at_work->is_refused = 0;
    if (name == NULL) {
        wrong(at_work, "%s", problem == NULL ? "there is no call" : problem);
        return;
    }
    for (each = 0; each < sizeof calls / sizeof *calls && strcmp(calls[each].name, name) != 0;) {
        each++;
    }
    if (each == sizeof calls / sizeof *calls) {
        wrong(at_work, "there is no call '%s'", name);
        return;
    }
    if (said.refusal == NULL && said.has_answer != calls[each].has_answer) {
        wrong(at_work, "an answer is missing, or there is none to tell");
        return;
    }
    calls[each].does(at_work, &said);
    if (said.refusal != NULL && !at_work->is_refused) {
        wrong(at_work, "not refused as %s", said.refusal);
    } else if (is_left(&said.call) || is_left(&said.answer)) {
        wrong(at_work, "there are more words than are looked at");
    }
    if (strcmp(name, "engine") != 0) {
        at_work->is_fresh = 0;
    }
}

/* A scenario, while its lines are read. */
typedef struct {
    run at_work;
    char title[256];
    int last_line, stopped_at;
    char stopped_by[2048];
} scenario;

static unsigned scenarios;

static void end(scenario *ended, const char *path, int is_mistake)
{
    if (ended->title[0] == '\0') {
        return;
    }
    scenarios++;
    if (is_mistake && ended->stopped_at != ended->last_line) {
        check_true(path, ended->last_line, ended->title, 0);
    }
    if (ended->stopped_at != 0 && ended->stopped_at != (is_mistake ? ended->last_line : 0)) {
        check_true(path, ended->stopped_at, ended->stopped_by, 0);
    }
    nonstop_engine_free(ended->at_work.engine);
    ended->at_work.engine = NULL;
    ended->title[0] = '\0';
}

static void begin(scenario *begun, const tables *programs, const char *text)
{
    line said;
    const char *problem = line_read(&said, text), *title = NULL, *rule = NULL;
    memset(begun, 0, sizeof *begun);
    if (problem == NULL) {
        next_word(&said.call);
        title = next_word(&said.call);
    }
    snprintf(begun->title, sizeof begun->title, "%s", title == NULL ? "(no title)" : title);
    begun->at_work.programs = programs;
    start(&begun->at_work, NULL);
    CHECK(title != NULL && !said.has_answer);
    while (title != NULL && (rule = next_word(&said.call)) != NULL) {
        CHECK(rule[strspn(rule, "0123456789.")] == '\0');
    }
}

static void go_on(scenario *begun, int number, const char *text)
{
    begun->last_line = number;
    if (begun->stopped_at == 0) {
        run_line(&begun->at_work, text);
    }
    if (begun->stopped_at == 0 && begun->at_work.why[0] != '\0') {
        begun->stopped_at = number;
        snprintf(begun->stopped_by, sizeof begun->stopped_by, "%s\n    %.200s\n    %s", begun->title, text,
                 begun->at_work.why);
    }
}

/* Reads a file line by line: a file of scenarios, or (with `read`) the unit tables. */
static void run_file(const char *path, tables *programs, int is_mistake, int is_table)
{
    static scenario current;
    char text[LINE_BYTES + 3];
    int number = 0;
    FILE *file = fopen(path, "rb");
    if (!check_true(path, 0, "it can be opened", file != NULL)) {
        return;
    }
    current.title[0] = '\0';
    while (fgets(text, sizeof text, file) != NULL) {
        const size_t len = strcspn(text, "\n");
        number++;
        if (!check_true(path, number, "the line ends in time", text[len] == '\n')) {
            break;
        }
        text[len] = '\0';
        if (!line_says_something(text)) {
            continue;
        }
        if (is_table) {
            const char *problem = table_read(programs, text);
            check_true(path, number, problem == NULL ? "" : problem, problem == NULL);
        } else if (strncmp(text, "scenario ", 9) == 0) {
            end(&current, path, is_mistake);
            begin(&current, programs, text);
        } else if (check_true(path, number, "a scenario has begun", current.title[0] != '\0')) {
            go_on(&current, number, text);
        }
    }
    end(&current, path, is_mistake);
    fclose(file);
}

static int is_calls(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".calls") == 0;
}

/* All files of a directory below conformance/engine. The data lies beside this file: the compiler knows where. */
static void run_directory(const char *name, int is_mistake)
{
    static tables programs;
    const char *slash = strrchr(__FILE__, '/');
    const int here = slash == NULL ? 0 : (int)(slash - __FILE__ + 1);
    char directory[1024], path[2048];
    struct dirent **files = NULL;
    int count, each;
    memset(&programs, 0, sizeof programs);
    snprintf(path, sizeof path, "%.*s../conformance/engine/programs.units", here, __FILE__);
    run_file(path, &programs, 0, 1);
    snprintf(directory, sizeof directory, "%.*s../conformance/engine/%s", here, __FILE__, name);
    count = scandir(directory, &files, is_calls, alphasort);
    check_true(directory, 0, "there are files with scenarios", count > 0);
    for (each = 0; each < count; each++) {
        snprintf(path, sizeof path, "%s/%s", directory, files[each]->d_name);
        run_file(path, &programs, is_mistake, 0);
        free(files[each]);
    }
    free(files);
}

static void every_scenario_gives_its_answers(void)
{
    scenarios = 0;
    run_directory(".", 0);
    CHECK(scenarios >= 30);
}

static void every_mistake_is_found_at_its_line(void)
{
    scenarios = 0;
    run_directory("mistakes", 1);
    CHECK(scenarios >= 30);
}

const test calls_tests[] = {
    TEST(every_scenario_gives_its_answers),
    TEST(every_mistake_is_found_at_its_line),
    END,
};
