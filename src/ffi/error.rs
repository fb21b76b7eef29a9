//! Failures on their way to the host: a status, and a detail for `nonstop_last_error`.

use std::cell::RefCell;

use super::status::*;
use crate::engine::EngineError;

/// A failure with the status that it is reported as.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: nonstop_status,
    pub(super) detail: String,
}

impl Failure {
    pub(super) fn new(status: nonstop_status, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    pub(super) fn null(what: &str) -> Self {
        Self::new(NONSTOP_ERROR_NULL_POINTER, format!("{what} is NULL"))
    }

    pub(super) fn argument(detail: impl Into<String>) -> Self {
        Self::new(NONSTOP_ERROR_INVALID_ARGUMENT, detail)
    }

    /// Says where in an array the failure is.
    pub(super) fn at(self, what: &str, index: usize) -> Self {
        Self { detail: format!("{what} {index}: {}", self.detail), ..self }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let status = match error {
            EngineError::InvalidArgument(_) => NONSTOP_ERROR_INVALID_ARGUMENT,
            EngineError::NotFound(_) => NONSTOP_ERROR_NOT_FOUND,
            EngineError::BufferTooSmall { .. } => NONSTOP_ERROR_BUFFER_TOO_SMALL,
            EngineError::InvalidRecords(_) => NONSTOP_ERROR_INVALID_RECORDS,
            EngineError::LimitReached(_) => NONSTOP_ERROR_LIMIT_REACHED,
            EngineError::Closed => NONSTOP_ERROR_CLOSED,
        };
        Self::new(status, error.to_string())
    }
}

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps a detail for this thread. A thread that is ending has no place for it any more.
pub(super) fn remember(detail: &str) {
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            last.clear();
            last.push_str(detail);
        }
    });
}

/// Hands this thread's detail to `read`.
pub(super) fn with_last<R>(read: impl FnOnce(&str) -> R) -> Option<R> {
    LAST.try_with(|last| last.try_borrow().ok().map(|last| read(&last))).ok().flatten()
}
