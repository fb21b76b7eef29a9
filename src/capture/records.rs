//! The record stream: how a host describes a hit.
//!
//! A stream is UTF-8 text. A record ends with RS (0x1e), its fields are separated by US (0x1f), the first field is a
//! one-letter tag. Inside a field DLE (0x10) escapes: DLE is written as DLE `p`, RS as DLE `r`, US as DLE `u`; everything
//! else stands for itself. An empty field means "absent"; empty fields at the end of a record may be left out.
//!
//! | record (`␟` is US) | meaning |
//! |---|---|
//! | `h␟file␟line␟function␟time_ns␟thread_id␟thread_name␟task` | the head: exactly once, first. `time_ns`: wall clock; 0 or absent: the engine reads it |
//! | `f␟file␟line␟function␟locals` | a frame, innermost first. `locals` 1: named values follow; 0: they were not collected |
//! | `c` | the captures: named values follow. At most once, after the frames |
//! | `n␟name` | names the next value (in locals, captures and the fields of an object) |
//! | `i␟type␟decimal` | an integer of any size |
//! | `d␟type␟number` | a floating-point number; also `inf`, `-inf`, `nan` |
//! | `b␟type␟0` or `1` | a truth value |
//! | `z␟type` | nothing (None) |
//! | `t␟type␟text␟size␟cut` | a text, or a value shown as text. `size`: its true length if the text is shorter |
//! | `[␟type␟id␟size` … `]␟cut` | a collection: values |
//! | `{␟type␟id␟size` … `}␟cut` | a mapping: key, value, key, value, … |
//! | `(␟type␟id␟size` … `)␟cut` | an object: named values |
//! | `@␟type␟id` | the collection, mapping or object with this id, which was already shown or is being shown |
//! | `x␟type␟cut` | a value that is not shown, and why |
//! | `k␟reason` | why the snapshot as a whole is not complete; between records of the top level |
//!
//! `cut` is a short reason why something ends here (`items`, `depth`, `time`, …), absent if it is complete. `id` is a
//! number that is unique for the object within the stream; objects that nothing refers to need none. For a logpoint the
//! captures hold one value for each expression of the template, in order; their names may be left out.
//!
//! In the order of the tags above, [`Record`] is what the text means; [`Records`] reads it.

use std::borrow::Cow;
use std::fmt;

pub use super::parser::Records;

/// Ends a record.
pub const RS: char = '\x1e';
/// Separates fields.
pub const US: char = '\x1f';
/// Escapes the three in a field.
pub const DLE: char = '\x10';

/// A stream that is not what this module describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsError {
    /// The byte of the stream where the offending record or field begins.
    pub at: usize,
    problem: String,
}

impl RecordsError {
    pub(super) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into() }
    }
}

impl fmt::Display for RecordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid records at byte {}: {}", self.at, self.problem)
    }
}

impl std::error::Error for RecordsError {}

/// A field as it stands in the stream; it is unescaped when it is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Field<'a> {
    pub(super) raw: &'a str,
}

impl<'a> Field<'a> {
    /// Whether the field is absent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The escaped text. Every text has one escaped form, so equal fields have equal raw texts.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The text; it is copied only if something in it is escaped, which real programs hardly ever have.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        if self.raw.as_bytes().contains(&(DLE as u8)) {
            Cow::Owned(unescape(self.raw))
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(char) = chars.next() {
        text.push(if char == DLE {
            match chars.next() {
                Some('r') => RS,
                Some('u') => US,
                // The parser lets only 'p' get here.
                _ => DLE,
            }
        } else {
            char
        });
    }
    text
}

/// The three shapes that hold other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// `[ ]`: values.
    Items,
    /// `{ }`: keys and values.
    Entries,
    /// `( )`: named values.
    Fields,
}

/// Where the breakpoint is and who hit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadRecord<'a> {
    /// The file of the innermost frame.
    pub file: Field<'a>,
    /// Its line, 0 if unknown.
    pub line: u32,
    /// Its function.
    pub function: Field<'a>,
    /// The wall clock in nanoseconds since 1970, 0 if the engine is to read it.
    pub time_ns: u64,
    /// The thread as the host numbers it.
    pub thread_id: u64,
    /// The thread's name.
    pub thread_name: Field<'a>,
    /// The task (asyncio and the like) that runs in the thread.
    pub task: Field<'a>,
}

/// A frame of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRecord<'a> {
    /// Its file.
    pub file: Field<'a>,
    /// Its line, 0 if unknown.
    pub line: u32,
    /// Its function.
    pub function: Field<'a>,
    /// Whether its locals follow.
    pub locals: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape<'a> {
    /// An integer: its canonical decimal text.
    Int(&'a str),
    /// A number: its text, and what it is.
    Float(&'a str, f64),
    /// A truth value.
    Bool(bool),
    /// None.
    None,
    /// A text.
    Text {
        /// As much of it as is shown.
        text: Field<'a>,
        /// Its true length.
        size: Option<u64>,
        /// Why it is not whole.
        cut: Field<'a>,
    },
    /// The begin of a container; an [`Record::End`] follows in time.
    Begin {
        /// Which shape it has.
        kind: Container,
        /// By what number it is referred to.
        id: Option<u64>,
        /// Its true number of items.
        size: Option<u64>,
    },
    /// A container shown elsewhere.
    Reference(u64),
    /// Not shown, and why.
    Omitted(Field<'a>),
}

/// A value or the begin of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value<'a> {
    /// The name of its type.
    pub type_name: Field<'a>,
    /// What it is.
    pub shape: Shape<'a>,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record<'a> {
    /// `h`
    Head(HeadRecord<'a>),
    /// `f`
    Frame(FrameRecord<'a>),
    /// `c`
    Captures,
    /// `n`
    Name(Field<'a>),
    /// `i d b z t [ { ( @ x`
    Value(Value<'a>),
    /// `] } )`
    End(Container, Field<'a>),
    /// `k`
    Cut(Field<'a>),
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
