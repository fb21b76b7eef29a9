//! The breakpoints that stand in one file, arranged so that each of its code objects finds its own.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::arming::{armed_line, armed_unit, belongs_to, ArmedUnit};
use super::info::{last_name, CodeInfo};
use super::units::{Problem, SourceUnits, Units, Unplaceable};
use crate::breakpoints::{Basis, Breakpoint, BreakpointId, Placed};
use crate::location::Target;

/// One unit to arm, with the breakpoints that stand there in the order in which they were added.
pub type Armed = (ArmedUnit, Vec<Arc<Breakpoint>>);

/// The breakpoints that stand in a file, with the unit table that they were placed by: row numbers mean nothing in
/// another one. A code object looks at its own breakpoints only, so a decision costs the same however many stand in the
/// rest of the file.
#[derive(Debug, Default)]
pub struct Placement {
    units: Units,
    candidates: Vec<Candidate>,
    /// Where candidates are found, with their rows, ascending: with a unit table under the scopes whose code carries their
    /// unit, without one under the line asked for.
    index: Vec<(u32, u32)>,
    /// Without a unit table: candidates by the last part of the function's name.
    of_name: HashMap<Box<str>, Vec<u32>>,
    /// The units that candidates may resolve to.
    starts: Vec<u32>,
}

/// A breakpoint that stands in a file.
#[derive(Debug)]
struct Candidate {
    breakpoint: Arc<Breakpoint>,
    /// Which of the starts are its own; none where the file has no unit table.
    starts: Range<usize>,
}

