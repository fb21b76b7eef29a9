//! Code in a dialect that is made up, for tests: an opcode for each fact. It is written as `(line, opcode, argument)`, one
//! for each unit of two bytes; line 0: none. Where nothing else is said, a jump names the unit that it leads to.

use std::sync::Arc;

use super::{Bytecode, BytecodeError, Decoded, ExceptionTable, Facts, Flow, Jump, LineTable, OpcodeFacts};

/// Does something.
pub const WORK: u8 = 0;
/// Does something, and goes on or jumps.
pub const BRANCH: u8 = 1;
/// Tests what was computed before it, and goes on or jumps.
pub const TEST: u8 = 2;
/// Jumps.
pub const JUMP: u8 = 3;
/// Leaves; its argument is computed before it.
pub const RETURN: u8 = 4;
/// Leaves by an exception that is on the stack.
pub const RAISE: u8 = 5;
/// Begins what the handler at its target guards, up to that.
pub const BLOCK: u8 = 6;
/// The higher bits of the next argument.
pub const PREFIX: u8 = 7;
/// Does something; has two units of caches.
pub const CACHED: u8 = 8;
/// Ends the prologue.
pub const RESUME: u8 = 9;
/// Calls the exit of a `with` for an exception.
pub const LEAVE_WITH: u8 = 10;
/// No unit is entered here.
pub const ENTER_NOTHING: u8 = 11;
/// Does nothing that a program could tell.
pub const TIDY: u8 = 12;
/// Concludes what was computed before it.
pub const CONCLUDE: u8 = 13;
/// Handles what is on the stack.
pub const COPY: u8 = 14;
/// Takes a name away.
pub const DELETE: u8 = 15;
/// Tracers are not told of a line that begins here.
pub const UNTRACED: u8 = 16;
/// Goes on, or jumps so far after its end. Has one unit of caches.
pub const FORWARD: u8 = 17;
/// Goes on, or jumps so far before its end. Has one unit of caches.
pub const BACKWARD: u8 = 18;
/// Ends the block that it stands in.
pub const END_BLOCK: u8 = 19;
/// Puts a constant on the stack.
pub const CONSTANT: u8 = 20;
/// Leaves with a constant.
pub const RETURN_CONSTANT: u8 = 21;

/// Makes a generator of the frame.
pub const GENERATOR: u8 = 22;
/// Puts the exception that a handler was entered for where the program can see it.
pub const PUSH_EXCEPTION: u8 = 23;

/// An instruction, or a cache.
pub type Unit = (u32, u8, u8);

/// A code object whose first line is 1.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its dialect.
    pub facts: Facts,
    /// Its code.
    pub code: Vec<u8>,
    /// Its line table.
    pub lines: Vec<u8>,
    /// Its exception table.
    pub exceptions: Vec<u8>,
}

impl Sample {
    /// Code without guards, except those of blocks.
    pub fn new(units: &[Unit]) -> Self {
        let mut lines = Vec::new();
        for &(line, ..) in units {
            assert!(line < 128, "one byte is enough for the lines of tests");
            // The line, and no columns.
            lines.extend(if line == 0 { vec![0] } else { vec![line as u8, 0] });
        }
        let code = units.iter().flat_map(|&(_, opcode, argument)| [opcode, argument]).collect();
        Self { facts: facts(), code, lines, exceptions: Vec::new() }
    }

    /// The same in a dialect that has no blocks: units `from..to` are guarded by the handler at a unit.
    pub fn guarded(mut self, guards: &[(u8, u8, u8)]) -> Self {
        self.facts.exception_table = ExceptionTable::Ranges;
        self.exceptions =
            guards.iter().flat_map(|&(from, to, handler)| [from | 128, to - from, handler, 0]).collect();
        self
    }

    /// The same in a dialect whose compiler lets lines stray.
    pub fn straying(mut self) -> Self {
        self.facts.stray_lines = true;
        self
    }

    /// Reads it.
    pub fn read(&self) -> Result<Decoded, BytecodeError> {
        let facts = Arc::new(self.facts.clone());
        let (code, lines, exceptions) = (&*self.code, &*self.lines, &*self.exceptions);
        Decoded::read(&Bytecode { facts: &facts, code, lines, exceptions }, 1)
    }

    /// Reads it, which must not fail.
    pub fn decoded(&self) -> Decoded {
        self.read().unwrap()
    }
}

