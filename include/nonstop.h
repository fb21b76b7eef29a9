#ifndef NONSTOP_H
#define NONSTOP_H

#include <stddef.h>
#include <stdint.h>

// Done.
#define NONSTOP_OK 0

// Verdict: nothing to do.
#define NONSTOP_IGNORE 0

// Verdict: nothing to do, and not at this place again in this epoch: switch it off if that is cheaper than asking.
#define NONSTOP_DISABLE 1

// Verdict: evaluate the condition and commit its outcome.
#define NONSTOP_EVALUATE 2

// Verdict: capture; of a capture: it is queued.
#define NONSTOP_CAPTURE 3

// Verdict of a capture: the queue was full or closed; the hit is counted as dropped.
#define NONSTOP_DROPPED 4

// A pointer that must not be NULL is NULL. Fix the call.
#define NONSTOP_ERROR_NULL_POINTER -1

// A text is not UTF-8. Paths are bytes and never give this.
#define NONSTOP_ERROR_INVALID_UTF8 -2

// struct_size is too small to be one, or the struct has fields set that this library does not know: use a newer library.
#define NONSTOP_ERROR_STRUCT_SIZE -3

// An argument makes no sense; the detail names it.
#define NONSTOP_ERROR_INVALID_ARGUMENT -4

// The text of a location can't be read; the detail says how one is written.
#define NONSTOP_ERROR_INVALID_LOCATION -5

// The text of a hit condition can't be read.
#define NONSTOP_ERROR_INVALID_HIT_CONDITION -6

// The text of a log template can't be read; the detail names the position.
#define NONSTOP_ERROR_INVALID_TEMPLATE -7

// The records of a capture make no document; the hit is counted as dropped.
#define NONSTOP_ERROR_INVALID_RECORDS -8

// An id, ticket, site or key names nothing, or nothing any more.
#define NONSTOP_ERROR_NOT_FOUND -9

// The buffer is too small; the count that was written and the detail say how much is needed. Nothing was done: call again.
#define NONSTOP_ERROR_BUFFER_TOO_SMALL -10

// The channel is closed and empty: no snapshot will come any more.
#define NONSTOP_ERROR_CLOSED -11

// Nothing came in the time given.
#define NONSTOP_ERROR_TIMEOUT -12

// The object belongs to the thread that made it.
#define NONSTOP_ERROR_WRONG_THREAD -13

// A bound of the engine is reached; the detail names it.
#define NONSTOP_ERROR_LIMIT_REACHED -14

// A defect of nonstop, caught: please report the detail.
#define NONSTOP_ERROR_INTERNAL -15

// This process lacks what is needed; the detail names it.
#define NONSTOP_ERROR_NOT_SUPPORTED -16

// The version of this interface. It changes only when something that worked would not any more; functions and fields may be
// added under the same number.
#define NONSTOP_ABI_VERSION 1

// Levels of log messages, and the most that a callback gets: 0 none, 1 errors, 2 warnings, 3 information, 4 debugging, 5 all.
#define NONSTOP_LOG_OFF 0

// See NONSTOP_LOG_OFF.
#define NONSTOP_LOG_ERROR 1

// See NONSTOP_LOG_OFF.
#define NONSTOP_LOG_WARN 2

// See NONSTOP_LOG_OFF.
#define NONSTOP_LOG_INFO 3

// See NONSTOP_LOG_OFF.
#define NONSTOP_LOG_DEBUG 4

// See NONSTOP_LOG_OFF.
#define NONSTOP_LOG_TRACE 5

// Action: count the hits.
#define NONSTOP_COUNT 0

// Action: a message, made from a template.
#define NONSTOP_LOG 1

// Action: a snapshot of frames, locals and expressions.
#define NONSTOP_SNAPSHOT 2

// Flag of a breakpoint: the host has a condition for it, and evaluates it at each arrival.
#define NONSTOP_HAS_CONDITION 1

// Flag of a breakpoint: it starts disabled.
#define NONSTOP_DISABLED 2

// State: no code that it stands in has run yet.
#define NONSTOP_PENDING 0

// State: armed in at least one code object, now or before.
#define NONSTOP_BOUND 1

// State: max_hits is spent.
#define NONSTOP_EXHAUSTED 2

// State: its time is over.
#define NONSTOP_EXPIRED 3

// State: the host could not do its part.
#define NONSTOP_FAILED 4

// State: it can't fire where it was asked for; the reason names the nearest usable lines.
#define NONSTOP_UNVERIFIED 5

// Kind of a scope: the module, always row 0.
#define NONSTOP_SCOPE_MODULE 0

// Kind of a scope: a function with a name.
#define NONSTOP_SCOPE_FUNCTION 1

// Kind of a scope: a class body.
#define NONSTOP_SCOPE_CLASS 2

// Kind of a scope: a lambda.
#define NONSTOP_SCOPE_LAMBDA 3

// Kind of a scope: a comprehension or generator expression.
#define NONSTOP_SCOPE_COMPREHENSION 4

// Kind of a unit: a simple statement, or several on one line.
#define NONSTOP_UNIT_STATEMENT 0

// Kind of a unit: the header of a compound statement.
#define NONSTOP_UNIT_HEADER 1

// Kind of a unit: the items of a `with`; inner lines are its body.
#define NONSTOP_UNIT_WITH 2

// Kind of a unit: the subject of a `match`; inner lines are its cases.
#define NONSTOP_UNIT_MATCH 3

// Kind of a unit: the body of a lambda.
#define NONSTOP_UNIT_LAMBDA 4

// Kind of a unit: an element or condition of a comprehension that begins on a line of its own.
#define NONSTOP_UNIT_ELEMENT 5

// Flag of a unit: control can enter it straight from itself (the first statement of the body of `while True`).
#define NONSTOP_UNIT_REENTERED 1

// Flag of a unit: this interpreter makes no code for it; a breakpoint moves on to the next unit of the block.
#define NONSTOP_UNIT_NO_CODE 2

// Flag of a source: the host compiled it, with this interpreter: the units without code are marked. Then a code object that
// lacks a unit was made of another text.
#define NONSTOP_SOURCE_COMPILED 1

// Event: a code object begins to run. Events are bits of a mask.
#define NONSTOP_EVENT_CALL 1

// Event: control comes to a line.
#define NONSTOP_EVENT_LINE 2

// Event: a code object returns.
#define NONSTOP_EVENT_RETURN 4

// Event: an exception is raised, or passes.
#define NONSTOP_EVENT_EXCEPTION 8

// Flow of an opcode: on to the next instruction.
#define NONSTOP_FLOW_NEXT 0

// Flow of an opcode: to the next instruction, or to its target.
#define NONSTOP_FLOW_BRANCH 1

// Flow of an opcode: to its target.
#define NONSTOP_FLOW_JUMP 2

// Flow of an opcode: nowhere, unless to a handler (return, raise).
#define NONSTOP_FLOW_STOP 3

// Flow of an opcode: to the next instruction; from there to its target, that is the handler of exceptions (SETUP_FINALLY).
#define NONSTOP_FLOW_BLOCK 4

// Flow of an opcode: it is no instruction but a prefix of the next one's argument (EXTENDED_ARG).
#define NONSTOP_FLOW_PREFIX 5

// Target of an opcode: none.
#define NONSTOP_JUMP_NONE 0

// Target of an opcode: so far after its end.
#define NONSTOP_JUMP_FORWARD 1

// Target of an opcode: so far before its end.
#define NONSTOP_JUMP_BACKWARD 2

// Target of an opcode: so far from the beginning of the code.
#define NONSTOP_JUMP_ABSOLUTE 3

// Flag of an opcode: the code up to its first occurrence sets up the frame, and belongs to no line (RESUME, GEN_START).
#define NONSTOP_OPCODE_ENDS_PROLOGUE 1

// Flag of an opcode: it begins the exit of a `with` by an exception (WITH_EXCEPT_START).
#define NONSTOP_OPCODE_LEAVES_WITH 2

// Flag of an opcode: control enters no unit at it, wherever it comes from (END_ASYNC_FOR).
#define NONSTOP_OPCODE_ENTERS_NOTHING 4

// Flag of an opcode: it does nothing that a program could tell (POP_TOP, NOP); a compiler may tidy up with it under the line of
// something else.
#define NONSTOP_OPCODE_TIDIES_UP 8

// Flag of an opcode: it concludes what was computed before it and belongs to that, whatever its line (POP_JUMP_IF_TRUE,
// LIST_APPEND, RETURN_VALUE).
#define NONSTOP_OPCODE_CONCLUDES 16

// Flag of an opcode: it handles what is on the stack (DUP_TOP, RERAISE): no unit begins with it, unless it goes on to do
// something.
#define NONSTOP_OPCODE_BEGINS_NOTHING 64

