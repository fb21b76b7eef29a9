//! The units of one source file: where a breakpoint can stand, and where a line resolves to.
//!
//! A host's own parser makes the rows (the rules for units are those of the language); placement, functions and the
//! choice between units live here, once for all hosts.

use std::collections::HashMap;
use std::sync::Arc;

use super::info::{last_name, CodeInfo};
use super::rows::{check, BlockRow, ScopeKind, ScopeRow, UnitKind, UnitRow, UnitsError};

/// What is known of a file's units.
#[derive(Clone, Debug, Default)]
pub enum Units {
    /// The host was not asked yet.
    #[default]
    Unasked,
    /// The host has no source text: the lines of the code objects themselves are the units.
    Absent,
    /// The same, but the lines of all its code objects are known, ascending.
    Lines(Arc<[u32]>),
    /// The unit table.
    Table(Arc<SourceUnits>),
}

/// The unit table of a file.
#[derive(Debug)]
pub struct SourceUnits {
    scopes: Vec<ScopeRow>,
    blocks: Vec<BlockRow>,
    units: Vec<UnitRow>,
    line_count: u32,
    /// Units by block, in source order.
    of_block: Vec<Vec<u32>>,
    /// Statement and header units by scope.
    of_scope: Vec<Vec<u32>>,
    /// Statement and header units by first line: they never overlap.
    flat: Vec<u32>,
    /// Lambda and element units by first line.
    nested: Vec<u32>,
    /// Blocks by first line; a block comes after those around it.
    block_order: Vec<u32>,
    /// Scopes by first line.
    scope_order: Vec<u32>,
    /// Functions by the last part of their names.
    functions: HashMap<String, Vec<u32>>,
    /// The lines that can carry a breakpoint.
    lines: Vec<u32>,
    /// Whether the units without code are marked.
    is_compiled: bool,
}

/// Why a line can't carry a breakpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaceable {
    /// What the line is.
    pub problem: Problem,
    /// The nearest usable lines: one before, one after, where there are such.
    pub nearest: Vec<u32>,
}

/// See [`Unplaceable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The file has fewer lines.
    BeyondTheEnd {
        /// How many it has.
        line_count: u32,
    },
    /// No unit spans it, and none follows in its block.
    NothingFollows,
    /// What stands there, and what follows in its block, has no code on this interpreter.
    NoCode,
    /// There is no source text, and no code of the file has this line.
    NoSuchLine,
}

impl Unplaceable {
    /// For a line that has no place among the usable ones, which are ascending.
    pub fn new(line: u32, problem: Problem, lines: &[u32]) -> Self {
        let at = lines.partition_point(|&usable| usable < line);
        let before = at.checked_sub(1).map(|at| lines[at]);
        let after = lines[at..].iter().copied().find(|&usable| usable != line);
        Self { problem, nearest: before.into_iter().chain(after).collect() }
    }

    /// The message for a user.
    pub fn explain(&self, file: &str, line: u32) -> String {
        let why = match self.problem {
            Problem::BeyondTheEnd { line_count } => format!("the file has {line_count} lines"),
            Problem::NothingFollows => {
                String::from("a blank line or comment with nothing after it in its block")
            }
            Problem::NoCode => String::from("this interpreter makes no code for it"),
            Problem::NoSuchLine => String::from(
                "none of its code has this line, and there is no source text to find the next one",
            ),
        };
        let near: Vec<String> = self.nearest.iter().map(u32::to_string).collect();
        let near = if near.is_empty() {
            String::from("the file has no line that can carry a breakpoint")
        } else {
            format!("nearest: {}", near.join(", "))
        };
        format!("no code at {file}:{line} ({why}); {near}")
    }
}

