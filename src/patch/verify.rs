//! Proves that rewritten code does what the original did, with calls where control enters units and nothing else.
//!
//! Nothing of what [`super::assemble`] kept in mind is believed. The map of offsets, which is given out as well, is
//! taken as a claim: that each instruction of the original is where the map says. Both codes are read by [`Decoded`],
//! and then:
//!
//! 1. Each instruction of the original is there, with its argument, caches and positions; whatever else is there is a
//!    jump forward or a whole call.
//! 2. Each step of control from one instruction to another leads there still, over calls that are due on that step, in
//!    order, and no others. So it is for exceptions, with the depth of the stack; what was put in is guarded as what it
//!    stands before.
//! 3. A tracer is told of the same lines on each step.
//!
//! [`Decoded`]: crate::code::Decoded

use std::collections::BTreeMap;

use super::listing::Listing;
use super::places::{first_of_group, is_entered, pushes_exception, steps};
use super::stub;
use super::{Original, Patch, Probe};
use crate::code::{Bytecode, Call, ExceptionTable, Flow, LineTable, Position, Search, Step};

type Check = Result<(), String>;

/// What an instruction of the rewritten code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// This one of the original.
    Original(usize),
    /// A jump that was put in.
    Jump,
    /// The first step of a call of these constants.
    Call(u32, u32),
    /// A further step.
    Within,
}

/// The way that control takes in the rewritten code between two instructions of the original.
struct Way {
    /// What it comes by, the instruction it comes to last.
    by: Vec<usize>,
    /// The constants of the calls on it.
    calls: Vec<(u32, u32)>,
    /// The instruction of the original that it comes to.
    to: usize,
}

struct Proof<'a> {
    old: &'a Listing<'a>,
    new: &'a Listing<'a>,
    call: &'a Call,
    /// By instruction of the original: where it is.
    place: Vec<usize>,
    /// By instruction of the rewritten code.
    roles: Vec<Role>,
    /// The probes by the instruction before which their calls stand, each with the index of its entry.
    due: BTreeMap<usize, Vec<(usize, Probe)>>,
}

/// Verifies a patch. The error says what does not add up.
pub(super) fn verify(original: &Original<'_>, probes: &[Probe], call: &Call, patch: &Patch) -> Check {
    let (bytes, first_line) = (&original.bytes, original.first_line);
    let old = Listing::read(bytes, first_line).map_err(|error| error.to_string())?;
    let made = Bytecode {
        facts: bytes.facts,
        code: &patch.code,
        lines: &patch.lines,
        exceptions: &patch.exceptions,
    };
    let new = Listing::read(&made, first_line).map_err(|error| error.to_string())?;
    new.expect_whole().map_err(|error| error.to_string())?;
    let need = if probes.is_empty() { 0 } else { call.stack };
    if patch.stack_size.checked_sub(original.stack_size) != Some(need) {
        return Err(format!("the stack gets {} deep, from {} before", patch.stack_size, original.stack_size));
    }
    let place = places(&old, &new, patch)?;
    let due = due(&old, probes)?;
    let roles = vec![Role::Within; new.len()];
    let mut proof = Proof { old: &old, new: &new, call, place, roles, due };
    proof.instructions()?;
    proof.put_in(patch)?;
    proof.steps()?;
    proof.handlers()
}

/// Where each instruction of the original is, by the map of offsets.
fn places(old: &Listing<'_>, new: &Listing<'_>, patch: &Patch) -> Result<Vec<usize>, String> {
    let mut place = Vec::with_capacity(old.len());
    for instruction in &old.decoded.instructions {
        let offset = patch.offsets.new_offset(instruction.offset);
        let at = offset.and_then(|offset| {
            new.decoded.instructions.binary_search_by_key(&offset, |found| found.offset).ok()
        });
        let at = at.filter(|&at| place.last().is_none_or(|&last| last < at));
        place.push(
            at.ok_or_else(|| format!("the instruction that was at {} is nowhere", instruction.offset))?,
        );
    }
    // Set up as before, and nothing before the frame is.
    if new.decoded.prologue != old.decoded.prologue {
        return Err("the frame is not set up as before".to_owned());
    }
    let ends_with_it = place.last().map_or(new.len() == 0, |&last| last + 1 == new.len());
    ends_with_it.then_some(place).ok_or_else(|| "something comes behind the end".to_owned())
}