// Flag of an opcode: it takes a name away (DELETE_FAST).
#define NONSTOP_OPCODE_DELETES 128

// Flag of an opcode: it ends a block that one of NONSTOP_FLOW_BLOCK began (POP_BLOCK).
#define NONSTOP_OPCODE_ENDS_BLOCK 256

// Flag of an opcode: it puts a constant on the stack, or returns one (LOAD_CONST, RETURN_CONST).
#define NONSTOP_OPCODE_HAS_CONSTANT 512

// Flag of an opcode: it makes a generator of the frame (RETURN_GENERATOR); the prologue begins anew behind it.
#define NONSTOP_OPCODE_MAKES_GENERATOR 1024

// Flag of an opcode: tracers are not told of a line that begins at it (END_FOR).
#define NONSTOP_OPCODE_UNTRACED 32

// Flag of an opcode: it puts the exception that a handler was entered for where the program can see it
// (PUSH_EXC_INFO).
#define NONSTOP_OPCODE_PUSHES_EXCEPTION 2048

// Flag of an opcode: it belongs together with the next instruction, so that nothing may be put between (KW_NAMES,
// PRECALL).
#define NONSTOP_OPCODE_BINDS_NEXT 4096

// Operand of a step of a call: 0.
#define NONSTOP_OPERAND_ZERO 0

// Operand of a step of a call: the index of the constant that is the hook.
#define NONSTOP_OPERAND_HOOK 1

// Operand of a step of a call: the index of the constant that the hook is called with.
#define NONSTOP_OPERAND_ARGUMENT 2

// Operand of a step of a call: how many arguments the hook is called with, 1.
#define NONSTOP_OPERAND_COUNT 3

// How many steps a call has at most.
#define NONSTOP_CALL_STEPS 8

// Line table: pairs of bytes, up to CPython 3.9 and PyPy 3.9 (co_lnotab).
#define NONSTOP_LINE_TABLE_LNOTAB 0

// Line table: pairs of bytes with ranges without a line, CPython 3.10 (co_linetable).
#define NONSTOP_LINE_TABLE_RANGES 1

// Line table: entries with columns, CPython from 3.11 on (co_linetable).
#define NONSTOP_LINE_TABLE_LOCATIONS 2

// Line table: one entry for every two bytes of code, PyPy from 3.10 on (co_linetable).
#define NONSTOP_LINE_TABLE_EACH_UNIT 3

// Handlers of exceptions: named by instructions of NONSTOP_FLOW_BLOCK.
#define NONSTOP_EXCEPTION_TABLE_BLOCKS 0

// Handlers of exceptions: in a table, from 3.11 on (co_exceptiontable).
#define NONSTOP_EXCEPTION_TABLE_RANGES 1

// Flag of a dialect: the compiler gives jumps and clean-up code the line of what it compiled before them (up to 3.9), so that a
// line begins to run only where it begins in the table, at targets of jumps backwards, and at handlers.
#define NONSTOP_DIALECT_STRAY_LINES 1

// Flag of a code object: it was not made of the source that is registered for its file, which was edited since, say. Its own
// lines are its units then, as they are of one that the library finds not to fit.
#define NONSTOP_CODE_OF_OTHER_SOURCE 1

// Flag of an arm: pass the thread's name to nonstop_hit.
#define NONSTOP_ARM_NEEDS_THREAD_NAME 1

// Flag of an arm: control can enter the unit straight from itself.
#define NONSTOP_ARM_REENTERED 2

// Flag of an entry: control can come here from inside of its unit as well. It is an arrival only if the event before was not
// inside: ask nonstop_code_is_inside.
#define NONSTOP_ENTRY_MIXED 2

// Flag of an entry: no line begins there that a tracer is told of, since what runs just before has the same line. Observe the
// events of instructions (f_trace_opcodes) in this code object.
#define NONSTOP_ENTRY_HIDDEN 4

// Flag of an entry: all that an arrival there does is to be counted. A host to which a call of nonstop_hit is dear may count by
// itself for as long as the epoch is the same, and tell with nonstop_hit_total.
#define NONSTOP_ENTRY_ONLY_COUNTS 8

// Flag of an entry, which a host sets for nonstop_cpython_arm: it reads the variables there itself, and decides all conditions.
#define NONSTOP_ENTRY_HOST_READS 16

// Flag of a decision: a breakpoint may stand in this file; call nonstop_source_register or nonstop_source_without_units, and
// decide again.
#define NONSTOP_NEEDS_SOURCE 1

// Flag of a decision: a breakpoint may stand in this code object; tell its lines or its bytecode, and decide again.
#define NONSTOP_NEEDS_LINES 2

// Outcome of a condition: it does not hold.
#define NONSTOP_FALSE 0

// Outcome of a condition: it holds; the arrival is a hit.
#define NONSTOP_TRUE 1

// Outcome of a condition: it raised.
#define NONSTOP_RAISED 2

// Kind of a container: items, each a value.
#define NONSTOP_ITEMS 0

// Kind of a container: entries, each a key and a value.
#define NONSTOP_ENTRIES 1

// Kind of a container: fields, each a nonstop_capture_name and a value.
#define NONSTOP_FIELDS 2

// Kind of a part: text that stands in the message as it is.
#define NONSTOP_PART_LITERAL 0

// Kind of a part: an expression, whose value stands in the message.
#define NONSTOP_PART_EXPRESSION 1

// Flag of a CPython host: its threads run without a GIL.
#define NONSTOP_CPYTHON_FREE_THREADED 1

// Flag of a CPython host: it puts calls into code (nonstop_patch_new), up to 3.11.
#define NONSTOP_CPYTHON_PUTS_CALLS 2

// Kind of a condition's step: compares the objects `left` and `right`, by the `sign`; the outcome is the truth from then on.
#define NONSTOP_STEP_COMPARE 1

// Kind of a condition's step: takes the truth of the object `left`.
#define NONSTOP_STEP_TRUTH 2

// Kind of a condition's step: turns the truth round.
#define NONSTOP_STEP_NOT 3

// Kind of a condition's step: goes on at the step `left`, a later one or the end, if it is true.
#define NONSTOP_STEP_JUMP_IF_TRUE 4

// Kind of a condition's step: goes on at the step `left`, a later one or the end, if it is false.
#define NONSTOP_STEP_JUMP_IF_FALSE 5

// What one hit captured, while it is being described call by call. It belongs to the thread that made it: any other gets
// WRONG_THREAD.
typedef struct nonstop_capture nonstop_capture;

// What the bytecode of an interpreter means, as the host read it from that interpreter's own tables (Python's `dis` and `opcode`
// modules): which version it is, the library does not ask. A process needs one.
typedef struct nonstop_dialect nonstop_dialect;

// An engine: breakpoints, decisions on code, open hits, and the queue of what was captured. A process may have several. Where
// a function takes a const pointer, any number of threads may call it at once.
typedef struct nonstop_engine nonstop_engine;

// A code object that was rewritten: calls to a hook stand in it where control enters units. It is made once and read
// only, and it keeps nothing of what it was made of.
typedef struct nonstop_patch nonstop_patch;

// One captured hit, received. It belongs to the host and outlives its engine.
typedef struct nonstop_snapshot nonstop_snapshot;

// What a call came to. Negative: an error, and nonstop_last_error has the detail. 0: done. Positive values are verdicts of
// nonstop_code_decide, nonstop_event, nonstop_hit, nonstop_hit_commit and nonstop_capture_records. Numbers are never reused.
typedef int32_t nonstop_status;

// Receives one log message: `user_data` as it was set, the level, the part of the library that speaks, and the message. Both
// texts are UTF-8 without a zero byte at the end, and valid during the call only. It is called by whatever thread has
// something to say, holding no lock of the library; it may call the library, but messages from within it are dropped. It must
// return: no exception and no longjmp may leave it.
typedef void (*nonstop_log_callback)(void *user_data,
                                     int32_t level,
                                     const char *target,
                                     size_t target_len,
                                     const char *message,
                                     size_t message_len);

// How to build an engine. A field that is 0 has its default.
typedef struct {
    // sizeof(nonstop_engine_options).
    uint32_t struct_size;
    // The most snapshots queued; default 1000.
    uint32_t queue_items;
    // The most bytes of JSON queued; default 8 MiB.
    uint64_t queue_bytes;
} nonstop_engine_options;

// How much one hit captures. A field that is 0 has its default. The engine holds every host to them, and the document says
// in `cut` what was left out; a host that stops at them while it walks values collects nothing in vain.
typedef struct {
    // sizeof(nonstop_limits). 0 where the struct stands in another one and all its fields are 0.
    uint32_t struct_size;
    // How many levels of collections and objects are shown inside each other; 32 at most.
    uint32_t depth;
    // Items of a collection.
    uint32_t items;
    // Items of a collection that is the value of a named expression.
    uint32_t named_items;
    // Characters of a text.
    uint32_t text_chars;
    // Characters of a text that is the value of a named expression.
    uint32_t named_text_chars;
    // Fields of an object.
    uint32_t fields;
    // Frames.
    uint32_t frames;
    // Frames with their locals.
    uint32_t frames_with_locals;
    // Bytes of a snapshot as JSON. Less than 12 KiB counts as 12 KiB.
    uint32_t snapshot_bytes;
} nonstop_limits;

