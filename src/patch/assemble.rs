//! The code with calls in it: what stands where, and how long each jump is.
//!
//! Before an instruction stand *chains* of calls, one for each set of probes that some step to the instruction passes:
//! the chain that control falls into first, and each but the last followed by a jump to the instruction. A chain
//! without a call is only that jump: control that falls to the instruction goes over the calls by it. All other steps
//! that pass nothing go straight to the instruction, unless its line begins at the chains, see [`Beginning`].

use std::ops::Range;

use super::listing::Listing;
use super::offsets::{Moved, Offsets};
use super::places::{steps as steps_to, Passes, Places};
use super::stub::{prefixes_for, steps, write, Plain};
use super::{PatchError, Probe};
use crate::code::{Call, Flow, Guard, Jump, LineTable, Position, Step};

/// What the line table says of a unit of two bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub position: Position,
    /// An instruction of the original begins here.
    pub is_first: bool,
    /// A line begins here, also if it is the one before.
    pub begins_line: bool,
}

/// What was put together.
pub(super) struct Assembled {
    pub code: Vec<u8>,
    pub units: Vec<Unit>,
    /// In units.
    pub guards: Vec<Guard>,
    pub offsets: Offsets,
}

/// One instruction, and what it is made of.
enum What {
    /// An instruction of the original without a target.
    Copy(usize),
    /// One with a target.
    Jump(usize),
    /// A jump to an instruction of the original.
    Over(usize),
    /// A jump to an item.
    Skip(usize),
    /// A step of a call.
    Step(Plain),
}

struct Item {
    what: What,
    position: Position,
    begins_line: bool,
    /// How many prefixes it has so far.
    prefixes: usize,
}

struct Chain {
    passes: Vec<usize>,
    first_item: usize,
}

/// Where the line of an instruction with calls before it begins. It must begin once on each way to the instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// Where it is another than before, or not at all: the line table says nothing of it.
    Unsaid,
    /// At each chain, and not at the instruction.
    AtChains,
    /// At the instruction. For an exception at it CPython 3.9 looks whether its line began there (`exception_unwind` in
    /// Python/ceval.c). The calls have the same line nevertheless: it begins for them at a unit that nothing leads to.
    AtItself,
}

struct Assembly<'a> {
    listing: &'a Listing<'a>,
    places: &'a Places,
    probes: &'a [Probe],
    call: &'a Call,
    items: Vec<Item>,
    /// By instruction of the original: the first item that was put before it, and its own.
    blocks: Vec<(usize, usize)>,
    /// By instruction of the original, for those with calls before them.
    chains: Vec<Vec<Chain>>,
    beginnings: Vec<Beginning>,
    /// By instruction of the original: whether an exception there leads to where no line begins.
    is_watched: Vec<bool>,
}