/// The probes by the instruction before which their calls must stand, in order.
fn due(old: &Listing<'_>, probes: &[Probe]) -> Result<BTreeMap<usize, Vec<(usize, Probe)>>, String> {
    let mut due: BTreeMap<usize, Vec<(usize, Probe)>> = BTreeMap::new();
    for probe in probes {
        let at = old.decoded.at(probe.offset);
        let at = at.filter(|&at| old.decoded.instructions[at].offset == probe.offset);
        let at = at.ok_or_else(|| format!("no instruction begins at {}", probe.offset))?;
        let before = if pushes_exception(old, at) { at + 1 } else { first_of_group(old, at) };
        due.entry(before).or_default().push((at, *probe));
    }
    Ok(due)
}

impl Proof<'_> {
    fn old_offset(&self, index: usize) -> u32 {
        self.old.decoded.instructions[index].offset
    }

    fn is_block(&self, index: usize) -> bool {
        self.old.decoded.instructions[index].opcode.flow == Flow::Block
    }

    /// The instructions of the original are there, as they were.
    fn instructions(&mut self) -> Check {
        for index in 0..self.old.len() {
            let at = self.place[index];
            self.roles[at] = Role::Original(index);
            let (before, after) = (self.old.range(index), self.new.range(at));
            let (old, new) = (&self.old.bytes.code[before.clone()], &self.new.bytes.code[after.clone()]);
            let (few, many) = (self.old.prefixes(index), self.new.prefixes(at));
            let differs =
                |what: &str| Err(format!("the {what} of what was at {} differs", self.old_offset(index)));
            match self.old.decoded.instructions[index].target {
                None if old != new => return differs("bytes"),
                None => {}
                Some(_) => {
                    let (old, new) = (&old[2 * few..], &new[2 * many..]);
                    if few > many || old[0] != new[0] || old.get(2..) != new.get(2..) {
                        return differs("jump");
                    }
                }
            }
            let positions = &self.old.positions[before.start / 2..before.end / 2];
            let moved = &self.new.positions[after.start / 2..after.end / 2];
            // Prefixes that were added are where the first unit is.
            let added = moved.len() - positions.len();
            let is_same =
                moved[added..] == *positions && moved[..added].iter().all(|one| *one == positions[0]);
            if !is_same {
                return differs("position");
            }
        }
        Ok(())
    }

    /// What else is there are jumps, and calls that are due, on the right line. The map knows what it stands before.
    fn put_in(&mut self, patch: &Patch) -> Check {
        for index in 0..self.old.len() {
            let begin = index.checked_sub(1).map_or(0, |before| self.place[before] + 1);
            let mut at = begin;
            while at < self.place[index] {
                at = if self.is_jump(at, self.place[index]) {
                    self.roles[at] = Role::Jump;
                    at + 1
                } else {
                    self.take_call(index, at)?
                };
            }
            for at in begin..self.place[index] {
                let offset = self.new.decoded.instructions[at].offset;
                if patch.offsets.old_offset(offset) != Some(self.old_offset(index)) {
                    return Err(format!("the map does not say what {offset} stands before"));
                }
            }
            for old in self.old.range(index) {
                let new = patch.offsets.new_offset(old as u32);
                if new.and_then(|new| patch.offsets.old_offset(new)) != Some(old as u32) {
                    return Err(format!("the map does not lead from {old} and back"));
                }
            }
        }
        Ok(())
    }

    fn is_jump(&self, at: usize, last: usize) -> bool {
        let range = self.new.range(at);
        let opcode = self.new.bytes.code[range.start + 2 * self.new.prefixes(at)];
        let target = self.new.decoded.instructions[at].target.map(|target| target as usize);
        opcode == self.call.jump && target.is_some_and(|target| target > at && target <= last)
    }

    /// One call that stands before an instruction of the original; gives what comes behind it.
    fn take_call(&mut self, index: usize, at: usize) -> Result<usize, String> {
        let offset = self.new.decoded.instructions[at].offset;
        let wanted = self.due.get(&index).map_or(&[][..], Vec::as_slice);
        let mut what = "neither of the original nor a call";
        for (entry, probe) in wanted {
            let mut bytes = Vec::new();
            for step in stub::steps(self.call, probe.hook, probe.argument) {
                let prefixes = stub::prefixes_for(step.1);
                stub::write(&mut bytes, self.call, self.new.bytes.facts, step, prefixes);
            }
            let (from, count) = (offset as usize, self.call.steps.len());
            let to = from + bytes.len();
            if self.new.bytes.code.get(from..to) != Some(&bytes[..]) || at + count > self.place[index] {
                continue;
            }
            let by_table = self.old.bytes.facts.line_table == LineTable::Lnotab;
            let line = self.old.position(if by_table { index } else { (*entry).min(index) }).line;
            let is_there = |one: &Position| (one.line, one.column, one.lines_on) == (line, None, 0);
            if !self.new.positions[from / 2..to / 2].iter().all(is_there) {
                what = "on another line than its entry";
                continue;
            }
            self.roles[at] = Role::Call(probe.hook, probe.argument);
            return Ok(at + count);
        }
        Err(format!("what is at {offset} is {what}"))
    }

    /// The way from an instruction of the rewritten code to the next one of the original.
    fn way(&self, from: usize) -> Result<Way, String> {
        let mut way = Way { by: Vec::new(), calls: Vec::new(), to: 0 };
        let mut at = from;
        loop {
            let role = self.roles.get(at).ok_or("control falls off the end")?;
            match *role {
                Role::Original(index) => {
                    way.by.push(at);
                    way.to = index;
                    return Ok(way);
                }
                Role::Jump => {
                    way.by.push(at);
                    at =
                        self.new.decoded.instructions[at].target.map_or(usize::MAX, |target| target as usize);
                }
                Role::Call(hook, argument) => {
                    way.calls.push((hook, argument));
                    way.by.extend(at..at + self.call.steps.len());
                    at += self.call.steps.len();
                }
                Role::Within => return Err("control comes into the midst of a call".to_owned()),
            }
        }
    }

    /// Whether a way is that of a step of the original to `to`.
    fn expect(&self, search: &mut Search<'_>, step: Step, to: usize, from: usize) -> Check {
        let way = self.way(from)?;
        let name = || format!("control that came to {} by {step:?}", self.old_offset(to));
        if way.to != to {
            return Err(format!("{} comes to {} now", name(), self.old_offset(way.to)));
        }
        let mut calls = way.calls.iter();
        for (entry, probe) in self.due.get(&to).map_or(&[][..], Vec::as_slice) {
            let is_due =
                is_entered(self.old, search, probe, *entry, to, step).map_err(|error| error.to_string())?;
            if is_due && calls.next() != Some(&(probe.hook, probe.argument)) {
                return Err(format!("{} does not pass the call for {}", name(), probe.offset));
            }
        }
        if calls.next().is_some() {
            return Err(format!("{} passes a call that is not due", name()));
        }
        let source = match step {
            Step::Start => None,
            Step::Next(source) | Step::Jump(source) | Step::Exception(source) => Some(source),
        };
        let new_source = source.map(|source| self.place[source]);
        let is_exception = matches!(step, Step::Jump(source) if self.is_block(source));
        for is_jump_back in [false, is_exception] {
            let before = lines_told(self.old, source, &[to], is_jump_back);
            let after = lines_told(self.new, new_source, &way.by, is_jump_back);
            if before != after {
                return Err(format!("{} tells tracers of the lines {after:?}, not {before:?}", name()));
            }
        }
        Ok(())
    }

    /// Each step of the original.
    fn steps(&self) -> Check {
        let mut search = Search::new(&self.old.decoded);
        for to in 0..self.old.len() {
            for step in steps(self.old, to) {
                let from = match step {
                    Step::Start => to.checked_sub(1).map_or(0, |before| self.place[before] + 1),
                    Step::Next(source) => self.place[source] + 1,
                    Step::Jump(source) => {
                        let target = self.new.decoded.instructions[self.place[source]].target;
                        target.ok_or("a jump has no target")? as usize
                    }
                    Step::Exception(_) => continue,
                };
                self.expect(&mut search, step, to, from)?;
            }
        }
        // A jump that nothing leads to leads to where control can be, too.
        for at in (0..self.roles.len()).filter(|&at| self.roles[at] == Role::Jump) {
            self.way(at)?;
        }
        // What sets up the frame runs as before: nothing is between.
        let prologue = self.old.decoded.prologue.min(self.old.len());
        if (0..prologue).any(|index| self.place[index] != index) {
            return Err("something stands where the frame is set up".to_owned());
        }
        Ok(())
    }

    /// Exceptions lead where they did, at the same depth of the stack, over the calls that are due.
    fn handlers(&self) -> Check {
        if self.old.bytes.facts.exception_table == ExceptionTable::Blocks {
            // The ways are those of the steps above.
            return self.beginnings();
        }
        let (before, after) = (handlers(self.old), handlers(self.new));
        let mut search = Search::new(&self.old.decoded);
        for index in 0..self.old.len() {
            let at = self.place[index];
            let name = || format!("exceptions at {}", self.old_offset(index));
            if before[index].len() != after[at].len() {
                return Err(format!("{} have another number of handlers", name()));
            }
            for (&(to, depth), &(from, new_depth)) in before[index].iter().zip(&after[at]) {
                if depth != new_depth {
                    return Err(format!("{} have another depth of the stack", name()));
                }
                self.expect(&mut search, Step::Exception(index), to, from)?;
            }
            let begin = index.checked_sub(1).map_or(0, |before| self.place[before] + 1);
            if (begin..at).any(|put_in| after[put_in] != after[at]) {
                return Err(format!("what was put before {} has other handlers", self.old_offset(index)));
            }
        }
        Ok(())
    }
}

