//! Native hooks for CPython.

use std::ffi::c_void;

use super::code::{
    nonstop_entry, NONSTOP_ARM_NEEDS_THREAD_NAME, NONSTOP_ENTRY_HOST_READS, NONSTOP_ENTRY_MIXED,
};
use super::engine::nonstop_engine;
use super::error::Failure;
use super::guard::guarded;
use super::memory::{expect_known, read_struct, slice, Handle, Sized32};
use super::status::*;
use crate::cpython::{
    arm, check, ignore_this_thread, listen, native_spent_ns, replace_item, set_condition, set_trace, start,
    stop, Host, Sign, Site, Step,
};

/// Flag of a CPython host: its threads run without a GIL.
pub const NONSTOP_CPYTHON_FREE_THREADED: u32 = 1;
/// Flag of a CPython host: it puts calls into code (nonstop_patch_new), up to 3.11.
pub const NONSTOP_CPYTHON_PUTS_CALLS: u32 = 2;

/// What a program gives that runs CPython 3.9 or later and observes with sys.monitoring (3.12 and later), or by calls that it
/// puts into code (NONSTOP_CPYTHON_PUTS_CALLS). The pointers are `PyObject *`: the host keeps its references, the library
/// counts its own.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_cpython_host {
    /// sizeof(nonstop_cpython_host).
    pub struct_size: u32,
    /// NONSTOP_CPYTHON_FREE_THREADED, NONSTOP_CPYTHON_PUTS_CALLS (not both).
    pub flags: u32,
    /// sys.monitoring.DISABLE; None where calls are put into code.
    pub disable: *mut c_void,
    /// Called as `at_instruction(code, offset)` where Python has to do all that is to be done for an event: what it returns goes
    /// to the interpreter. As `at_instruction(site)` where calls are put into code.
    pub at_instruction: *mut c_void,
    /// Called as `answer(breakpoint, ticket, hit, verdict, action, user_data)`, the fields of a nonstop_hit_item, for each that
    /// nonstop_hit would have given. The frame that calls it is the one that arrived.
    pub answer: *mut c_void,
    /// Called as `outdated(code)` after an arrival that changed what is armed; as `outdated(site)` where calls are put into code.
    pub outdated: *mut c_void,
    /// A list: the native callback for INSTRUCTION events is appended to it, or the hook that code calls with the number of a
    /// site. A call of the hook takes no level of the recursion limit, and no tracer or profiler is told of it. While it waits for
    /// one of the functions above, it does nothing in the same thread.
    pub callbacks: *mut c_void,
}

// SAFETY: repr(C), begins with struct_size; integers and raw pointers only.
unsafe impl Sized32 for nonstop_cpython_host {}

/// Whether the hooks can work in this process. `inside` is the address of anything that belongs to Python (an object of type
/// `type`, say), or NULL: where the process does not show the symbols to all, they are looked for in the library around it.
/// NOT_SUPPORTED: no, and the detail names what is missing. Any thread. Since 1.
///
/// # Safety
/// None: the address is not read.
#[no_mangle]
pub unsafe extern "C" fn nonstop_cpython_check(inside: *const c_void) -> nonstop_status {
    guarded(|| {
        // SAFETY: nothing is called; a process that has these symbols runs CPython.
        unsafe { check(inside) }
            .map_err(|missing| Failure::new(NONSTOP_ERROR_NOT_SUPPORTED, missing.to_string()))?;
        Ok(NONSTOP_OK)
    })
}