// A text inside a struct: `len` bytes from `data`, which need not end with a zero byte. {NULL, 0} is the empty text.
typedef struct {
    // The bytes; the library reads them during the call only.
    const char *data;
    // How many.
    size_t len;
} nonstop_text;

// A breakpoint as it is asked for. All-zero but for the size and the location is a plain counter.
typedef struct {
    // sizeof(nonstop_breakpoint_spec).
    uint32_t struct_size;
    // NONSTOP_COUNT, NONSTOP_LOG or NONSTOP_SNAPSHOT.
    int32_t action;
    // "shop.py:42", "shop.py:total", "shop.py:Cart.total" or "package.module:42"; the path is bytes. A relative path names the
    // file below the directory in which the engine was made, or else every file whose path ends with it on whole components;
    // when there are several, the reason names them.
    nonstop_text location;
    // "== n", ">= n" or "% n", over the number of hits; empty: every hit.
    nonstop_text hit_condition;
    // The template of a log action: text with {expressions}; see nonstop_template_parse.
    nonstop_text log_template;
    // Only arrivals on threads of this name; empty: any. Not together with thread_id.
    nonstop_text thread_name;
    // Only arrivals on this thread; 0: any.
    uint64_t thread_id;
    // The most hits taken; 0: no limit.
    uint64_t max_hits;
    // Hits a second (a token bucket); 0: no limit.
    double rate_per_second;
    // How many hits may come at once within the rate; 0: one second's worth, at least 1.
    double burst;
    // Its life, in nanoseconds from now; 0: without end. The state changes when somebody looks: at the next arrival or report.
    uint64_t expires_after_ns;
    // NONSTOP_HAS_CONDITION, NONSTOP_DISABLED.
    uint32_t flags;
    // 0.
    uint32_t reserved;
    // Handed back with each hit.
    uint64_t user_data;
    // The limits of a capture; all zero: the defaults.
    nonstop_limits limits;
} nonstop_breakpoint_spec;

// Names a breakpoint. An id is never given to another breakpoint: one that was removed is NOT_FOUND. 0 is none.
typedef uint64_t nonstop_breakpoint_id;

// A breakpoint's state, counters and proof of arming at one moment. An arrival is counted once, when it is over: one whose
// ticket is open is in none of the counters yet. Always: arrivals = skipped + false_conditions + errors + hits, and hits =
// passed + limited + captured + dropped.
typedef struct {
    // sizeof(nonstop_breakpoint_report).
    uint32_t struct_size;
    // NONSTOP_PENDING to NONSTOP_UNVERIFIED.
    int32_t state;
    // The line that was asked for; 0 when a function was.
    uint32_t requested_line;
    // The line that it resolved to; 0 while none is known.
    uint32_t resolved_line;
    // 1 or 0.
    uint32_t enabled;
    // Live code objects in which it is armed.
    uint32_t code_objects;
    // Arrivals while disabled, expired or exhausted, or on another thread.
    uint64_t skipped;
    // Arrivals whose condition was false.
    uint64_t false_conditions;
    // Arrivals whose condition raised, or got no outcome.
    uint64_t errors;
    // Hits that the hit condition or max_hits let pass.
    uint64_t passed;
    // Hits beyond the rate.
    uint64_t limited;
    // Hits counted, or captured and queued. A snapshot that was received is counted.
    uint64_t captured;
    // Hits whose capture failed, was given up, or found the queue full.
    uint64_t dropped;
    // All arrivals.
    uint64_t arrivals;
    // Arrivals whose condition held, or that had none.
    uint64_t hits;
    // Nanoseconds in which arrivals were not observed because it was switched off.
    uint64_t off_ns;
    // As it was given.
    uint64_t user_data;
} nonstop_breakpoint_report;

// A scope of a file: what becomes a code object. Lines count from 1 everywhere.
typedef struct {
    // NONSTOP_SCOPE_MODULE to NONSTOP_SCOPE_COMPREHENSION.
    int32_t kind;
    // The first line of its code object (co_firstlineno).
    uint32_t first_line;
    // Its last line.
    uint32_t last_line;
    // The row of the scope around it, which comes before it.
    uint32_t parent;
    // The row of its outermost block.
    uint32_t body_block;
    // 0.
    uint32_t reserved;
    // The name of its code object (co_name).
    nonstop_text name;
    // Its qualified name (co_qualname).
    nonstop_text qualname;
} nonstop_scope;

// A block: statements that run one after the other. Row 0 is the body of the module.
typedef struct {
    // The line after its header; of a later clause (`elif`, the handlers, `else:`, `finally:`), the line after the one before it.
    uint32_t first_line;
    // The last line of its last statement.
    uint32_t last_line;
    // The row of the block around it, which comes before it.
    uint32_t parent;
    // The row of its scope.
    uint32_t scope;
} nonstop_block;

// A unit: where a breakpoint can stand.
typedef struct {
    // NONSTOP_UNIT_STATEMENT to NONSTOP_UNIT_ELEMENT.
    int32_t kind;
    // Its first line.
    uint32_t first_line;
    // Its last line.
    uint32_t last_line;
    // The row of its block.
    uint32_t block;
    // The row of its scope.
    uint32_t scope;
    // Lines from which control comes back without entering it: first; 0: none.
    uint32_t inner_first;
    // The last of them.
    uint32_t inner_last;
    // NONSTOP_UNIT_REENTERED, NONSTOP_UNIT_NO_CODE.
    uint32_t flags;
} nonstop_unit;

// The unit table of a file, made by the host's parser.
typedef struct {
    // sizeof(nonstop_source).
    uint32_t struct_size;
    // The lines of the file.
    uint32_t line_count;
    // The scopes.
    const nonstop_scope *scopes;
    // How many.
    size_t scope_count;
    // The blocks.
    const nonstop_block *blocks;
    // How many.
    size_t block_count;
    // The units.
    const nonstop_unit *units;
    // How many.
    size_t unit_count;
    // NONSTOP_SOURCE_COMPILED.
    uint32_t flags;
    // 0.
    uint32_t reserved;
} nonstop_source;

// A file, and the module that its code runs as.
typedef struct {
    // The path that the interpreter knows it by; bytes.
    nonstop_text path;
    // The module; may be empty.
    nonstop_text module;
} nonstop_file;

// A rule of the event filter. What it leaves empty or 0, it does not look at.
typedef struct {
    // sizeof(nonstop_filter_rule).
    uint32_t struct_size;
    // 1: the events that match are wanted; 0: they are not.
    uint32_t include;
    // The events that it is about: NONSTOP_EVENT_… bits.
    uint32_t events;
    // The deepest call depth, as the host counts; 0: any.
    uint32_t max_depth;
    // The thread; 0: any.
    uint64_t thread_id;
    // A glob over the path: `?` and `*` stay within a component, `**` goes across.
    nonstop_text path_glob;
    // A module, or "package.*" for a package with all below it.
    nonstop_text module;
    // A function: the end of its qualified name, on dots.
    nonstop_text function;
} nonstop_filter_rule;

// One opcode. All zeroes: an instruction that goes on to the next one.
typedef struct {
    // NONSTOP_FLOW_NEXT to NONSTOP_FLOW_PREFIX.
    uint8_t flow;
    // NONSTOP_JUMP_NONE to NONSTOP_JUMP_ABSOLUTE.
    uint8_t jump;
    // How many units of two bytes after it belong to it (inline caches).
    uint8_t caches;
    // 0.
    uint8_t reserved;
    // NONSTOP_OPCODE_… bits.
    uint32_t flags;
} nonstop_opcode;

// One instruction of a call.
typedef struct {
    // Its opcode.
    uint8_t opcode;
    // NONSTOP_OPERAND_ZERO to NONSTOP_OPERAND_COUNT.
    uint8_t operand;
} nonstop_call_step;

