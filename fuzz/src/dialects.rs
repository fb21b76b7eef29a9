//! The bytecode of every interpreter, with samples, as `describe.py` printed it there.

use std::sync::{Arc, OnceLock};

use nonstop::code::{Call, ExceptionTable, Facts, Flow, Jump, LineTable, OpcodeFacts, Operand};

/// What an interpreter's compiler made of a function.
pub struct Sample {
    /// Its first line.
    pub first_line: u32,
    /// How deep its stack gets.
    pub stack_size: u32,
    /// Its instructions.
    pub code: Vec<u8>,
    /// Its line table.
    pub lines: Vec<u8>,
    /// Its exception table.
    pub exceptions: Vec<u8>,
}

/// An interpreter.
pub struct Dialect {
    /// Its bytecode.
    pub facts: Arc<Facts>,
    /// Code of every kind.
    pub samples: Vec<Sample>,
}

const DESCRIPTIONS: [&str; 9] = [
    include_str!("../dialects/python3.9.txt"),
    include_str!("../dialects/python3.10.txt"),
    include_str!("../dialects/python3.11.txt"),
    include_str!("../dialects/python3.12.txt"),
    include_str!("../dialects/python3.13.txt"),
    include_str!("../dialects/python3.14.txt"),
    include_str!("../dialects/python3.15.txt"),
    include_str!("../dialects/pypy3.9.txt"),
    include_str!("../dialects/pypy3.11.txt"),
];
const FLOWS: [Flow; 6] = [Flow::Next, Flow::Branch, Flow::Jump, Flow::Stop, Flow::Block, Flow::Prefix];
const JUMPS: [Jump; 4] = [Jump::None, Jump::Forward, Jump::Backward, Jump::Absolute];
const OPERANDS: [Operand; 4] = [Operand::Zero, Operand::Hook, Operand::Argument, Operand::Count];
const LINE_TABLES: [LineTable; 4] =
    [LineTable::Lnotab, LineTable::Ranges, LineTable::Locations, LineTable::EachUnit];
const EXCEPTION_TABLES: [ExceptionTable; 2] = [ExceptionTable::Blocks, ExceptionTable::Ranges];

/// All of them.
pub fn dialects() -> &'static [Dialect] {
    static ALL: OnceLock<Vec<Dialect>> = OnceLock::new();
    ALL.get_or_init(|| DESCRIPTIONS.iter().map(|text| read(text)).collect())
}

fn read(description: &str) -> Dialect {
    let mut facts = Facts {
        opcodes: [OpcodeFacts::default(); 256],
        line_table: LineTable::Lnotab,
        exception_table: ExceptionTable::Blocks,
        jump_unit: 1,
        stray_lines: false,
        call: None,
    };
    let mut samples = Vec::new();
    for row in description.lines() {
        let words: Vec<&str> = row.split(' ').collect();
        match words[0] {
            "tables" => {
                let [stray, lines, exceptions, unit] = numbers(&words[1..]);
                facts.stray_lines = stray == 1;
                facts.line_table = LINE_TABLES[lines as usize];
                facts.exception_table = EXCEPTION_TABLES[exceptions as usize];
                facts.jump_unit = unit;
            }
            "call" => {
                let [stack, prefix, jump] = numbers(&words[1..4]);
                let steps = words[4..].chunks(2).map(|step| {
                    let [opcode, operand] = numbers(step);
                    (opcode as u8, OPERANDS[operand as usize])
                });
                let steps = steps.collect();
                facts.call = Some(Call { steps, stack, prefix: prefix as u8, jump: jump as u8 });
            }
            "opcode" => {
                let [opcode, flow, jump, caches, flags] = numbers(&words[1..]);
                facts.opcodes[opcode as usize] = of_opcode(flow, jump, caches, flags);
            }
            _ => {
                let [first_line, stack_size] = numbers(&words[2..4]);
                let [code, lines, exceptions] = [4, 5, 6].map(|at| bytes(words[at]));
                samples.push(Sample { first_line, stack_size, code, lines, exceptions });
            }
        }
    }
    Dialect { facts: Arc::new(facts), samples }
}

/// With the flags of the C ABI.
fn of_opcode(flow: u32, jump: u32, caches: u32, flags: u32) -> OpcodeFacts {
    let is = |flag: u32| flags & flag != 0;
    OpcodeFacts {
        flow: FLOWS[flow as usize],
        jump: JUMPS[jump as usize],
        caches: caches as u8,
        ends_prologue: is(1),
        leaves_with: is(2),
        enters_nothing: is(4),
        tidies_up: is(8),
        concludes: is(16),
        is_untraced: is(32),
        begins_nothing: is(64),
        deletes: is(128),
        ends_block: is(256),
        has_constant: is(512),
        makes_generator: is(1024),
        pushes_exception: is(2048),
        binds_next: is(4096),
    }
}

fn numbers<const COUNT: usize>(words: &[&str]) -> [u32; COUNT] {
    assert_eq!(words.len(), COUNT, "{words:?}");
    std::array::from_fn(|at| words[at].parse().unwrap_or_else(|error| panic!("{}: {error}", words[at])))
}

fn bytes(word: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&word[at..at + 2], 16);
    let all: Result<_, _> = (0..word.len() / 2).map(|pair| digit(2 * pair)).collect();
    all.unwrap_or_else(|error| panic!("{word}: {error}"))
}
