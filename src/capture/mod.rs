//! Limits, records, redaction and encoding of what one hit captured.
//!
//! A host describes a hit as a stream of [records] (by hand, or with [`RecordWriter`]). The engine checks the stream and
//! turns it into JSON, a snapshot ([`encode_snapshot`]) or the line of a logpoint ([`encode_log`]), in one pass, into one
//! buffer, without a tree in between. The JSON is described in `docs/snapshot-schema.md`.

mod expression;
mod format;
mod grammar;
mod json;
mod limits;
mod log;
mod names;
mod numbers;
mod parser;
pub mod records;
mod redaction;
mod snapshot;
mod template;
#[cfg(test)]
mod testing;
mod text;
mod writer;

pub use expression::expression_looks_secret;
pub use limits::Limits;
pub use log::encode_log;
pub use records::{Container, RecordsError};
pub use redaction::looks_secret;
pub use snapshot::encode_snapshot;
pub use template::{Part, Span, Template, TemplateError};
pub use writer::RecordWriter;

/// What the engine knows of a hit and the records do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The id of the breakpoint.
    pub breakpoint: u64,
    /// The number of the hit.
    pub hit: u64,
    /// The line that the breakpoint stands at; 0: the one that the records say. Which line of a unit of several lines runs first
    /// is the compiler's choice.
    pub line: u32,
}