// What makes a dialect.
typedef struct {
    // sizeof(nonstop_dialect_facts).
    uint32_t struct_size;
    // NONSTOP_DIALECT_STRAY_LINES.
    uint32_t flags;
    // NONSTOP_LINE_TABLE_LNOTAB to NONSTOP_LINE_TABLE_EACH_UNIT.
    int32_t line_table;
    // NONSTOP_EXCEPTION_TABLE_BLOCKS or NONSTOP_EXCEPTION_TABLE_RANGES.
    int32_t exception_table;
    // How many bytes of code a jump counts as one: 1 or 2.
    uint32_t jump_unit_bytes;
    // By number.
    nonstop_opcode opcodes[256];
    // How a hook is called with one argument, and what it returns dropped: so many steps of `call`. 0: code in this
    // dialect is only read, and nonstop_patch_new refuses it.
    uint8_t call_length;
    // How much deeper than before the stack gets by the call.
    uint8_t call_stack;
    // The opcode of NONSTOP_FLOW_PREFIX that carries the higher bits of an argument (EXTENDED_ARG).
    uint8_t prefix_opcode;
    // The opcode of NONSTOP_FLOW_JUMP and NONSTOP_JUMP_FORWARD that jumps always (JUMP_FORWARD).
    uint8_t jump_opcode;
    // The instructions of the call, in order.
    nonstop_call_step call[NONSTOP_CALL_STEPS];
} nonstop_dialect_facts;

// A code object, as its host describes it.
typedef struct {
    // sizeof(nonstop_code_info).
    uint32_t struct_size;
    // Its first line (co_firstlineno).
    uint32_t first_line;
    // Names it for as long as it lives: an address, an index, anything that the host keeps unique.
    uint64_t key;
    // The path that the interpreter knows it by (co_filename); bytes.
    nonstop_text path;
    // The module that it runs in; may be empty.
    nonstop_text module;
    // Its own name (co_name).
    nonstop_text name;
    // Its qualified name (co_qualname); may be empty.
    nonstop_text qualname;
    // The lines that carry code, ascending, each once. NULL: not worked out yet; the decision says when they are needed.
    const uint32_t *lines;
    // How many.
    size_t line_count;
    // Python only: the dialect of the three below, from which the lines are read then, and where control enters each unit (see
    // nonstop_code_get_entries). NULL: the host finds that out by itself. Needed once, when the decision asks for lines.
    const nonstop_dialect *dialect;
    // The bytecode (co_code).
    nonstop_text bytecode;
    // The line table (co_linetable, or co_lnotab where there is no other).
    nonstop_text line_table;
    // The exception table (co_exceptiontable); may be empty.
    nonstop_text exception_table;
    // NONSTOP_CODE_OF_OTHER_SOURCE.
    uint32_t flags;
    // 0.
    uint32_t reserved;
} nonstop_code_info;

// One line to arm. All lines of a unit carry its site. For a host that sees lines only, an arrival is an entry of the unit if
// the line before was not of the same site, and not within the inner lines; one that told the bytecode has the entries
// themselves (nonstop_code_get_entries).
typedef struct {
    // The line.
    uint32_t line;
    // Report arrivals with this number.
    uint32_t site;
    // NONSTOP_ARM_… bits.
    uint32_t flags;
    // The inner lines: first; 0: none.
    uint32_t inner_first;
    // The last of them.
    uint32_t inner_last;
} nonstop_arm;

// What to observe of a code object.
typedef struct {
    // sizeof(nonstop_decision).
    uint32_t struct_size;
    // The events wanted; 0: ignore the code object.
    uint32_t event_mask;
    // The epoch that it was made in; once the epoch word differs, decide again.
    uint64_t epoch;
    // How many lines to arm.
    size_t arm_count;
    // NONSTOP_NEEDS_SOURCE, NONSTOP_NEEDS_LINES.
    uint32_t flags;
    // 0.
    uint32_t reserved;
    // How many entries nonstop_code_get_entries gives for it; 0 where no bytecode was told.
    size_t entry_count;
} nonstop_decision;

// Where control enters a unit: an event at this offset is an arrival, one elsewhere in the unit is none.
typedef struct {
    // The offset of the instruction, with its prefixes, in bytes: f_lasti when its line begins.
    uint32_t offset;
    // Its line.
    uint32_t line;
    // Report arrivals with this number.
    uint32_t site;
    // NONSTOP_ARM_NEEDS_THREAD_NAME, NONSTOP_ENTRY_MIXED, NONSTOP_ENTRY_HIDDEN, NONSTOP_ENTRY_ONLY_COUNTS; what a host sets
    // itself: NONSTOP_ENTRY_HOST_READS.
    uint32_t flags;
} nonstop_entry;

// A call to put into a code object where control enters a unit: nonstop_code_get_probes gives it all but the last two
// fields.
typedef struct {
    // The offset of the entry, as in nonstop_entry.
    uint32_t offset;
    // The first line of the unit that is entered.
    uint32_t first_line;
    // Its last line.
    uint32_t last_line;
    // Further lines that control comes back from without entering the unit: first; 0: none.
    uint32_t inner_first;
    // The last of them.
    uint32_t inner_last;
    // NONSTOP_ARM_REENTERED: control enters the unit on each way to this entry, also on one from inside of the unit.
    uint32_t flags;
    // Report arrivals with this number. nonstop_patch_new does not read it.
    uint32_t site;
    // The index, in the constants of the code object, of what to call.
    uint32_t hook;
    // The index of what to call it with.
    uint32_t argument;
} nonstop_probe;

// What is rewritten of a code object.
typedef struct {
    // sizeof(nonstop_patch_code).
    uint32_t struct_size;
    // Its first line (co_firstlineno).
    uint32_t first_line;
    // How deep its stack gets (co_stacksize).
    uint32_t stack_size;
    // 0.
    uint32_t reserved;
    // The bytecode (co_code).
    nonstop_text bytecode;
    // The line table (co_linetable, or co_lnotab where there is no other).
    nonstop_text line_table;
    // The exception table (co_exceptiontable); may be empty.
    nonstop_text exception_table;
} nonstop_patch_code;

// Names an open hit, from the engine's verdict to the host's last answer. A number is never given out twice; a hit that was
// answered is NOT_FOUND. Answer each with nonstop_hit_commit, a capture or nonstop_hit_abandon: of more than 65,536 open hits
// the oldest are given up, as if abandoned.
typedef uint64_t nonstop_ticket;

// The host's part of one breakpoint's hit.
typedef struct {
    // Whose hit it is.
    nonstop_breakpoint_id breakpoint;
    // Answer to this ticket; 0: nothing is left to do.
    nonstop_ticket ticket;
    // The number of the hit, from 1; 0 while the condition is open.
    uint64_t hit;
    // NONSTOP_EVALUATE, NONSTOP_CAPTURE or NONSTOP_IGNORE.
    int32_t verdict;
    // The breakpoint's action.
    int32_t action;
    // The breakpoint's user_data.
    uint64_t user_data;
} nonstop_hit_item;

// Where and when a hit was.
typedef struct {
    // The line.
    uint32_t line;
    // 0.
    uint32_t reserved;
    // The file, UTF-8.
    nonstop_text file;
    // The function.
    nonstop_text function;
    // The wall clock, in nanoseconds since 1970; 0: the engine reads it.
    uint64_t time_ns;
    // The thread.
    uint64_t thread_id;
    // Its name; may be empty.
    nonstop_text thread_name;
    // The name of the task (a coroutine's); may be empty.
    nonstop_text task;
} nonstop_capture_head;

// One snapshot of a batch, with what the accessors would tell of it.
typedef struct {
    // The snapshot: yours.
    nonstop_snapshot *snapshot;
    // As of nonstop_snapshot_breakpoint.
    nonstop_breakpoint_id breakpoint;
    // As of nonstop_snapshot_json: valid until the snapshot is freed.
    const char *json;
    // How many bytes.
    size_t json_len;
    // As of nonstop_snapshot_action.
    int32_t action;
    // 0.
    uint32_t reserved;
} nonstop_received;

// How full the channel is, and what it has seen.
typedef struct {
    // sizeof(nonstop_channel_stats).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Snapshots that wait.
    uint64_t queued;
    // Their bytes.
    uint64_t queued_bytes;
    // Snapshots that were ever queued.
    uint64_t sent;
    // Snapshots that found it full or closed.
    uint64_t dropped;
} nonstop_channel_stats;

// A part of a log template. Offsets and lengths are bytes of the template's text.
typedef struct {
    // NONSTOP_PART_LITERAL or NONSTOP_PART_EXPRESSION.
    int32_t kind;
    // The conversion of an expression, 'r', 's' or 'a'; 0: none.
    uint32_t conversion;
    // Where the literal or the expression begins.
    size_t start;
    // How long it is.
    size_t len;
    // Where the format specification begins.
    size_t spec_start;
    // How long it is; 0: none.
    size_t spec_len;
} nonstop_template_part;

