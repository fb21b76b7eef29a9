//! What the tests of this module share: a notation for streams, and pseudo-random streams.

use super::records::Container;
use super::RecordWriter;

/// A stream in a readable notation: `|` for US, `;` for RS.
pub(super) fn stream(text: &str) -> Vec<u8> {
    text.replace('|', "\x1f").replace(';', "\x1e").into_bytes()
}

/// Pseudo-random numbers (xorshift64*), the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

const WORDS: &[&str] = &[
    "h",
    "f",
    "c",
    "n",
    "i",
    "d",
    "b",
    "z",
    "t",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "@",
    "x",
    "k",
    "\x1f",
    "\x1f",
    "\x1f",
    "\x1e",
    "\x1e",
    "\x1e",
    "\x10",
    "\x10p",
    "\x10r",
    "0",
    "1",
    "-1",
    "12",
    "1.5",
    "nan",
    "inf",
    "1e999",
    "str",
    "int",
    "é",
    "😀",
    "\"",
    "\\",
    "\n",
    "\0",
    "password",
    "18446744073709551615",
    "99999999999999999999",
];

const TEXTS: &[&str] = &[
    "",
    "x",
    "total",
    "password",
    "é€😀",
    "a\x10b\x1ec\x1fd",
    "\"\\\n\0",
    "a longer text of more than a few characters",
];

/// One input of the corpus: bytes, words, a good stream, or a good stream with changes, in turn.
pub(super) fn corpus(dice: &mut Dice, round: usize) -> Vec<u8> {
    match round % 8 {
        0..=2 => {
            let length = dice.below(64);
            (0..length).map(|_| dice.next() as u8).collect()
        }
        3..=5 => {
            let length = dice.below(40);
            let words: String = (0..length).map(|_| dice.pick(WORDS)).collect();
            format!("h\x1e{words}").into_bytes()
        }
        6 => good_stream(dice, 4, None),
        _ => {
            let mut bytes = good_stream(dice, 3, Some(3));
            for _ in 0..dice.below(3) {
                let at = dice.below(bytes.len());
                let word = dice.pick(WORDS).as_bytes();
                match dice.below(3) {
                    0 => bytes.truncate(at),
                    1 => bytes[at] = dice.next() as u8,
                    _ => drop(bytes.splice(at..at, word.iter().copied())),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            bytes
        }
    }
}

/// A stream that is as it should be, with up to `most` values in each section; with so many captures, if that is given.
pub(super) fn good_stream(dice: &mut Dice, most: usize, captures: Option<usize>) -> Vec<u8> {
    let mut writer = RecordWriter::new();
    writer.head(dice.pick(TEXTS), 3, "f", dice.next(), 7, dice.pick(TEXTS), dice.pick(TEXTS));
    for _ in 0..dice.below(4) {
        let locals = dice.below(2) == 0;
        writer.frame(dice.pick(TEXTS), 5, dice.pick(TEXTS), locals);
        for index in 0..if locals { dice.below(most) } else { 0 } {
            writer.name(&format!("{}{index}", dice.pick(TEXTS)));
            good_value(dice, &mut writer, 0);
        }
        if dice.below(8) == 0 {
            writer.cut(dice.pick(TEXTS));
        }
    }
    writer.captures();
    for _ in 0..captures.unwrap_or_else(|| dice.below(most)) {
        writer.name(dice.pick(TEXTS));
        good_value(dice, &mut writer, 0);
    }
    writer.finish()
}

fn good_value(dice: &mut Dice, writer: &mut RecordWriter, depth: usize) {
    let name = dice.pick(TEXTS);
    match dice.below(if depth > 40 { 8 } else { 12 }) {
        0 => writer.int("int", dice.next() as i64),
        1 => writer.float("float", f64::from_bits(dice.next())),
        2 => writer.bool("bool", true),
        3 => writer.none("NoneType"),
        4 | 5 => writer.text(name, dice.pick(TEXTS), Some(dice.next()), dice.pick(TEXTS)),
        6 => writer.reference("list", dice.next()),
        7 => writer.omitted(name, dice.pick(TEXTS)),
        8 | 9 => {
            writer.begin(Container::Items, name, Some(dice.next()), None);
            for _ in 0..dice.below(4) {
                good_value(dice, writer, depth + 1);
            }
            writer.end(dice.pick(TEXTS)).unwrap();
        }
        10 => {
            writer.begin(Container::Entries, "dict", None, Some(3));
            for _ in 0..dice.below(4) {
                good_value(dice, writer, depth + 1);
                good_value(dice, writer, depth + 1);
            }
            writer.end("").unwrap();
        }
        _ => {
            writer.begin(Container::Fields, name, None, None);
            for _ in 0..dice.below(4) {
                writer.name(dice.pick(TEXTS));
                good_value(dice, writer, depth + 1);
            }
            writer.end("").unwrap();
        }
    }
}