/// Begins to serve the events of this process's CPython with an engine: an arrival that only counts is decided and counted
/// without Python code (about 15 ns), one that captures calls `answer`, and so does a condition but for those of
/// nonstop_cpython_set_condition. Another session in the process ends.
/// The functions of the C API that are needed are looked up in the process. The engine must live until nonstop_cpython_stop.
/// NOT_SUPPORTED: this process is no CPython, or hides its symbols, and the detail says which: observe without the hooks. The
/// thread need not hold the GIL; main interpreter only. Since 1.
///
/// # Safety
/// `engine` is live, the objects of the host are.
#[no_mangle]
pub unsafe extern "C" fn nonstop_cpython_start(
    engine: *const nonstop_engine,
    host: *const nonstop_cpython_host,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, host) = unsafe { (nonstop_engine::borrow(engine)?, read_struct(host, "host")?) };
        expect_known(host.flags, NONSTOP_CPYTHON_FREE_THREADED | NONSTOP_CPYTHON_PUTS_CALLS, 0)?;
        let is_free_threaded = host.flags & NONSTOP_CPYTHON_FREE_THREADED != 0;
        let puts_calls = host.flags & NONSTOP_CPYTHON_PUTS_CALLS != 0;
        if is_free_threaded && puts_calls {
            return Err(Failure::argument("nothing is put into code where threads run without a GIL"));
        }
        let objects = [
            (host.disable, "disable"),
            (host.at_instruction, "at_instruction"),
            (host.answer, "answer"),
            (host.outdated, "outdated"),
            (host.callbacks, "callbacks"),
        ];
        if let Some((_, what)) = objects.iter().find(|(object, _)| object.is_null()) {
            return Err(Failure::null(what));
        }
        let host = Host {
            disable: host.disable,
            at_instruction: host.at_instruction,
            answer: host.answer,
            outdated: host.outdated,
            callbacks: host.callbacks,
            is_free_threaded,
            puts_calls,
        };
        // SAFETY: the host's promise.
        unsafe { start(&engine.engine, host) }
            .map_err(|missing| Failure::new(NONSTOP_ERROR_NOT_SUPPORTED, missing.to_string()))?;
        Ok(NONSTOP_OK)
    })
}

/// Arms instructions of the code object at an address (a `PyCodeObject *`), and no others: what nonstop_code_get_instructions
/// gave, with the epoch of that. None: the code object is forgotten. Where one is mixed, `at_instruction` is called for every
/// instruction. The hooks don't keep the code object alive: forget it before it dies. Where calls are put into code, each site is
/// armed by itself: `code` is its number, and the one entry has the offset 0. NOT_FOUND: there is no session. Since 1.
///
/// # Safety
/// `instructions` has `count` readable entries.
#[no_mangle]
pub unsafe extern "C" fn nonstop_cpython_arm(
    code: *const c_void,
    instructions: *const nonstop_entry,
    count: usize,
    epoch: u64,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let entries = unsafe { slice(instructions, count, "instructions") }?;
        if entries.windows(2).any(|pair| pair[0].offset > pair[1].offset) {
            return Err(Failure::argument("the offsets of instructions must be ascending"));
        }
        let site = |entry: &nonstop_entry| Site {
            offset: entry.offset,
            site: entry.site,
            asks_python: entry.flags & NONSTOP_ARM_NEEDS_THREAD_NAME != 0,
            is_mixed: entry.flags & NONSTOP_ENTRY_MIXED != 0,
            host_reads: entry.flags & NONSTOP_ENTRY_HOST_READS != 0,
        };
        if arm(code as usize, epoch, &entries.iter().map(site).collect::<Vec<_>>()) {
            return Ok(NONSTOP_OK);
        }
        Err(Failure::new(NONSTOP_ERROR_NOT_FOUND, "there is no session: call nonstop_cpython_start first"))
    })
}

/// Kind of a condition's step: compares the objects `left` and `right`, by the `sign`; the outcome is the truth from then on.
pub const NONSTOP_STEP_COMPARE: u32 = 1;
/// Kind of a condition's step: takes the truth of the object `left`.
pub const NONSTOP_STEP_TRUTH: u32 = 2;
/// Kind of a condition's step: turns the truth round.
pub const NONSTOP_STEP_NOT: u32 = 3;
/// Kind of a condition's step: goes on at the step `left`, a later one or the end, if it is true.
pub const NONSTOP_STEP_JUMP_IF_TRUE: u32 = 4;
/// Kind of a condition's step: goes on at the step `left`, a later one or the end, if it is false.
pub const NONSTOP_STEP_JUMP_IF_FALSE: u32 = 5;