// What a program gives that runs CPython 3.9 or later and observes with sys.monitoring (3.12 and later), or by calls that it
// puts into code (NONSTOP_CPYTHON_PUTS_CALLS). The pointers are `PyObject *`: the host keeps its references, the library
// counts its own.
typedef struct {
    // sizeof(nonstop_cpython_host).
    uint32_t struct_size;
    // NONSTOP_CPYTHON_FREE_THREADED, NONSTOP_CPYTHON_PUTS_CALLS (not both).
    uint32_t flags;
    // sys.monitoring.DISABLE; None where calls are put into code.
    void *disable;
    // Called as `at_instruction(code, offset)` where Python has to do all that is to be done for an event: what it returns goes
    // to the interpreter. As `at_instruction(site)` where calls are put into code.
    void *at_instruction;
    // Called as `answer(breakpoint, ticket, hit, verdict, action, user_data)`, the fields of a nonstop_hit_item, for each that
    // nonstop_hit would have given. The frame that calls it is the one that arrived.
    void *answer;
    // Called as `outdated(code)` after an arrival that changed what is armed; as `outdated(site)` where calls are put into code.
    void *outdated;
    // A list: the native callback for INSTRUCTION events is appended to it, or the hook that code calls with the number of a
    // site. A call of the hook takes no level of the recursion limit, and no tracer or profiler is told of it. While it waits for
    // one of the functions above, it does nothing in the same thread.
    void *callbacks;
} nonstop_cpython_host;

// A step of a condition that is decided without Python.
typedef struct {
    // NONSTOP_STEP_…
    uint32_t kind;
    // Of a comparison: 0 `<`, 1 `<=`, 2 `==`, 3 `!=`, 4 `>`, 5 `>=` (as CPython numbers them), 6 `is`, 7 `is not`.
    uint32_t sign;
    // The place of an object, or a step.
    uint32_t left;
    // The place of the other object of a comparison.
    uint32_t right;
} nonstop_condition_step;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The name of a status, as in this header without the prefix: "OK", "NOT_FOUND", …; "UNKNOWN" for any other number. The text
// is static. Any thread, no cost. Since 1.
const char *nonstop_status_name(nonstop_status status);

// The ABI version that the loaded library has. Compare it with NONSTOP_ABI_VERSION before anything else: when they differ,
// use neither. Any thread, no cost. Since 1.
uint32_t nonstop_abi_version(void);

// The version of the library, such as "0.1.0": static text. Any thread, no cost. Since 1.
const char *nonstop_version(void);

// Copies the detail of this thread's last error into `buffer`: UTF-8, cut to `capacity` - 1 bytes between characters, and
// always ended by a zero byte when `capacity` is not 0. `buffer` may be NULL when `capacity` is 0. Returns the full length in
// bytes, without the zero. A call that succeeds leaves the detail as it was. Any thread; costs the copy. Since 1.
size_t nonstop_last_error(char *buffer,
                          size_t capacity);

// Sends the library's log messages to `callback`, up to `max_level` (NONSTOP_LOG_OFF to NONSTOP_LOG_TRACE). A later call
// replaces the callback; NULL takes it away. `user_data` is handed back with each message and may be NULL; it and the
// callback must live until after the callback was replaced and calls in flight have returned. Returns OK;
// INVALID_ARGUMENT for another level; LIMIT_REACHED when a Rust host of the same process has set a logger of its own: the
// messages go there. Any thread. Since 1.
nonstop_status nonstop_set_logger(nonstop_log_callback callback,
                                  void *user_data,
                                  int32_t max_level);

// Nanoseconds of the clock that every `now_ns` is read from: CLOCK_MONOTONIC, the one of Python's time.monotonic_ns(). Any
// thread, about 20 ns. Since 1.
uint64_t nonstop_monotonic_ns(void);

// Makes an engine. `options` may be NULL for the defaults. On OK `*out_engine` is yours; free it with nonstop_engine_free.
// STRUCT_SIZE or NULL_POINTER: fix the call. Any thread. Since 1.
nonstop_status nonstop_engine_new(const nonstop_engine_options *options,
                                  nonstop_engine **out_engine);

// Frees an engine with all that it holds. NULL is fine. Nothing may use the engine, its epoch word or a capture of it from
// the moment of the call; snapshots that were received live on. Since 1.
void nonstop_engine_free(nonstop_engine *engine);

// Call this first in the child of a fork. Locks that other threads held at the fork would never be released there: the engine
// starts with fresh ones, with the same breakpoints, ids, counters and filter. Code is decided anew, sources are registered
// anew; sites, open hits and queued snapshots stay with the parent, and their numbers name nothing here. A closed channel stays
// closed. The epoch word keeps its address and changes. The caller is the only thread. Since 1.
nonstop_status nonstop_engine_after_fork(nonstop_engine *engine);

// The address of the engine's epoch: one aligned word that the host may read at any time without a call, until the engine is
// freed (a plain aligned 64-bit load; acquire order where the host has it). It changes whenever a decision may have: compare
// it with the epoch of a decision. NULL for a NULL engine. Any thread, no cost. Since 1.
const uint64_t *nonstop_engine_epoch(const nonstop_engine *engine);

// Adds a path map: run-time paths that begin with `from` (a container's "/app") stand for local ones that begin with `to`, on
// whole components; of several maps the longest `from` wins, and one for the same `from` is replaced. Sources stay
// registered; code is decided anew. INVALID_ARGUMENT for an empty `from`. Any thread. Since 1.
nonstop_status nonstop_engine_add_path_map(const nonstop_engine *engine,
                                           const char *from,
                                           size_t from_len,
                                           const char *to,
                                           size_t to_len);

// Writes the default limits into `*out_limits`, whose struct_size is set. Any thread, no cost. Since 1.
nonstop_status nonstop_limits_default(nonstop_limits *out_limits);

// Adds `count` breakpoints and publishes them at once; `out_ids` (room for `count`) gets their ids in order. All or nothing.
// Each element of `specs` is as long as the struct_size of the first says. INVALID_LOCATION, INVALID_HIT_CONDITION,
// INVALID_TEMPLATE, INVALID_UTF8, INVALID_ARGUMENT, STRUCT_SIZE: the detail names the element and the value. LIMIT_REACHED:
// remove some first. The texts are copied. Any thread; about 10 microseconds and one for each breakpoint. Every edit makes hosts
// decide their code anew, so add many in one call. Since 1.
nonstop_status nonstop_breakpoints_add(const nonstop_engine *engine,
                                       const nonstop_breakpoint_spec *specs,
                                       size_t count,
                                       nonstop_breakpoint_id *out_ids);

// Removes `count` breakpoints at once. NOT_FOUND when one of the ids is stale, or twice in the list: nothing was removed then.
// Hits that are open can still be answered. Any thread. Since 1.
nonstop_status nonstop_breakpoints_remove(const nonstop_engine *engine,
                                          const nonstop_breakpoint_id *ids,
                                          size_t count);

// Enables (1) or disables (0) `count` breakpoints at once. A disabled one costs nothing and observes no arrivals; its report
// has the time that it was off. NOT_FOUND when one of the ids is stale: nothing was changed then. Any thread. Since 1.
nonstop_status nonstop_breakpoints_set_enabled(const nonstop_engine *engine,
                                               const nonstop_breakpoint_id *ids,
                                               size_t count,
                                               int32_t enabled);

// Writes the report of a breakpoint into `*out_report`, whose struct_size is set. NOT_FOUND: it was removed. Any thread. Since
// 1.
nonstop_status nonstop_breakpoint_get_report(const nonstop_engine *engine,
                                             nonstop_breakpoint_id id,
                                             nonstop_breakpoint_report *out_report);

// Why a breakpoint is in its state, for its user: UTF-8, empty where there is nothing to say. `buffer` has room for `capacity`
// bytes and gets no zero byte; `*out_len` is the length. BUFFER_TOO_SMALL: only `*out_len` was written. NOT_FOUND: it was
// removed. Any thread. Since 1.
nonstop_status nonstop_breakpoint_reason(const nonstop_engine *engine,
                                         nonstop_breakpoint_id id,
                                         char *buffer,
                                         size_t capacity,
                                         size_t *out_len);

// The host tells the engine what only it can know: NONSTOP_FAILED (its condition can't be compiled, say), which ends the
// breakpoint, or NONSTOP_UNVERIFIED (no code can be found for it, say), which lasts until code is armed for it and is not
// believed once some was. A breakpoint that has ended stays as it is. `reason` is for the user. INVALID_ARGUMENT for another
// state, NOT_FOUND for a stale id. Any thread. Since 1.
nonstop_status nonstop_breakpoint_set_state(const nonstop_engine *engine,
                                            nonstop_breakpoint_id id,
                                            int32_t state,
                                            const char *reason,
                                            size_t reason_len);

// Registers the unit table of the file that the interpreter knows as `path`, run as `module` (may be empty), and places the
// breakpoints that stand in it: their reports have the resolved line, or say why there is none. Everything is copied. A
// second registration replaces the first. INVALID_ARGUMENT names the row that makes no sense. Any thread. Since 1.
nonstop_status nonstop_source_register(const nonstop_engine *engine,
                                       const char *path,
                                       size_t path_len,
                                       const char *module,
                                       size_t module_len,
                                       const nonstop_source *source);

