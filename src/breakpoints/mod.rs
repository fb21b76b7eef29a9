//! Ids, table and state of breakpoints.

mod breakpoint;
mod counters;
mod found;
mod id;
mod shared;
mod spec;
mod state;
mod table;

pub use breakpoint::Breakpoint;
pub use counters::{Counters, End};
pub use found::{Basis, Placed};
pub use id::BreakpointId;
pub use shared::Group;
pub use spec::{Action, ActionKind, Asked, BreakpointSpec};
pub use state::{Report, State};
pub use table::{AddError, Breakpoints, Stale, Table, MAX_BREAKPOINTS};
