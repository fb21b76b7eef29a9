//! The instructions of a code object, each with its line and with where control goes from it.

use super::facts::{ExceptionTable, Facts, Flow, Jump, OpcodeFacts};
use super::{exception_table, line_table, Bytecode, BytecodeError};

/// One instruction, with the prefixes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Where it begins, in bytes: with its first prefix. That is where jumps lead, and where `f_lasti` stands before it runs.
    pub offset: u32,
    /// Its line; 0: none.
    pub line: u32,
    /// What is known of its opcode.
    pub opcode: OpcodeFacts,
    /// The index of the instruction that it jumps to, or of its handler.
    pub target: Option<u32>,
    /// Whether its line begins here in the line table.
    pub begins_line: bool,
    /// Whether it begins to return a constant: what a function does at its end has the line of whatever stands last in it.
    pub returns_constant: bool,
}

impl Instruction {
    /// Whether it concludes what was computed before it and belongs to that, whatever its line.
    pub fn concludes(&self) -> bool {
        self.opcode.concludes || self.returns_constant
    }
}

/// A code object whose bytes were read.
#[derive(Debug)]
pub struct Decoded {
    /// In order.
    pub instructions: Vec<Instruction>,
    /// How many of them set up the frame.
    pub prologue: usize,
    /// See [`Facts::stray_lines`].
    pub stray_lines: bool,
    /// The instructions `from..to`, and the one that the handler of their exceptions begins with. Of a block all that
    /// stands between it and its handler, see `guarded`.
    pub(super) guards: Vec<(u32, u32, u32)>,
    /// The same without what stands there behind the end of the block.
    pub(super) guarded: Vec<(u32, u32, u32)>,
    /// Jumps by target: `(target, source)`, ascending.
    pub(super) jumps: Vec<(u32, u32)>,
    /// See [`Decoded::is_with_exit`]; ascending.
    pub(super) with_exits: Vec<u32>,
    /// See [`Decoded::is_busy`]; ascending.
    busy: Vec<u32>,
}

impl Decoded {
    /// Reads the bytes of a code object that begins at `first_line`.
    ///
    /// # Errors
    /// [`BytecodeError`] for bytes that are not what the facts say: a table that ends early, a jump to where no instruction
    /// begins.
    pub fn read(bytes: &Bytecode<'_>, first_line: u32) -> Result<Self, BytecodeError> {
        let facts: &Facts = bytes.facts;
        if bytes.code.len() % 2 != 0 || u32::try_from(bytes.code.len()).is_err() {
            let length = bytes.code.len();
            return Err(BytecodeError::new(format!(
                "the code has {length} bytes; it must be of units of two bytes, below 4 GiB"
            )));
        }
        let units = bytes.code.len() / 2;
        let lines = line_table::read(facts.line_table, bytes.lines, first_line, units)?;
        let mut decoded = Self {
            instructions: Vec::with_capacity(units),
            prologue: 0,
            stray_lines: facts.stray_lines,
            guards: Vec::new(),
            guarded: Vec::new(),
            jumps: Vec::new(),
            with_exits: Vec::new(),
            busy: Vec::new(),
        };
        // By unit: the instruction that begins there.
        let mut begins_at: Vec<Option<u32>> = vec![None; units + 1];
        let mut targets: Vec<(u32, i64)> = Vec::new();
        let (mut unit, mut first, mut argument) = (0, 0, 0u32);
        while unit < units {
            let opcode = &facts.opcodes[usize::from(bytes.code[2 * unit])];
            argument |= u32::from(bytes.code[2 * unit + 1]);
            unit += 1 + usize::from(opcode.caches);
            if opcode.flow == Flow::Prefix {
                argument <<= 8;
                continue;
            }
            let (index, end) = (decoded.instructions.len() as u32, 2 * unit as i64);
            let distance = i64::from(argument) * i64::from(facts.jump_unit);
            match opcode.jump {
                Jump::None => {}
                Jump::Forward => targets.push((index, end + distance)),
                Jump::Backward => targets.push((index, end - distance)),
                Jump::Absolute => targets.push((index, distance)),
            }
            begins_at[first] = Some(index);
            decoded.instructions.push(Instruction {
                offset: 2 * first as u32,
                line: lines.of_unit[first],
                opcode: *opcode,
                target: None,
                begins_line: lines.begins[first],
                returns_constant: false,
            });
            if opcode.makes_generator {
                decoded.prologue = 0;
            }
            if opcode.ends_prologue && decoded.prologue == 0 {
                decoded.prologue = decoded.instructions.len();
            }
            (first, argument) = (unit, 0);
        }
        decoded.find_returns();
        let index_at = |offset: i64| {
            let unit = usize::try_from(offset).ok().filter(|offset| offset % 2 == 0)? / 2;
            *begins_at.get(unit)?
        };
        for (index, offset) in targets {
            let source = &mut decoded.instructions[index as usize];
            let target = index_at(offset).ok_or_else(|| {
                BytecodeError::new(format!(
                    "the instruction at {} jumps to {offset}, where none begins",
                    source.offset
                ))
            })?;
            source.target = Some(target);
            match source.opcode.flow {
                Flow::Block => decoded.guards.push((index + 1, target, target)),
                _ => decoded.jumps.push((target, index)),
            }
        }
        if facts.exception_table == ExceptionTable::Ranges {
            decoded.add_guards(bytes.exceptions)?;
        }
        decoded.guards.sort_unstable_by_key(|&(from, _, handler)| (handler, from));
        decoded.guarded = match facts.exception_table {
            ExceptionTable::Blocks => decoded.guarded_by_blocks(),
            ExceptionTable::Ranges => decoded.guards.clone(),
        };
        decoded.jumps.sort_unstable();
        decoded.with_exits = decoded.find_with_exits();
        decoded.busy = decoded.find_busy();
        Ok(decoded)
    }