// There is no source text for this file: the lines of its code objects are its units, and only those lines can carry a
// breakpoint. `lines` are the `line_count` lines that carry code in any code object of the file, ascending, each once: a
// breakpoint elsewhere is told at once that it has no place, and which lines are near; NULL: they are not known. Any thread.
// Since 1.
nonstop_status nonstop_source_without_units(const nonstop_engine *engine,
                                            const char *path,
                                            size_t path_len,
                                            const uint32_t *lines,
                                            size_t line_count);

// The lines of a registered file that can carry a breakpoint, ascending: `lines` has room for `capacity`, `*out_count` is how
// many there are. BUFFER_TOO_SMALL: only `*out_count` was written. NOT_FOUND: register the source first. Any thread. Since 1.
nonstop_status nonstop_source_lines(const nonstop_engine *engine,
                                    const char *path,
                                    size_t path_len,
                                    uint32_t *lines,
                                    size_t capacity,
                                    size_t *out_count);

// Tells in which of `count` files one of `breakpoint_count` breakpoints stands (of none: any breakpoint), so that a host which
// arms code ahead looks at the code of those alone after an edit: `out_carry` has room for `count`, each 1 or 0. Ids that are
// stale stand nowhere. Any thread; about 1 µs a file. Since 1.
nonstop_status nonstop_files_carry(const nonstop_engine *engine,
                                   const nonstop_file *files,
                                   size_t count,
                                   const nonstop_breakpoint_id *breakpoints,
                                   size_t breakpoint_count,
                                   uint8_t *out_carry);

// The first lines of the functions, classes, lambdas and comprehensions of a registered file, run as `module`, whose code carries a
// breakpoint, ascending; 1 where the module's own code does. A code object that was made of that very source and begins
// elsewhere carries none: a host that knows that need not ask about it. `lines` has room for `capacity`, `*out_count` is how many
// there are. BUFFER_TOO_SMALL: only `*out_count` was written. NOT_FOUND: no source is registered. Any thread. Since 1.
nonstop_status nonstop_file_scopes(const nonstop_engine *engine,
                                   const char *path,
                                   size_t path_len,
                                   const char *module,
                                   size_t module_len,
                                   uint32_t *lines,
                                   size_t capacity,
                                   size_t *out_count);

// Replaces the event filter, for hosts that have only raw trace events. Rules are tried in order and the first that matches
// decides; what none matches is not wanted. Breakpoints need no rule: their lines are always wanted. `just_my_code` (may be
// NULL with count 0) names directories whose code is excluded before any rule: the standard library and site-packages, "just
// my code"; with them goes what is frozen into the interpreter. No rules and no directories: only breakpoints. Everything is
// copied; each rule is as long as the struct_size of the first says. INVALID_ARGUMENT names the rule. Any thread. Since 1.
nonstop_status nonstop_filter_set(const nonstop_engine *engine,
                                  const nonstop_filter_rule *rules,
                                  size_t rule_count,
                                  const nonstop_text *just_my_code,
                                  size_t just_my_code_count);

// Makes a dialect. On OK `*out_dialect` is yours; free it with nonstop_dialect_free. INVALID_ARGUMENT names the field or opcode
// that makes no sense. Any thread. Since 1.
nonstop_status nonstop_dialect_new(const nonstop_dialect_facts *facts,
                                   nonstop_dialect **out_dialect);

// Frees a dialect; NULL is fine. Engines that were told code in it go on. Since 1.
void nonstop_dialect_free(nonstop_dialect *dialect);

// The lines of a code object that carry code which can run, ascending: `lines` has room for `capacity`, `*out_count` is how many
// there are, BUFFER_TOO_SMALL if that is more. The three texts are as in nonstop_code_info, `first_line` is its co_firstlineno.
// INVALID_ARGUMENT: they are no bytecode of the dialect. With it a host finds the units of a source that have no code
// (NONSTOP_UNIT_NO_CODE). Any thread. Since 1.
nonstop_status nonstop_dialect_lines(const nonstop_dialect *dialect,
                                     nonstop_text bytecode,
                                     nonstop_text line_table,
                                     nonstop_text exception_table,
                                     uint32_t first_line,
                                     uint32_t *lines,
                                     size_t capacity,
                                     size_t *out_count);

// Decides what to observe of a code object. Verdict IGNORE: nothing, unless the flags of the decision ask for more; CAPTURE:
// the events of the mask, and the lines written to `arms` (room for `capacity`), ascending. BUFFER_TOO_SMALL: only
// `*out_decision` was written, with the count needed. Answers are cached per key and epoch; a code object that describes
// itself differently under the same key replaces the former one. INVALID_ARGUMENT: also for bytes that are no bytecode of the
// dialect. Everything is copied. Any thread; about 100 ns when cached. Since 1.
nonstop_status nonstop_code_decide(const nonstop_engine *engine,
                                   const nonstop_code_info *info,
                                   nonstop_arm *arms,
                                   size_t capacity,
                                   nonstop_decision *out_decision);

// Gives where control enters the armed units of a code object whose bytecode was told, by offset, ascending, as of the last
// decision on it, whose epoch is written to `*out_epoch`: if that is not the one of your decision, decide again. Room for
// `capacity`; `*out_count` is how many there are, BUFFER_TOO_SMALL if that is more. NOT_FOUND: decide the code object first. Any
// thread. Since 1.
nonstop_status nonstop_code_get_entries(const nonstop_engine *engine,
                                        uint64_t key,
                                        nonstop_entry *entries,
                                        size_t capacity,
                                        size_t *out_count,
                                        uint64_t *out_epoch);

// The same for a host that sees single instructions (INSTRUCTION events of Python's sys.monitoring): an event for the
// instruction at one of these offsets is an arrival, and all others can be switched off. `offset` is not always that of the
// entry: where control comes to an entry from inside of its unit too, but from outside by jumps alone, it is that of each of
// these jumps; `line` is that of the entry. With NONSTOP_ENTRY_MIXED nothing can be switched off in the code object: ask
// nonstop_code_is_inside about the instruction before. NONSTOP_ENTRY_HIDDEN is never set. Two at one offset are two arrivals,
// in this order. Since 1.
nonstop_status nonstop_code_get_instructions(const nonstop_engine *engine,
                                             uint64_t key,
                                             nonstop_entry *instructions,
                                             size_t capacity,
                                             size_t *out_count,
                                             uint64_t *out_epoch);

// Whether control that is at `offset` of a code object is inside of the unit of a site, or of what that unit surrounds:
// `*out_inside` is 1 or 0. An event at an entry with NONSTOP_ENTRY_MIXED is an arrival if that of the event before it, in the
// same activation, is 0. The answer for an offset stays the same until the next decision. NOT_FOUND: the code object was not
// decided, its bytecode was not told, or the site is none of its own. Any thread. Since 1.
nonstop_status nonstop_code_is_inside(const nonstop_engine *engine,
                                      uint64_t key,
                                      uint32_t site,
                                      uint32_t offset,
                                      int32_t *out_inside);

// The code object of this key is gone: its sites end, and the key can name another. NOT_FOUND: it was not known, which is
// fine. Any thread. Since 1.
nonstop_status nonstop_code_forget(const nonstop_engine *engine,
                                   uint64_t key);

// Whether a breakpoint is armed in a code object, by the last decision on it: `*out_carries` is 1 or 0 (also for an id that
// is stale). With it a host tells in which of its live frames a breakpoint can fire. NOT_FOUND: decide the code object first.
// Any thread. Since 1.
nonstop_status nonstop_code_carries(const nonstop_engine *engine,
                                    uint64_t key,
                                    nonstop_breakpoint_id breakpoint,
                                    int32_t *out_carries);

// Asks about one raw event: `kind` is one NONSTOP_EVENT_… bit, `depth` the call depth as the host counts. Verdict CAPTURE:
// `*out_site` is the site that it arrives at (call nonstop_hit), or 0 when the filter wants the event. IGNORE: not wanted.
// DISABLE: neither is any later event of this kind at this line in this epoch. NOT_FOUND: decide the code object first. Right
// after any change: a decision that is outdated is made again here. Any thread; about 30 ns. Since 1.
nonstop_status nonstop_event(const nonstop_engine *engine,
                             uint64_t key,
                             uint32_t kind,
                             uint32_t line,
                             uint64_t thread_id,
                             uint32_t depth,
                             uint32_t *out_site);

