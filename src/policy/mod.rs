//! The hit rules of a breakpoint, one rule a file: hit condition, number of hits, rate, expiry, thread.
//!
//! Time is always passed in, as nanoseconds of one monotonic clock: rules are exact under test and never read a clock
//! themselves. Every rule works on `&self` without locks and is exact when many threads arrive at once.

mod expiry;
mod hit_condition;
mod max_hits;
mod rate;
mod rules;
mod thread;

pub use expiry::Expiry;
pub use hit_condition::{HitCondition, HitConditionError};
pub use max_hits::MaxHits;
pub use rate::{Rate, RateError, TokenBucket};
pub use rules::{HitOutcome, RuleSpec, Rules, Skip};
pub use thread::ThreadFilter;
