//! The engine of nonstop: breakpoint tables, event filtering, hit rules and the queue of what was captured.

pub mod breakpoints;
pub mod capture;
pub mod channel;
pub mod code;
pub mod cpython;
pub mod engine;
pub mod ffi;
pub mod location;
pub mod patch;
pub mod policy;
