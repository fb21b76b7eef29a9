//! Python bytecode, read by a table of facts about its opcodes: which interpreter made it is not asked.

mod decoded;
mod exception_table;
mod facts;
mod flow;
mod line_table;
#[cfg(test)]
pub mod testing;

pub use decoded::{Decoded, Instruction};
pub use exception_table::Guard;
pub use facts::{Call, ExceptionTable, Facts, Flow, Jump, LineTable, OpcodeFacts, Operand};
pub use flow::Step;
pub use line_table::Position;

use std::fmt;
use std::sync::Arc;

/// The code of one code object, as its host tells it.
#[derive(Clone, Copy, Debug)]
pub struct Bytecode<'a> {
    /// What its bytes mean.
    pub facts: &'a Arc<Facts>,
    /// The instructions (`co_code`).
    pub code: &'a [u8],
    /// The line table (`co_linetable`, or `co_lnotab`).
    pub lines: &'a [u8],
    /// The exception table (`co_exceptiontable`); empty where the interpreter has none.
    pub exceptions: &'a [u8],
}

impl Bytecode<'_> {
    /// The position of each unit of two bytes, of code that begins at `first_line`.
    ///
    /// # Errors
    /// [`BytecodeError`] for a table that is none.
    pub fn positions(&self, first_line: u32) -> Result<Vec<Position>, BytecodeError> {
        line_table::positions(self.facts.line_table, self.lines, first_line, self.code.len() / 2)
    }

    /// What its exception table says, in the same order; nothing where handlers are named by blocks.
    ///
    /// # Errors
    /// [`BytecodeError`] for a table that is none.
    pub fn guards(&self) -> Result<Vec<Guard>, BytecodeError> {
        match self.facts.exception_table {
            ExceptionTable::Ranges => exception_table::read(self.exceptions),
            ExceptionTable::Blocks => Ok(Vec::new()),
        }
    }
}

/// Bytes that are no bytecode, or no table, of the kind that the facts say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytecodeError(String);

impl BytecodeError {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for BytecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BytecodeError {}

/// Reads bytes one after the other.
struct Reader<'a> {
    bytes: std::slice::Iter<'a, u8>,
    what: &'static str,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes: bytes.iter(), what }
    }

    fn is_at_end(&self) -> bool {
        self.bytes.as_slice().is_empty()
    }

    fn byte(&mut self) -> Result<u8, BytecodeError> {
        let ended = || BytecodeError::new(format!("the {} ends in the midst of an entry", self.what));
        self.bytes.next().copied().ok_or_else(ended)
    }

    /// A number of 6 or 7 bits a byte, `bits` of them; the bit above says that more follow. Lowest bits first.
    fn low_first(&mut self, bits: u32) -> Result<u32, BytecodeError> {
        let mut value: u32 = 0;
        for shift in (0..32).step_by(bits as usize) {
            let byte = u32::from(self.byte()?);
            value |= (byte & ((1 << bits) - 1)).checked_shl(shift).unwrap_or(0);
            if byte & (1 << bits) == 0 {
                return Ok(value);
            }
        }
        Err(BytecodeError::new(format!("the {} has a number of more than 32 bits", self.what)))
    }
}
