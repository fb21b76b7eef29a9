//! Which offset of the original code became which.

/// The offsets of the original code and of the rewritten one. An offset names an instruction by its first prefix, by
/// itself or by one of its caches: interpreters differ in which of these a frame stands at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// By instruction.
    moved: Vec<Moved>,
    /// The lengths of both, in bytes.
    ends: (u32, u32),
}

/// An instruction, before and after: where it begins, and where it is itself, behind its prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub old: (u32, u32),
    pub new: (u32, u32),
}

impl Offsets {
    pub(super) fn new(moved: Vec<Moved>, ends: (u32, u32)) -> Self {
        Self { moved, ends }
    }

    /// Where an offset of the original code is now; `None`: beyond its end.
    pub fn new_offset(&self, old: u32) -> Option<u32> {
        let at = self.moved.partition_point(|moved| moved.old.0 <= old).checked_sub(1)?;
        let moved = self.moved[at];
        (old < self.ends.0).then(|| within(old, moved.old, moved.new))
    }

    /// Which offset of the original code is at an offset now: within what was put in, that of the instruction behind
    /// it. `None`: beyond the end.
    pub fn old_offset(&self, new: u32) -> Option<u32> {
        if new >= self.ends.1 {
            return None;
        }
        let at = self.moved.partition_point(|moved| moved.new.0 <= new);
        let next = self.moved.get(at).map(|moved| moved.old.0);
        let Some(own) = at.checked_sub(1).map(|at| self.moved[at]) else { return next };
        let offset = within(new, own.new, own.old);
        let old_end = next.unwrap_or(self.ends.0);
        if offset < old_end {
            Some(offset)
        } else {
            next
        }
    }
}

/// The place in one instruction that is the beginning as `offset` is, or else as far from itself. Where prefixes were
/// added, the first one stands for them.
fn within(offset: u32, from: (u32, u32), to: (u32, u32)) -> u32 {
    if offset == from.0 {
        to.0
    } else if offset >= from.1 {
        to.1 + (offset - from.1)
    } else {
        to.1.saturating_sub(from.1 - offset).max(to.0)
    }
}
