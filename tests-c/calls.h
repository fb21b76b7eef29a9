/* One engine scenario at work (conformance/engine/README.md): its engine, the names that it gave, and its calls. */
#ifndef NONSTOP_TESTS_CALLS_H
#define NONSTOP_TESTS_CALLS_H

#include "shop.h"
#include "words.h"

/* Bounds of what the scenarios need. */
#define MOST_ROWS 16
#define MOST_NAMES 128
#define MOST_LINES 64
#define MOST_AT_ONCE 32

/* A unit table of programs.units. */
typedef struct {
    char name[32];
    uint32_t line_count;
    size_t scope_count, block_count, unit_count;
    nonstop_scope scopes[MOST_ROWS];
    nonstop_block blocks[MOST_ROWS];
    nonstop_unit units[MOST_ROWS];
    /* What the names of the scopes point into. */
    char qualnames[MOST_ROWS][64];
} table;

typedef struct {
    size_t count;
    table all[MOST_ROWS];
} tables;

/* What a name can stand for. */
typedef enum { BREAKPOINT, SITE, TICKET } sort;

/* A name that a scenario gave, and what is known of what it stands for. */
typedef struct {
    sort of;
    char name[16];
    uint64_t number;
    int32_t action;
    uint64_t user_data;
    uint32_t requested_line;
} known;

typedef struct {
    nonstop_engine *engine;
    const tables *programs;
    known names[MOST_NAMES];
    size_t name_count;
    uint64_t epoch;
    int is_fresh;
    /* The call was refused as the line says. */
    int is_refused;
    /* Why the line is wrong; empty while it is not. */
    char why[1024];
} run;

/* One kind of call. It leaves in the run why the line is wrong, or nothing. */
typedef void call(run *at_work, line *said);

/* calls_breakpoints.c */
call call_add, call_remove, call_enable, call_disable, call_set_state, call_report;
/* calls_code.c */
call call_source, call_no_source, call_source_lines, call_path_map, call_filter, call_decide, call_carries, call_forget,
    call_event;
/* calls_hits.c */
call call_hit, call_total, call_commit, call_abandon, call_capture, call_records;
call call_receive, call_close, call_stats, call_template;

/* calls_tables.c: reads one line of programs.units. NULL, or what is wrong with it. */
const char *table_read(tables *into, const char *text);

/* Says why the line is wrong. Always 0. */
int wrong(run *at_work, const char *format, ...);

/* Whether the words of the call are used up and its status is none that ends it: then the answer is to be compared. */
int goes_on(run *at_work, const line *said, nonstop_status status);

/* The next word of the call or of the answer, which must be there: NULL where it is not. */
const char *one_word(run *at_work, words *from, const char *what);

/* A number without sign, of `most` at most. */
int a_number(run *at_work, const char *word, uint64_t most, uint64_t *out_number);

/* The number of the next word. */
int next_number(run *at_work, words *from, uint64_t most, uint64_t *out_number);

/* The next word of the answer is this one. */
int is_next(run *at_work, line *said, const char *found);

/* The name of a verdict in the files. */
const char *verdict_name(nonstop_status verdict);

/* What a name stands for; NULL where it stands for nothing. */
known *named(run *at_work, sort of, const char *name);

/* The same of the next word of the call. */
known *next_named(run *at_work, line *said, sort of);

/* Gives a new name to a number that has none. */
known *give(run *at_work, sort of, const char *name, uint64_t number);

/* The first use of a name gives it, later ones must find the same. */
known *meet(run *at_work, sort of, const char *name, uint64_t number);

/* What has this number. */
known *numbered(run *at_work, sort of, uint64_t number);

#endif
