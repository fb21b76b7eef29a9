//! What the hooks have the interpreter do, outside of any callback.

use std::ffi::c_void;
use std::sync::OnceLock;

use super::api::{Api, MissingSymbol, Object};
use super::condition::{keep, BadStep, Condition, Step};
use crate::engine::Engine;

/// What was found in this process.
static API: OnceLock<Api> = OnceLock::new();

/// Whether this process has what is needed; `inside` is an address in Python, or NULL.
///
/// # Errors
/// What it lacks.
///
/// # Safety
/// See [`Api::load`].
pub unsafe fn check(inside: *const c_void) -> Result<(), MissingSymbol> {
    // SAFETY: the caller's promise.
    unsafe { Api::load(inside) }.map(drop)
}

/// Looks for the functions of the interpreter, the first time.
///
/// # Errors
/// What this process lacks.
///
/// # Safety
/// See [`Api::load`].
pub unsafe fn find(inside: *const c_void, is_free_threaded: bool) -> Result<&'static Api, MissingSymbol> {
    if let Some(api) = api() {
        return Ok(api);
    }
    // SAFETY: the caller's promise.
    let mut loaded = unsafe { Api::load(inside) }?;
    if !is_free_threaded {
        // Of a copy, for as long as the other one is changed.
        let holder = loaded;
        let _gil = holder.hold_gil();
        loaded.try_shortcuts();
    }
    Ok(API.get_or_init(|| loaded))
}

/// The functions of the interpreter, once they have been found.
pub fn api() -> Option<&'static Api> {
    API.get()
}

/// Has an object called with each code object that `exec`, `eval` or an import is about to run, until another is set; NULL:
/// nobody. Whether that is possible: a session has begun, and nobody forbids it.
///
/// # Safety
/// The listener is NULL or alive.
pub unsafe fn listen(listener: Object) -> bool {
    let Some(api) = api() else { return false };
    let _gil = api.hold_gil();
    // SAFETY: the caller's promise.
    unsafe { super::audit::listen(api, listener) }
}

/// Puts an object into the place of another in a `tuple`, if that is what stands there; whether it is.
///
/// # Safety
/// The objects are alive, and the tuple holds the constants of a code object of CPython up to 3.11.
pub unsafe fn replace_item(tuple: Object, index: usize, old: Object, new: Object) -> bool {
    let Some(api) = api() else { return false };
    let _gil = api.hold_gil();
    // SAFETY: the caller's promise.
    unsafe { api.replace_item(tuple, index, old, new) }
}

/// Has a condition decided without Python, for the breakpoints of an engine that their host knows by a number: from when their
/// code is armed next on. No steps: Python decides again. Whether that is possible: a session has begun, or was.
///
/// # Errors
/// The step that makes no sense.
///
/// # Safety
/// The objects are alive, and the first `names` of them are `str`.
pub unsafe fn set_condition(
    engine: &Engine,
    user_data: u64,
    objects: &[Object],
    names: usize,
    steps: Vec<Step>,
) -> Result<bool, BadStep> {
    let Some(api) = api() else { return Ok(false) };
    let _gil = api.hold_gil();
    let condition = if steps.is_empty() {
        None
    } else {
        // SAFETY: the caller's promise.
        Some(unsafe { Condition::new(api, objects, names, steps) }?)
    };
    keep(api, engine, user_data, condition);
    Ok(true)
}

/// Sets the trace function of another thread, if it has the one that is expected; see [`Api::set_trace`].
///
/// # Safety
/// As there; the GIL need not be held.
pub unsafe fn set_trace(thread: usize, functions: [Object; 2], tracers: [Object; 2]) -> bool {
    let Some(api) = api() else { return false };
    let _gil = api.hold_gil();
    // SAFETY: the caller's promise.
    unsafe { api.set_trace(thread, functions, tracers) }
}
