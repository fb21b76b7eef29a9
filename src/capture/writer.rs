//! Building a record stream call by call.

use std::fmt::Write;

use super::records::{Container, RecordsError, DLE, RS, US};

/// Appends well-formed records to a buffer. The order of the calls is checked when the records are encoded; only
/// [`RecordWriter::end`] must know what it ends.
#[derive(Clone, Debug, Default)]
pub struct RecordWriter {
    stream: String,
    open: Vec<Container>,
}

impl RecordWriter {
    /// An empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The head: where, when and who. Absent texts are empty; `time_ns` 0 lets the engine read the clock.
    #[allow(clippy::too_many_arguments)] // It is one record, and its fields have no other home.
    pub fn head(
        &mut self,
        file: &str,
        line: u32,
        function: &str,
        time_ns: u64,
        thread_id: u64,
        thread_name: &str,
        task: &str,
    ) {
        self.stream.push('h');
        self.field(file);
        self.number(Some(u64::from(line)));
        self.field(function);
        self.number(Some(time_ns));
        self.number(Some(thread_id));
        self.field(thread_name);
        self.field(task);
        self.stream.push(RS);
    }

    /// A frame, the innermost first; with `locals` its named values follow.
    pub fn frame(&mut self, file: &str, line: u32, function: &str, locals: bool) {
        self.stream.push('f');
        self.field(file);
        self.number(Some(u64::from(line)));
        self.field(function);
        self.field(if locals { "1" } else { "0" });
        self.stream.push(RS);
    }

    /// The captures begin.
    pub fn captures(&mut self) {
        self.stream.push('c');
        self.stream.push(RS);
    }

    /// Names the next value.
    pub fn name(&mut self, name: &str) {
        self.stream.push('n');
        self.field(name);
        self.stream.push(RS);
    }

    /// An integer.
    pub fn int(&mut self, type_name: &str, value: i64) {
        self.tag('i', type_name);
        self.stream.push(US);
        let written = write!(self.stream, "{value}");
        debug_assert!(written.is_ok(), "a String takes every character");
        self.stream.push(RS);
    }

    /// A floating-point number, infinities and NaN included.
    pub fn float(&mut self, type_name: &str, value: f64) {
        self.tag('d', type_name);
        self.stream.push(US);
        // The shortest text that gives the number back, always with a point or an exponent.
        let written = write!(self.stream, "{value:?}");
        debug_assert!(written.is_ok(), "a String takes every character");
        self.stream.push(RS);
    }

    /// A truth value.
    pub fn bool(&mut self, type_name: &str, value: bool) {
        self.tag('b', type_name);
        self.field(if value { "1" } else { "0" });
        self.stream.push(RS);
    }

    /// None, nil, null.
    pub fn none(&mut self, type_name: &str) {
        self.tag('z', type_name);
        self.stream.push(RS);
    }

    /// A text; `size` is its true length and `cut` the reason if it is not whole (else empty).
    pub fn text(&mut self, type_name: &str, text: &str, size: Option<u64>, cut: &str) {
        self.tag('t', type_name);
        self.field(text);
        self.number(size);
        self.field(cut);
        self.stream.push(RS);
    }

    /// Begins a container; its values and [`RecordWriter::end`] follow.
    pub fn begin(&mut self, kind: Container, type_name: &str, id: Option<u64>, size: Option<u64>) {
        self.tag(
            match kind {
                Container::Items => '[',
                Container::Entries => '{',
                Container::Fields => '(',
            },
            type_name,
        );
        self.number(id);
        self.number(size);
        self.stream.push(RS);
        self.open.push(kind);
    }

    /// Ends the container begun last; `cut` is the reason if it is not whole (else empty).
    ///
    /// # Errors
    /// None is open.
    pub fn end(&mut self, cut: &str) -> Result<(), RecordsError> {
        let Some(kind) = self.open.pop() else {
            return Err(RecordsError::new(self.stream.len(), "an end without a begin"));
        };
        self.stream.push(match kind {
            Container::Items => ']',
            Container::Entries => '}',
            Container::Fields => ')',
        });
        self.field(cut);
        self.stream.push(RS);
        Ok(())
    }

    /// A container that is shown elsewhere in the stream.
    pub fn reference(&mut self, type_name: &str, id: u64) {
        self.tag('@', type_name);
        self.number(Some(id));
        self.stream.push(RS);
    }

    /// A value that is not shown, and why.
    pub fn omitted(&mut self, type_name: &str, cut: &str) {
        self.tag('x', type_name);
        self.field(cut);
        self.stream.push(RS);
    }

    /// Why the snapshot as a whole is not complete.
    pub fn cut(&mut self, reason: &str) {
        self.stream.push('k');
        self.field(reason);
        self.stream.push(RS);
    }

    /// How many bytes were written: a host that wants to stop early looks here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stream.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stream.is_empty()
    }

    /// The records.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.stream.into_bytes()
    }

    fn tag(&mut self, tag: char, type_name: &str) {
        self.stream.push(tag);
        self.field(type_name);
    }

    fn number(&mut self, number: Option<u64>) {
        self.stream.push(US);
        if let Some(number) = number {
            let written = write!(self.stream, "{number}");
            debug_assert!(written.is_ok(), "a String takes every character");
        }
    }

    fn field(&mut self, text: &str) {
        self.stream.push(US);
        if !text.contains([DLE, RS, US]) {
            self.stream.push_str(text);
            return;
        }
        for char in text.chars() {
            match char {
                DLE => self.stream.push_str("\x10p"),
                RS => self.stream.push_str("\x10r"),
                US => self.stream.push_str("\x10u"),
                char => self.stream.push(char),
            }
        }
    }
}
