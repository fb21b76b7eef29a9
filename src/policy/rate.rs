//! How often a breakpoint takes hits.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

const NS_PER_SECOND: f64 = 1e9;

/// A rate as the user gives it: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens that are added in a second.
    pub per_second: f64,
    /// Tokens that the bucket holds: how many hits may come at once.
    pub burst: f64,
}

impl Rate {
    /// A rate with the customary burst: one second's worth of hits, at least one.
    #[must_use]
    pub fn per_second(per_second: f64) -> Self {
        Self { per_second, burst: per_second.max(1.0) }
    }
}

/// A token bucket, as GCRA (the generic cell rate algorithm of ITU-T I.371): its whole state is one word, the
/// *theoretical arrival time* at which the bucket would be full again. Hence it needs no lock and loses no token, however
/// many threads ask. The bucket starts full.
///
/// In any stretch of `t` seconds at most `burst + t * rate` tokens are given. The time between two tokens is rounded up
/// to a whole nanosecond, so the rate is never exceeded.
///
/// A clock that goes backwards (or a thread that read it earlier than another) makes tokens later, never more numerous.
#[derive(Debug)]
pub struct TokenBucket {
    interval_ns: u64,
    /// How far the theoretical arrival time may run ahead of the clock: the burst but for one token.
    tolerance_ns: u64,
    full_at_ns: AtomicU64,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens that gets `rate_per_s` tokens a second.
    ///
    /// # Errors
    /// The rate is not a number over 0 and up to a billion, or the burst is less than 1 or no number.
    pub fn new(rate_per_s: f64, burst: f64) -> Result<Self, RateError> {
        if !(rate_per_s > 0.0 && rate_per_s <= NS_PER_SECOND) {
            return Err(RateError::Rate(rate_per_s));
        }
        if !(burst >= 1.0 && burst.is_finite()) {
            return Err(RateError::Burst(burst));
        }
        // `as` saturates: a rate of one in a thousand years waits for ever, which is what it says.
        let interval_ns = (NS_PER_SECOND / rate_per_s).ceil() as u64;
        let whole = (burst.trunc() as u64 - 1).saturating_mul(interval_ns);
        let tolerance_ns = whole.saturating_add((burst.fract() * interval_ns as f64) as u64);
        Ok(Self { interval_ns, tolerance_ns, full_at_ns: AtomicU64::new(0) })
    }

    /// Takes a token if there is one at `now_ns`.
    pub fn try_take(&self, now_ns: u64) -> bool {
        self.full_at_ns
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at_ns| {
                let base = full_at_ns.max(now_ns);
                (base - now_ns <= self.tolerance_ns).then(|| base.saturating_add(self.interval_ns))
            })
            .is_ok()
    }

    /// The earliest time at which a token is there (it may be in the past), if nobody takes one before.
    #[must_use]
    pub fn next_ns(&self) -> u64 {
        self.full_at_ns.load(Ordering::Relaxed).saturating_sub(self.tolerance_ns)
    }
}

/// A rate that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RateError {
    /// The rate is 0, negative, infinite, no number, or over a billion a second.
    Rate(f64),
    /// The burst is less than one, infinite or no number.
    Burst(f64),
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => write!(
                f,
                "invalid rate {rate}: give the hits per second, a number over 0 and at most 1000000000; leave it out for no limit"
            ),
            Self::Burst(burst) => write!(
                f,
                "invalid burst {burst}: give how many hits may come at once, a finite number of at least 1"
            ),
        }
    }
}

