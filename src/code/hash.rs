//! A hasher for keys that are integers already: addresses and small indices.

use std::hash::{BuildHasherDefault, Hasher};

/// Multiplies by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4: Fibonacci hashing), which spreads
/// aligned addresses over the high bits that `dashmap` picks its shard from. The default hasher resists attackers who
/// choose keys, which nobody does here, and costs ten times as much on the path of every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct IntHasher(u64);

/// Builds [`IntHasher`]s.
pub type IntHash = BuildHasherDefault<IntHasher>;

impl Hasher for IntHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}