/// The facts of the opcodes above.
pub fn facts() -> Facts {
    let mut opcodes = [OpcodeFacts::default(); 256];
    let plain = OpcodeFacts::default();
    let jumps = |flow, concludes| OpcodeFacts { flow, jump: Jump::Absolute, concludes, ..plain };
    opcodes[usize::from(BRANCH)] = jumps(Flow::Branch, false);
    opcodes[usize::from(TEST)] = jumps(Flow::Branch, true);
    opcodes[usize::from(JUMP)] = jumps(Flow::Jump, true);
    opcodes[usize::from(BLOCK)] = jumps(Flow::Block, false);
    opcodes[usize::from(RAISE)] = OpcodeFacts { flow: Flow::Stop, begins_nothing: true, ..plain };
    opcodes[usize::from(PREFIX)] = OpcodeFacts { flow: Flow::Prefix, ..plain };
    opcodes[usize::from(CACHED)] = OpcodeFacts { caches: 2, ..plain };
    opcodes[usize::from(RESUME)] = OpcodeFacts { ends_prologue: true, ..plain };
    opcodes[usize::from(LEAVE_WITH)] = OpcodeFacts { leaves_with: true, ..plain };
    opcodes[usize::from(ENTER_NOTHING)] = OpcodeFacts { enters_nothing: true, ..plain };
    opcodes[usize::from(TIDY)] = OpcodeFacts { tidies_up: true, ..plain };
    opcodes[usize::from(CONCLUDE)] = OpcodeFacts { concludes: true, ..plain };
    opcodes[usize::from(COPY)] = OpcodeFacts { begins_nothing: true, ..plain };
    opcodes[usize::from(DELETE)] = OpcodeFacts { deletes: true, ..plain };
    opcodes[usize::from(UNTRACED)] = OpcodeFacts { is_untraced: true, ..plain };
    opcodes[usize::from(END_BLOCK)] = OpcodeFacts { ends_block: true, ..plain };
    opcodes[usize::from(GENERATOR)] = OpcodeFacts { makes_generator: true, ..plain };
    opcodes[usize::from(PUSH_EXCEPTION)] =
        OpcodeFacts { pushes_exception: true, begins_nothing: true, ..plain };
    opcodes[usize::from(CONSTANT)] = OpcodeFacts { has_constant: true, ..plain };
    let leaves = OpcodeFacts { flow: Flow::Stop, concludes: true, ..plain };
    opcodes[usize::from(RETURN)] = leaves;
    opcodes[usize::from(RETURN_CONSTANT)] = OpcodeFacts { has_constant: true, ..leaves };
    let (flow, caches) = (Flow::Branch, 1);
    opcodes[usize::from(FORWARD)] = OpcodeFacts { flow, jump: Jump::Forward, caches, ..plain };
    opcodes[usize::from(BACKWARD)] = OpcodeFacts { flow, jump: Jump::Backward, caches, ..plain };
    Facts {
        opcodes,
        line_table: LineTable::EachUnit,
        exception_table: ExceptionTable::Blocks,
        jump_unit: 2,
        stray_lines: false,
        call: None,
    }
}

/// Marsaglia, "Xorshift RNGs", 2003.
pub struct Random(pub u64);

impl Random {
    /// Below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    /// So many bytes at most.
    pub fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.below(256) as u8).collect()
    }

    /// One of several.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// Any dialect.
    pub fn facts(&mut self) -> Facts {
        let mut facts = facts();
        for opcode in &mut facts.opcodes {
            // Few jumps: most random ones lead astray.
            let flow = match self.below(16) {
                0 => self.one_of(&[Flow::Branch, Flow::Jump, Flow::Stop, Flow::Block, Flow::Prefix]),
                _ => Flow::Next,
            };
            let jump = match flow {
                Flow::Branch | Flow::Jump | Flow::Block => {
                    self.one_of(&[Jump::Forward, Jump::Backward, Jump::Absolute])
                }
                _ => Jump::None,
            };
            let caches = self.below(9).saturating_sub(6) as u8;
            let mut is_so = |out_of| self.below(out_of) == 0;
            *opcode = OpcodeFacts {
                flow,
                jump,
                caches,
                ends_prologue: is_so(9),
                makes_generator: is_so(9),
                leaves_with: is_so(4),
                enters_nothing: is_so(9),
                tidies_up: is_so(4),
                concludes: is_so(4),
                begins_nothing: is_so(4),
                deletes: is_so(4),
                ends_block: is_so(4),
                has_constant: is_so(4),
                is_untraced: is_so(4),
                pushes_exception: is_so(9),
                binds_next: is_so(9),
            };
        }
        facts.line_table =
            self.one_of(&[LineTable::Lnotab, LineTable::Ranges, LineTable::Locations, LineTable::EachUnit]);
        facts.exception_table = self.one_of(&[ExceptionTable::Blocks, ExceptionTable::Ranges]);
        facts.jump_unit = self.one_of(&[1, 2]);
        facts.stray_lines = self.one_of(&[true, false]);
        facts
    }
}