impl Placement {
    /// Places breakpoints in the file of this name; those without a place there are told so.
    pub fn new<'a>(
        path: &Arc<[u8]>,
        units: Units,
        breakpoints: impl Iterator<Item = &'a Arc<Breakpoint>>,
    ) -> Self {
        let mut all = Self { units, ..Self::default() };
        // They come in groups, one for each way to write their locations: each is in order, together they are not.
        let mut breakpoints: Vec<&Arc<Breakpoint>> = breakpoints.collect();
        breakpoints.sort_by_key(|breakpoint| breakpoint.order());
        breakpoints.into_iter().for_each(|breakpoint| all.add(breakpoint, path));
        all.index.sort_unstable();
        all
    }

    /// The breakpoints, in the order in which they were added.
    pub fn breakpoints(&self) -> impl Iterator<Item = &Arc<Breakpoint>> {
        self.candidates.iter().map(|candidate| &candidate.breakpoint)
    }

    /// Whether one of these stands in the file.
    pub fn has_any_of(&self, ids: &HashSet<BreakpointId>) -> bool {
        self.breakpoints().any(|breakpoint| ids.contains(&breakpoint.id()))
    }

    /// Whether no breakpoint stands in the file.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The first lines of the scopes whose code carries a candidate's unit, ascending; `None` where there is no unit table.
    pub fn scope_lines(&self) -> Option<Vec<u32>> {
        let Units::Table(units) = &self.units else { return None };
        let mut lines: Vec<u32> =
            self.index.iter().map(|&(scope, _)| units.scopes()[scope as usize].first_line).collect();
        lines.sort_unstable();
        lines.dedup();
        Some(lines)
    }

    /// What is known of the file's units.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// The units of a code object to arm, ascending.
    pub fn armed(&self, code: &CodeInfo<'_>) -> Vec<Armed> {
        let by_line = |candidate: &Candidate, basis| {
            armed_line(code, &candidate.breakpoint.asked().location.target, basis)
        };
        let mut found: Vec<(ArmedUnit, &Arc<Breakpoint>)> = match &self.units {
            Units::Table(units) if !units.describe(code) => {
                let all = self.candidates.iter();
                all.filter_map(|candidate| {
                    Some((by_line(candidate, Basis::OtherSource)?, &candidate.breakpoint))
                })
                .collect()
            }
            Units::Table(units) => {
                let scopes = units.scopes_of_code(code.name, code.first_line);
                let own = self.candidates(scopes.iter().flat_map(|&scope| self.under(scope as u32)));
                own.filter_map(|candidate| {
                    let starts = &self.starts[candidate.starts.clone()];
                    Some((armed_unit(units, code, &scopes, starts)?, &candidate.breakpoint))
                })
                .collect()
            }
            Units::Absent | Units::Lines(_) | Units::Unasked => {
                let at_line = code.lines.iter().flat_map(|&line| self.under(line));
                let by_name = self.of_name.get(code.last_name()).into_iter().flatten().copied();
                let own = self.candidates(at_line.chain(by_name));
                own.filter_map(|candidate| {
                    Some((by_line(candidate, Basis::NoSource)?, &candidate.breakpoint))
                })
                .collect()
            }
        };
        // Stable: the order within a unit stays.
        found.sort_by_key(|(unit, _)| unit.unit);
        let mut armed: Vec<Armed> = Vec::new();
        for (unit, breakpoint) in found {
            match armed.last_mut().filter(|(last, _)| last.unit == unit.unit) {
                Some((_, breakpoints)) => breakpoints.push(Arc::clone(breakpoint)),
                None => armed.push((unit, vec![Arc::clone(breakpoint)])),
            }
        }
        armed
    }

    /// The rows that the index has under a scope or line.
    fn under(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let from = self.index.partition_point(|&(other, _)| other < key);
        self.index[from..].iter().take_while(move |&&(other, _)| other == key).map(|&(_, row)| row)
    }

    /// The candidates of these rows, each once, in the order in which they were added.
    fn candidates(&self, rows: impl Iterator<Item = u32>) -> impl Iterator<Item = &Candidate> {
        let mut rows: Vec<u32> = rows.collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter().map(|row| &self.candidates[row as usize])
    }

    fn add(&mut self, breakpoint: &Arc<Breakpoint>, path: &Arc<[u8]>) {
        let row = self.candidates.len() as u32;
        let target = &breakpoint.asked().location.target;
        let first = self.starts.len();
        match (&self.units, target) {
            (Units::Table(units), _) => {
                let (placed, found) = placed(units, breakpoint, path);
                breakpoint.place(path, placed);
                for start in found {
                    let resolved = units.following(start).next();
                    let scopes = resolved.into_iter().flat_map(|unit| belongs_to(units, unit));
                    self.index.extend(scopes.map(|scope| (scope as u32, row)));
                    self.starts.push(start as u32);
                }
            }
            (Units::Lines(lines), Target::Line(line)) if lines.binary_search(line).is_err() => {
                let problem = Unplaceable::new(*line, Problem::NoSuchLine, lines);
                let reason = problem.explain(&String::from_utf8_lossy(path), *line);
                breakpoint.place(path, Placed::Nowhere(reason));
            }
            (Units::Absent | Units::Lines(_) | Units::Unasked, Target::Line(line)) => {
                breakpoint.place(path, Placed::Unknown);
                self.index.push((*line, row));
            }
            (Units::Absent | Units::Lines(_) | Units::Unasked, Target::Function(name)) => {
                breakpoint.place(path, Placed::Unknown);
                self.of_name.entry(last_name(name).into()).or_default().push(row);
            }
        }
        let starts = first..self.starts.len();
        self.candidates.push(Candidate { breakpoint: Arc::clone(breakpoint), starts });
    }
}

/// Resolves a breakpoint to the units of a file that it may stand at, and says what became of it.
fn placed(units: &SourceUnits, breakpoint: &Breakpoint, path: &[u8]) -> (Placed, Vec<usize>) {
    let file = || String::from_utf8_lossy(path).into_owned();
    let refused = |reason: String| (Placed::Nowhere(reason), Vec::new());
    let location = &breakpoint.asked().location;
    let starts = match &location.target {
        Target::Line(line) => match units.place(*line) {
            Ok(starts) => starts,
            Err(problem) => return refused(problem.explain(&file(), *line)),
        },
        Target::Function(function) => {
            let starts = units.function_starts(function);
            if starts.is_empty() {
                return refused(no_such_function(&file(), function, &units.functions_like(function)));
            }
            starts
        }
    };
    match starts.iter().find_map(|&start| units.following(start).next()) {
        Some(resolved) => (Placed::At(units.units()[resolved].first_line), starts),
        None => refused(format!("no code at {location}: nothing in its block runs")),
    }
}

fn no_such_function(file: &str, function: &str, near: &[String]) -> String {
    if near.is_empty() {
        format!("no function {function} in {file}; use a line instead: {file}:LINE")
    } else {
        format!("no function {function} in {file}; it has {}", near.join(", "))
    }
}
