//! The clocks. Everything below the engine is told the time.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where an engine reads the monotonic time, in nanoseconds, when its host passes none. A host that passes its own
/// `now_ns` must read the same clock; the C ABI sets `CLOCK_MONOTONIC`.
pub type Clock = fn() -> u64;

/// Nanoseconds since the first call, plus one (zero means "no time" in the C ABI).
pub fn since_first_call_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
}

/// Nanoseconds since 1970; 0 on a machine whose clock stands before.
pub fn wall_clock_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
