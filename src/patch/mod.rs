//! The bytecode rewriter: puts calls to a hook into the code of a code object, where control enters units.
//!
//! Pure functions over bytes. What the bytes mean, and how a hook is called, is data ([`crate::code::Facts`]).
//! [`places`] finds on which steps of control a call stands, [`assemble`] writes the code with it, and [`verify`] reads
//! what was written anew and proves that it does what the original did, with those calls and nothing else. Nothing is
//! given out that was not proven.

mod assemble;
mod exception_table;
mod line_table;
mod listing;
mod offsets;
mod places;
mod stub;
mod verify;

pub use offsets::Offsets;

use std::fmt;

use crate::code::{Bytecode, BytecodeError, Span};
use listing::Listing;

/// A code object to put calls into.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// Its bytes.
    pub bytes: Bytecode<'a>,
    /// Its first line (`co_firstlineno`).
    pub first_line: u32,
    /// How deep its stack gets (`co_stacksize`).
    pub stack_size: u32,
}

/// A call to put in where control enters a unit.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// The offset of the instruction, with its prefixes.
    pub offset: u32,
    /// The unit that it enters. Where that is reentered, every step to the instruction enters it.
    pub span: Span,
    /// The index of the constant that is called.
    pub hook: u32,
    /// The index of the constant that it is called with.
    pub argument: u32,
}

/// A code object with calls in it. What is not here stays as it was, but for the constants.
#[derive(Debug)]
pub struct Patch {
    /// The instructions.
    pub code: Vec<u8>,
    /// The line table.
    pub lines: Vec<u8>,
    /// The exception table.
    pub exceptions: Vec<u8>,
    /// How deep the stack gets.
    pub stack_size: u32,
    /// Which offset became which.
    pub offsets: Offsets,
}

/// Why nothing was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchError {
    /// What was given makes no sense, or the calls cannot be put where they are wanted.
    Refused(String),
    /// A defect of this module, which was noticed before it did harm.
    DoesNotAddUp(String),
}

impl PatchError {
    fn refused(what: impl Into<String>) -> Self {
        Self::Refused(what.into())
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(what) => f.write_str(what),
            Self::DoesNotAddUp(what) => write!(f, "the rewritten code does not add up: {what}"),
        }
    }
}

impl std::error::Error for PatchError {}

impl From<BytecodeError> for PatchError {
    fn from(error: BytecodeError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Puts calls into a code object.
///
/// # Errors
/// [`PatchError::Refused`] names the probe, or what is wrong with the bytes.
pub fn patch(original: &Original<'_>, probes: &[Probe]) -> Result<Patch, PatchError> {
    let facts = original.bytes.facts;
    let call = facts.call.as_ref().ok_or_else(|| {
        PatchError::refused(
            "nothing can be put into code of this dialect: it does not say how a hook is called",
        )
    })?;
    let listing = Listing::read(&original.bytes, original.first_line)?;
    listing.expect_whole()?;
    let mut probes = probes.to_vec();
    probes.sort_by_key(|probe| probe.offset);
    let places = places::places(&listing, &probes)?;
    let need = if probes.is_empty() { 0 } else { call.stack };
    let stack_size = original.stack_size.checked_add(need);
    let stack_size =
        stack_size.ok_or_else(|| PatchError::refused("the stack is as deep as can be already"))?;
    let assembled = assemble::assemble(&listing, &places, &probes, call)?;
    let made = Patch {
        code: assembled.code,
        lines: line_table::write(facts.line_table, original.first_line, &assembled.units)?,
        exceptions: exception_table::write(&assembled.guards),
        stack_size,
        offsets: assembled.offsets,
    };
    verify::verify(original, &probes, call, &made).map_err(PatchError::DoesNotAddUp)?;
    Ok(made)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
mod real_tests;
