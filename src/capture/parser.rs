//! Reading the text of a record stream.

use super::records::{Container, Field, FrameRecord, HeadRecord, Record, RecordsError, Shape, Value};

/// No record has more fields than the head with its tag.
const MAX_FIELDS: usize = 8;

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

    #[inline]
    fn read(&mut self) -> Result<Record<'a>, RecordsError> {
        let start = self.at;
        let fields = self.split()?;
        parse(&fields).map_err(|problem| RecordsError::new(start, problem))
    }

    /// Cuts the next record into its fields and moves behind it.
    #[inline]
    fn split(&mut self) -> Result<Fields<'a>, RecordsError> {
        let rest = &self.text[self.at..];
        let bytes = rest.as_bytes();
        let mut fields = Fields::default();
        for (end, &byte) in bytes.iter().enumerate() {
            // Nearly all bytes are text: one comparison for them.
            if byte >= 0x20 {
                continue;
            }
            match byte {
                0x1e | 0x1f => {
                    if !fields.push(end) {
                        return Err(RecordsError::new(self.at, "a record with more than 8 fields"));
                    }
                    if byte == 0x1e {
                        fields.record = &rest[..end];
                        self.at += end + 1;
                        return Ok(fields);
                    }
                }
                0x10 if !matches!(bytes.get(end + 1), Some(b'p' | b'r' | b'u')) => {
                    return Err(RecordsError::new(
                        self.at + end,
                        "0x10 must be followed by p, r or u; write 0x10 itself as 0x10 p",
                    ));
                }
                _ => {}
            }
        }
        Err(RecordsError::new(self.at, "the last record does not end with 0x1e"))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<(usize, Record<'a>), RecordsError>;

    #[inline]
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

/// The fields of a record: only where they end, since most are looked at once and some never.
#[derive(Default)]
struct Fields<'a> {
    record: &'a str,
    ends: [usize; MAX_FIELDS],
    count: usize,
}

impl<'a> Fields<'a> {
    #[inline]
    fn push(&mut self, end: usize) -> bool {
        match self.ends.get_mut(self.count) {
            Some(place) => {
                *place = end;
                self.count += 1;
                true
            }
            None => false,
        }
    }

    #[inline]
    fn field(&self, index: usize) -> Field<'a> {
        if index >= self.count {
            return Field::default();
        }
        let begin = if index == 0 { 0 } else { self.ends[index - 1] + 1 };
        Field { raw: &self.record[begin..self.ends[index]] }
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
        Err(format!("{what} is {}, not a number of at most 64 bits", quote(raw)))
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

#[inline]
fn parse<'a>(fields: &Fields<'a>) -> Result<Record<'a>, String> {
    let tag = fields.field(0).raw;
    let value = |shape| Record::Value(Value { type_name: fields.field(1), shape });
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
            let number = raw.parse().map_err(|_| format!("{} is no floating-point number", quote(raw)))?;
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
        return Err(format!("record {tag:?} has {} fields, at most {most} are known", fields.count));
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