pub(super) fn assemble(
    listing: &Listing<'_>,
    places: &Places,
    probes: &[Probe],
    call: &Call,
) -> Result<Assembled, PatchError> {
    let (items, blocks, chains, beginnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let is_watched = watched(listing);
    let mut assembly =
        Assembly { listing, places, probes, call, items, blocks, chains, beginnings, is_watched };
    for index in 0..listing.len() {
        assembly.put(index);
    }
    let offsets = assembly.relax()?;
    assembly.write(&offsets)
}

impl Assembly<'_> {
    fn put(&mut self, index: usize) {
        let first = self.items.len();
        let own = &self.listing.decoded.instructions[index];
        let (mut beginning, mut chains) = (Beginning::Unsaid, Vec::new());
        if let Some(passes) = self.places.get(&index) {
            beginning = self.beginning(index, passes);
            chains = self.put_chains(index, passes, beginning);
        }
        let begins_line = own.begins_line && beginning != Beginning::AtChains;
        let what = if own.target.is_some() { What::Jump(index) } else { What::Copy(index) };
        let prefixes = self.listing.prefixes(index);
        self.blocks.push((first, self.items.len()));
        self.chains.push(chains);
        self.beginnings.push(beginning);
        self.items.push(Item { what, position: self.listing.position(index), begins_line, prefixes });
    }

    fn beginning(&self, index: usize, passes: &Passes) -> Beginning {
        if !self.begins_by_table() || !self.listing.decoded.instructions[index].begins_line {
            return Beginning::Unsaid;
        }
        // There the line of a call begins in any case, and would begin twice: where a jump backward leads, and an
        // exception.
        let begins_anyway = |step: &Step| match *step {
            Step::Jump(source) => {
                source >= index || self.listing.decoded.instructions[source].opcode.flow == Flow::Block
            }
            Step::Exception(_) => true,
            _ => false,
        };
        if self.is_watched[index] && !passes.keys().any(begins_anyway) {
            Beginning::AtItself
        } else {
            Beginning::AtChains
        }
    }

    fn put_chains(&mut self, index: usize, passes: &Passes, beginning: Beginning) -> Vec<Chain> {
        let listing = self.listing;
        let falls = match index.checked_sub(1) {
            _ if index == listing.decoded.prologue => Some(Step::Start),
            Some(before) if listing.goes_on(before) => Some(Step::Next(before)),
            _ => None,
        };
        let all = steps_to(listing, index);
        let passed = |step: Step| passes.get(&step).map_or(&[][..], Vec::as_slice);
        let mut wanted: Vec<&[usize]> = falls.into_iter().map(passed).collect();
        let comes_straight = |step: &Step| Some(*step) != falls && passed(*step).is_empty();
        if beginning == Beginning::AtChains && all.iter().any(comes_straight) {
            wanted.push(&[]);
        }
        // In the order of the steps, so that the same input gives the same output.
        wanted.extend(all.into_iter().map(passed).filter(|set| !set.is_empty()));
        let line = Position::of_line(listing.position(index).line);
        let mut chains: Vec<Chain> = Vec::new();
        for set in wanted {
            if chains.iter().any(|chain| chain.passes == set) {
                continue;
            }
            if chains.last().is_some_and(|last| !last.passes.is_empty()) {
                self.push(What::Over(index), self.position_before(), false);
            }
            if beginning == Beginning::AtItself && !set.is_empty() {
                if falls.is_some() && chains.is_empty() {
                    self.push(What::Skip(self.items.len() + 2), self.position_before(), false);
                }
                self.push(What::Over(index), line, true);
            }
            let mut begins_line = beginning == Beginning::AtChains;
            chains.push(Chain { passes: set.to_vec(), first_item: self.items.len() });
            if set.is_empty() {
                let position = if begins_line { line } else { self.position_before() };
                self.push(What::Over(index), position, begins_line);
            }
            for &number in set {
                let probe = &self.probes[number];
                let position = Position::of_line(self.line_of_call(index, probe));
                for step in steps(self.call, probe.hook, probe.argument) {
                    self.push(What::Step(step), position, std::mem::take(&mut begins_line));
                }
            }
        }
        chains
    }

    fn push(&mut self, what: What, position: Position, begins_line: bool) {
        let prefixes = match what {
            What::Step((_, argument)) => prefixes_for(argument),
            _ => 0,
        };
        self.items.push(Item { what, position, begins_line, prefixes });
    }

    /// The line of what stands before now: what jumps over calls must not begin another.
    fn position_before(&self) -> Position {
        let line = self.items.last().and_then(|item| match item.what {
            // In such a table a line goes on from the last unit, whatever the first one has.
            What::Copy(index) | What::Jump(index) if self.begins_by_table() => {
                self.listing.positions[self.listing.range(index).end / 2 - 1].line
            }
            _ => item.position.line,
        });
        Position::of_line(line)
    }

    fn begins_by_table(&self) -> bool {
        self.listing.bytes.facts.line_table == LineTable::Lnotab
    }

    /// The line that a call has: that of the entry, or of the instruction that it stands before where another would
    /// begin a line once more.
    fn line_of_call(&self, before: usize, probe: &Probe) -> Option<i64> {
        let instructions = &self.listing.decoded.instructions;
        let entry = instructions.partition_point(|instruction| instruction.offset < probe.offset);
        let at = if self.begins_by_table() { before } else { entry.min(before) };
        self.listing.position(at).line
    }

    fn size(&self, item: &Item) -> usize {
        let opcode = match item.what {
            What::Copy(index) => return self.listing.range(index).len(),
            What::Jump(index) => self.listing.bytes.code[self.jump_unit_of(index)],
            What::Over(_) | What::Skip(_) => self.call.jump,
            What::Step((opcode, _)) => opcode,
        };
        2 * (item.prefixes + 1 + usize::from(self.listing.bytes.facts.opcodes[usize::from(opcode)].caches))
    }

    /// Where the opcode of a jump is, behind its prefixes.
    fn jump_unit_of(&self, index: usize) -> usize {
        self.listing.range(index).start + 2 * self.listing.prefixes(index)
    }

    fn offsets(&self) -> Vec<usize> {
        let mut offsets = vec![0];
        let mut end = 0;
        for item in &self.items {
            end += self.size(item);
            offsets.push(end);
        }
        offsets
    }

    /// Gives every jump the prefixes that it needs, but no fewer than it had. Each one makes others longer, so until
    /// none does.
    fn relax(&mut self) -> Result<Vec<usize>, PatchError> {
        loop {
            let offsets = self.offsets();
            if u32::try_from(offsets[self.items.len()]).is_err() {
                return Err(PatchError::refused("the code would be 4 GiB long or more"));
            }
            let mut has_grown = false;
            for at in 0..self.items.len() {
                if let Some(argument) = self.argument(at, &offsets)? {
                    let needed = prefixes_for(argument);
                    has_grown |= needed > self.items[at].prefixes;
                    self.items[at].prefixes = self.items[at].prefixes.max(needed);
                }
            }
            if !has_grown {
                return Ok(offsets);
            }
        }
    }

    /// The argument of a jump.
    fn argument(&self, at: usize, offsets: &[usize]) -> Result<Option<u32>, PatchError> {
        let (target, jump) = match self.items[at].what {
            What::Jump(index) => (self.target(index), self.listing.decoded.instructions[index].opcode.jump),
            What::Over(index) => (self.blocks[index].1, Jump::Forward),
            What::Skip(item) => (item, Jump::Forward),
            _ => return Ok(None),
        };
        let (target, end) = (offsets[target], offsets[at + 1]);
        let distance = match jump {
            Jump::Absolute => Some(target),
            Jump::Forward => target.checked_sub(end),
            Jump::Backward => end.checked_sub(target),
            Jump::None => None,
        };
        let unit = self.listing.bytes.facts.jump_unit as usize;
        let argument = distance.and_then(|distance| u32::try_from(distance / unit).ok());
        // A jump backward to the very next instruction, which no compiler makes.
        let cannot =
            || PatchError::refused(format!("what would be at {} cannot jump to {target}", offsets[at]));
        argument.map(Some).ok_or_else(cannot)
    }

    /// The item that a jump of the original leads to, or the handler that a block names.
    fn target(&self, index: usize) -> usize {
        let target = self.listing.decoded.instructions[index].target.map_or(index, |target| target as usize);
        self.way(target, Step::Jump(index))
    }

    /// The item that a step to an instruction leads to.
    fn way(&self, to: usize, step: Step) -> usize {
        let passed = self.places.get(&to).and_then(|passes| passes.get(&step)).map_or(&[][..], Vec::as_slice);
        let chain = self.chains[to].iter().find(|chain| chain.passes == passed);
        match chain {
            Some(chain) if self.beginnings[to] == Beginning::AtChains || !passed.is_empty() => {
                chain.first_item
            }
            _ => self.blocks[to].1,
        }
    }

    fn write(&self, offsets: &[usize]) -> Result<Assembled, PatchError> {
        let listing = self.listing;
        let mut code = Vec::with_capacity(offsets[self.items.len()]);
        let mut units = Vec::with_capacity(code.capacity() / 2);
        let mut moved = Vec::with_capacity(listing.len());
        for (at, item) in self.items.iter().enumerate() {
            let from = code.len();
            let facts = listing.bytes.facts;
            match item.what {
                What::Copy(index) => code.extend(&listing.bytes.code[listing.range(index)]),
                What::Step(step) => write(&mut code, self.call, facts, step, item.prefixes),
                What::Over(_) | What::Skip(_) | What::Jump(_) => {
                    let unit =
                        if let What::Jump(index) = item.what { Some(self.jump_unit_of(index)) } else { None };
                    let opcode = unit.map_or(self.call.jump, |unit| listing.bytes.code[unit]);
                    let argument = self.argument(at, offsets)?.unwrap_or_default();
                    write(&mut code, self.call, facts, (opcode, argument), item.prefixes);
                    if let Some(unit) = unit {
                        // Caches as they were.
                        let to = code.len();
                        let caches = 2 * usize::from(facts.opcodes[usize::from(opcode)].caches);
                        code[to - caches..].copy_from_slice(&listing.bytes.code[unit + 2..unit + 2 + caches]);
                    }
                }
            }
            let own = match item.what {
                What::Copy(index) | What::Jump(index) => Some(index),
                _ => None,
            };
            let count = (code.len() - from) / 2;
            let before = own.map(|index| listing.range(index));
            units.extend((0..count).map(|number| {
                let is_first = number == 0 && own.is_some();
                // Prefixes that were added are where the first one is.
                let known = before.as_ref().and_then(|range: &Range<usize>| {
                    let unit = (range.len() / 2 + number).checked_sub(count)?;
                    listing.positions.get(range.start / 2 + unit)
                });
                let position = known.copied().unwrap_or(item.position);
                Unit { position, is_first, begins_line: number == 0 && item.begins_line }
            }));
            if let (Some(index), Some(range)) = (own, before) {
                let old = (range.start as u32, (range.start + 2 * listing.prefixes(index)) as u32);
                let new = (from as u32, (from + 2 * item.prefixes) as u32);
                moved.push(Moved { old, new });
            }
        }
        let ends = (listing.bytes.code.len() as u32, code.len() as u32);
        let guards = self.guards(offsets);
        Ok(Assembled { code, units, guards, offsets: Offsets::new(moved, ends) })
    }

    /// The exception table, in units: what stands before an instruction is guarded as that is. A range is divided where
    /// the ways to its handler differ.
    fn guards(&self, offsets: &[usize]) -> Vec<Guard> {
        let end = self.items.len();
        let unit = |item: usize| offsets[item] / 2;
        let block = |index: usize| self.blocks.get(index).map_or(end, |&(first, _)| first);
        let mut guards: Vec<Guard> = Vec::new();
        for guard in &self.listing.guards {
            let begin = guards.len();
            for index in guard.from..guard.to {
                let handler = unit(self.way(guard.handler, Step::Exception(index)));
                let (from, to) = (unit(block(index)), unit(block(index + 1)));
                match guards[begin..].last_mut() {
                    Some(last) if last.handler == handler => last.to = to,
                    _ => guards.push(Guard { from, to, handler, depth: guard.depth }),
                }
            }
        }
        guards
    }
}

fn watched(listing: &Listing<'_>) -> Vec<bool> {
    let instructions = &listing.decoded.instructions;
    let mut is_watched = vec![false; listing.len()];
    for (block, own) in instructions.iter().enumerate().filter(|(_, own)| own.opcode.flow == Flow::Block) {
        if own.target.is_some_and(|handler| !instructions[handler as usize].begins_line) {
            listing.decoded.guarded_by_block(block).into_iter().for_each(|at| is_watched[at] = true);
        }
    }
    is_watched
}
