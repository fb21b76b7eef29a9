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
//! In the order of the tags above, [`Record`] is what the text means.

use std::borrow::Cow;
use std::fmt;

/// Ends a record.
pub const RS: char = '\x1e';
/// Separates fields.
pub const US: char = '\x1f';
/// Escapes the three in a field.
pub const DLE: char = '\x10';

/// No record has more fields than the head with its tag.
const MAX_FIELDS: usize = 8;

/// A stream that is not what this module describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsError {
    /// The byte of the stream where the offending record or field begins.
    pub at: usize,
    problem: String,
}

impl RecordsError {
    pub(super) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self {
            at,
            problem: problem.into(),
        }
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
    raw: &'a str,
    escaped: bool,
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
        if self.escaped {
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

/// The records of a stream with the byte where each begins. After an error it ends.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Records<'a> {
    /// Looks at a stream.
    ///
    /// # Errors
    /// The bytes are not UTF-8.
    pub fn new(stream: &'a [u8]) -> Result<Self, RecordsError> {
        match std::str::from_utf8(stream) {
            Ok(text) => Ok(Self { text, at: 0 }),
            Err(error) => Err(RecordsError::new(
                error.valid_up_to(),
                "not UTF-8; encode texts as UTF-8 and replace what cannot be encoded (lone surrogates)",
            )),
        }
    }

    /// The byte where the next record begins.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    fn read(&mut self) -> Result<Record<'a>, RecordsError> {
        let start = self.at;
        let fields = self.split()?;
        parse(&fields).map_err(|problem| RecordsError::new(start, problem))
    }

    /// Cuts the next record into its fields and moves behind it.
    fn split(&mut self) -> Result<Fields<'a>, RecordsError> {
        let bytes = self.text.as_bytes();
        let mut fields = Fields::default();
        let mut begin = self.at;
        let mut escaped = false;
        let mut at = begin;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                0x1e | 0x1f => {
                    let raw = &self.text[begin..at];
                    if !fields.push(Field { raw, escaped }) {
                        return Err(RecordsError::new(begin, "a record with more than 8 fields"));
                    }
                    begin = at + 1;
                    escaped = false;
                    if byte == 0x1e {
                        self.at = begin;
                        return Ok(fields);
                    }
                }
                0x10 => {
                    if !matches!(bytes.get(at + 1), Some(b'p' | b'r' | b'u')) {
                        return Err(RecordsError::new(
                            at,
                            "0x10 must be followed by p, r or u; write 0x10 itself as 0x10 p",
                        ));
                    }
                    escaped = true;
                    at += 1;
                }
                _ => {}
            }
            at += 1;
        }
        Err(RecordsError::new(
            self.at,
            "the last record does not end with 0x1e",
        ))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<(usize, Record<'a>), RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.text.len() {
            return None;
        }
        let start = self.at;
        let record = self.read();
        if record.is_err() {
            self.at = self.text.len();
        }
        Some(record.map(|record| (start, record)))
    }
}

#[derive(Default)]
struct Fields<'a> {
    fields: [Field<'a>; MAX_FIELDS],
    count: usize,
}

impl<'a> Fields<'a> {
    fn push(&mut self, field: Field<'a>) -> bool {
        match self.fields.get_mut(self.count) {
            Some(place) => {
                *place = field;
                self.count += 1;
                true
            }
            None => false,
        }
    }

