//! The rules of one breakpoint together, in the order in which they are asked.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Expiry, HitCondition, MaxHits, Rate, RateError, ThreadFilter, TokenBucket};

/// The rules as the user gives them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSpec {
    /// Which hits are taken, by number.
    pub hit_condition: Option<HitCondition>,
    /// How many hits are taken.
    pub max_hits: Option<u64>,
    /// How often hits are taken.
    pub rate: Option<Rate>,
    /// From when on arrivals are skipped: an absolute time of the monotonic clock.
    pub expires_ns: Option<u64>,
    /// Whose arrivals are looked at.
    pub thread: ThreadFilter,
}

/// Why an arrival was skipped before its condition was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The breakpoint has expired.
    Expired,
    /// The thread is not one of those that the breakpoint watches.
    Thread,
}

/// What becomes of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitOutcome {
    /// The hit condition does not hold, or the maximum is spent.
    Passed,
    /// The rate is spent.
    Limited,
    /// The hit is to be captured.
    Take {
        /// The number of this hit; hits count from 1.
        hit: u64,
    },
}

/// The rules of one breakpoint with their counters.
///
/// The order at an arrival is fixed: expiry, thread ([`Rules::admit`]), then the host's condition, then the hit is
/// counted and the hit condition, the maximum and the rate are asked ([`Rules::hit`]). Tokens are thus spent only by hits
/// that would be captured, and the maximum only by hits that also passed the rate.
#[derive(Debug)]
pub struct Rules {
    hit_condition: Option<HitCondition>,
    max_hits: MaxHits,
    /// Boxed: few breakpoints have one.
    rate: Option<Box<TokenBucket>>,
    expiry: Expiry,
    thread: ThreadFilter,
    hits: AtomicU64,
}

impl Rules {
    /// Rules with fresh counters and a full bucket.
    ///
    /// # Errors
    /// The rate or its burst cannot be kept (see [`TokenBucket::new`]).
    pub fn new(spec: &RuleSpec) -> Result<Self, RateError> {
        let rate = match spec.rate {
            Some(rate) => Some(Box::new(TokenBucket::new(rate.per_second, rate.burst)?)),
            None => None,
        };
        Ok(Self {
            hit_condition: spec.hit_condition,
            max_hits: MaxHits::new(spec.max_hits),
            rate,
            expiry: Expiry::new(spec.expires_ns),
            thread: spec.thread.clone(),
            hits: AtomicU64::new(0),
        })
    }

    /// Whether an arrival is looked at at all. Counts nothing.
    ///
    /// # Errors
    /// The rule that skips the arrival.
    pub fn admit(&self, thread_id: u64, thread_name: Option<&str>, now_ns: u64) -> Result<(), Skip> {
        if self.expiry.is_over(now_ns) {
            Err(Skip::Expired)
        } else if !self.thread.admits(thread_id, thread_name) {
            Err(Skip::Thread)
        } else {
            Ok(())
        }
    }

    /// Counts a hit (an admitted arrival whose condition holds) and says what becomes of it.
    ///
    /// When two threads race for the last hit of `max_hits`, the loser has spent a token: the rate errs to fewer.
    pub fn hit(&self, now_ns: u64) -> HitOutcome {
        let hit = self.hits.fetch_add(1, Ordering::Relaxed) + 1;
        if self.hit_condition.is_some_and(|condition| !condition.holds(hit)) || self.max_hits.is_spent() {
            return HitOutcome::Passed;
        }
        if self.rate.as_ref().is_some_and(|bucket| !bucket.try_take(now_ns)) {
            return HitOutcome::Limited;
        }
        if self.max_hits.try_take() {
            HitOutcome::Take { hit }
        } else {
            HitOutcome::Passed
        }
    }

    /// Whether no rule can refuse an arrival or a hit.
    #[must_use]
    pub fn take_everything(&self) -> bool {
        self.hit_condition.is_none()
            && self.max_hits.is_unlimited()
            && !self.needs_clock()
            && self.thread == ThreadFilter::default()
    }