// Gives the probes of a code object whose bytecode was told: one for each of its entries (nonstop_code_get_entries),
// in the same order, with what nonstop_patch_new must know of it. Set `hook` and `argument` in each, and pass them on.
// `probes` has room for `capacity`; `*out_count` is how many there are, BUFFER_TOO_SMALL if that is more. `*out_epoch`
// is the epoch of the last decision on it, which they are of: if that is not the one of your decision, decide again.
// NOT_FOUND: decide the code object first. Any thread. Since 1.
nonstop_status nonstop_code_get_probes(const nonstop_engine *engine,
                                       uint64_t key,
                                       nonstop_probe *probes,
                                       size_t capacity,
                                       size_t *out_count,
                                       uint64_t *out_epoch);

// Rewrites a code object: at each of `count` probes, in any order, stands a call of its hook with its argument, on the
// ways that enter the unit from outside and on no others. Nothing else that a program or a tracer can tell of the code
// is changed; that is proven before anything is given out. Put the two constants at the end of co_consts before the
// new code is run: the hook must take one argument, and never raise. Rewrite always the original code, not one that
// has calls in it.
//
// On OK `*out_patch` is yours; free it with nonstop_patch_free. Everything is copied. INVALID_ARGUMENT: nothing can be
// put into code of this dialect (its call_length is 0); the bytes are no bytecode of it; no instruction begins at the
// offset of a probe, or there are two at one; or a call cannot stand where it is wanted, since what comes there from
// outside of the unit cannot be told from what comes from inside. Which probe it is the detail says, and asking for
// each alone shows: leave it out, and observe its unit by other means. INTERNAL: the new code was found not to do what
// the old one does; please report the detail. Any thread; about 1 us for each instruction. Since 1.
nonstop_status nonstop_patch_new(const nonstop_dialect *dialect,
                                 const nonstop_patch_code *code,
                                 const nonstop_probe *probes,
                                 size_t count,
                                 nonstop_patch **out_patch);

// Gives the rewritten code: `*out_code` is a struct of the kind that nonstop_patch_new took, with its struct_size set.
// Its texts are valid until the patch is freed; its first_line is 0, since that is as it was. Any thread. Since 1.
nonstop_status nonstop_patch_get_code(const nonstop_patch *patch,
                                      nonstop_patch_code *out_code);

// Where an offset of the original code is in the rewritten one: a frame that stood there goes on there, past the calls
// that stand before that instruction. INVALID_ARGUMENT: it is beyond the end. Any thread. Since 1.
nonstop_status nonstop_patch_new_offset(const nonstop_patch *patch,
                                        uint32_t offset,
                                        uint32_t *out_offset);

// Which offset of the original code an offset of the rewritten one is (f_lasti of a frame that runs it): within a
// call, that of the instruction before which the call stands. INVALID_ARGUMENT: it is beyond the end. Any thread.
// Since 1.
nonstop_status nonstop_patch_old_offset(const nonstop_patch *patch,
                                        uint32_t offset,
                                        uint32_t *out_offset);

// Frees a patch; NULL is fine. Since 1.
void nonstop_patch_free(nonstop_patch *patch);

// Control arrived at a site. Applies the hit rules of every breakpoint there, counts, and writes what is left for the host to
// `items` (room for `capacity`), `*out_count` of them: EVALUATE (commit the outcome of the condition) or CAPTURE (send the
// records). The verdict is the strongest; DISABLE when no breakpoint here can fire again in this epoch. `thread_name` may be
// NULL unless the arm asks for it. `now_ns` is of nonstop_monotonic_ns, or 0: the engine reads it when a rule needs it.
// BUFFER_TOO_SMALL: nothing was counted; only `*out_count` was written, with the room that is enough. NOT_FOUND: the code
// object was forgotten. Any thread; about 40 ns for a counter. Since 1.
nonstop_status nonstop_hit(const nonstop_engine *engine,
                           uint32_t site,
                           uint64_t thread_id,
                           const char *thread_name,
                           size_t thread_name_len,
                           uint64_t now_ns,
                           nonstop_hit_item *items,
                           size_t capacity,
                           size_t *out_count);

// The host counted arrivals at a site by itself, where all entries have NONSTOP_ENTRY_ONLY_COUNTS: `total` since it was given
// the number of the site. Those that are new are counted as hits of the breakpoints there. Tell before breakpoints are
// removed, disabled or reported, and before the code object is forgotten: what was counted afterwards goes to those that are
// there then. Telling the same twice, or less than before, counts nothing, so that several threads may tell. NOT_FOUND: the
// code object was forgotten. Any thread. Since 1.
nonstop_status nonstop_hit_total(const nonstop_engine *engine,
                                 uint32_t site,
                                 uint64_t total);

// The condition of an open hit had this outcome: NONSTOP_FALSE, NONSTOP_TRUE or NONSTOP_RAISED. When it held, the hit rules go
// on: verdict CAPTURE means capture, under the same ticket; IGNORE: nothing is left to do. `*out_item` says the same, with
// the number of the hit. NOT_FOUND: the ticket was answered already. INVALID_ARGUMENT: it waits for a capture, or there is
// no such outcome; it stays open. Any thread. Since 1.
nonstop_status nonstop_hit_commit(const nonstop_engine *engine,
                                  nonstop_ticket ticket,
                                  int32_t outcome,
                                  uint64_t now_ns,
                                  nonstop_hit_item *out_item);

// The host gives up on an open hit. It is counted as an error while its condition is open, as dropped after that. NOT_FOUND:
// it was answered already. Any thread. Since 1.
nonstop_status nonstop_hit_abandon(const nonstop_engine *engine,
                                   nonstop_ticket ticket);

// Sends what one hit captured as a stream of records (docs/snapshot-schema.md describes them): the way for hosts that build
// the stream themselves, in one call. Verdict CAPTURE: queued; DROPPED: the queue is full or closed, and the hit is counted
// so. INVALID_RECORDS: the detail names the byte; the hit is counted as dropped. NOT_FOUND: the ticket was answered already.
// INVALID_ARGUMENT: its condition is still open. Never blocks. Any thread; a few microseconds for ten values. Since 1.
nonstop_status nonstop_capture_records(const nonstop_engine *engine,
                                       nonstop_ticket ticket,
                                       const char *records,
                                       size_t records_len);

// Begins to describe what one hit captured. On OK `*out_capture` is yours: send it with nonstop_capture_send or free it with
// nonstop_capture_free. `head` is copied. Only sending looks at the ticket. This thread only. Since 1.
nonstop_status nonstop_capture_new(nonstop_ticket ticket,
                                   const nonstop_capture_head *head,
                                   nonstop_capture **out_capture);

// Begins a frame, the innermost first. When `with_locals` is 1, its locals follow: each a nonstop_capture_name and a value. This
// thread only. Since 1.
nonstop_status nonstop_capture_frame(nonstop_capture *capture,
                                     const char *file,
                                     size_t file_len,
                                     uint32_t line,
                                     const char *function,
                                     size_t function_len,
                                     int32_t with_locals);

// Begins the expressions: each a nonstop_capture_name with the text of the expression, and its value. For a log action there
// is one for each expression of the template, in order. After the frames. This thread only. Since 1.
nonstop_status nonstop_capture_expressions(nonstop_capture *capture);

// Names the value that follows: a local, an expression, a field. This thread only. Since 1.
nonstop_status nonstop_capture_name(nonstop_capture *capture, const char *name, size_t name_len);

// A whole number. `type` is the name of its type in the host's language. This thread only. Since 1.
nonstop_status nonstop_capture_int(nonstop_capture *capture,
                                   const char *type,
                                   size_t type_len,
                                   int64_t value);

// A number with a fraction; not-a-number and infinities become texts. This thread only. Since 1.
nonstop_status nonstop_capture_float(nonstop_capture *capture,
                                     const char *type,
                                     size_t type_len,
                                     double value);

// True (1) or false (0). This thread only. Since 1.
nonstop_status nonstop_capture_bool(nonstop_capture *capture,
                                    const char *type,
                                    size_t type_len,
                                    int32_t value);

// The value that stands for none. This thread only. Since 1.
nonstop_status nonstop_capture_none(nonstop_capture *capture, const char *type, size_t type_len);

// A text. `size` is its true length, or -1 when the text is whole; `cut` says why it is not (may be empty). This thread only.
// Since 1.
nonstop_status nonstop_capture_text(nonstop_capture *capture,
                                    const char *type,
                                    size_t type_len,
                                    const char *text,
                                    size_t text_len,
                                    int64_t size,
                                    const char *cut,
                                    size_t cut_len);

// Begins a container; its values and nonstop_capture_end follow. `id` numbers an object that is referred to elsewhere in the
// capture, 0: none; `size` is the true number of items, or -1 when all follow. INVALID_ARGUMENT: no such kind. This thread
// only. Since 1.
nonstop_status nonstop_capture_begin(nonstop_capture *capture,
                                     int32_t kind,
                                     const char *type,
                                     size_t type_len,
                                     uint64_t id,
                                     int64_t size);

