//! Exact counters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where one arrival ended. Each arrival ends in exactly one of these, and only these are stored: the sums
/// (`arrivals = skipped + false + errors + hits`, `hits = passed + limited + captured + dropped`) are derived, so they
/// hold at any moment and under any number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Disabled, expired, exhausted, or another thread than the filter asks for.
    Skipped,
    /// The condition was false.
    False,
    /// The condition raised.
    Error,
    /// A hit that the hit condition or `max_hits` let pass.
    Passed,
    /// A hit beyond the rate.
    Limited,
    /// A hit that was counted, or captured and queued.
    Captured,
    /// A hit whose capture failed or found the queue full.
    Dropped,
}

/// The counters of one breakpoint.
#[derive(Debug, Default)]
pub struct Counters {
    ends: [AtomicU64; 7],
    /// More that ended in [`End::Captured`], counted by threads that a lock of their host keeps apart.
    captured_in_turn: AtomicU64,
}

impl Counters {
    /// Counts arrivals that ended so.
    pub fn count(&self, end: End, arrivals: u64) {
        self.ends[end as usize].fetch_add(arrivals, Relaxed);
    }

    /// Counts one that ended in [`End::Captured`], for threads of which only one at a time gets here. Without that promise
    /// some are not counted; with it a third of the time of a counted hit is saved, which an atomic addition takes.
    pub fn count_captured_in_turn(&self) {
        self.captured_in_turn.store(self.captured_in_turn.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// How many arrivals ended so.
    pub fn get(&self, end: End) -> u64 {
        let in_turn = if end == End::Captured { self.captured_in_turn.load(Relaxed) } else { 0 };
        self.ends[end as usize].load(Relaxed) + in_turn
    }
}
