//! Ids that outlive what they name without ever naming something else.

use std::fmt;

/// A breakpoint's id: the slot in the low 32 bits, the slot's generation in the high ones.
///
/// A slot's generation grows each time it is given out again, so an id kept after its breakpoint was removed is
/// recognised as stale. Zero is never an id. Ids stay below 2^53 for the first two million reuses of one slot, so that
/// JSON readers which know only doubles keep them whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BreakpointId(u64);

impl BreakpointId {
    pub(super) const fn new(slot: u32, generation: u32) -> Self {
        Self(((generation as u64) << 32) | slot as u64)
    }

    /// The id with this number; it need not name a breakpoint.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number that hosts keep.
    pub const fn raw(self) -> u64 {
        self.0
    }

    pub(super) const fn slot(self) -> usize {
        (self.0 & 0xffff_ffff) as usize
    }

    pub(super) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl fmt::Debug for BreakpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BreakpointId({}v{})", self.slot(), self.generation())
    }
}

impl fmt::Display for BreakpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