    fn field(&self, index: usize) -> Field<'a> {
        self.fields.get(index).copied().unwrap_or_default()
    }

    fn optional_number(&self, index: usize, what: &str) -> Result<Option<u64>, String> {
        let raw = self.field(index).raw;
        if raw.is_empty() {
            return Ok(None);
        }
        // `parse` alone would also take a sign.
        if raw.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Ok(number) = raw.parse() {
                return Ok(Some(number));
            }
        }
        Err(format!(
            "{what} is {}, not a number of at most 64 bits",
            quote(raw)
        ))
    }

    fn number(&self, index: usize, what: &str) -> Result<u64, String> {
        Ok(self.optional_number(index, what)?.unwrap_or(0))
    }

    fn line(&self, index: usize) -> Result<u32, String> {
        let line = self.number(index, "the line")?;
        u32::try_from(line).map_err(|_| format!("the line is {line}, more than 32 bits"))
    }

    fn flag(&self, index: usize, what: &str) -> Result<bool, String> {
        match self.field(index).raw {
            "0" => Ok(false),
            "1" => Ok(true),
            other => Err(format!("{what} is {}, not 0 or 1", quote(other))),
        }
    }
}

fn parse<'a>(fields: &Fields<'a>) -> Result<Record<'a>, String> {
    let tag = fields.field(0).raw;
    let value = |shape| {
        Record::Value(Value {
            type_name: fields.field(1),
            shape,
        })
    };
    let begin = |kind| {
        Ok::<_, String>(value(Shape::Begin {
            kind,
            id: fields.optional_number(2, "the id")?,
            size: fields.optional_number(3, "the size")?,
        }))
    };
    let (record, most) = match tag {
        "i" => (value(Shape::Int(integer(fields.field(2).raw)?)), 3),
        "t" => {
            let (text, cut) = (fields.field(2), fields.field(4));
            let size = fields.optional_number(3, "the size")?;
            (value(Shape::Text { text, size, cut }), 5)
        }
        "n" => (Record::Name(fields.field(1)), 2),
        "d" => {
            let raw = fields.field(2).raw;
            let number = raw
                .parse()
                .map_err(|_| format!("{} is no floating-point number", quote(raw)))?;
            (value(Shape::Float(raw, number)), 3)
        }
        "b" => (value(Shape::Bool(fields.flag(2, "the truth value")?)), 3),
        "z" => (value(Shape::None), 2),
        "[" => (begin(Container::Items)?, 4),
        "{" => (begin(Container::Entries)?, 4),
        "(" => (begin(Container::Fields)?, 4),
        "]" => (Record::End(Container::Items, fields.field(1)), 2),
        "}" => (Record::End(Container::Entries, fields.field(1)), 2),
        ")" => (Record::End(Container::Fields, fields.field(1)), 2),
        "@" => match fields.optional_number(2, "the id")? {
            Some(id) => (value(Shape::Reference(id)), 3),
            None => return Err("a reference without an id".to_owned()),
        },
        "x" => (value(Shape::Omitted(fields.field(2))), 3),
        "h" => {
            let head = HeadRecord {
                file: fields.field(1),
                line: fields.line(2)?,
                function: fields.field(3),
                time_ns: fields.number(4, "the time")?,
                thread_id: fields.number(5, "the thread id")?,
                thread_name: fields.field(6),
                task: fields.field(7),
            };
            (Record::Head(head), 8)
        }
        "f" => {
            let frame = FrameRecord {
                file: fields.field(1),
                line: fields.line(2)?,
                function: fields.field(3),
                locals: fields.flag(4, "the flag for locals")?,
            };
            (Record::Frame(frame), 5)
        }
        "c" => (Record::Captures, 1),
        "k" => (Record::Cut(fields.field(1)), 2),
        _ => return Err(format!("{} is no tag of a record", quote(tag))),
    };
    if fields.count > most {
        return Err(format!(
            "record {tag:?} has {} fields, at most {most} are known",
            fields.count
        ));
    }
    Ok(record)
}

/// JSON knows only canonical integers: no plus sign, no leading zeros, no minus zero.
fn integer(raw: &str) -> Result<&str, String> {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let canonical = match digits.as_bytes() {
        [b'0'] => raw.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical {
        Ok(raw)
    } else {
        Err(format!("{} is no integer in decimal digits", quote(raw)))
    }
}

/// The offending text for a message, without its tail if it is long.
fn quote(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