impl std::error::Error for RateError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const SECOND: u64 = 1_000_000_000;

    fn bucket(rate: f64, burst: f64) -> TokenBucket {
        TokenBucket::new(rate, burst).unwrap()
    }

    #[test]
    fn the_burst_comes_at_once_and_then_one_token_an_interval() {
        let bucket = bucket(10.0, 3.0);
        let start = 5 * SECOND;
        assert_eq!((0..10).filter(|_| bucket.try_take(start)).count(), 3);
        assert!(!bucket.try_take(start + SECOND / 10 - 1));
        assert!(bucket.try_take(start + SECOND / 10));
        assert!(!bucket.try_take(start + SECOND / 10));
    }

    #[test]
    fn asking_every_microsecond_for_ten_seconds_gives_exactly_burst_and_rate() {
        let bucket = bucket(100.0, 5.0);
        let taken = (0..10 * SECOND).step_by(1_000).filter(|now| bucket.try_take(*now)).count();
        // 5 at once, then one at each of the 999 intervals of 10 ms that end before the tenth second.
        assert_eq!(taken, 5 + 999);
    }

    #[test]
    fn a_rate_that_does_not_divide_a_second_is_not_exceeded() {
        let bucket = bucket(3.0, 1.0);
        let taken = (0..=SECOND).step_by(500).filter(|now| bucket.try_take(*now)).count();
        assert_eq!(taken, 3, "at 0, 1/3 and 2/3 s; the fourth comes 2 ns after the full second");
    }

    #[test]
    fn an_idle_bucket_holds_no_more_than_its_burst() {
        let bucket = bucket(1000.0, 2.0);
        assert_eq!((0..9).filter(|_| bucket.try_take(0)).count(), 2);
        assert_eq!((0..9).filter(|_| bucket.try_take(3600 * SECOND)).count(), 2);
    }

    #[test]
    fn a_burst_with_a_fraction_holds_its_whole_tokens() {
        let bucket = bucket(1.0, 2.5);
        assert_eq!((0..9).filter(|_| bucket.try_take(SECOND)).count(), 2);
        assert!(!bucket.try_take(SECOND + SECOND / 2 - 1));
        assert!(bucket.try_take(SECOND + SECOND / 2));
    }

    #[test]
    fn next_is_the_first_moment_that_gives_a_token() {
        let bucket = bucket(4.0, 2.0);
        assert_eq!(bucket.next_ns(), 0);
        assert!(bucket.try_take(SECOND) && bucket.try_take(SECOND));
        let next = bucket.next_ns();
        assert_eq!(next, SECOND + SECOND / 4);
        assert!(!bucket.try_take(next - 1));
        assert!(bucket.try_take(next));
    }

    #[test]
    fn eight_threads_at_one_moment_share_the_burst_exactly() {
        let bucket = bucket(1.0, 1000.0);
        let taken: usize = thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..1_000).filter(|_| bucket.try_take(SECOND)).count()))
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(taken, 1000);
    }

    #[test]
    fn eight_threads_with_clocks_of_their_own_never_exceed_burst_and_rate() {
        let bucket = bucket(1_000.0, 10.0);
        let taken: usize = thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|worker| {
                    let bucket = &bucket;
                    scope.spawn(move || {
                        (0..10_000u64).filter(|step| bucket.try_take(step * 100_000 + worker * 777)).count()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert!(taken <= 10 + 1_000, "{taken} tokens in one second");
        assert!(taken >= 1_000, "{taken} tokens in one second: some were lost");
    }

    #[test]
    fn a_clock_that_goes_backwards_gives_no_extra_tokens() {
        let bucket = bucket(1.0, 1.0);
        assert!(bucket.try_take(100 * SECOND));
        assert!(!bucket.try_take(50 * SECOND));
        assert!(!bucket.try_take(0));
        assert!(!bucket.try_take(101 * SECOND - 1));
        assert!(bucket.try_take(101 * SECOND));
    }

    #[test]
    fn the_ends_of_the_clock_do_not_overflow() {
        let bucket = bucket(1e-9, 1e300);
        assert!(bucket.try_take(0));
        assert!(bucket.try_take(u64::MAX));
        assert!(bucket.try_take(u64::MAX));
    }

    #[test]
    fn rates_that_mean_nothing_are_refused_and_named() {
        for rate in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.1e9] {
            let message = TokenBucket::new(rate, 1.0).unwrap_err().to_string();
            assert!(message.contains(&format!("invalid rate {rate}")), "{message}");
            assert!(message.contains("per second"), "{message}");
        }
    }

    #[test]
    fn bursts_that_never_give_a_token_are_refused_and_named() {
        for burst in [0.0, 0.99, -5.0, f64::NAN, f64::INFINITY] {
            let message = TokenBucket::new(1.0, burst).unwrap_err().to_string();
            assert!(message.contains(&format!("invalid burst {burst}")), "{message}");
        }
    }

    #[test]
    fn the_customary_burst_is_a_second_and_at_least_one() {
        assert_eq!(Rate::per_second(10.0).burst, 10.0);
        assert_eq!(Rate::per_second(0.1).burst, 1.0);
    }
}
