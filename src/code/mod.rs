//! Units of a source file, the event filter, and the epoch-stamped decision per code object.

mod arming;
mod decisions;
mod files;
mod filter;
mod hash;
mod info;
mod units;

pub use decisions::{Bound, Decisions, Event, Interest, View};
pub use files::{Candidate, File, Files, Units};
pub use filter::{EventKind, Filter, Rule, RuleAction};
pub use hash::{IntHash, IntHasher};
pub use info::{Arm, CodeInfo, Decision};
pub use units::*;