/// A step of a condition that is decided without Python.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_condition_step {
    /// NONSTOP_STEP_…
    pub kind: u32,
    /// Of a comparison: 0 `<`, 1 `<=`, 2 `==`, 3 `!=`, 4 `>`, 5 `>=` (as CPython numbers them), 6 `is`, 7 `is not`.
    pub sign: u32,
    /// The place of an object, or a step.
    pub left: u32,
    /// The place of the other object of a comparison.
    pub right: u32,
}

/// Has the condition of a breakpoint decided without Python where that is possible: in functions of CPython 3.12 and later, for
/// variables that hold exact builtin numbers, texts or None, or containers whose truth is asked. Elsewhere `answer` is called as
/// ever. `objects` are `PyObject *`: first `name_count` names of variables (`str`), then constants of those types. The breakpoint
/// is told by its `user_data`; do this before it is added. No steps: not any more. Where an entry has NONSTOP_ENTRY_HOST_READS,
/// the host decides. NOT_SUPPORTED: no session has begun. INVALID_ARGUMENT: a step makes no sense. Since 1.
///
/// # Safety
/// `engine` is live; `objects` has `object_count` live objects, `steps` has `step_count` readable ones.
#[no_mangle]
pub unsafe extern "C" fn nonstop_cpython_set_condition(
    engine: *const nonstop_engine,
    user_data: u64,
    objects: *const *mut c_void,
    name_count: usize,
    object_count: usize,
    steps: *const nonstop_condition_step,
    step_count: usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, objects, steps) = unsafe {
            (
                nonstop_engine::borrow(engine)?,
                slice(objects, object_count, "objects")?,
                slice(steps, step_count, "steps")?,
            )
        };
        if objects.iter().any(|object| object.is_null()) {
            return Err(Failure::null("objects"));
        }
        if name_count > object_count {
            return Err(Failure::argument("there are more names than objects"));
        }
        let steps = steps.iter().map(step_of).collect::<Option<Vec<_>>>();
        let steps = steps.ok_or_else(|| Failure::argument("a step has an unknown kind or sign"))?;
        // SAFETY: the host's promise.
        let is_set = unsafe { set_condition(&engine.engine, user_data, objects, name_count, steps) };
        match is_set {
            Ok(true) => Ok(NONSTOP_OK),
            Ok(false) => Err(Failure::new(NONSTOP_ERROR_NOT_SUPPORTED, "no session has begun")),
            Err(step) => {
                Err(Failure::argument(format!("step {} names an object or a step that is not there", step.0)))
            }
        }
    })
}

fn step_of(step: &nonstop_condition_step) -> Option<Step> {
    const SIGNS: [Sign; 8] = [
        Sign::Less,
        Sign::LessOrEqual,
        Sign::Equal,
        Sign::NotEqual,
        Sign::Greater,
        Sign::GreaterOrEqual,
        Sign::Is,
        Sign::IsNot,
    ];
    Some(match step.kind {
        NONSTOP_STEP_COMPARE => Step::Compare(*SIGNS.get(step.sign as usize)?, step.left, step.right),
        NONSTOP_STEP_TRUTH => Step::Truth(step.left),
        NONSTOP_STEP_NOT => Step::Not,
        NONSTOP_STEP_JUMP_IF_TRUE => Step::JumpIf(true, step.left),
        NONSTOP_STEP_JUMP_IF_FALSE => Step::JumpIf(false, step.left),
        _ => return None,
    })
}