    /// Marks where a constant is returned.
    fn find_returns(&mut self) {
        for index in 0..self.instructions.len() {
            let leaves = |own: &Instruction| own.opcode.flow == Flow::Stop;
            self.instructions[index].returns_constant = match &self.instructions[index..] {
                [first, rest @ ..] if first.opcode.has_constant => {
                    leaves(first) || rest.first().is_some_and(|next| leaves(next) && next.opcode.concludes)
                }
                _ => false,
            };
        }
    }

    /// The lines that carry code which can run, ascending, each once.
    pub fn lines(&self) -> Vec<u32> {
        let reached = self.reached();
        let runs = (0..self.instructions.len()).filter(|&index| reached[index] && self.begins_to_run(index));
        let mut lines: Vec<u32> =
            runs.map(|index| self.instructions[index].line).filter(|&line| line != 0).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// Whether something is done on a line.
    pub fn is_busy(&self, line: u32) -> bool {
        self.busy.binary_search(&line).is_ok()
    }

    fn find_busy(&self) -> Vec<u32> {
        let reached = self.reached();
        let mut busy: Vec<u32> = Vec::new();
        // Where lines stray, what jumps lead to in the midst of a line need not belong to it, nor what follows on that.
        let mut is_astray = false;
        for (index, own) in self.instructions.iter().enumerate().skip(self.prologue) {
            let begins = own.begins_line || index == self.prologue;
            is_astray = self.stray_lines && !begins && (is_astray || self.is_jumped_to(index));
            let does_nothing = own.concludes() || own.opcode.tidies_up || own.opcode.begins_nothing;
            if reached[index] && !is_astray && !does_nothing {
                busy.push(own.line);
            }
        }
        busy.sort_unstable();
        busy.dedup();
        busy
    }

    /// The index of the instruction that a frame stands at whose `f_lasti` is `offset`.
    pub fn at(&self, offset: u32) -> Option<usize> {
        self.instructions.partition_point(|instruction| instruction.offset <= offset).checked_sub(1)
    }

    fn add_guards(&mut self, table: &[u8]) -> Result<(), BytecodeError> {
        for guard in exception_table::read(table)? {
            // Ranges may end within an instruction's caches; its first unit decides.
            let index = |unit: usize| {
                self.instructions.partition_point(|instruction| instruction.offset as usize / 2 < unit) as u32
            };
            let handler = index(guard.handler);
            if handler as usize >= self.instructions.len() {
                return Err(BytecodeError::new(format!(
                    "a handler begins at unit {}, beyond the end",
                    guard.handler
                )));
            }
            self.guards.push((index(guard.from), index(guard.to), handler));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "decoded_tests.rs"]
mod tests;
