//! Where control comes from.

use super::decoded::Decoded;
use super::facts::Flow;

/// A step of control that leads to an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// From this instruction, which stands before it.
    Next(usize),
    /// By a jump from this instruction.
    Jump(usize),
    /// By an exception at this instruction.
    Exception(usize),
    /// From outside: the code object begins here.
    Start,
}

impl Step {
    /// The instruction that it leads from, if any.
    pub fn source(self) -> Option<usize> {
        match self {
            Self::Next(source) | Self::Jump(source) | Self::Exception(source) => Some(source),
            Self::Start => None,
        }
    }
}

impl Decoded {
    /// The steps that lead to an instruction, in no order; the same one may come twice.
    pub fn steps_to(&self, index: usize) -> impl Iterator<Item = Step> + '_ {
        let start = (index == self.prologue).then_some(Step::Start);
        let before = index.checked_sub(1).filter(|&before| {
            index > self.prologue && !matches!(self.instructions[before].opcode.flow, Flow::Jump | Flow::Stop)
        });
        let key = index as u32;
        let from = self.jumps.partition_point(|&(target, _)| target < key);
        let jumps = self.jumps[from..].iter().take_while(move |&&(target, _)| target == key);
        let exceptions = of_handler(&self.guarded, index).flat_map(|&(from, to, _)| from..to);
        start
            .into_iter()
            .chain(before.map(Step::Next))
            .chain(jumps.map(|&(_, source)| Step::Jump(source as usize)))
            .chain(exceptions.map(|source| Step::Exception(source as usize)))
    }

    /// By instruction: whether control can come there. Some compilers keep code that nothing leads to.
    pub(super) fn reached(&self) -> Vec<bool> {
        let count = self.instructions.len();
        let mut reached = vec![false; count];
        reached[..self.prologue.min(count)].fill(true);
        let mut open = vec![self.prologue];
        // By the first instruction that is guarded.
        let mut guards = self.guarded.clone();
        loop {
            while let Some(at) = open.pop() {
                if at >= count || std::mem::replace(&mut reached[at], true) {
                    continue;
                }
                let instruction = &self.instructions[at];
                if !matches!(instruction.opcode.flow, Flow::Jump | Flow::Stop) {
                    open.push(at + 1);
                }
                open.extend(
                    instruction
                        .target
                        .filter(|_| instruction.opcode.flow != Flow::Block)
                        .map(|target| target as usize),
                );
            }
            // A handler is reached once anything that it guards is.
            guards.retain(|&(from, to, handler)| {
                let is_live = (from..to).any(|guarded| reached[guarded as usize]);
                open.extend(is_live.then_some(handler as usize));
                !is_live
            });
            if open.is_empty() {
                return reached;
            }
        }
    }

    /// Whether the line of an instruction can begin to run there. Where lines stray, an instruction in the midst of one is
    /// reached by the way, not by control that goes to that line.
    pub fn begins_to_run(&self, index: usize) -> bool {
        let begins_line = |at: usize| self.instructions[at].begins_line;
        !self.stray_lines
            || index <= self.prologue
            || begins_line(index)
            || (self.instructions[index - 1].opcode.enters_nothing && begins_line(index - 1))
            || self.is_handler(index)
            || self.is_jumped_back_to(index)
    }

    /// Whether a jump leads to an instruction, or an exception.
    pub(super) fn is_jumped_to(&self, index: usize) -> bool {
        self.steps_to(index).any(|step| !matches!(step, Step::Next(_)))
    }

    /// Whether a jump leads to an instruction from itself or from one behind it.
    pub fn is_jumped_back_to(&self, index: usize) -> bool {
        self.steps_to(index).any(|step| matches!(step, Step::Jump(source) if source >= index))
    }

    /// Whether an instruction begins a handler of exceptions.
    pub fn is_handler(&self, index: usize) -> bool {
        of_handler(&self.guards, index).next().is_some()
    }

    /// Whether an instruction begins the exit of a `with` by an exception. What pushes the exception may stand first.
    pub fn is_with_handler(&self, index: usize) -> bool {
        self.is_handler(index)
            && self.instructions[index..].iter().take(2).any(|instruction| instruction.opcode.leaves_with)
    }

    /// Whether an instruction begins the handler that takes away the name of `except … as name` when its body is left by an
    /// exception: it sets the name, deletes it, and raises again.
    pub fn forgets_a_name(&self, index: usize) -> bool {
        let idle =
            self.instructions[index..].iter().take_while(|instruction| instruction.opcode.tidies_up).count();
        let rest = &self.instructions[index + idle..];
        matches!(rest, [_, _, deletes, ends, ..] if deletes.opcode.deletes && ends.opcode.begins_nothing)
            && self.is_handler(index)
    }

    /// Whether an instruction begins the exit of a `with` whose body ends: what its handler guards, or its block, ends there,
    /// and it has the line of the header again.
    pub fn is_with_exit(&self, index: usize) -> bool {
        self.with_exits.binary_search(&(index as u32)).is_ok()
    }

    pub(super) fn find_with_exits(&self) -> Vec<u32> {
        let line_of = |index: u32| self.instructions.get(index as usize).map(|own| own.line);
        let ends_block = |index: u32| {
            // The instruction that ends the block may have the line of the body still.
            self.instructions[index.saturating_sub(1) as usize..=index as usize]
                .iter()
                .any(|own| own.opcode.ends_block)
        };
        // An `await` in the body splits what is guarded: the header stands before the first part only.
        let of_with = self.guards.chunk_by(|(.., one), (.., next)| one == next).filter(|parts| {
            let (from, _, handler) = parts[0];
            from > 0 && self.is_with_handler(handler as usize)
        });
        let mut exits: Vec<u32> = of_with
            .flat_map(|parts| {
                let header = line_of(parts[0].0 - 1);
                let ends = parts
                    .iter()
                    .flat_map(|&(from, to, _)| (from..to).filter(|&index| ends_block(index)).chain([to]));
                ends.filter(move |&exit| line_of(exit) == header)
            })
            .collect();
        exits.sort_unstable();
        exits.dedup();
        exits
    }

    /// The instructions of [`Flow::Block`] that name the handler which begins at an instruction.
    pub fn blocks_of(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        of_handler(&self.guards, index).map(|&(from, ..)| from as usize - 1)
    }

    /// The instructions that a block guards, ascending: those between it and its handler that control comes to before
    /// the block ends. Copies of a `finally` body, which compilers put behind the end, are none.
    pub fn guarded_by_block(&self, block: usize) -> Vec<usize> {
        self.within_block(block, &mut vec![false; self.instructions.len()])
    }

    pub(super) fn guarded_by_blocks(&self) -> Vec<(u32, u32, u32)> {
        let mut seen = vec![false; self.instructions.len()];
        let mut guarded: Vec<(u32, u32, u32)> = Vec::new();
        for &(from, _, handler) in &self.guards {
            let found = self.within_block(from as usize - 1, &mut seen);
            for run in found.chunk_by(|one, next| one + 1 == *next) {
                guarded.push((run[0] as u32, (run[0] + run.len()) as u32, handler));
            }
        }
        guarded.sort_unstable_by_key(|&(from, _, handler)| (handler, from));
        guarded
    }

    /// `seen` has a place for each instruction, and none is marked, before and after.
    fn within_block(&self, block: usize, seen: &mut [bool]) -> Vec<usize> {
        let end = self.instructions[block].target.map_or(0, |target| target as usize);
        // Each with the number of blocks inside of this one that control is in.
        let mut open = vec![(block + 1, 0u32)];
        let mut found = Vec::new();
        while let Some((at, depth)) = open.pop() {
            if !(block + 1..end).contains(&at) || std::mem::replace(&mut seen[at], true) {
                continue;
            }
            found.push(at);
            let (own, opcode) = (&self.instructions[at], self.instructions[at].opcode);
            let behind = match (opcode.flow, opcode.ends_block) {
                (Flow::Jump | Flow::Stop, _) => None,
                (Flow::Block, _) => Some(depth + 1),
                (_, true) => depth.checked_sub(1),
                _ => Some(depth),
            };
            open.extend(behind.map(|depth| (at + 1, depth)));
            open.extend(own.target.map(|target| (target as usize, depth)));
        }
        found.iter().for_each(|&at| seen[at] = false);
        found.sort_unstable();
        found
    }
}

/// Those of guards, ascending by handler, whose handler begins at an instruction.
fn of_handler(guards: &[(u32, u32, u32)], index: usize) -> impl Iterator<Item = &(u32, u32, u32)> {
    let key = index as u32;
    let from = guards.partition_point(|&(_, _, handler)| handler < key);
    guards[from..].iter().take_while(move |&&(_, _, handler)| handler == key)
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