/// Has `listener` called with each code object (`PyCodeObject *`) that exec, eval or an import of this process is about to run;
/// NULL: nobody any more. The library keeps a reference. It is an audit hook (PEP 578): once there it stays, and costs the audit
/// events of the program some nanoseconds each. NOT_SUPPORTED: no session has begun, or another audit hook forbids this one. Since 1.
///
/// # Safety
/// `listener` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_cpython_listen(listener: *mut c_void) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        if unsafe { listen(listener) } {
            return Ok(NONSTOP_OK);
        }
        Err(Failure::new(NONSTOP_ERROR_NOT_SUPPORTED, "an audit hook could not be added"))
    })
}

/// Puts an object into the place of another in the constants of a code object (`co_consts`, a tuple) of CPython up to 3.11: what
/// that code makes from now on is made of it, also where it is running. NOT_FOUND: `old` does not stand at `index`, and nothing was
/// done, or no session has begun. References are counted. Since 1.
///
/// # Safety
/// The objects are live, `constants` is the tuple of constants of a code object, and `new` of the same type as `old`.
#[no_mangle]
pub unsafe extern "C" fn nonstop_cpython_replace_constant(
    constants: *mut c_void,
    index: usize,
    old: *mut c_void,
    new: *mut c_void,
) -> nonstop_status {
    guarded(|| {
        for (object, what) in [(constants, "constants"), (old, "old"), (new, "new")] {
            if object.is_null() {
                return Err(Failure::null(what));
            }
        }
        // SAFETY: the host's promise.
        if unsafe { replace_item(constants, index, old, new) } {
            return Ok(NONSTOP_OK);
        }
        Err(Failure::new(NONSTOP_ERROR_NOT_FOUND, format!("the constant {index} is another one")))
    })
}

/// Sets the trace function of another thread of CPython up to 3.11, if it has the one that is expected (`sys.settrace` sets that of
/// its own only): `thread` is its `threading.get_ident()`, `gettrace` and `settrace` are those of `sys`, `expected` and `tracer` trace
/// functions or None. Frames that run there are traced from their next line on, if they have an `f_trace`. NOT_FOUND: there is no
/// such other thread, it has another trace function, or no session has begun. Since 1.
///
/// # Safety
/// The objects are live, and what they are said to be.
#[no_mangle]
pub unsafe extern "C" fn nonstop_cpython_set_trace(
    thread: u64,
    gettrace: *mut c_void,
    settrace: *mut c_void,
    expected: *mut c_void,
    tracer: *mut c_void,
) -> nonstop_status {
    guarded(|| {
        let objects =
            [(gettrace, "gettrace"), (settrace, "settrace"), (expected, "expected"), (tracer, "tracer")];
        if let Some((_, what)) = objects.iter().find(|(object, _)| object.is_null()) {
            return Err(Failure::null(what));
        }
        // SAFETY: the host's promise.
        if unsafe { set_trace(thread as usize, [gettrace, settrace], [expected, tracer]) } {
            return Ok(NONSTOP_OK);
        }
        Err(Failure::new(NONSTOP_ERROR_NOT_FOUND, format!("the thread {thread} has another trace function")))
    })
}

/// Ends the session: when it returns, the hooks use its engine no more. Nothing happens without one. Since 1.
#[no_mangle]
pub extern "C" fn nonstop_cpython_stop() {
    guarded(|| {
        stop();
        Ok(NONSTOP_OK)
    });
}

/// Lets the hooks ignore the calling thread, one of the host's own (1), or observe it again (0). Since 1.
#[no_mangle]
pub extern "C" fn nonstop_cpython_ignore_thread(ignore: i32) {
    ignore_this_thread(ignore != 0);
}

/// The time that the program spent in hooks that did not call Python, in nanoseconds: an estimate, since one hit in 256 is timed.
/// 0 without a session. Since 1.
#[no_mangle]
pub extern "C" fn nonstop_cpython_spent_ns() -> u64 {
    native_spent_ns()
}
