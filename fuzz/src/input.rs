//! A code object, and places in it, as bytes: so that a fuzzer that changes any of them still has a code object.
//!
//! The dialect; the first line and the depth of the stack, of two bytes each; the lengths of three parts, of two bytes each; then
//! places of four bytes, the line table, the exception table, and the code. Too short, all that is missing is zero or empty.

use std::sync::Arc;

use nonstop::code::{Bytecode, Decoded, Facts, Span};

use super::dialects::{dialects, Sample};

/// Searches cost the square of it, and a fuzzer soon finds that.
const MOST_PLACES: usize = 24;

/// A code object that may be none.
pub struct Input<'a> {
    /// Its dialect.
    pub facts: &'static Arc<Facts>,
    /// Its first line.
    pub first_line: u32,
    /// How deep its stack gets.
    pub stack_size: u32,
    places: &'a [u8],
    lines: &'a [u8],
    exceptions: &'a [u8],
    code: &'a [u8],
}

/// A place in a code object: an instruction, the unit that is thought to begin there, and two more bits.
pub struct Place {
    /// The index of the instruction.
    pub instruction: usize,
    /// The unit.
    pub span: Span,
    /// 0 to 3.
    pub more: u32,
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn number(&mut self, bytes: usize) -> u32 {
        self.take(bytes).iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
    }
}

impl<'a> Input<'a> {
    /// What these bytes say.
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut cursor = Cursor(bytes);
        let facts = &dialects()[cursor.number(1) as usize % dialects().len()].facts;
        // The greatest number of two bytes stands for the greatest that can be told.
        let [first_line, stack_size] = [(); 2].map(|()| match cursor.number(2) {
            0xffff => u32::MAX,
            number => number,
        });
        let lengths = [(); 3].map(|()| cursor.number(2) as usize);
        let [places, lines, exceptions] = lengths.map(|length| cursor.take(length));
        Self { facts, first_line, stack_size, places, lines, exceptions, code: cursor.0 }
    }

    /// Its bytes.
    pub fn bytes(&self) -> Bytecode<'_> {
        Bytecode { facts: self.facts, code: self.code, lines: self.lines, exceptions: self.exceptions }
    }

    /// The places in it.
    pub fn places(&self, decoded: &Decoded) -> Vec<Place> {
        let all = &decoded.instructions;
        let place = |own: &[u8]| {
            let instruction = usize::from(u16::from_le_bytes([own[0], own[1]])) % all.len();
            let first_line = all[instruction].line.max(1);
            let last_line = first_line.saturating_add(u32::from(own[2] & 7));
            let inner = match u32::from(own[3] & 15) {
                0 => (0, 0),
                lines => (last_line, last_line.saturating_add(lines)),
            };
            let span = Span { first_line, last_line, inner, reentered: own[2] & 8 != 0 };
            Place { instruction, span, more: u32::from(own[3] >> 6) }
        };
        let given = self.places.chunks_exact(4).take(if all.is_empty() { 0 } else { MOST_PLACES });
        given.map(place).collect()
    }
}

/// The bytes that say a sample, with a place at some of its instructions.
pub fn written(dialect: u8, sample: &Sample, places: &[u8]) -> Vec<u8> {
    let Sample { first_line, stack_size, code, lines, exceptions } = sample;
    let lengths = [places, lines, exceptions].map(|part| part.len() as u16);
    let mut bytes = vec![dialect];
    for number in [*first_line as u16, *stack_size as u16].into_iter().chain(lengths) {
        bytes.extend(number.to_le_bytes());
    }
    [places, lines, exceptions, code].into_iter().for_each(|part| bytes.extend(part));
    bytes
}
