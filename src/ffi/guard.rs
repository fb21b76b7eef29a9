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
            log::error!("nonstop has a defect: {what}");
            Failure::new(NONSTOP_ERROR_INTERNAL, format!("nonstop has a defect: {what}"))
        }
    };
    remember(&failure.detail);
    failure.status
}

#[cfg(test)]
mod tests {
    use super::super::error::with_last;
    use super::super::status::NONSTOP_OK;
    use super::*;

    fn last() -> Option<String> {
        with_last(str::to_owned)
    }

    #[test]
    fn a_panic_becomes_a_status_and_a_message() {
        assert_eq!(guarded(|| panic!("slot {} is empty", 3)), NONSTOP_ERROR_INTERNAL);
        assert_eq!(last().as_deref(), Some("nonstop has a defect: slot 3 is empty"));
        assert_eq!(guarded(|| panic!("no table")), NONSTOP_ERROR_INTERNAL);
        assert_eq!(last().as_deref(), Some("nonstop has a defect: no table"));
        assert_eq!(guarded(|| std::panic::panic_any(7)), NONSTOP_ERROR_INTERNAL);
        assert_eq!(last().as_deref(), Some("nonstop has a defect: a panic without a message"));
    }

    #[test]
    fn a_call_after_a_panic_goes_on() {
        assert_eq!(guarded(|| panic!("once")), NONSTOP_ERROR_INTERNAL);
        assert_eq!(guarded(|| Ok(NONSTOP_OK)), NONSTOP_OK);
    }
}
