//! Which lines of one code object to arm for one breakpoint: pure functions over the unit table.

use super::info::CodeInfo;
use super::units::{ScopeKind, SourceUnits, UnitKind};
use crate::location::Target;

/// A unit of a code object, with its lines that carry code there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmedUnit {
    /// Identifies the unit within its code object.
    pub unit: u32,
    /// The unit's lines that carry code in this code object, ascending; never empty.
    pub lines: Vec<u32>,
    /// See [`super::Arm::reentered`].
    pub reentered: bool,
    /// See [`super::Arm::inner_first`]; `(0, 0)`: none.
    pub inner: (u32, u32),
}

/// The unit of `code` that a breakpoint with these start units is bound to, if any: of each start the first unit of its
/// block that has code, provided that it belongs to this code object.
pub fn armed_unit(units: &SourceUnits, code: &CodeInfo<'_>, starts: &[usize]) -> Option<ArmedUnit> {
    let scopes = units.scope_of_code(code.name, code.first_line);
    starts.iter().find_map(|&start| {
        units
            .following(start)
            .take_while(|&unit| belongs(units, unit, &scopes))
            .find_map(|unit| with_lines(units, code, unit))
    })
}

/// Whether a unit is part of a code object with these scopes: its own scope is one of them, or it is an element of a
/// comprehension that the compiler inlined there (CPython 3.12, PEP 709).
fn belongs(units: &SourceUnits, unit: usize, scopes: &[usize]) -> bool {
    let mut scope = units.units()[unit].scope as usize;
    loop {
        if scopes.contains(&scope) {
            return true;
        }
        let row = &units.scopes()[scope];
        if row.kind != ScopeKind::Comprehension || row.parent as usize == scope {
            return false;
        }
        scope = row.parent as usize;
    }
}

fn with_lines(units: &SourceUnits, code: &CodeInfo<'_>, unit: usize) -> Option<ArmedUnit> {
    let row = &units.units()[unit];
    let elements: Vec<(u32, u32)> = units
        .nested(unit)
        .map(|nested| &units.units()[nested])
        .filter(|nested| nested.kind == UnitKind::Element)
        .map(|nested| (nested.first_line, nested.last_line))
        .collect();
    let from = code.lines.partition_point(|&line| line < row.first_line);
    let lines: Vec<u32> = code.lines[from..]
        .iter()
        .copied()
        .take_while(|&line| line <= row.last_line)
        .filter(|&line| !elements.iter().any(|&(first, last)| (first..=last).contains(&line)))
        .collect();
    let inner = match row.kind {
        UnitKind::With | UnitKind::Match => (row.inner_first, row.inner_last),
        _ if elements.is_empty() => (0, 0),
        _ => (row.first_line, row.last_line),
    };
    (!lines.is_empty()).then_some(ArmedUnit { unit: unit as u32, lines, reentered: row.reentered, inner })
}

/// The line to arm where there is no source text: exactly the one asked for, or the first line of the function's body.
pub fn armed_line(code: &CodeInfo<'_>, target: &Target) -> Option<ArmedUnit> {
    let line = match target {
        Target::Line(line) => *code.lines.get(code.lines.binary_search(line).ok()?)?,
        Target::Function(function) if names(code, function) => {
            let body = code.lines.iter().find(|&&line| line > code.first_line);
            *body.or(code.lines.first())?
        }
        Target::Function(_) => return None,
    };
    Some(ArmedUnit { unit: line, lines: vec![line], reentered: false, inner: (0, 0) })
}

/// Whether a code object is the function of this name; `Class.method` needs the qualified name.
fn names(code: &CodeInfo<'_>, function: &str) -> bool {
    if code.qualname.is_empty() {
        return code.name == function;
    }
    let mut found = code.qualname.rsplit('.').filter(|part| *part != "<locals>");
    function.rsplit('.').all(|part| found.next() == Some(part))
}
