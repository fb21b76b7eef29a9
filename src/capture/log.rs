//! Log lines: the message of a logpoint, made of its template and the captured values.

use super::format::{apply, Plain};
use super::grammar::{Grammar, Slot};
use super::json::{put, put_head, put_string, Cuts};
use super::records::{Field, Record, Records, Shape, Value};
use super::template::{Part, Template};
use super::text::{brackets_of, quote, Brackets};
use super::{expression_looks_secret, looks_secret, Head, Limits, RecordsError};

/// What nests deeper is shown as an ellipsis.
const MAX_DEPTH: usize = 32;

const REDACTED: &str = "<redacted>";

/// Turns the records of a hit into the JSON text of a log line (`docs/snapshot-schema.md`): the head of a snapshot, and
/// `message`.
///
/// The captures hold one value for each expression of the template, in order. Values are written like a compact `repr`; a
/// text that is the whole value of an expression without `!r` stands as it is. Expressions and names that look like
/// secrets give `<redacted>`. The message has at most four times `named_text_chars` bytes; then `cut` says `message`.
///
/// # Errors
/// The records are not a stream as described in [`super::records`], or there are more or fewer values than expressions.
pub fn encode_log(
    records: &[u8],
    template: &Template,
    head: &Head,
    limits: &Limits,
    wall_clock: impl FnOnce() -> u64,
) -> Result<Vec<u8>, RecordsError> {
    let mut stream = Records::new(records)?;
    let mut grammar = Grammar::new(true);
    let mut message = Message::new(template, limits);
    let mut cuts = Cuts::default();
    let mut out = Vec::with_capacity(512);
    let mut wall_clock = Some(wall_clock);
    // Frames say nothing in a log line: their locals are checked and left out.
    let mut in_captures = false;
    for next in stream.by_ref() {
        let (at, record) = next?;
        let slot = grammar.step(&record).map_err(|problem| RecordsError::new(at, problem))?;
        match (record, slot) {
            (Record::Value(value), Some(slot)) if in_captures => {
                message.value(slot, &value).map_err(|problem| RecordsError::new(at, problem))?;
            }
            (Record::End(_, cut), _) if in_captures => message.end(cut),
            (Record::Captures, _) => in_captures = true,
            (Record::Cut(reason), _) => cuts.add(reason.text()),
            (Record::Head(record), _) => {
                if let Some(wall_clock) = wall_clock.take() {
                    put_head(&mut out, head, &record, wall_clock);
                }
            }
            _ => {}
        }
    }
    grammar.finish().map_err(|problem| RecordsError::new(stream.position(), problem))?;
    if message.next_expression() {
        return Err(RecordsError::new(stream.position(), message.count_problem("fewer")));
    }
    if message.truncate() {
        cuts.add("message");
    }
    put(&mut out, ",\"message\":");
    put_string(&mut out, &message.text);
    cuts.put(&mut out);
    Ok(out)
}

/// A container that is being written.
#[derive(Debug)]
struct Open {
    brackets: Brackets,
    /// Where its brackets begin in the message.
    start: usize,
    shown: usize,
    /// The key of the current entry looks like a secret's.
    secret: bool,
}

/// The expression whose value is being written.
#[derive(Clone, Copy, Debug, Default)]
struct Current<'t> {
    source: &'t str,
    conversion: Option<char>,
    format_spec: &'t str,
    /// Where its text begins in the message.
    start: usize,
}

#[derive(Debug)]
struct Message<'t> {
    text: String,
    most: usize,
    text_chars: usize,
    template: &'t Template,
    next_part: usize,
    current: Current<'t>,
    open: Vec<Open>,
    /// How many containers are open that are left out.
    skipped: usize,
}

impl<'t> Message<'t> {
    fn new(template: &'t Template, limits: &Limits) -> Self {
        let text_chars = limits.named_text_chars as usize;
        Self {
            text: String::with_capacity(128),
            most: text_chars.saturating_mul(4),
            text_chars,
            template,
            next_part: 0,
            current: Current::default(),
            open: Vec::new(),
            skipped: 0,
        }
    }

    fn count_problem(&self, how: &str) -> String {
        let count = self.template.expression_count();
        format!("{how} values than the {count} expressions of the template")
    }

    /// Writes the literals up to the next expression; false if there is none.
    fn next_expression(&mut self) -> bool {
        let template = self.template;
        while let Some(part) = template.parts().get(self.next_part) {
            self.next_part += 1;
            match part {
                Part::Literal(literal) => self.push(literal),
                Part::Expression { source, conversion, format_spec } => {
                    self.current =
                        Current { source, conversion: *conversion, format_spec, start: self.text.len() };
                    return true;
                }
            }
        }
        false
    }

