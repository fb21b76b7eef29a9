//! Dialects of Python bytecode.

use std::sync::Arc;

use super::error::Failure;
use super::guard::guarded;
use super::memory::{expect_out, put, put_all, read_struct, Handle, Sized32};
use super::status::*;
use super::text::nonstop_text;
use crate::code::{
    Bytecode, Call, Decoded, ExceptionTable, Facts, Flow, Jump, LineTable, OpcodeFacts, Operand,
};

/// What the bytecode of an interpreter means, as the host read it from that interpreter's own tables (Python's `dis` and `opcode`
/// modules): which version it is, the library does not ask. A process needs one.
pub struct nonstop_dialect {
    pub(super) facts: Arc<Facts>,
}

impl Handle for nonstop_dialect {
    const NAME: &'static str = "dialect";
}

/// Flow of an opcode: on to the next instruction.
pub const NONSTOP_FLOW_NEXT: u8 = 0;
/// Flow of an opcode: to the next instruction, or to its target.
pub const NONSTOP_FLOW_BRANCH: u8 = 1;
/// Flow of an opcode: to its target.
pub const NONSTOP_FLOW_JUMP: u8 = 2;
/// Flow of an opcode: nowhere, unless to a handler (return, raise).
pub const NONSTOP_FLOW_STOP: u8 = 3;
/// Flow of an opcode: to the next instruction; from there to its target, that is the handler of exceptions (SETUP_FINALLY).
pub const NONSTOP_FLOW_BLOCK: u8 = 4;
/// Flow of an opcode: it is no instruction but a prefix of the next one's argument (EXTENDED_ARG).
pub const NONSTOP_FLOW_PREFIX: u8 = 5;

/// Target of an opcode: none.
pub const NONSTOP_JUMP_NONE: u8 = 0;
/// Target of an opcode: so far after its end.
pub const NONSTOP_JUMP_FORWARD: u8 = 1;
/// Target of an opcode: so far before its end.
pub const NONSTOP_JUMP_BACKWARD: u8 = 2;
/// Target of an opcode: so far from the beginning of the code.
pub const NONSTOP_JUMP_ABSOLUTE: u8 = 3;

/// Flag of an opcode: the code up to its first occurrence sets up the frame, and belongs to no line (RESUME, GEN_START).
pub const NONSTOP_OPCODE_ENDS_PROLOGUE: u32 = 1;
/// Flag of an opcode: it begins the exit of a `with` by an exception (WITH_EXCEPT_START).
pub const NONSTOP_OPCODE_LEAVES_WITH: u32 = 2;
/// Flag of an opcode: control enters no unit at it, wherever it comes from (END_ASYNC_FOR).
pub const NONSTOP_OPCODE_ENTERS_NOTHING: u32 = 4;
/// Flag of an opcode: it does nothing that a program could tell (POP_TOP, NOP); a compiler may tidy up with it under the line of
/// something else.
pub const NONSTOP_OPCODE_TIDIES_UP: u32 = 8;
/// Flag of an opcode: it concludes what was computed before it and belongs to that, whatever its line (POP_JUMP_IF_TRUE,
/// LIST_APPEND, RETURN_VALUE).
pub const NONSTOP_OPCODE_CONCLUDES: u32 = 16;
/// Flag of an opcode: it handles what is on the stack (DUP_TOP, RERAISE): no unit begins with it, unless it goes on to do
/// something.
pub const NONSTOP_OPCODE_BEGINS_NOTHING: u32 = 64;
/// Flag of an opcode: it takes a name away (DELETE_FAST).
pub const NONSTOP_OPCODE_DELETES: u32 = 128;
/// Flag of an opcode: it ends a block that one of NONSTOP_FLOW_BLOCK began (POP_BLOCK).
pub const NONSTOP_OPCODE_ENDS_BLOCK: u32 = 256;
/// Flag of an opcode: it puts a constant on the stack, or returns one (LOAD_CONST, RETURN_CONST).
pub const NONSTOP_OPCODE_HAS_CONSTANT: u32 = 512;
/// Flag of an opcode: it makes a generator of the frame (RETURN_GENERATOR); the prologue begins anew behind it.
pub const NONSTOP_OPCODE_MAKES_GENERATOR: u32 = 1024;
/// Flag of an opcode: tracers are not told of a line that begins at it (END_FOR).
pub const NONSTOP_OPCODE_UNTRACED: u32 = 32;

/// Flag of an opcode: it puts the exception that a handler was entered for where the program can see it
/// (PUSH_EXC_INFO).
pub const NONSTOP_OPCODE_PUSHES_EXCEPTION: u32 = 2048;
/// Flag of an opcode: it belongs together with the next instruction, so that nothing may be put between (KW_NAMES,
/// PRECALL).
pub const NONSTOP_OPCODE_BINDS_NEXT: u32 = 4096;