impl Proof<'_> {
    /// Where a line that is told begins at an instruction, it does so still: for an exception there CPython 3.9 looks
    /// whether it did (`exception_unwind` in Python/ceval.c), and tells of the line of a handler where it did not, if
    /// that line does not begin there. Where a jump backward or an exception leads to a call its line begins first, and
    /// cannot begin again.
    fn beginnings(&self) -> Check {
        if self.old.bytes.facts.line_table != LineTable::Lnotab {
            return Ok(());
        }
        let begins = |listing: &Listing<'_>, at: usize| listing.decoded.instructions[at].begins_line;
        for block in 0..self.old.len() {
            let own = &self.old.decoded.instructions[block];
            let handler = own.target.filter(|_| own.opcode.flow == Flow::Block);
            if handler.is_none_or(|handler| begins(self.old, handler as usize)) {
                continue;
            }
            for index in self.old.decoded.guarded_by_block(block) {
                let is_same = begins(self.old, index) == begins(self.new, self.place[index]);
                let is_led_back = |step: &Step| match *step {
                    Step::Jump(source) => source >= index || self.is_block(source),
                    _ => false,
                };
                if !is_same && !steps(self.old, index).iter().any(is_led_back) {
                    return Err(format!(
                        "the line of what was at {} begins elsewhere",
                        self.old_offset(index)
                    ));
                }
            }
        }
        Ok(())
    }
}