impl SourceUnits {
    /// Checks the rows and indexes them.
    ///
    /// # Errors
    /// [`UnitsError`] names the first row that points nowhere, or whose lines are not `1 <= first <= last <= line_count`.
    pub fn new(
        scopes: Vec<ScopeRow>,
        blocks: Vec<BlockRow>,
        units: Vec<UnitRow>,
        line_count: u32,
    ) -> Result<Self, UnitsError> {
        check(&scopes, &blocks, &units, line_count)?;
        let mut of_block = vec![Vec::new(); blocks.len()];
        let by_line = |rows: &mut Vec<u32>| rows.sort_by_key(|&unit| units[unit as usize].first_line);
        let (mut flat, mut nested): (Vec<u32>, Vec<u32>) =
            (0..units.len() as u32).partition(|&unit| !is_nested(units[unit as usize].kind));
        by_line(&mut flat);
        by_line(&mut nested);
        let mut of_scope = vec![Vec::new(); scopes.len()];
        for &unit in &flat {
            of_block[units[unit as usize].block as usize].push(unit);
            of_scope[units[unit as usize].scope as usize].push(unit);
        }
        let mut block_order: Vec<u32> = (0..blocks.len() as u32).collect();
        block_order.sort_by_key(|&block| {
            let row = &blocks[block as usize];
            (row.first_line, std::cmp::Reverse(row.last_line), block)
        });
        let mut scope_order: Vec<u32> = (0..scopes.len() as u32).collect();
        scope_order.sort_by_key(|&scope| scopes[scope as usize].first_line);
        let mut functions: HashMap<String, Vec<u32>> = HashMap::new();
        for (row, scope) in scopes.iter().enumerate().filter(|(_, scope)| scope.kind == ScopeKind::Function) {
            functions.entry(last_name(&scope.qualname).to_owned()).or_default().push(row as u32);
        }
        let mut lines: Vec<u32> =
            units.iter().filter(|unit| !unit.no_code).map(|unit| unit.first_line).collect();
        lines.sort_unstable();
        lines.dedup();
        Ok(Self {
            scopes,
            blocks,
            units,
            line_count,
            of_block,
            of_scope,
            flat,
            nested,
            block_order,
            scope_order,
            functions,
            lines,
            is_compiled: false,
        })
    }

    /// The units that the interpreter makes no code for are marked: the host compiled the text.
    pub fn compiled(self) -> Self {
        Self { is_compiled: true, ..self }
    }

    /// The units, in the host's order.
    pub fn units(&self) -> &[UnitRow] {
        &self.units
    }

    /// The scopes, in the host's order.
    pub fn scopes(&self) -> &[ScopeRow] {
        &self.scopes
    }

    /// The units that a line resolves to: those that span it, or the next one of its block. A statement comes with the
    /// lambdas in it that span the line; an element that spans the line comes without the statement around it. The
    /// innermost one is the first.
    ///
    /// # Errors
    /// [`Unplaceable`] when there is none: a breakpoint never leaves its block.
    pub fn place(&self, line: u32) -> Result<Vec<usize>, Unplaceable> {
        if line > self.line_count {
            return Err(self.unplaceable(line, Problem::BeyondTheEnd { line_count: self.line_count }));
        }
        let mut found = self.spanning(line);
        if found.is_empty() {
            found.extend(self.next_in_block(line));
        }
        if found.is_empty() {
            return Err(self.unplaceable(line, Problem::NothingFollows));
        }
        if found.iter().all(|&unit| self.following(unit).next().is_none()) {
            return Err(self.unplaceable(line, Problem::NoCode));
        }
        Ok(found)
    }

