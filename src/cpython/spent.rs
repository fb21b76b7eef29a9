//! How long the program spends in the callbacks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The time spent, from samples: two readings of the clock cost as much as a counted hit.
#[derive(Debug, Default)]
pub struct Spent {
    count: AtomicU64,
    sampled: AtomicU64,
    sampled_ns: AtomicU64,
}

impl Spent {
    const ONE_OF: u64 = 256;

    /// A callback begins; when, if it is timed.
    pub fn begin(&self) -> Option<Instant> {
        // Two threads at once may count one for both: it is an estimate.
        let number = self.count.load(Ordering::Relaxed);
        self.count.store(number + 1, Ordering::Relaxed);
        (number % Self::ONE_OF == 0).then(Instant::now)
    }

    /// Whether the callback that begins now is one that is not timed.
    pub fn is_untimed(&self) -> bool {
        self.count.load(Ordering::Relaxed) % Self::ONE_OF != 0
    }

    /// A callback that is not timed has ended.
    pub fn pass(&self) {
        self.count.store(self.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// It ends.
    pub fn end(&self, clock: Option<Instant>) {
        if let Some(begun) = clock {
            self.sampled.fetch_add(1, Ordering::Relaxed);
            self.sampled_ns.fetch_add(begun.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }
    }

    /// The time of all of them, in nanoseconds.
    pub fn estimate_ns(&self) -> u64 {
        let [count, sampled, ns] =
            [&self.count, &self.sampled, &self.sampled_ns].map(|cell| cell.load(Ordering::Relaxed));
        (ns * count).checked_div(sampled).unwrap_or(0)
    }
}