    /// Writes a value or the begin of one.
    fn value(&mut self, slot: Slot<'_>, value: &Value<'_>) -> Result<(), String> {
        let begins = matches!(value.shape, Shape::Begin { .. });
        if self.skipped > 0 {
            self.skipped += usize::from(begins);
            return Ok(());
        }
        let top_level = self.open.is_empty();
        if top_level && !self.next_expression() {
            return Err(self.count_problem("more"));
        }
        let secret =
            if top_level { expression_looks_secret(self.current.source) } else { self.separate(slot) };
        let mut opened = false;
        if secret {
            self.push(REDACTED);
        } else if self.is_full() || (begins && self.open.len() >= MAX_DEPTH) {
            self.push("…");
        } else {
            opened = self.shape(value, top_level);
        }
        if opened {
            return Ok(());
        }
        self.skipped += usize::from(begins);
        if let (Slot::Key, Shape::Text { text, .. }, Some(top)) = (slot, value.shape, self.open.last_mut()) {
            top.secret = looks_secret(&text.text());
        }
        if top_level && !secret {
            self.format(&value.shape);
        }
        Ok(())
    }

    fn end(&mut self, cut: Field<'_>) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let Some(ended) = self.open.pop() else {
            return;
        };
        let brackets = ended.brackets;
        match (ended.shown, cut.is_empty()) {
            (0, true) if !brackets.empty.is_empty() && !self.is_full() => {
                self.text.truncate(ended.start);
                self.push(brackets.empty);
            }
            (1, true) => self.push(brackets.close_one),
            (_, true) => self.push(brackets.close),
            (shown, false) => {
                self.push(if shown > 0 { ", …" } else { "…" });
                self.push(brackets.close);
            }
        }
        if self.open.is_empty() {
            self.format(&Shape::None);
        }
    }

    /// Writes what comes before a value in a container; whether the value is redacted.
    fn separate(&mut self, slot: Slot<'_>) -> bool {
        let Some(top) = self.open.last_mut() else {
            return false;
        };
        if slot == Slot::EntryValue {
            let secret = top.secret;
            self.push(": ");
            return secret;
        }
        let first = top.shown == 0;
        top.shown += 1;
        top.secret = false;
        if !first {
            self.push(", ");
        }
        let Slot::Named(name) = slot else {
            return false;
        };
        let name = name.text();
        self.push(&name);
        self.push("=");
        looks_secret(&name)
    }

    /// Writes the value itself; whether a container was opened.
    fn shape(&mut self, value: &Value<'_>, top_level: bool) -> bool {
        match value.shape {
            Shape::Int(digits) => self.push(digits),
            Shape::Float(text, _) => self.push(text),
            Shape::Bool(true) => self.push("True"),
            Shape::Bool(false) => self.push("False"),
            Shape::None => self.push("None"),
            Shape::Text { text, cut, .. } => self.text(value.type_name, text, cut, top_level),
            Shape::Begin { kind, .. } => {
                let name = value.type_name.text();
                let brackets = brackets_of(kind, &name);
                if brackets.named {
                    self.push(&name);
                }
                let start = self.text.len();
                self.push(brackets.open);
                self.open.push(Open { brackets, start, shown: 0, secret: false });
                return true;
            }
            Shape::Reference(_) => self.angled(value.type_name, "..."),
            Shape::Omitted(cut) => self.angled(value.type_name, &cut.text()),
        }
        false
    }

    fn text(&mut self, type_name: Field<'_>, text: Field<'_>, cut: Field<'_>, top_level: bool) {
        let text = text.text();
        let end = text.char_indices().nth(self.text_chars).map(|(end, _)| end);
        let shown = &text[..end.unwrap_or(text.len())];
        let conversion = self.current.conversion;
        // Only texts are quoted: what a host shows as text (an enum's name, bytes) already looks as it should.
        let quoted = type_name.raw() == "str" && (!top_level || matches!(conversion, Some('r' | 'a')));
        if quoted {
            quote(&mut self.text, shown, conversion == Some('a'));
        } else {
            self.push(shown);
        }
        if end.is_some() || !cut.is_empty() {
            self.push("…");
        }
    }

    fn angled(&mut self, type_name: Field<'_>, what: &str) {
        self.push("<");
        self.push(&type_name.text());
        self.push(if what == "..." { " " } else { ": " });
        self.push(what);
        self.push(">");
    }

    /// Applies the format specification to the value that was just written.
    fn format(&mut self, shape: &Shape<'_>) {
        let Current { conversion, format_spec, start, .. } = self.current;
        if format_spec.is_empty() || self.is_full() {
            return;
        }
        let Some(written) = self.text.get(start..) else {
            return;
        };
        let plain = match *shape {
            _ if conversion.is_some() => Plain::Text(written),
            Shape::Int(digits) => Plain::Int(digits),
            Shape::Float(text, number) => Plain::Float(number, text),
            // Python formats truth values as the integers that they are.
            Shape::Bool(value) => Plain::Int(if value { "1" } else { "0" }),
            _ => Plain::Text(written),
        };
        if let Some(formatted) = apply(format_spec, plain) {
            self.text.truncate(start);
            self.text.push_str(&formatted);
        }
    }

    fn push(&mut self, text: &str) {
        if !self.is_full() {
            self.text.push_str(text);
        }
    }

    fn is_full(&self) -> bool {
        self.text.len() > self.most
    }

    /// Brings the message down to its limit; whether that was necessary.
    fn truncate(&mut self) -> bool {
        if !self.is_full() {
            return false;
        }
        let mut end = self.most.saturating_sub('…'.len_utf8());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        self.text.truncate(end);
        self.text.push('…');
        true
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