/// Operand of a step of a call: 0.
pub const NONSTOP_OPERAND_ZERO: u8 = 0;
/// Operand of a step of a call: the index of the constant that is the hook.
pub const NONSTOP_OPERAND_HOOK: u8 = 1;
/// Operand of a step of a call: the index of the constant that the hook is called with.
pub const NONSTOP_OPERAND_ARGUMENT: u8 = 2;
/// Operand of a step of a call: how many arguments the hook is called with, 1.
pub const NONSTOP_OPERAND_COUNT: u8 = 3;

/// How many steps a call has at most.
pub const NONSTOP_CALL_STEPS: usize = 8;

/// Line table: pairs of bytes, up to CPython 3.9 and PyPy 3.9 (co_lnotab).
pub const NONSTOP_LINE_TABLE_LNOTAB: i32 = 0;
/// Line table: pairs of bytes with ranges without a line, CPython 3.10 (co_linetable).
pub const NONSTOP_LINE_TABLE_RANGES: i32 = 1;
/// Line table: entries with columns, CPython from 3.11 on (co_linetable).
pub const NONSTOP_LINE_TABLE_LOCATIONS: i32 = 2;
/// Line table: one entry for every two bytes of code, PyPy from 3.10 on (co_linetable).
pub const NONSTOP_LINE_TABLE_EACH_UNIT: i32 = 3;

/// Handlers of exceptions: named by instructions of NONSTOP_FLOW_BLOCK.
pub const NONSTOP_EXCEPTION_TABLE_BLOCKS: i32 = 0;
/// Handlers of exceptions: in a table, from 3.11 on (co_exceptiontable).
pub const NONSTOP_EXCEPTION_TABLE_RANGES: i32 = 1;

/// Flag of a dialect: the compiler gives jumps and clean-up code the line of what it compiled before them (up to 3.9), so that a
/// line begins to run only where it begins in the table, at targets of jumps backwards, and at handlers.
pub const NONSTOP_DIALECT_STRAY_LINES: u32 = 1;

/// One opcode. All zeroes: an instruction that goes on to the next one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_opcode {
    /// NONSTOP_FLOW_NEXT to NONSTOP_FLOW_PREFIX.
    pub flow: u8,
    /// NONSTOP_JUMP_NONE to NONSTOP_JUMP_ABSOLUTE.
    pub jump: u8,
    /// How many units of two bytes after it belong to it (inline caches).
    pub caches: u8,
    /// 0.
    pub reserved: u8,
    /// NONSTOP_OPCODE_… bits.
    pub flags: u32,
}

/// One instruction of a call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_call_step {
    /// Its opcode.
    pub opcode: u8,
    /// NONSTOP_OPERAND_ZERO to NONSTOP_OPERAND_COUNT.
    pub operand: u8,
}

/// What makes a dialect.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_dialect_facts {
    /// sizeof(nonstop_dialect_facts).
    pub struct_size: u32,
    /// NONSTOP_DIALECT_STRAY_LINES.
    pub flags: u32,
    /// NONSTOP_LINE_TABLE_LNOTAB to NONSTOP_LINE_TABLE_EACH_UNIT.
    pub line_table: i32,
    /// NONSTOP_EXCEPTION_TABLE_BLOCKS or NONSTOP_EXCEPTION_TABLE_RANGES.
    pub exception_table: i32,
    /// How many bytes of code a jump counts as one: 1 or 2.
    pub jump_unit_bytes: u32,
    /// By number.
    pub opcodes: [nonstop_opcode; 256],
    /// How a hook is called with one argument, and what it returns dropped: so many steps of `call`. 0: code in this
    /// dialect is only read, and nonstop_patch_new refuses it.
    pub call_length: u8,
    /// How much deeper than before the stack gets by the call.
    pub call_stack: u8,
    /// The opcode of NONSTOP_FLOW_PREFIX that carries the higher bits of an argument (EXTENDED_ARG).
    pub prefix_opcode: u8,
    /// The opcode of NONSTOP_FLOW_JUMP and NONSTOP_JUMP_FORWARD that jumps always (JUMP_FORWARD).
    pub jump_opcode: u8,
    /// The instructions of the call, in order.
    pub call: [nonstop_call_step; NONSTOP_CALL_STEPS],
}

// SAFETY: repr(C), begins with struct_size, integers only.
unsafe impl Sized32 for nonstop_dialect_facts {}

