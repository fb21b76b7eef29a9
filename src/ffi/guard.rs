//! What every entry point goes through: failures become statuses, and panics never cross the boundary.

use std::panic::{catch_unwind, AssertUnwindSafe};

use super::error::{remember, Failure};
use super::status::{nonstop_status, NONSTOP_ERROR_INTERNAL};

/// Runs the body of a fallible function.
///
/// A panic may leave what the body was changing half changed. That is sound: engine state is behind locks that ignore
/// poisoning only where each single store leaves it valid, and caller memory is written last.
pub(super) fn guarded(body: impl FnOnce() -> Result<nonstop_status, Failure>) -> nonstop_status {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => return status,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let what = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("a panic without a message");
            Failure::new(NONSTOP_ERROR_INTERNAL, format!("nonstop has a defect: {what}"))
        }
    };
    remember(&failure.detail);
    failure.status
}
