//! What can be refused.

use std::fmt;

use super::tickets::Refused;
use crate::breakpoints::{AddError, Stale, MAX_BREAKPOINTS};

/// Why the engine refused; each says what was wrong, the value, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// An argument makes no sense.
    InvalidArgument(String),
    /// An id, site, ticket or code key that names nothing (any more).
    NotFound(String),
    /// The caller's buffer holds fewer items than there are; nothing was counted.
    BufferTooSmall {
        /// How many items it must hold.
        needed: usize,
    },
    /// The records of a capture are malformed; the hit was counted as dropped.
    InvalidRecords(String),
    /// A bound of the engine is reached.
    LimitReached(String),
    /// The channel is closed.
    Closed,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArgument(text)
            | Self::NotFound(text)
            | Self::InvalidRecords(text)
            | Self::LimitReached(text) => f.write_str(text),
            Self::BufferTooSmall { needed } => {
                write!(f, "the buffer is too small: pass room for {needed} items")
            }
            Self::Closed => f.write_str("the channel is closed: no more snapshots are taken or delivered"),
        }
    }
}

impl std::error::Error for EngineError {}

impl From<Stale> for EngineError {
    fn from(Stale(id): Stale) -> Self {
        Self::NotFound(format!("no breakpoint has the id {id}: it was removed, or the id is named twice"))
    }
}

impl From<AddError> for EngineError {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Full => Self::LimitReached(format!(
                "an engine holds {MAX_BREAKPOINTS} breakpoints at most: remove some first"
            )),
            AddError::Rate { index, error } => Self::InvalidArgument(format!("breakpoint {index}: {error}")),
        }
    }
}

impl EngineError {
    pub(super) fn from_ticket(number: u64, refused: Refused, wanted: &str) -> Self {
        match refused {
            Refused::Stale => {
                Self::NotFound(format!("no open hit has the ticket {number}: it was answered already"))
            }
            Refused::WrongStage => {
                Self::InvalidArgument(format!("ticket {number} does not wait for {wanted}"))
            }
        }
    }
}