/// By instruction: the handlers of its exceptions, with the depth of the stack, in the order of the table.
fn handlers(listing: &Listing<'_>) -> Vec<Vec<(usize, usize)>> {
    let mut handlers = vec![Vec::new(); listing.len()];
    for guard in &listing.guards {
        for of_one in &mut handlers[guard.from..guard.to.max(guard.from)] {
            of_one.push((guard.handler, guard.depth));
        }
    }
    handlers
}

/// The lines that a tracer is told of when control goes on from an instruction by others. Up to CPython 3.9 and PyPy
/// 3.9 a line begins where the table says; later where it is another than before. On a jump backward it begins in any
/// case (PyPy: and on one to itself; where that is over a call it is one backward everywhere), and so it may after an
/// exception.
fn lines_told(listing: &Listing<'_>, from: Option<usize>, by: &[usize], is_jump_back: bool) -> Vec<i64> {
    let by_table = listing.bytes.facts.line_table == LineTable::Lnotab;
    let mut last = from;
    let mut told = Vec::new();
    for (number, &at) in by.iter().enumerate() {
        let line = listing.position(at).line;
        let is_other = last.is_none_or(|last| listing.position(last).line != line);
        let begins = if by_table { listing.decoded.instructions[at].begins_line } else { is_other };
        if begins || last.is_some_and(|last| at <= last) || (is_jump_back && number == 0) {
            told.extend(line);
        }
        last = Some(at);
    }
    told
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
