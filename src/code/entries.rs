//! Entries: where control enters a unit from another one (docs/semantics.md, 3).
//!
//! An instruction of a unit is an entry if a step leads to it from outside of the unit: from an instruction of another unit, or
//! from the beginning of the code. Instructions without a line belong to no unit; a step from one comes from wherever the steps
//! to that one come from. Compilers do not always give an instruction the line that it belongs to; what they get wrong is put
//! right here by what the instruction does, see [`Search::line`] and [`Deed`].

use super::bytecode::{Decoded, Flow, Step};

/// The lines of a unit, in one code object. Coming from any of them is not coming from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first line.
    pub first_line: u32,
    /// The last one, with whatever is nested in the unit.
    pub last_line: u32,
    /// Further lines that control comes back from without entering it: the body of a `with`, the cases of a `match`, `finally`
    /// bodies around. `(0, 0)`: none.
    pub inner: (u32, u32),
    /// Whether control can come back to where it begins straight from itself (the first statement of the body of `while True`).
    pub reentered: bool,
}

impl Span {
    /// A line that is a unit of its own.
    pub fn of_line(line: u32) -> Self {
        Self { first_line: line, last_line: line, inner: (0, 0), reentered: false }
    }

    fn contains(&self, line: u32) -> bool {
        (self.first_line..=self.last_line).contains(&line)
    }

    /// Whether coming from this line is not coming from outside.
    pub fn surrounds(&self, line: u32) -> bool {
        line != 0 && (self.contains(line) || (self.inner.0..=self.inner.1).contains(&line))
    }
}

/// Where control enters a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The offset of the instruction.
    pub offset: u32,
    /// Its line.
    pub line: u32,
    /// Which of the units it is that is entered.
    pub unit: usize,
    /// Whether control can come here from inside of the unit as well.
    pub is_mixed: bool,
    /// Whether no line begins here that a tracer is told of.
    pub is_hidden: bool,
    /// Whether every step here enters the unit, also one from inside of it: the first one of a unit that is reentered.
    pub is_reentered: bool,
}

/// Where control comes from that comes by a step, or by several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Some of it from outside of the unit.
    pub outside: bool,
    /// Some of it from inside.
    pub inside: bool,
    /// Some of it from inside in a way that a tracer notices.
    noticed: bool,
}

impl Origin {
    /// Of both.
    pub fn and(self, other: Self) -> Self {
        Self {
            outside: self.outside || other.outside,
            inside: self.inside || other.inside,
            noticed: self.noticed || other.noticed,
        }
    }
}

/// The entries of units, by offset. `unit_of` gives the unit of a line, as an index into `spans`.
pub fn entries(code: &Decoded, spans: &[Span], unit_of: impl Fn(u32) -> Option<usize>) -> Vec<Entry> {
    let mut search = Search::new(code);
    // Beside each: how much is done there.
    let mut found: Vec<(Entry, Deed)> = Vec::new();
    for (index, instruction) in code.instructions.iter().enumerate().skip(code.prologue) {
        let line = search.line(index);
        let Some(unit) = (line != 0).then(|| unit_of(line)).flatten() else { continue };
        let is_no_entry =
            code.is_with_handler(index) || code.is_with_exit(index) || code.forgets_a_name(index);
        if is_no_entry {
            continue;
        }
        if !code.begins_to_run(index) {
            continue;
        }
        let origin = search.origin_of_all(index, &spans[unit]);
        if origin.outside {
            let (offset, is_hidden) = (instruction.offset, search.is_hidden(index, &spans[unit]));
            let (is_mixed, is_reentered) = (origin.noticed, false);
            let entry = Entry { offset, line, unit, is_mixed, is_hidden, is_reentered };
            found.push((entry, deed_at(code, index, &spans[unit])));
        }
    }
    // What is stray, or less than the unit does elsewhere, is something else's under the unit's line.
    let mut does_something = vec![false; spans.len()];
    for (entry, deed) in &found {
        does_something[entry.unit] |= *deed == Deed::Something;
    }
    found.retain(|(entry, deed)| match deed {
        Deed::Stray => false,
        Deed::Leave => !does_something[entry.unit],
        Deed::Something => true,
    });
    let mut found: Vec<Entry> = found.into_iter().map(|(entry, _)| entry).collect();
    for (unit, _) in spans.iter().enumerate().filter(|(_, span)| span.reentered) {
        // A pass of its loop leads from its end to its beginning, as control came there from before the loop.
        if let Some(first) = found.iter_mut().find(|entry| entry.unit == unit && entry.is_mixed) {
            // Nothing else runs between two passes, so that a line event cannot be told from one that is reported twice.
            first.is_hidden = true;
            first.is_mixed = false;
            first.is_reentered = true;
        }
    }
    found
}