    /// The unit itself and what a breakpoint moves on to where that has no code, without what has none either: of a header
    /// the units of its statement, then the later ones of the block.
    pub fn following(&self, unit: usize) -> impl Iterator<Item = usize> + '_ {
        let row = &self.units[unit];
        let (alone, block) = if is_nested(row.kind) {
            (Some(unit), &[][..])
        } else {
            let block = &self.of_block[row.block as usize];
            let from = block.partition_point(|&other| self.units[other as usize].first_line < row.first_line);
            (None, &block[from..])
        };
        let mut later = block.iter().map(|&unit| unit as usize);
        let first = later.next();
        let own = first.into_iter().flat_map(|first| self.headed_by(first));
        let all = alone.into_iter().chain(first).chain(own).chain(later);
        all.filter(|&unit| !self.units[unit].no_code)
    }

    /// The units of the statement that a header begins, in source order; those of functions and classes in it are apart.
    fn headed_by(&self, header: usize) -> impl Iterator<Item = usize> + '_ {
        let row = &self.units[header];
        let from = self.flat.partition_point(|&unit| self.units[unit as usize].first_line <= row.first_line);
        let after = self.flat[from..].iter().map(|&unit| unit as usize);
        let inside = after.take_while(move |&unit| {
            // Units of the statement stand in blocks within that of the header: up to the next one of the same block.
            self.units[unit].block != row.block && self.is_within(self.units[unit].block, row.block)
        });
        inside.filter(move |&unit| self.units[unit].scope == row.scope)
    }

    fn is_within(&self, block: u32, around: u32) -> bool {
        let parent = |&block: &u32| (block != 0).then(|| self.blocks[block as usize].parent);
        std::iter::successors(Some(block), parent).any(|block| block == around)
    }

    /// Lambda and element units inside the span of a unit.
    pub fn nested(&self, unit: usize) -> impl Iterator<Item = usize> + '_ {
        let row = self.units[unit];
        let from =
            self.nested.partition_point(|&other| self.units[other as usize].first_line < row.first_line);
        self.nested[from..]
            .iter()
            .map(|&other| other as usize)
            .take_while(move |&other| self.units[other].first_line <= row.last_line)
            .filter(move |&other| other != unit && self.units[other].last_line <= row.last_line)
    }

    /// The first unit of the body of each function with this name (`Class.method` narrows).
    pub fn function_starts(&self, name: &str) -> Vec<usize> {
        let rows = self.functions.get(last_name(name)).into_iter().flatten();
        rows.map(|&row| row as usize)
            .filter(|&row| is_named(&self.scopes[row].qualname, name))
            .filter_map(|row| self.body_start(row))
            .collect()
    }

    /// The first unit of a scope's body; a body on the line of its `def` is a unit like that of a lambda.
    fn body_start(&self, scope: usize) -> Option<usize> {
        let row = &self.scopes[scope];
        if let Some(&unit) = self.of_block[row.body_block as usize].first() {
            return Some(unit as usize);
        }
        let from = self.nested.partition_point(|&unit| self.units[unit as usize].first_line < row.first_line);
        let inside = self.nested[from..]
            .iter()
            .take_while(|&&unit| self.units[unit as usize].first_line <= row.last_line);
        inside.map(|&unit| unit as usize).find(|&unit| self.units[unit].scope as usize == scope)
    }

    /// The functions whose names come closest, for a message; at most five.
    pub fn functions_like(&self, name: &str) -> Vec<String> {
        let wanted = name.rsplit('.').next().unwrap_or(name).to_lowercase();
        let functions = self.scopes.iter().filter(|scope| scope.kind == ScopeKind::Function);
        let mut all: Vec<(usize, &str)> = functions
            .map(|scope| (distance(&wanted, &scope.name.to_lowercase()), scope.qualname.as_str()))
            .collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().take(5).map(|(_, name)| name.to_owned()).collect()
    }

    /// The scopes that a code object can be: lambdas and comprehensions that begin on one line can't be told apart.
    pub fn scopes_of_code(&self, name: &str, first_line: u32) -> Vec<usize> {
        if name == "<module>" {
            return vec![0];
        }
        let line_of = |&scope: &u32| self.scopes[scope as usize].first_line;
        let from = self.scope_order.partition_point(|scope| line_of(scope) < first_line);
        let on_line = self.scope_order[from..].iter().take_while(|scope| line_of(scope) == first_line);
        on_line.map(|&scope| scope as usize).filter(|&scope| self.scopes[scope].name == name).collect()
    }

    /// Whether a code object can have been made of this text: its name and first line are those of a scope, its lines are in
    /// that scope's units, and (if the units without code are known) each other one has some. A text that was edited since
    /// it was compiled does not pass, unless all that matters here stayed the same. Code with a name that no scope has
    /// passes: a compiler made it besides.
    pub fn describe(&self, code: &CodeInfo<'_>) -> bool {
        if code.lines.is_empty() {
            return true;
        }
        if code.is_of_other_source {
            return false;
        }
        let scopes = self.scopes_of_code(code.name, code.first_line);
        match scopes[..] {
            // A function that was moved does not pass.
            [] => !self.scopes.iter().any(|scope| scope.name == code.name),
            [scope] => self.is_made_of(scope, code),
            // Lambdas and comprehensions of one line: all of them are within it.
            [..] => true,
        }
    }

    fn is_made_of(&self, scope: usize, code: &CodeInfo<'_>) -> bool {
        let row = &self.scopes[scope];
        let is_within = |line: u32| (row.first_line..=row.last_line).contains(&line);
        if matches!(row.kind, ScopeKind::Lambda | ScopeKind::Comprehension) {
            return code.lines.iter().all(|&line| is_within(line));
        }
        let is_own = |line: u32| {
            let of_scope = |unit: usize| self.units[unit].scope as usize == scope;
            line == row.first_line
                || (is_within(line)
                    && (self.statement_at(line).is_some_and(of_scope) || self.has_nested(scope, line)))
        };
        let has_lines = |unit: &UnitRow| {
            let from = code.lines.partition_point(|&line| line < unit.first_line);
            unit.no_code || code.lines.get(from).is_some_and(|&line| line <= unit.last_line)
        };
        code.lines.iter().all(|&line| is_own(line))
            && (!self.is_compiled
                || self.of_scope[scope].iter().all(|&unit| has_lines(&self.units[unit as usize])))
    }

    /// Whether a unit inside of another, of this scope, spans the line: a body on the line of its `def`.
    fn has_nested(&self, scope: usize, line: u32) -> bool {
        let to = self.nested.partition_point(|&unit| self.units[unit as usize].first_line <= line);
        let own = |row: &UnitRow| row.scope as usize == scope && row.last_line >= line;
        self.nested[..to].iter().any(|&unit| own(&self.units[unit as usize]))
    }

    /// The lines that can carry a breakpoint: the first of each unit, ascending.
    pub fn lines(&self) -> &[u32] {
        &self.lines
    }

    fn spanning(&self, line: u32) -> Vec<usize> {
        let from = self.nested.partition_point(|&unit| self.units[unit as usize].first_line <= line);
        let statement = self.statement_at(line);
        let floor = statement.map_or(line, |unit| self.units[unit].first_line);
        let mut around = statement;
        let mut lambdas = Vec::new();
        for &unit in self.nested[..from].iter().rev() {
            let row = &self.units[unit as usize];
            if row.first_line < floor {
                break;
            }
            if row.last_line < line {
                continue;
            }
            // What is inside begins last, and is met first.
            if row.kind == UnitKind::Element {
                around = Some(unit as usize);
                break;
            }
            lambdas.push(unit as usize);
        }
        lambdas.into_iter().chain(around).collect()
    }

    fn statement_at(&self, line: u32) -> Option<usize> {
        let at = self.flat.partition_point(|&unit| self.units[unit as usize].first_line <= line);
        let unit = *self.flat.get(at.checked_sub(1)?)? as usize;
        (self.units[unit].last_line >= line).then_some(unit)
    }

    fn next_in_block(&self, line: u32) -> Option<usize> {
        let block = &self.of_block[self.innermost_block(line)];
        let at = block.partition_point(|&unit| self.units[unit as usize].first_line < line);
        block.get(at).map(|&unit| unit as usize)
    }

    /// Blocks are nested or apart: the last one that begins at or before the line is the innermost one around it, or is
    /// inside of that one.
    fn innermost_block(&self, line: u32) -> usize {
        let at = self.block_order.partition_point(|&block| self.blocks[block as usize].first_line <= line);
        let mut block = at.checked_sub(1).map_or(0, |at| self.block_order[at] as usize);
        while block != 0 && self.blocks[block].last_line < line {
            block = self.blocks[block].parent as usize;
        }
        block
    }

    fn unplaceable(&self, line: u32, problem: Problem) -> Unplaceable {
        Unplaceable::new(line, problem, &self.lines)
    }
}

fn is_nested(kind: UnitKind) -> bool {
    matches!(kind, UnitKind::Lambda | UnitKind::Element)
}

/// Whether a qualified name ends with `wanted`, on dots; `<locals>` does not count as a part.
fn is_named(qualname: &str, wanted: &str) -> bool {
    let mut parts = qualname.rsplit('.').filter(|part| *part != "<locals>");
    wanted.rsplit('.').all(|part| parts.next() == Some(part))
}

/// Edit distance (Wagner and Fischer, "The String-to-String Correction Problem", 1974).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (to, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[to + 1];
            row[to + 1] = changed.min(row[to] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
#[path = "units_tests.rs"]
pub(super) mod tests;
