//! Ids, table and state of breakpoints.

mod breakpoint;
mod counters;
mod id;
mod spec;
mod state;
mod table;

pub use breakpoint::Breakpoint;
pub use counters::{Counters, End};
pub use id::BreakpointId;
pub use spec::{Action, ActionKind, BreakpointSpec};
pub use state::{Report, State};
pub use table::{AddError, Breakpoints, Stale, Table, MAX_BREAKPOINTS};
