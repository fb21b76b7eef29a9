//! Native hooks for CPython: what its events call, without Python code in between.
//!
//! A call from CPython into a function of this library takes about a tenth of the time that one by cffi takes, and does not give
//! up the GIL. Nothing of CPython is linked: the few functions of its C API that are needed are looked up at run time, so that one
//! library serves all versions, and PyPy and other hosts as well.
#![allow(unsafe_code)]

mod api;
mod armed;
mod asking;
mod audit;
mod callbacks;
mod condition;
mod ignored;
mod interpreter;
mod session;
mod spent;

pub use api::{MissingSymbol, Object};
pub use condition::{forget_all as forget_conditions, BadStep, Sign, Step};
pub use ignored::ignore_this_thread;
pub use interpreter::{check, listen, replace_item, set_condition, set_trace};
pub use session::{arm, native_spent_ns, start, stop, Host, Site};