impl nonstop_opcode {
    fn checked(self, number: usize) -> Result<OpcodeFacts, Failure> {
        let unknown = |what: &str, value: u8, last: u8| {
            Failure::argument(format!("the {what} of opcode {number} is {value}; it must be 0 to {last}"))
        };
        const FLOWS: [Flow; 6] =
            [Flow::Next, Flow::Branch, Flow::Jump, Flow::Stop, Flow::Block, Flow::Prefix];
        const JUMPS: [Jump; 4] = [Jump::None, Jump::Forward, Jump::Backward, Jump::Absolute];
        let flow = *FLOWS.get(usize::from(self.flow)).ok_or_else(|| unknown("flow", self.flow, 5))?;
        let jump = *JUMPS.get(usize::from(self.jump)).ok_or_else(|| unknown("jump", self.jump, 3))?;
        if self.flags > 8191 || self.reserved != 0 {
            let (flags, reserved) = (self.flags, self.reserved);
            return Err(Failure::argument(format!(
                "opcode {number} has the flags {flags:#x} and reserved is {reserved}: use a newer library"
            )));
        }
        let has_target = matches!(flow, Flow::Branch | Flow::Jump | Flow::Block);
        if has_target != (jump != Jump::None) {
            return Err(Failure::argument(format!(
                "opcode {number} has the flow {} and the jump {}: what jumps needs a target, and nothing else has one",
                self.flow, self.jump
            )));
        }
        Ok(OpcodeFacts {
            flow,
            jump,
            caches: self.caches,
            ends_prologue: self.flags & NONSTOP_OPCODE_ENDS_PROLOGUE != 0,
            leaves_with: self.flags & NONSTOP_OPCODE_LEAVES_WITH != 0,
            enters_nothing: self.flags & NONSTOP_OPCODE_ENTERS_NOTHING != 0,
            tidies_up: self.flags & NONSTOP_OPCODE_TIDIES_UP != 0,
            concludes: self.flags & NONSTOP_OPCODE_CONCLUDES != 0,
            begins_nothing: self.flags & NONSTOP_OPCODE_BEGINS_NOTHING != 0,
            deletes: self.flags & NONSTOP_OPCODE_DELETES != 0,
            makes_generator: self.flags & NONSTOP_OPCODE_MAKES_GENERATOR != 0,
            has_constant: self.flags & NONSTOP_OPCODE_HAS_CONSTANT != 0,
            ends_block: self.flags & NONSTOP_OPCODE_ENDS_BLOCK != 0,
            is_untraced: self.flags & NONSTOP_OPCODE_UNTRACED != 0,
            pushes_exception: self.flags & NONSTOP_OPCODE_PUSHES_EXCEPTION != 0,
            binds_next: self.flags & NONSTOP_OPCODE_BINDS_NEXT != 0,
        })
    }
}

impl nonstop_dialect_facts {
    fn checked(&self) -> Result<Facts, Failure> {
        let line_table = match self.line_table {
            NONSTOP_LINE_TABLE_LNOTAB => LineTable::Lnotab,
            NONSTOP_LINE_TABLE_RANGES => LineTable::Ranges,
            NONSTOP_LINE_TABLE_LOCATIONS => LineTable::Locations,
            NONSTOP_LINE_TABLE_EACH_UNIT => LineTable::EachUnit,
            other => return Err(Failure::argument(format!("line_table is {other}; it must be 0 to 3"))),
        };
        let exception_table = match self.exception_table {
            NONSTOP_EXCEPTION_TABLE_BLOCKS => ExceptionTable::Blocks,
            NONSTOP_EXCEPTION_TABLE_RANGES => ExceptionTable::Ranges,
            other => return Err(Failure::argument(format!("exception_table is {other}; it must be 0 or 1"))),
        };
        if !matches!(self.jump_unit_bytes, 1 | 2) {
            let unit = self.jump_unit_bytes;
            return Err(Failure::argument(format!("jump_unit_bytes is {unit}; it must be 1 or 2")));
        }
        if self.flags > NONSTOP_DIALECT_STRAY_LINES {
            return Err(Failure::argument(format!(
                "the flags of a dialect are {}; only 1 is known",
                self.flags
            )));
        }
        let mut opcodes = [OpcodeFacts::default(); 256];
        for (number, (facts, told)) in opcodes.iter_mut().zip(self.opcodes).enumerate() {
            *facts = told.checked(number)?;
        }
        let call = self.checked_call(&opcodes)?;
        Ok(Facts {
            opcodes,
            line_table,
            exception_table,
            jump_unit: self.jump_unit_bytes,
            stray_lines: self.flags & NONSTOP_DIALECT_STRAY_LINES != 0,
            call,
        })
    }