// Ends the container that was begun last; `cut` says why it is not whole (may be empty). INVALID_RECORDS: none is open. This
// thread only. Since 1.
nonstop_status nonstop_capture_end(nonstop_capture *capture,
                                   const char *cut,
                                   size_t cut_len);

// An object that is shown elsewhere in the capture under this id: it is shared, or contains itself. This thread only. Since 1.
nonstop_status nonstop_capture_reference(nonstop_capture *capture,
                                         const char *type,
                                         size_t type_len,
                                         uint64_t id);

// A value that is not shown; `cut` says why ("depth"). This thread only. Since 1.
nonstop_status nonstop_capture_omitted(nonstop_capture *capture,
                                       const char *type,
                                       size_t type_len,
                                       const char *cut,
                                       size_t cut_len);

// Sends the capture and frees it, whatever the outcome, but for NULL_POINTER and WRONG_THREAD. The outcome is that of
// nonstop_capture_records. This thread only. Since 1.
nonstop_status nonstop_capture_send(const nonstop_engine *engine,
                                    nonstop_capture *capture);

// Frees a capture without sending it; its ticket stays open. NULL is fine. This thread only; another's is left alone. Since 1.
void nonstop_capture_free(nonstop_capture *capture);

// Receives the oldest snapshot, waiting up to `timeout_ms` milliseconds for one: 0 does not wait, a negative number waits until
// one comes or the channel is closed. On OK `*out_snapshot` is yours; free it with nonstop_snapshot_free. TIMEOUT: nothing
// came. CLOSED: nothing will come any more. Any number of threads may wait; each snapshot goes to one. Since 1.
nonstop_status nonstop_channel_receive(const nonstop_engine *engine,
                                       int64_t timeout_ms,
                                       nonstop_snapshot **out_snapshot);

// Receives snapshots as nonstop_channel_receive does, as many as are there, up to `capacity`: it waits for the first only.
// `received` (room for `capacity`, at least 1) gets them in order, `*out_count` how many. For hosts to which a call is dear: an
// interpreter that gives up its lock around each waits for it again each time. Free them with nonstop_received_free. TIMEOUT,
// CLOSED: as there. INVALID_ARGUMENT: no room. Any thread. Since 1.
nonstop_status nonstop_channel_receive_batch(const nonstop_engine *engine,
                                             int64_t timeout_ms,
                                             nonstop_received *received,
                                             size_t capacity,
                                             size_t *out_count);

// Frees the snapshots of a batch. NULL with count 0 is fine. Any thread. Since 1.
nonstop_status nonstop_received_free(const nonstop_received *received, size_t count);

// Closes the channel: from now on captures are DROPPED; what is queued can still be received, and after it every waiting call
// returns CLOSED. Any thread. Since 1.
nonstop_status nonstop_channel_close(const nonstop_engine *engine);

// Writes how full the channel is into `*out_stats`, whose struct_size is set. Any thread, no cost. Since 1.
nonstop_status nonstop_channel_get_stats(const nonstop_engine *engine, nonstop_channel_stats *out_stats);

// The breakpoint of a snapshot; 0 for NULL. Since 1.
nonstop_breakpoint_id nonstop_snapshot_breakpoint(const nonstop_snapshot *snapshot);

// The action that a snapshot was captured for: NONSTOP_LOG or NONSTOP_SNAPSHOT; NONSTOP_COUNT for NULL. Since 1.
int32_t nonstop_snapshot_action(const nonstop_snapshot *snapshot);

// The document of a snapshot: JSON, UTF-8, without a zero byte at the end (docs/snapshot-schema.md). `*out_json` is valid
// until the snapshot is freed. Since 1.
nonstop_status nonstop_snapshot_json(const nonstop_snapshot *snapshot,
                                     const char **out_json,
                                     size_t *out_len);

// Frees a snapshot. NULL is fine. Any thread. Since 1.
void nonstop_snapshot_free(nonstop_snapshot *snapshot);

// Takes a log template apart: "total={total} of {user.name!r} {x:>10.2f} {{literal}}", in the syntax of Python's f-strings. The
// host compiles the expressions, and sends their values in order with each hit. `parts` has room for `capacity`,
// `*out_count` is how many there are. BUFFER_TOO_SMALL: only `*out_count` was written. INVALID_TEMPLATE: the detail names the
// position and the remedy. Any thread. Since 1.
nonstop_status nonstop_template_parse(const char *text,
                                      size_t text_len,
                                      nonstop_template_part *parts,
                                      size_t capacity,
                                      size_t *out_count);

// Whether the hooks can work in this process. `inside` is the address of anything that belongs to Python (an object of type
// `type`, say), or NULL: where the process does not show the symbols to all, they are looked for in the library around it.
// NOT_SUPPORTED: no, and the detail names what is missing. Any thread. Since 1.
nonstop_status nonstop_cpython_check(const void *inside);

// Begins to serve the events of this process's CPython with an engine: an arrival that only counts is decided and counted
// without Python code (about 15 ns), one that captures calls `answer`, and so does a condition but for those of
// nonstop_cpython_set_condition. Another session in the process ends.
// The functions of the C API that are needed are looked up in the process. The engine must live until nonstop_cpython_stop.
// NOT_SUPPORTED: this process is no CPython, or hides its symbols, and the detail says which: observe without the hooks. The
// thread need not hold the GIL; main interpreter only. Since 1.
nonstop_status nonstop_cpython_start(const nonstop_engine *engine,
                                     const nonstop_cpython_host *host);

// Arms instructions of the code object at an address (a `PyCodeObject *`), and no others: what nonstop_code_get_instructions
// gave, with the epoch of that. None: the code object is forgotten. Where one is mixed, `at_instruction` is called for every
// instruction. The hooks don't keep the code object alive: forget it before it dies. Where calls are put into code, each site is
// armed by itself: `code` is its number, and the one entry has the offset 0. NOT_FOUND: there is no session. Since 1.
nonstop_status nonstop_cpython_arm(const void *code,
                                   const nonstop_entry *instructions,
                                   size_t count,
                                   uint64_t epoch);

// Has the condition of a breakpoint decided without Python where that is possible: in functions of CPython 3.12 and later, for
// variables that hold exact builtin numbers, texts or None, or containers whose truth is asked. Elsewhere `answer` is called as
// ever. `objects` are `PyObject *`: first `name_count` names of variables (`str`), then constants of those types. The breakpoint
// is told by its `user_data`; do this before it is added. No steps: not any more. Where an entry has NONSTOP_ENTRY_HOST_READS,
// the host decides. NOT_SUPPORTED: no session has begun. INVALID_ARGUMENT: a step makes no sense. Since 1.
nonstop_status nonstop_cpython_set_condition(const nonstop_engine *engine,
                                             uint64_t user_data,
                                             void *const *objects,
                                             size_t name_count,
                                             size_t object_count,
                                             const nonstop_condition_step *steps,
                                             size_t step_count);

// Has `listener` called with each code object (`PyCodeObject *`) that exec, eval or an import of this process is about to run;
// NULL: nobody any more. The library keeps a reference. It is an audit hook (PEP 578): once there it stays, and costs the audit
// events of the program some nanoseconds each. NOT_SUPPORTED: no session has begun, or another audit hook forbids this one. Since 1.
nonstop_status nonstop_cpython_listen(void *listener);

// Puts an object into the place of another in the constants of a code object (`co_consts`, a tuple) of CPython up to 3.11: what
// that code makes from now on is made of it, also where it is running. NOT_FOUND: `old` does not stand at `index`, and nothing was
// done, or no session has begun. References are counted. Since 1.
nonstop_status nonstop_cpython_replace_constant(void *constants,
                                                size_t index,
                                                void *old,
                                                void *new_);

// Sets the trace function of another thread of CPython up to 3.11, if it has the one that is expected (`sys.settrace` sets that of
// its own only): `thread` is its `threading.get_ident()`, `gettrace` and `settrace` are those of `sys`, `expected` and `tracer` trace
// functions or None. Frames that run there are traced from their next line on, if they have an `f_trace`. NOT_FOUND: there is no
// such other thread, it has another trace function, or no session has begun. Since 1.
nonstop_status nonstop_cpython_set_trace(uint64_t thread,
                                         void *gettrace,
                                         void *settrace,
                                         void *expected,
                                         void *tracer);

// Ends the session: when it returns, the hooks use its engine no more. Nothing happens without one. Since 1.
void nonstop_cpython_stop(void);

// Lets the hooks ignore the calling thread, one of the host's own (1), or observe it again (0). Since 1.
void nonstop_cpython_ignore_thread(int32_t ignore);

// The time that the program spent in hooks that did not call Python, in nanoseconds: an estimate, since one hit in 256 is timed.
// 0 without a session. Since 1.
uint64_t nonstop_cpython_spent_ns(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* NONSTOP_H */
