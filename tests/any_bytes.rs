//! What the fuzz targets check (fuzz/), without a fuzzer: with samples of every interpreter, and with these changed at random.

#[path = "../fuzz/src/lib.rs"]
mod inputs;

use inputs::dialects::dialects;
use inputs::seeds::of_target;
use inputs::{decode, records, texts};
use nonstop::code::{Bytecode, Decoded, Span};
use nonstop::patch::{patch, Original, Probe};

/// Marsaglia, "Xorshift RNGs", 2003.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    /// Changes, adds, drops or repeats a few bytes.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(6) {
            let (at, byte) = (self.below(bytes.len()), self.below(256) as u8);
            match self.below(8) {
                0 => bytes.insert(at, byte),
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 => {
                    let end = bytes.len().min(at + 2 * self.below(9));
                    let repeated = bytes[at..end].to_vec();
                    bytes.splice(at..at, repeated);
                }
                // Small numbers are lengths and targets more often than others.
                3 | 4 => bytes.iter_mut().skip(at).take(1).for_each(|own| *own = byte % 24),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|own| *own = byte),
            }
        }
    }
}

/// Every seed of a target as it is, and so many changed ones.
fn try_all(target: &str, check: fn(&[u8]), changed: usize) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let seeds = of_target(target);
    seeds.iter().for_each(|seed| check(seed));
    for _ in 0..changed {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        random.change(&mut bytes);
        check(&bytes);
    }
}

#[test]
fn every_dialect_has_samples_that_are_rewritten_where_a_hook_can_be_called() {
    for dialect in dialects() {
        assert!(dialect.samples.len() > 10);
        for sample in &dialect.samples {
            let (facts, code, lines) = (&dialect.facts, &*sample.code, &*sample.lines);
            let bytes = Bytecode { facts, code, lines, exceptions: &sample.exceptions };
            let (first_line, stack_size) = (sample.first_line, sample.stack_size);
            let decoded = Decoded::read(&bytes, first_line).unwrap();
            let begin = decoded.instructions[decoded.prologue];
            let span = Span::of_line(begin.line);
            let probe = Probe { offset: begin.offset, span, hook: 40, argument: 50 };
            let made = patch(&Original { bytes, first_line, stack_size }, &[probe]);
            assert_eq!(made.is_ok(), facts.call.is_some(), "{made:?}");
        }
    }
}

#[test]
fn code_is_read_or_refused() {
    try_all("decode", decode::check, 8_000);
}

#[test]
fn code_is_rewritten_so_that_it_does_the_same_or_refused() {
    try_all("patch", inputs::patch::check, 4_000);
}

#[test]
fn texts_are_read_or_refused() {
    try_all("texts", texts::check, 40_000);
}

#[test]
fn records_are_json_or_refused() {
    try_all("records", records::check, 40_000);
}
