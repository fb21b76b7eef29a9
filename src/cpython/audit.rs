//! Code that is about to run at the top of a module, or by `exec`: CPython tells audit hooks of it (PEP 578).
//!
//! Such a hook stays for good, and is called for every audit event: most are told apart by their name here, in nanoseconds.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use super::api::{Api, Object};

/// What is called with the code object; NULL where nobody is.
static LISTENER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
/// The interpreter that it belongs to: a process may have more.
static INTERPRETER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static IS_ADDED: AtomicBool = AtomicBool::new(false);

/// Has `listener` called with each code object that `exec`, `eval` or an import is about to run; NULL: nobody any more. Whether
/// that is possible. The GIL is held.
///
/// # Safety
/// The listener is NULL or alive.
pub unsafe fn listen(api: &Api, listener: Object) -> bool {
    if !listener.is_null() {
        api.reference(listener);
        // SAFETY: a function of this library, which stays loaded.
        if !IS_ADDED.load(Ordering::SeqCst) && !unsafe { api.add_audit_hook(at_event) } {
            api.give_up(listener);
            return false;
        }
        IS_ADDED.store(true, Ordering::SeqCst);
        INTERPRETER.store(api.interpreter(), Ordering::SeqCst);
    }
    let before = LISTENER.swap(listener, Ordering::SeqCst);
    if !before.is_null() {
        api.give_up(before);
    }
    true
}

/// 0: the program goes on. Else Python code raised that it called, and that was meant to go on.
unsafe extern "C-unwind" fn at_event(event: *const c_char, arguments: Object, _: *mut c_void) -> c_int {
    if LISTENER.load(Ordering::Relaxed).is_null() || event.is_null() {
        return 0;
    }
    // SAFETY: a string of the interpreter's. The first letter tells nearly all apart.
    if unsafe { *event } != b'e' as c_char || unsafe { CStr::from_ptr(event) } != c"exec" {
        return 0;
    }
    let Some(api) = super::interpreter::api() else { return 0 };
    if api.interpreter() != INTERPRETER.load(Ordering::SeqCst) {
        return 0;
    }
    let listener = LISTENER.load(Ordering::SeqCst);
    let code = api.first_item(arguments);
    if listener.is_null() || code.is_null() {
        return 0;
    }
    api.reference(listener);
    // Nothing here needs to be dropped: see `callbacks`.
    api.stop_tracing();
    let result = api.call(listener, &[code]);
    api.go_on_tracing();
    api.give_up(listener);
    if result.is_null() {
        return -1;
    }
    api.give_up(result);
    0
}
