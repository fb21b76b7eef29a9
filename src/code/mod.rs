//! Units of a source file, the event filter, and the epoch-stamped decision per code object.

mod arming;
mod bytecode;
mod decisions;
mod entries;
mod files;
mod filter;
mod hash;
mod idle;
mod info;
mod placement;
mod recent;
mod rows;
mod sites;
mod units;

pub use bytecode::{
    Bytecode, BytecodeError, Call, Decoded, ExceptionTable, Facts, Flow, Guard, Instruction, Jump, LineTable,
    OpcodeFacts, Operand, Position, Step,
};
pub use decisions::{Decisions, Event, Interest, View};
pub use entries::{arrivals, entries, is_inside, Arrival, Entry, Origin, Search, Span};
pub use files::{File, Files};
pub use filter::{EventKind, Filter, Rule, RuleAction};
pub use hash::{IntHash, IntHasher};
pub use info::{Arm, CodeInfo, Decision, EntryPoint};
pub use placement::{Armed, Placement};
pub use rows::{BlockRow, ScopeKind, ScopeRow, UnitKind, UnitRow, UnitsError};
pub use sites::Bound;
pub use units::{Problem, SourceUnits, Units, Unplaceable};

#[cfg(test)]
pub use bytecode::testing;
