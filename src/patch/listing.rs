//! A code object that was read, with its bytes.

use std::ops::Range;

use super::PatchError;
use crate::code::{Bytecode, BytecodeError, Decoded, Flow, Guard, Position};

/// All that is known of a code object: its instructions with their bytes and positions, and its exception table.
pub(super) struct Listing<'a> {
    pub bytes: Bytecode<'a>,
    pub decoded: Decoded,
    /// By unit of two bytes.
    pub positions: Vec<Position>,
    /// The exception table, in its order, by instruction: from, to, handler, depth.
    pub guards: Vec<Guard>,
}

impl<'a> Listing<'a> {
    pub fn read(bytes: &Bytecode<'a>, first_line: u32) -> Result<Self, BytecodeError> {
        let decoded = Decoded::read(bytes, first_line)?;
        let positions = bytes.positions(first_line)?;
        // As `Decoded` does it: the first unit of an instruction decides.
        let index = |unit: usize| {
            decoded
                .instructions
                .partition_point(|instruction| (instruction.offset as usize) < unit.saturating_mul(2))
        };
        let guards = bytes.guards()?.into_iter().map(|guard| Guard {
            from: index(guard.from),
            to: index(guard.to),
            handler: index(guard.handler),
            depth: guard.depth,
        });
        let guards = guards.collect();
        Ok(Self { bytes: *bytes, decoded, positions, guards })
    }

    /// Fails for code that has anything but prefixes, instructions and their caches: nobody knows what a rest means. So it
    /// does for lines that are no numbers of lines: [`Decoded`] has none there, and could not tell them apart.
    pub fn expect_whole(&self) -> Result<(), PatchError> {
        let is_astray = |line: &i64| u32::try_from(*line).is_err();
        if let Some(line) = self.positions.iter().filter_map(|position| position.line).find(is_astray) {
            return Err(PatchError::refused(format!("the line table leads to line {line}")));
        }
        let is_whole = |index: usize| {
            let caches = usize::from(self.decoded.instructions[index].opcode.caches);
            self.range(index).len() == 2 * (self.prefixes(index) + 1 + caches)
        };
        if (0..self.len()).all(is_whole) && (self.len() > 0 || self.bytes.code.is_empty()) {
            return Ok(());
        }
        Err(PatchError::refused("the code ends in the midst of an instruction"))
    }

    /// How many instructions there are.
    pub fn len(&self) -> usize {
        self.decoded.instructions.len()
    }

    /// The bytes of an instruction: prefixes, itself, caches.
    pub fn range(&self, index: usize) -> Range<usize> {
        let next = self.decoded.instructions.get(index + 1);
        let to = next.map_or(self.bytes.code.len(), |next| next.offset as usize);
        self.decoded.instructions[index].offset as usize..to
    }

    /// How many prefixes an instruction has.
    pub fn prefixes(&self, index: usize) -> usize {
        let opcodes = &self.bytes.facts.opcodes;
        let is_prefix = |unit: &&[u8]| opcodes[usize::from(unit[0])].flow == Flow::Prefix;
        self.bytes.code[self.range(index)].chunks_exact(2).take_while(is_prefix).count()
    }

    /// The position of an instruction: that of its first unit.
    pub fn position(&self, index: usize) -> Position {
        self.positions[self.range(index).start / 2]
    }

    /// Whether control falls from an instruction to the next one.
    pub fn goes_on(&self, index: usize) -> bool {
        !matches!(self.decoded.instructions[index].opcode.flow, Flow::Jump | Flow::Stop)
    }
}
