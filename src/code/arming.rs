//! Which lines of one code object to arm for one breakpoint: pure functions over the unit table.

use super::entries::Span;
use super::info::CodeInfo;
use super::rows::{ScopeKind, UnitKind};
use super::units::SourceUnits;
use crate::breakpoints::Basis;
use crate::location::Target;

/// A unit of a code object, with its lines that carry code there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmedUnit {
    /// Identifies the unit within its code object.
    pub unit: u32,
    /// The unit's lines that carry code in this code object, ascending; never empty.
    pub lines: Vec<u32>,
    /// See [`super::Arm::inner_first`]; `(0, 0)`: none.
    pub inner: (u32, u32),
    /// Its lines, with or without code, and those that control can come from without entering it.
    pub span: Span,
    /// What it was found by.
    pub basis: Basis,
}

/// The unit of `code` that a breakpoint with these start units is bound to, if any: of each start the first unit of its
/// block that has code, provided that it belongs to this code object, whose scopes are told.
pub fn armed_unit(
    units: &SourceUnits,
    code: &CodeInfo<'_>,
    scopes: &[usize],
    starts: &[u32],
) -> Option<ArmedUnit> {
    starts.iter().find_map(|&start| {
        units
            .following(start as usize)
            .take_while(|&unit| belongs_to(units, unit).any(|scope| scopes.contains(&scope)))
            .find_map(|unit| with_lines(units, code, unit))
    })
}

/// The scopes whose code objects can carry a unit: its own, and those around it as long as they are around comprehensions,
/// which some compilers inline (CPython 3.12, PEP 709).
pub fn belongs_to(units: &SourceUnits, unit: usize) -> impl Iterator<Item = usize> + '_ {
    std::iter::successors(Some(units.units()[unit].scope as usize), |&scope| {
        let row = &units.scopes()[scope];
        (row.kind == ScopeKind::Comprehension && row.parent as usize != scope).then_some(row.parent as usize)
    })
}

fn with_lines(units: &SourceUnits, code: &CodeInfo<'_>, unit: usize) -> Option<ArmedUnit> {
    let row = &units.units()[unit];
    let elements: Vec<(u32, u32)> = units
        .nested(unit)
        .map(|nested| &units.units()[nested])
        // An element that begins together with a lambda is around it.
        .filter(|nested| nested.kind == UnitKind::Element && nested.first_line > row.first_line)
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
    let span = Span {
        first_line: row.first_line,
        last_line: row.last_line,
        inner: (row.inner_first, row.inner_last),
        reentered: row.reentered,
    };
    (!lines.is_empty()).then_some(ArmedUnit { unit: unit as u32, lines, inner, span, basis: Basis::Source })
}

/// The line to arm where the source text does not tell the units: exactly the one asked for, or the first line of the
/// function's body.
pub fn armed_line(code: &CodeInfo<'_>, target: &Target, basis: Basis) -> Option<ArmedUnit> {
    let line = match target {
        Target::Line(line) => *code.lines.get(code.lines.binary_search(line).ok()?)?,
        Target::Function(function) if names(code, function) => {
            let body = code.lines.iter().find(|&&line| line > code.first_line);
            *body.or(code.lines.first())?
        }
        Target::Function(_) => return None,
    };
    Some(ArmedUnit { unit: line, lines: vec![line], inner: (0, 0), span: Span::of_line(line), basis })
}

/// Whether a code object is the function of this name; `Class.method` needs the qualified name.
fn names(code: &CodeInfo<'_>, function: &str) -> bool {
    if code.qualname.is_empty() {
        return code.name == function;
    }
    let mut found = code.qualname.rsplit('.').filter(|part| *part != "<locals>");
    function.rsplit('.').all(|part| found.next() == Some(part))
}
