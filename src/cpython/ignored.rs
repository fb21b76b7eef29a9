//! Threads in which nothing is observed for a while. Reading what belongs to a thread costs more than reading what belongs to all:
//! that says first whether there is any.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether any thread was ever ignored.
static ANY_IGNORED: AtomicBool = AtomicBool::new(false);
/// How many threads are answering.
static ANSWERING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static IS_IGNORED: Cell<bool> = const { Cell::new(false) };
    static IS_ANSWERING: Cell<bool> = const { Cell::new(false) };
}

/// Whether what happens in the calling thread is not observed.
pub fn ignore_this_thread(is_ignored: bool) {
    IS_IGNORED.with(|ignored| ignored.set(is_ignored));
    ANY_IGNORED.fetch_or(is_ignored, Ordering::Relaxed);
}

/// Whether the calling thread is ignored.
pub fn is_ignored() -> bool {
    ANY_IGNORED.load(Ordering::Relaxed) && IS_IGNORED.with(Cell::get)
}

/// The calling thread answers an arrival in Python, which a call in code told of: what it runs meanwhile arrives nowhere, as
/// inside of a callback of `sys.monitoring`.
pub fn begin_answering() {
    ANSWERING.fetch_add(1, Ordering::Relaxed);
    IS_ANSWERING.with(|answering| answering.set(true));
}

/// It has answered.
pub fn end_answering() {
    IS_ANSWERING.with(|answering| answering.set(false));
    ANSWERING.fetch_sub(1, Ordering::Relaxed);
}

/// Whether the calling thread answers.
pub fn is_answering() -> bool {
    ANSWERING.load(Ordering::Relaxed) > 0 && IS_ANSWERING.with(Cell::get)
}