    /// How many hits were counted.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Whether `max_hits` is spent: no later hit will be taken.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.max_hits.is_spent()
    }

    /// Whether the breakpoint has expired.
    #[must_use]
    pub fn is_expired(&self, now_ns: u64) -> bool {
        self.expiry.is_over(now_ns)
    }

    /// Whether the rules look at the clock: without expiry and rate nobody needs to read it.
    #[must_use]
    pub fn needs_clock(&self) -> bool {
        self.rate.is_some() || self.expiry.is_set()
    }

    /// Whether the host must find out the thread's name before it asks.
    #[must_use]
    pub fn needs_thread_name(&self) -> bool {
        self.thread.needs_name()
    }

    /// The earliest time at which the rate allows a hit again; `None` without a rate.
    #[must_use]
    pub fn next_token_ns(&self) -> Option<u64> {
        self.rate.as_ref().map(|bucket| bucket.next_ns())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const SECOND: u64 = 1_000_000_000;

    fn rules(spec: RuleSpec) -> Rules {
        Rules::new(&spec).unwrap()
    }

    #[test]
    fn without_rules_every_hit_is_taken_and_numbered() {
        let rules = rules(RuleSpec::default());
        assert_eq!(rules.admit(1, None, 0), Ok(()));
        assert_eq!(rules.hit(0), HitOutcome::Take { hit: 1 });
        assert_eq!(rules.hit(0), HitOutcome::Take { hit: 2 });
        assert!(!rules.needs_clock() && !rules.needs_thread_name() && rules.next_token_ns().is_none());
    }

    #[test]
    fn expiry_is_asked_before_the_thread() {
        let rules =
            rules(RuleSpec { expires_ns: Some(10), thread: ThreadFilter::Id(1), ..RuleSpec::default() });
        assert_eq!(rules.admit(2, None, 10), Err(Skip::Expired));
        assert_eq!(rules.admit(2, None, 9), Err(Skip::Thread));
        assert_eq!(rules.admit(1, None, 9), Ok(()));
        assert_eq!(rules.hits(), 0);
        assert!(rules.is_expired(10) && rules.needs_clock());
    }

    #[test]
    fn hits_that_the_hit_condition_passes_spend_no_token_and_no_maximum() {
        let rules = rules(RuleSpec {
            hit_condition: Some(HitCondition::Multiple(10)),
            max_hits: Some(2),
            rate: Some(Rate { per_second: 1.0, burst: 2.0 }),
            ..RuleSpec::default()
        });
        let outcomes: Vec<_> = (0..30).map(|_| rules.hit(SECOND)).collect();
        assert_eq!(outcomes[9], HitOutcome::Take { hit: 10 });
        assert_eq!(outcomes[19], HitOutcome::Take { hit: 20 });
        assert_eq!(outcomes[29], HitOutcome::Passed, "the maximum is asked before the rate");
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == HitOutcome::Passed).count(), 28);
        assert!(rules.is_exhausted());
        assert_eq!(rules.hits(), 30);
    }

    #[test]
    fn limited_hits_do_not_spend_the_maximum() {
        let rules = rules(RuleSpec {
            max_hits: Some(2),
            rate: Some(Rate { per_second: 1.0, burst: 1.0 }),
            ..RuleSpec::default()
        });
        assert_eq!(rules.hit(SECOND), HitOutcome::Take { hit: 1 });
        assert_eq!(rules.hit(SECOND), HitOutcome::Limited);
        assert_eq!(rules.hit(SECOND), HitOutcome::Limited);
        assert_eq!(rules.next_token_ns(), Some(2 * SECOND));
        assert!(!rules.is_exhausted());
        assert_eq!(rules.hit(2 * SECOND), HitOutcome::Take { hit: 4 });
        assert!(rules.is_exhausted());
        assert_eq!(rules.hit(9 * SECOND), HitOutcome::Passed);
    }

    #[test]
    fn an_equal_hit_condition_that_was_limited_does_not_come_again() {
        let rules = rules(RuleSpec {
            hit_condition: Some(HitCondition::Equal(2)),
            rate: Some(Rate { per_second: 1.0, burst: 1.0 }),
            ..RuleSpec::default()
        });
        assert_eq!(rules.hit(0), HitOutcome::Passed);
        assert_eq!(rules.hit(0), HitOutcome::Take { hit: 2 });
        assert_eq!(rules.hit(9 * SECOND), HitOutcome::Passed);
    }

    #[test]
    fn a_rate_that_cannot_be_kept_is_refused() {
        let spec = RuleSpec { rate: Some(Rate { per_second: 0.0, burst: 1.0 }), ..RuleSpec::default() };
        assert_eq!(Rules::new(&spec).unwrap_err(), RateError::Rate(0.0));
    }

    #[test]
    fn eight_threads_take_exactly_the_maximum_and_every_hit_is_accounted_for() {
        let rules = rules(RuleSpec {
            hit_condition: Some(HitCondition::AtLeast(101)),
            max_hits: Some(500),
            ..RuleSpec::default()
        });
        let mut taken: Vec<u64> = thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..1_000)
                            .filter_map(|_| match rules.hit(0) {
                                HitOutcome::Take { hit } => Some(hit),
                                _ => None,
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 500, "each number is given once");
        assert!(taken[0] >= 101);
        assert_eq!(rules.hits(), 8_000);
    }
}
