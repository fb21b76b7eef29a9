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
}

impl Counters {
    /// Counts arrivals that ended so.
    pub fn count(&self, end: End, arrivals: u64) {
        self.ends[end as usize].fetch_add(arrivals, Relaxed);
    }

    /// How many arrivals ended so.
    pub fn get(&self, end: End) -> u64 {
        self.ends[end as usize].load(Relaxed)
    }
}
