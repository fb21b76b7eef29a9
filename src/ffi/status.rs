//! Statuses and verdicts.

use std::ffi::c_char;

/// What a call came to. Negative: an error, and nonstop_last_error has the detail. 0: done. Positive values are verdicts of
/// nonstop_code_decide, nonstop_event, nonstop_hit, nonstop_hit_commit and nonstop_capture_records. Numbers are never reused.
pub type nonstop_status = i32;

/// Done.
pub const NONSTOP_OK: i32 = 0;

/// Verdict: nothing to do.
pub const NONSTOP_IGNORE: i32 = 0;
/// Verdict: nothing to do, and not at this place again in this epoch: switch it off if that is cheaper than asking.
pub const NONSTOP_DISABLE: i32 = 1;
/// Verdict: evaluate the condition and commit its outcome.
pub const NONSTOP_EVALUATE: i32 = 2;
/// Verdict: capture; of a capture: it is queued.
pub const NONSTOP_CAPTURE: i32 = 3;
/// Verdict of a capture: the queue was full or closed; the hit is counted as dropped.
pub const NONSTOP_DROPPED: i32 = 4;

/// A pointer that must not be NULL is NULL. Fix the call.
pub const NONSTOP_ERROR_NULL_POINTER: i32 = -1;
/// A text is not UTF-8. Paths are bytes and never give this.
pub const NONSTOP_ERROR_INVALID_UTF8: i32 = -2;
/// struct_size is too small to be one, or the struct has fields set that this library does not know: use a newer library.
pub const NONSTOP_ERROR_STRUCT_SIZE: i32 = -3;
/// An argument makes no sense; the detail names it.
pub const NONSTOP_ERROR_INVALID_ARGUMENT: i32 = -4;
/// The text of a location can't be read; the detail says how one is written.
pub const NONSTOP_ERROR_INVALID_LOCATION: i32 = -5;
/// The text of a hit condition can't be read.
pub const NONSTOP_ERROR_INVALID_HIT_CONDITION: i32 = -6;
/// The text of a log template can't be read; the detail names the position.
pub const NONSTOP_ERROR_INVALID_TEMPLATE: i32 = -7;
/// The records of a capture make no document; the hit is counted as dropped.
pub const NONSTOP_ERROR_INVALID_RECORDS: i32 = -8;
/// An id, ticket, site or key names nothing, or nothing any more.
pub const NONSTOP_ERROR_NOT_FOUND: i32 = -9;
/// The buffer is too small; the count that was written and the detail say how much is needed. Nothing was done: call again.
pub const NONSTOP_ERROR_BUFFER_TOO_SMALL: i32 = -10;
/// The channel is closed and empty: no snapshot will come any more.
pub const NONSTOP_ERROR_CLOSED: i32 = -11;
/// Nothing came in the time given.
pub const NONSTOP_ERROR_TIMEOUT: i32 = -12;
/// The object belongs to the thread that made it.
pub const NONSTOP_ERROR_WRONG_THREAD: i32 = -13;
/// A bound of the engine is reached; the detail names it.
pub const NONSTOP_ERROR_LIMIT_REACHED: i32 = -14;
/// A defect of nonstop, caught: please report the detail.
pub const NONSTOP_ERROR_INTERNAL: i32 = -15;
/// This process lacks what is needed; the detail names it.
pub const NONSTOP_ERROR_NOT_SUPPORTED: i32 = -16;

/// The name of a status, as in this header without the prefix: "OK", "NOT_FOUND", …; "UNKNOWN" for any other number. The text
/// is static. Any thread, no cost. Since 1.
#[no_mangle]
pub extern "C" fn nonstop_status_name(status: nonstop_status) -> *const c_char {
    let name = match status {
        NONSTOP_OK => c"OK",
        NONSTOP_DISABLE => c"DISABLE",
        NONSTOP_EVALUATE => c"EVALUATE",
        NONSTOP_CAPTURE => c"CAPTURE",
        NONSTOP_DROPPED => c"DROPPED",
        NONSTOP_ERROR_NULL_POINTER => c"NULL_POINTER",
        NONSTOP_ERROR_INVALID_UTF8 => c"INVALID_UTF8",
        NONSTOP_ERROR_STRUCT_SIZE => c"STRUCT_SIZE",
        NONSTOP_ERROR_INVALID_ARGUMENT => c"INVALID_ARGUMENT",
        NONSTOP_ERROR_INVALID_LOCATION => c"INVALID_LOCATION",
        NONSTOP_ERROR_INVALID_HIT_CONDITION => c"INVALID_HIT_CONDITION",
        NONSTOP_ERROR_INVALID_TEMPLATE => c"INVALID_TEMPLATE",
        NONSTOP_ERROR_INVALID_RECORDS => c"INVALID_RECORDS",
        NONSTOP_ERROR_NOT_FOUND => c"NOT_FOUND",
        NONSTOP_ERROR_BUFFER_TOO_SMALL => c"BUFFER_TOO_SMALL",
        NONSTOP_ERROR_CLOSED => c"CLOSED",
        NONSTOP_ERROR_TIMEOUT => c"TIMEOUT",
        NONSTOP_ERROR_WRONG_THREAD => c"WRONG_THREAD",
        NONSTOP_ERROR_LIMIT_REACHED => c"LIMIT_REACHED",
        NONSTOP_ERROR_INTERNAL => c"INTERNAL",
        NONSTOP_ERROR_NOT_SUPPORTED => c"NOT_SUPPORTED",
        _ => c"UNKNOWN",
    };
    name.as_ptr()
}