/// An instruction that runs when control enters a unit, and at no other time, unless it is mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its offset.
    pub offset: u32,
    /// Whether it also runs when control was inside of the unit before: then the instruction that ran before it tells.
    pub is_mixed: bool,
}

/// The instructions that show a host which sees each of them that control enters a unit at one of its entries. Where control
/// comes to the entry from inside as well (to the `FOR_ITER` of a `for`, from what stands before it), but from outside by jumps
/// alone, these are the jumps: nothing runs between them and the entry.
pub fn arrivals(code: &Decoded, entry: usize, span: &Span) -> Vec<Arrival> {
    let itself = |is_mixed| vec![Arrival { offset: code.instructions[entry].offset, is_mixed }];
    let mut search = Search::new(code);
    let (mut from_inside, mut jumps, mut by_jumps_alone) = (false, Vec::new(), true);
    for step in code.steps_to(entry) {
        let Origin { outside, inside, .. } = search.origin(step, entry, span);
        from_inside |= inside;
        match step {
            _ if !outside => {}
            Step::Jump(source) if !inside && code.instructions[source].opcode.flow == Flow::Jump => {
                jumps.push(Arrival { offset: code.instructions[source].offset, is_mixed: false });
            }
            _ => by_jumps_alone = false,
        }
    }
    match from_inside {
        false => itself(false),
        true if by_jumps_alone => jumps,
        true => itself(true),
    }
}

/// What control does in a unit that it comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// It tidies up on its way to another unit, in a way that no unit begins with.
    Stray,
    /// It goes on to another unit, or returns a constant: all that `continue`, `break`, `return` and `pass` do, but tidying up
    /// and the end of a function look the same, under the line of something else.
    Leave,
    /// It does something.
    Something,
}

fn deed_at(code: &Decoded, index: usize, span: &Span) -> Deed {
    /// More than any compiler tidies up.
    const LONGEST: usize = 16;
    let first = code.instructions[index].opcode;
    // What raises again can be all that is left of a `finally` body that does nothing.
    let handles_the_stack = first.begins_nothing && first.flow != Flow::Stop;
    let is_left_over = first.tidies_up && is_behind_the_end(code, index);
    let passes_by = if handles_the_stack || is_left_over { Deed::Stray } else { Deed::Leave };
    let mut at = index;
    for _ in 0..LONGEST {
        let Some(instruction) = code.instructions.get(at) else { return Deed::Something };
        if instruction.line != 0 && !span.contains(instruction.line) {
            return passes_by;
        }
        // The copy of a `finally` body for exceptions forgets the exception before it returns.
        if instruction.returns_constant {
            return Deed::Leave;
        }
        at = match (instruction.opcode.flow, instruction.target) {
            (Flow::Jump, Some(target)) => target as usize,
            (Flow::Next, _) if instruction.opcode.tidies_up || instruction.opcode.begins_nothing => at + 1,
            (Flow::Stop, _) if instruction.opcode.begins_nothing || instruction.concludes() => {
                return passes_by
            }
            _ => return Deed::Something,
        };
    }
    Deed::Something
}

/// Whether an instruction stands right behind one of its line that leaves it: a compiler gives the end of a loop the line of
/// the `break` or `pass` that it compiled last. Copies of a `finally` body for exceptions stand there too.
fn is_behind_the_end(code: &Decoded, index: usize) -> bool {
    let line = code.instructions[index].line;
    let leaves = |before: usize| {
        let before = &code.instructions[before];
        before.line == line && matches!(before.opcode.flow, Flow::Jump | Flow::Stop)
    };
    index.checked_sub(1).is_some_and(leaves) && !code.is_handler(index)
}

/// Whether control that is at an instruction is inside of a unit, or of what that surrounds. In the prologue it has not come
/// to any.
pub fn is_inside(code: &Decoded, index: usize, span: &Span) -> bool {
    if index < code.prologue {
        return false;
    }
    let mut search = Search::new(code);
    match search.line(index) {
        0 => !search.origin_of_all(index, span).outside,
        line => span.surrounds(line),
    }
}

/// Finds out where control comes from.
pub struct Search<'a> {
    code: &'a Decoded,
    /// By instruction: the last round in which it was looked at. Empty until one is: most of what is asked needs none.
    seen: Vec<u32>,
    round: u32,
    open: Vec<usize>,
}

impl<'a> Search<'a> {
    /// In one code object.
    pub fn new(code: &'a Decoded) -> Self {
        Self { code, seen: Vec::new(), round: 0, open: Vec::new() }
    }