    fn checked_call(&self, opcodes: &[OpcodeFacts; 256]) -> Result<Option<Call>, Failure> {
        const OPERANDS: [Operand; 4] = [Operand::Zero, Operand::Hook, Operand::Argument, Operand::Count];
        let length = usize::from(self.call_length);
        if length == 0 {
            return Ok(None);
        }
        let told = self.call.get(..length).ok_or_else(|| {
            Failure::argument(format!("call_length is {length}; it must be 0 to {NONSTOP_CALL_STEPS}"))
        })?;
        let mut steps = Vec::with_capacity(length);
        for (number, step) in told.iter().enumerate() {
            let operand = *OPERANDS.get(usize::from(step.operand)).ok_or_else(|| {
                let operand = step.operand;
                Failure::argument(format!(
                    "the operand of step {number} of the call is {operand}; it must be 0 to 3"
                ))
            })?;
            let facts = opcodes[usize::from(step.opcode)];
            if facts.flow != Flow::Next {
                return Err(Failure::argument(format!(
                    "step {number} of the call is opcode {}, which does not go on to the next instruction",
                    step.opcode
                )));
            }
            steps.push((step.opcode, operand));
        }
        for wanted in [Operand::Hook, Operand::Argument] {
            if steps.iter().filter(|&&(_, operand)| operand == wanted).count() != 1 {
                return Err(Failure::argument(format!(
                    "the call must have one step with the operand {wanted:?}"
                )));
            }
        }
        if self.call_stack == 0 {
            return Err(Failure::argument("call_stack is 0, but a call needs room on the stack"));
        }
        let (prefix, jump) = (self.prefix_opcode, self.jump_opcode);
        if opcodes[usize::from(prefix)].flow != Flow::Prefix {
            return Err(Failure::argument(format!("prefix_opcode is {prefix}, which is no prefix")));
        }
        let jumps = opcodes[usize::from(jump)];
        if (jumps.flow, jumps.jump, jumps.caches) != (Flow::Jump, Jump::Forward, 0) {
            return Err(Failure::argument(format!(
                "jump_opcode is {jump}, which does not always jump forward, or has caches"
            )));
        }
        Ok(Some(Call { steps, stack: u32::from(self.call_stack), prefix, jump }))
    }
}

/// Makes a dialect. On OK `*out_dialect` is yours; free it with nonstop_dialect_free. INVALID_ARGUMENT names the field or opcode
/// that makes no sense. Any thread. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_dialect_new(
    facts: *const nonstop_dialect_facts,
    out_dialect: *mut *mut nonstop_dialect,
) -> nonstop_status {
    guarded(|| {
        expect_out(out_dialect, "out_dialect")?;
        // SAFETY: the host promises a sized struct.
        let facts = unsafe { read_struct(facts, "facts") }?.checked()?;
        let dialect = nonstop_dialect { facts: Arc::new(facts) };
        // SAFETY: the host promises a writable pointer.
        unsafe { put(out_dialect, dialect.into_host(), "out_dialect") }?;
        Ok(NONSTOP_OK)
    })
}

/// Frees a dialect; NULL is fine. Engines that were told code in it go on. Since 1.
///
/// # Safety
/// `dialect` is NULL, or came from nonstop_dialect_new and was not freed; nothing uses it any more.
#[no_mangle]
pub unsafe extern "C" fn nonstop_dialect_free(dialect: *mut nonstop_dialect) {
    guarded(|| {
        // SAFETY: the host promises that it owns the dialect and uses it no more.
        drop(unsafe { nonstop_dialect::from_host(dialect) });
        Ok(NONSTOP_OK)
    });
}

/// The lines of a code object that carry code which can run, ascending: `lines` has room for `capacity`, `*out_count` is how many
/// there are, BUFFER_TOO_SMALL if that is more. The three texts are as in nonstop_code_info, `first_line` is its co_firstlineno.
/// INVALID_ARGUMENT: they are no bytecode of the dialect. With it a host finds the units of a source that have no code
/// (NONSTOP_UNIT_NO_CODE). Any thread. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_dialect_lines(
    dialect: *const nonstop_dialect,
    bytecode: nonstop_text,
    line_table: nonstop_text,
    exception_table: nonstop_text,
    first_line: u32,
    lines: *mut u32,
    capacity: usize,
    out_count: *mut usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let bytes = unsafe {
            Bytecode {
                facts: &nonstop_dialect::borrow(dialect)?.facts,
                code: bytecode.bytes("bytecode")?,
                lines: line_table.bytes("line_table")?,
                exceptions: exception_table.bytes("exception_table")?,
            }
        };
        let decoded =
            Decoded::read(&bytes, first_line).map_err(|error| Failure::argument(error.to_string()))?;
        // SAFETY: the host's promise.
        unsafe { put_all(&decoded.lines(), lines, capacity, out_count, "out_count") }
    })
}
