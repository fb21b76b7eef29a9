//! How many hits a breakpoint takes before it is exhausted.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number of hits that may be taken, counted down exactly by any number of threads.
#[derive(Debug)]
pub struct MaxHits {
    // u64::MAX stands for "no limit": at a billion hits a second it would be reached after 584 years.
    limit: u64,
    taken: AtomicU64,
}

impl MaxHits {
    /// A limit of so many hits; `None` is no limit, `Some(0)` is spent from the start.
    #[must_use]
    pub fn new(limit: Option<u64>) -> Self {
        Self { limit: limit.unwrap_or(u64::MAX), taken: AtomicU64::new(0) }
    }

    /// Takes one hit; false when all are taken.
    ///
    /// The count never exceeds the limit, not even for a moment: a compare-and-swap, not an addition that is taken back.
    pub fn try_take(&self) -> bool {
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                (taken < self.limit).then(|| taken + 1)
            })
            .is_ok()
    }

    /// Whether no hit is left.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.taken() >= self.limit
    }

    /// Whether there is no limit.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.limit == u64::MAX
    }

    /// How many hits were taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_limit_is_taken_and_no_more() {
        let max_hits = MaxHits::new(Some(2));
        assert!(max_hits.try_take() && !max_hits.is_spent());
        assert!(max_hits.try_take() && max_hits.is_spent());
        assert!(!max_hits.try_take());
        assert_eq!(max_hits.taken(), 2);
    }

    #[test]
    fn zero_is_spent_from_the_start() {
        let max_hits = MaxHits::new(Some(0));
        assert!(max_hits.is_spent() && !max_hits.try_take());
    }

    #[test]
    fn without_a_limit_hits_are_only_counted() {
        let max_hits = MaxHits::new(None);
        assert!((0..1000).all(|_| max_hits.try_take()));
        assert_eq!(max_hits.taken(), 1000);
        assert!(!max_hits.is_spent());
    }

    #[test]
    fn eight_threads_never_overshoot() {
        let max_hits = MaxHits::new(Some(10_000));
        let taken: u64 = thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..5_000).filter(|_| max_hits.try_take()).count() as u64))
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(taken, 10_000);
        assert_eq!(max_hits.taken(), 10_000);
    }
}
