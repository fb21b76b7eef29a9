//! What the interpreter calls: the callback for instructions, and what stands in code that calls were put into.
//!
//! When a process ends, CPython up to 3.13 ends a thread where it asks for the GIL: the C library unwinds its stack. So all frames
//! from here to Python are `C-unwind`, and have nothing to be dropped and no `catch_unwind`, also none that was inlined: such a frame
//! has the unwinder look into it by a routine of this library, which in a wheel has an unwinder of its own and cannot read the
//! other's state. What needs these things is in functions that are not inlined and have returned before Python runs. An arrival
//! that is only to be counted gets along without them.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, OnceLock};

use super::api::{Api, MethodDef, Object, METH_FASTCALL, VECTORCALL_COUNT};
use super::asking::Asking;
use super::ignored::{begin_answering, end_answering, is_answering};
use super::interpreter::api;
use super::session::{count_at_once, with_active, Alone};

/// Appends a callback to a `list`; whether that went well. The GIL is held.
///
/// # Safety
/// The list is alive; `puts_calls` only where there is a GIL.
pub unsafe fn append_to(api: &Api, list: Object, puts_calls: bool) -> bool {
    if puts_calls {
        let hook = hook(api);
        return !hook.is_null() && api.append(list, hook);
    }
    // SAFETY: the definition is a static, the list is alive.
    unsafe { api.append_function(list, definition()) }
}

fn definition() -> *mut MethodDef {
    struct Static(std::cell::UnsafeCell<MethodDef>);
    // SAFETY: nobody writes to it, CPython neither.
    unsafe impl Sync for Static {}
    static DEFINITION: Static = Static(std::cell::UnsafeCell::new(MethodDef {
        name: c"nonstop_at_instruction".as_ptr(),
        call: Some(at_instruction),
        flags: METH_FASTCALL,
        doc:
            c"What sys.monitoring calls for an instruction of a code object in which nonstop has armed some."
                .as_ptr(),
    }));
    DEFINITION.0.get()
}

/// What stands in code, made once: code that has it may outlive its session.
fn hook(api: &Api) -> Object {
    struct Made(Object);
    // SAFETY: the object is for every thread, under the GIL.
    unsafe impl Send for Made {}
    // SAFETY: as above.
    unsafe impl Sync for Made {}
    static HOOK: OnceLock<Made> = OnceLock::new();
    HOOK.get_or_init(|| Made(api.new_callable(c"nonstop.hook", at_site))).0
}

/// The callback for instructions. It gives a new reference; NULL only where Python code raised that it called: what a signal
/// handler of the program raised goes on.
unsafe extern "C-unwind" fn at_instruction(_: Object, arguments: *const Object, count: isize) -> Object {
    if count < 2 {
        return none();
    }
    // SAFETY: there are as many arguments as CPython says.
    let place = unsafe { [*arguments, *arguments.add(1)] };
    // SAFETY: the interpreter calls under the GIL, if there is one.
    if let Some(answer) = unsafe { count_at_once(place[0] as usize, place[1]) } {
        return answer;
    }
    // SAFETY: the interpreter calls under the GIL, if there is one.
    match unsafe { begin(place[0] as usize, place[1], place, 2) } {
        Begun::Done(answer) => answer,
        // SAFETY: it was just made.
        Begun::Asks(asking) => unsafe { Asking::carry_out(asking) },
    }
}

/// What is called by code that calls were put into, with the number of the site. It gives what the other gives.
unsafe extern "C-unwind" fn at_site(_: Object, arguments: *const Object, count: usize, _: Object) -> Object {
    if count & VECTORCALL_COUNT != 1 || is_answering() {
        return none();
    }
    let Some(api) = api() else { return std::ptr::null_mut() };
    // SAFETY: there is one argument.
    let site = unsafe { *arguments };
    let number = api.small_int(site) as usize;
    // SAFETY: as above.
    if let Some(answer) = unsafe { count_at_once(number, std::ptr::null_mut()) } {
        return answer;
    }
    // SAFETY: the interpreter calls under the GIL.
    match unsafe { begin(number, std::ptr::null_mut(), [site; 2], 1) } {
        Begun::Done(answer) => answer,
        Begun::Asks(asking) => {
            begin_answering();
            api.stop_tracing();
            // SAFETY: it was just made.
            let answer = unsafe { Asking::carry_out(asking) };
            api.go_on_tracing();
            end_answering();
            answer
        }
    }
}

/// What a callback begins with. Nothing of it needs to be dropped.
enum Begun {
    Done(Object),
    Asks(*mut Asking),
}

/// Decides an arrival, as far as that needs no Python. `offset`: an `int`, or NULL for 0. `place`: what Python is told, the first
/// `told` of it.
///
/// # Safety
/// The objects are alive. The caller holds the GIL, if there is one.
#[inline(never)]
unsafe fn begin(code: usize, offset: Object, place: [Object; 2], told: usize) -> Begun {
    let begun = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller's promise; nothing of this gives the GIL up.
        unsafe {
            with_active(|session| match session.alone(code, session.offset(offset)) {
                Alone::Answer(object) => Begun::Done(object),
                Alone::Ask(question) => Begun::Asks(Asking::new(Arc::clone(session), question, place, told)),
            })
        }
    }));
    match begun {
        Ok(Some(begun)) => begun,
        // The session ended while the interpreter was on its way here.
        Ok(None) => Begun::Done(none()),
        Err(_) => {
            log::error!("nonstop has a defect: a callback panicked");
            Begun::Done(none())
        }
    }
}

fn none() -> Object {
    api().map_or(std::ptr::null_mut(), Api::none)
}