    /// The line that an instruction belongs to. One that concludes what was computed before it belongs to that: it has no
    /// line of its own, unless nothing else is done on its line (`continue`).
    fn line(&self, index: usize) -> u32 {
        let instruction = &self.code.instructions[index];
        if instruction.opcode.enters_nothing {
            return 0;
        }
        if instruction.concludes() && self.code.is_busy(instruction.line) && self.follows_something(index) {
            0
        } else {
            instruction.line
        }
    }

    /// Whether an instruction that concludes can conclude what was computed just before it. A `case None` does not, it tests
    /// what the cases before it left on the stack: control comes to it by jumps alone, or from what stands on lines before,
    /// the subject or the end of another case. No compiler gives other tests a later line than what they test.
    fn follows_something(&self, index: usize) -> bool {
        let (before, own) = (&self.code.instructions[..index], &self.code.instructions[index]);
        let is_followed =
            before.last().is_some_and(|last| !matches!(last.opcode.flow, Flow::Jump | Flow::Stop));
        let is_on_a_new_line = || {
            let line = before.iter().rev().map(|one| one.line).find(|&line| line != 0);
            own.opcode.flow == Flow::Branch && line.is_some_and(|line| line < own.line)
        };
        is_followed && !is_on_a_new_line()
    }

    /// Whether the interpreter sees no line begin at an entry, on one of the ways to it from outside.
    fn is_hidden(&mut self, index: usize, span: &Span) -> bool {
        let (code, line) = (self.code, self.code.instructions[index].line);
        if code.stray_lines {
            return !code.instructions[index].begins_line && !code.is_jumped_back_to(index);
        }
        let has_this_line = |source: usize| code.instructions[source].line == line;
        code.steps_to(index).any(|step| match step {
            // The interpreter takes for the line before that of the last instruction that it tells tracers of.
            Step::Next(source) if code.instructions[source].opcode.is_untraced => (0..source)
                .rev()
                .find(|&before| !code.instructions[before].opcode.is_untraced)
                .is_some_and(has_this_line),
            Step::Next(source) | Step::Jump(source) => {
                // A jump back on one line makes an event, but from 3.12 on with the offset of the jump.
                has_this_line(source)
                    && self.line(source) == 0
                    && (source < index || self.origin_of_all(source, span).outside)
            }
            Step::Exception(_) | Step::Start => false,
        })
    }

    /// Where control comes from that a step brings to an instruction of a unit.
    pub fn origin(&mut self, step: Step, index: usize, span: &Span) -> Origin {
        self.origin_of([step], index, span)
    }

    /// The same of all steps to it.
    fn origin_of_all(&mut self, index: usize, span: &Span) -> Origin {
        self.origin_of(self.code.steps_to(index), index, span)
    }

    fn origin_of(&mut self, steps: impl IntoIterator<Item = Step>, index: usize, span: &Span) -> Origin {
        let code = self.code;
        self.round += 1;
        let mut origin = Origin::default();
        for step in steps {
            self.look(step, index, index, span, &mut origin);
        }
        while let Some(at) = self.open.pop() {
            for step in code.steps_to(at) {
                self.look(step, at, index, span, &mut origin);
            }
        }
        origin
    }

    /// Marks an instruction as looked at; whether it was not in this round.
    fn sees(&mut self, index: usize) -> bool {
        if self.seen.is_empty() {
            self.seen = vec![0; self.code.instructions.len()];
        }
        std::mem::replace(&mut self.seen[index], self.round) != self.round
    }

    /// One step to `at`, on a way to `index`.
    fn look(&mut self, step: Step, at: usize, index: usize, span: &Span, origin: &mut Origin) {
        let code = self.code;
        let (source, line) = match step {
            Step::Start => {
                origin.outside = true;
                return;
            }
            Step::Next(source) | Step::Jump(source) => (source, self.line(source)),
            Step::Exception(source) => (source, code.instructions[source].line),
        };
        // What pushes the exception for a handler can have the line of whatever was compiled before that.
        let is_stray = code.instructions[source].opcode.pushes_exception && !span.contains(line);
        let line = if is_stray { 0 } else { line };
        if line == 0 {
            // Of what has no line, only what raises again is passed through by an exception.
            let is_way =
                !matches!(step, Step::Exception(_)) || code.instructions[source].opcode.flow == Flow::Stop;
            if is_way && self.sees(source) {
                self.open.push(source);
            }
        } else if !span.surrounds(line) {
            origin.outside = true;
        } else {
            origin.inside = true;
            // On within a line: no host sees a line begin there.
            let here = code.instructions[index].line;
            origin.noticed |= at != index || line != here || source >= index;
        }
    }
}

#[cfg(test)]
#[path = "entries_tests.rs"]
mod tests;
