//! The C ABI: the one place where unsafe, NULL, UTF-8, panics and ownership are handled.
//!
//! One file a C noun, in the order of the header; the mechanisms that they share stand apart. `include/nonstop.h` is made
//! from these files, and their doc comments are the manual of its users.
#![allow(unsafe_code, non_camel_case_types)]

mod error;
mod guard;
mod memory;

// The order of the header.
mod status;
mod text;
mod library;
mod engine;
mod limits;
mod breakpoints;
mod sources;
mod filter;
mod dialect;
mod code;
mod patch;
mod hits;
mod capture;
mod channel;
mod template;
mod cpython;

pub use self::{
    breakpoints::*, capture::*, channel::*, code::*, cpython::*, dialect::*, engine::*, filter::*, hits::*,
    library::*, limits::*, patch::*, sources::*, status::*, template::*, text::*,
};
