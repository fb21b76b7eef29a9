//! What a host says of its interpreter's bytecode: read from its own `dis` and `opcode`, so that a new version needs no new
//! code here.

use std::fmt;

/// Where control goes after an instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// To the next instruction.
    #[default]
    Next,
    /// To the next instruction, or to its target.
    Branch,
    /// To its target.
    Jump,
    /// Nowhere in this code object, except to a handler.
    Stop,
    /// To the next instruction; until its target, that is the handler of exceptions.
    Block,
    /// It is no instruction, but the higher bits of the argument of the next one.
    Prefix,
}

/// How the argument of an instruction names its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jump {
    /// It has no target.
    #[default]
    None,
    /// So far after the instruction's end.
    Forward,
    /// So far before the instruction's end.
    Backward,
    /// So far from the beginning of the code.
    Absolute,
}

/// One opcode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpcodeFacts {
    /// Where control goes.
    pub flow: Flow,
    /// How its argument names its target.
    pub jump: Jump,
    /// How many units of two bytes behind it belong to it (inline caches).
    pub caches: u8,
    /// What stands up to here, from the beginning of the code, sets up the frame and belongs to no line (`RESUME`).
    pub ends_prologue: bool,
    /// It makes a generator of the frame (`RETURN_GENERATOR`): what ran before it runs where the generator is made, and what
    /// the generator runs begins with a prologue behind it.
    pub makes_generator: bool,
    /// It begins the exit of a `with` by an exception (`WITH_EXCEPT_START`): its handler enters no unit.
    pub leaves_with: bool,
    /// Control does not enter a unit here, wherever it comes from (`END_ASYNC_FOR`).
    pub enters_nothing: bool,
    /// It does nothing that a program could tell (`POP_TOP`, `NOP`): compilers tidy up with it, under the line of something
    /// else.
    pub tidies_up: bool,
    /// It concludes what was computed before it and belongs to that, whatever its line (`POP_JUMP_IF_TRUE`, `LIST_APPEND`,
    /// `RETURN_VALUE`).
    pub concludes: bool,
    /// It handles what is on the stack (`DUP_TOP`, `RERAISE`): no unit begins with it, unless it goes on to do something.
    pub begins_nothing: bool,
    /// It takes a name away (`DELETE_FAST`).
    pub deletes: bool,
    /// It puts a constant on the stack, or returns one (`LOAD_CONST`, `RETURN_CONST`).
    pub has_constant: bool,
    /// It ends a block that a [`Flow::Block`] began (`POP_BLOCK`).
    pub ends_block: bool,
    /// Tracers are not told of a line that begins at it (`END_FOR`).
    pub is_untraced: bool,
    /// It puts the exception that a handler was entered for where the program can see it (`PUSH_EXC_INFO`).
    pub pushes_exception: bool,
    /// It belongs together with the next instruction: nothing may stand between (`KW_NAMES`, `PRECALL`).
    pub binds_next: bool,
}

/// How lines are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTable {
    /// Pairs of bytes: so many bytes of code on, so many lines on, signed (CPython up to 3.9, Objects/lnotab_notes.txt).
    Lnotab,
    /// Pairs of bytes: so many bytes of code have so many lines more than those before, -128: no line (CPython 3.10, PEP 626,
    /// Objects/lnotab_notes.txt).
    Ranges,
    /// Entries with columns (CPython from 3.11 on, PEP 657, InternalDocs/code_objects.md).
    Locations,
    /// An entry for each unit of two bytes, counted from the first line (PyPy from 3.10 on, pypy/interpreter/location.py).
    EachUnit,
}

/// How handlers of exceptions are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionTable {
    /// By instructions of [`Flow::Block`].
    Blocks,
    /// In a table (CPython and PyPy from 3.11 on, InternalDocs/exception_handling.md).
    Ranges,
}

/// What the argument of an instruction of a call to a hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// 0.
    Zero,
    /// The constant that is the hook.
    Hook,
    /// The constant that the hook is called with.
    Argument,
    /// How many arguments the hook is called with: 1.
    Count,
}

/// How this interpreter calls a hook with one argument, and forgets what comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The instructions, each with its opcode.
    pub steps: Vec<(u8, Operand)>,
    /// How much deeper than before the stack gets.
    pub stack: u32,
    /// The opcode that carries the higher bits of the next argument (`EXTENDED_ARG`).
    pub prefix: u8,
    /// The opcode that jumps so far after its end, always (`JUMP_FORWARD`).
    pub jump: u8,
}

/// All that must be known to read the bytecode of an interpreter.
#[derive(Clone)]
pub struct Facts {
    /// By number.
    pub opcodes: [OpcodeFacts; 256],
    /// How lines are written down.
    pub line_table: LineTable,
    /// How handlers are written down.
    pub exception_table: ExceptionTable,
    /// How many bytes a jump counts as one.
    pub jump_unit: u32,
    /// The compiler gives jumps and clean-up code the line of what was compiled before them. Only where a line begins in the
    /// table, at the target of a jump backwards and at a handler does that line begin to run.
    pub stray_lines: bool,
    /// How a hook is called; `None`: nothing can be put into the code.
    pub call: Option<Call>,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("line_table", &self.line_table)
            .field("exception_table", &self.exception_table)
            .field("jump_unit", &self.jump_unit)
            .field("stray_lines", &self.stray_lines)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}
