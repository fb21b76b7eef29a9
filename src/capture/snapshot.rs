//! Snapshots as JSON, under their limits.

use super::grammar::{Grammar, Slot};
use super::json::{
    put, put_cut, put_field, put_head, put_label, put_number, put_place, put_size_and_id, put_string, Cuts,
    LABEL_BYTES, LEAST_BYTES, TAIL_BYTES,
};
use super::names::{Level, Names};
use super::numbers::{put_float, put_integer};
use super::records::{Container, Field, FrameRecord, Record, Records, Shape, Value};
use super::{expression_looks_secret, looks_secret, Head, Limits, RecordsError};

/// However many levels the user wants: what nests deeper is shown as cut.
const MAX_DEPTH: usize = 32;

/// What a level may still write when there is no room any more: its end with size, id and reason, and a cut value for a
/// key that was already written.
const LEVEL_BYTES: usize = 384;

const SNAPSHOT_SIZE: &str = "snapshot size";

/// Turns the records of a hit into the JSON text of a snapshot (`docs/snapshot-schema.md`).
///
/// The text is never longer than `snapshot_bytes` (or 12 KiB, if that is more): the value that goes over the limit is shown
/// with its type only, what follows is left out, and `cut` says so. `wall_clock` is asked for the time, in nanoseconds
/// since 1970, if the head has none.
///
/// # Errors
/// The records are not a stream as described in [`super::records`]; nothing of it is used then.
pub fn encode_snapshot(
    records: &[u8],
    head: &Head,
    limits: &Limits,
    wall_clock: impl FnOnce() -> u64,
) -> Result<Vec<u8>, RecordsError> {
    let mut stream = Records::new(records)?;
    let mut grammar = Grammar::new(false);
    let mut encoder = Encoder::new(records.len(), limits);
    let mut wall_clock = Some(wall_clock);
    for next in stream.by_ref() {
        let (at, record) = next?;
        let slot = grammar.step(&record).map_err(|problem| RecordsError::new(at, problem))?;
        match (record, slot) {
            (Record::Value(value), Some(slot)) => encoder.value(slot, &value),
            (Record::End(_, cut), _) => encoder.end(cut),
            (Record::Frame(frame), _) => encoder.frame(&frame),
            (Record::Captures, _) => encoder.captures(),
            (Record::Cut(reason), _) => encoder.cuts.add(reason.text()),
            (Record::Head(record), _) => {
                if let Some(wall_clock) = wall_clock.take() {
                    put_head(&mut encoder.out, head, &record, wall_clock);
                    put(&mut encoder.out, ",\"frames\":[");
                }
            }
            (Record::Name(_) | Record::Value(_), _) => {}
        }
    }
    grammar.finish().map_err(|problem| RecordsError::new(stream.position(), problem))?;
    Ok(encoder.finish())
}

/// What is being written around the next value.
#[derive(Debug)]
struct Open<'a> {
    shape: Around,
    /// How many items, entries or names were written.
    shown: u32,
    id: Option<u64>,
    size: Option<u64>,
    cut: Option<&'static str>,
    names: Level<'a>,
    /// The key of the current entry is written, its value is not.
    half_entry: bool,
    /// The key of the current entry looks like a secret's.
    secret: bool,
    /// The level is itself the value of an entry, whose bracket it closes.
    closes_entry: bool,
}

impl<'a> Open<'a> {
    fn new(shape: Around, names: Level<'a>) -> Self {
        Self {
            shape,
            names,
            shown: 0,
            id: None,
            size: None,
            cut: None,
            half_entry: false,
            secret: false,
            closes_entry: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    Locals,
    Captures,
    Container(Container),
}

#[derive(Debug)]
struct Encoder<'a> {
    out: Vec<u8>,
    limits: &'a Limits,
    most: usize,
    /// Innermost last; empty where values are left out with their whole section.
    open: Vec<Open<'a>>,
    names: Names<'a>,
    /// How many containers are open that are left out.
    skipped: usize,
    full: bool,
    frames: u32,
    frames_with_locals: u32,
    in_frame: bool,
    in_captures: bool,
    cuts: Cuts<'a>,
}

impl<'a> Encoder<'a> {
    fn new(records_len: usize, limits: &'a Limits) -> Self {
        let most = (limits.snapshot_bytes as usize).max(LEAST_BYTES);
        Self {
            // JSON takes two to three times the bytes of the records.
            out: Vec::with_capacity((records_len * 3 + 512).min(most)),
            limits,
            most,
            open: Vec::with_capacity(8),
            names: Names::new(),
            skipped: 0,
            full: false,
            frames: 0,
            frames_with_locals: 0,
            in_frame: false,
            in_captures: false,
            cuts: Cuts::default(),
        }
    }

    fn frame(&mut self, frame: &FrameRecord<'_>) {
        self.end_section();
        if self.frames >= self.limits.frames {
            self.cuts.add("frames");
            return;
        }
        if self.full {
            return;
        }
        let start = self.out.len();
        if self.frames > 0 {
            self.out.push(b',');
        }
        self.out.push(b'{');
        put_place(&mut self.out, frame.file, frame.line, frame.function);
        let locals = frame.locals && self.frames_with_locals < self.limits.frames_with_locals;
        if locals {
            put(&mut self.out, ",\"locals\":{");
        } else if frame.locals {
            self.cuts.add("locals");
        }
        if self.is_over() {
            self.out.truncate(start);
            self.full = true;
            return;
        }
        self.frames += 1;
        self.in_frame = true;
        if locals {
            self.frames_with_locals += 1;
            self.begin_section(Around::Locals);
        }
    }

    fn captures(&mut self) {
        self.end_section();
        put(&mut self.out, "],\"captures\":{");
        self.in_captures = true;
        self.begin_section(Around::Captures);
    }

    fn finish(mut self) -> Vec<u8> {
        if !self.in_captures {
            self.captures();
        }
        self.end_section();
        self.out.push(b'}');
        if self.full {
            self.cuts.add(SNAPSHOT_SIZE);
        }
        self.cuts.put(&mut self.out);
        self.out
    }

    fn begin_section(&mut self, shape: Around) {
        self.open.push(Open::new(shape, self.names.begin()));
    }

    fn end_section(&mut self) {
        if let Some(section) = self.open.pop() {
            self.names.end(&section.names);
            if section.shape == Around::Locals {
                self.out.push(b'}');
            }
        }
        if std::mem::take(&mut self.in_frame) {
            self.out.push(b'}');
        }
    }

    fn value(&mut self, slot: Slot<'a>, value: &Value<'a>) {
        let begins = matches!(value.shape, Shape::Begin { .. });
        if self.skipped > 0 || !self.take_place(slot) {
            self.skipped += usize::from(begins);
            return;
        }
        let start = self.out.len();
        let secret = self.is_secret(slot);
        put(&mut self.out, "{\"type\":");
        put_label(&mut self.out, value.type_name, LABEL_BYTES);
        let mut opened = false;
        if self.full {
            // The value of an entry whose key filled the snapshot.
            put_cut(&mut self.out, SNAPSHOT_SIZE);
        } else if secret {
            put(&mut self.out, ",\"redacted\":true");
        } else {
            opened = self.shape(&value.shape);
        }
        if !opened {
            self.out.push(b'}');
        }
        if !self.full && self.is_over() {
            self.out.truncate(start);
            put(&mut self.out, "{\"type\":");
            put_label(&mut self.out, value.type_name, LABEL_BYTES);
            put_cut(&mut self.out, SNAPSHOT_SIZE);
            self.out.push(b'}');
            self.full = true;
            opened = false;
        }
        if opened {
            self.open_container(&value.shape, slot == Slot::EntryValue);
        } else {
            self.skipped += usize::from(begins);
            if slot == Slot::EntryValue {
                self.end_entry();
            }
        }
        if let (Slot::Key, Shape::Text { text, .. }) = (slot, value.shape) {
            let secret = looks_secret(&text.text());
            if let Some(top) = self.open.last_mut() {
                top.secret = secret;
            }
        }
    }

    /// Writes what comes before a value: comma, brackets, name. False if the value is left out.
    fn take_place(&mut self, slot: Slot<'a>) -> bool {
        let items = if self.in_captures { self.limits.named_items } else { self.limits.items };
        let start = self.out.len();
        let Some(top) = self.open.last_mut() else {
            return false;
        };
        let most = match top.shape {
            Around::Container(Container::Fields) => self.limits.fields,
            Around::Container(_) => items,
            Around::Locals | Around::Captures => u32::MAX,
        };
        if slot == Slot::EntryValue {
            if top.half_entry {
                self.out.push(b',');
            }
            return top.half_entry;
        }
        if let Slot::Named(name) = slot {
            if !self.names.add(&mut top.names, name.raw()) {
                self.cuts.add(format!("second value of {}", name.text()));
                return false;
            }
        }
        if top.shown >= most {
            top.cut =
                Some(if top.shape == Around::Container(Container::Fields) { "fields" } else { "items" });
            return false;
        }
        if self.full {
            top.cut = Some(SNAPSHOT_SIZE);
            return false;
        }
        if top.shown > 0 {
            self.out.push(b',');
        }
        top.shown += 1;
        match slot {
            Slot::Key => {
                self.out.push(b'[');
                top.half_entry = true;
                top.secret = false;
            }
            Slot::Named(name) => {
                put_field(&mut self.out, name);
                self.out.push(b':');
            }
            Slot::Item | Slot::EntryValue => {}
        }
        if !self.is_over() {
            return true;
        }
        self.full = true;
        self.out.truncate(start);
        if let Some(top) = self.open.last_mut() {
            top.shown -= 1;
            top.half_entry = false;
            top.cut = Some(SNAPSHOT_SIZE);
        }
        false
    }

    fn is_secret(&self, slot: Slot<'a>) -> bool {
        let Some(top) = self.open.last() else {
            return false;
        };
        match slot {
            Slot::EntryValue => top.secret,
            Slot::Named(name) if top.shape == Around::Captures => expression_looks_secret(&name.text()),
            Slot::Named(name) => looks_secret(&name.text()),
            Slot::Item | Slot::Key => false,
        }
    }

    /// Writes what a value is, behind its type; whether a container was opened.
    fn shape(&mut self, shape: &Shape<'a>) -> bool {
        let out = &mut self.out;
        match *shape {
            Shape::Int(digits) => {
                put(out, ",\"value\":");
                put_integer(out, digits);
            }
            Shape::Float(text, number) => {
                put(out, ",\"value\":");
                put_float(out, text, number);
            }
            Shape::Bool(true) => put(out, ",\"value\":true"),
            Shape::Bool(false) => put(out, ",\"value\":false"),
            Shape::None => put(out, ",\"value\":null"),
            Shape::Text { text, size, cut } => self.text(text, size, cut),
            Shape::Begin { kind, id, size } => {
                // The section itself is the first level of `open`.
                let depth = (self.limits.depth as usize).min(MAX_DEPTH);
                if self.open.len() > depth {
                    put_size_and_id(out, size, id);
                    put_cut(out, "depth");
                    return false;
                }
                put(
                    out,
                    match kind {
                        Container::Items => ",\"items\":[",
                        Container::Entries => ",\"entries\":[",
                        Container::Fields => ",\"fields\":{",
                    },
                );
                return true;
            }
            Shape::Reference(id) => {
                put(out, ",\"ref\":");
                put_number(out, id);
            }
            Shape::Omitted(cut) => {
                put(out, ",\"cut\":");
                put_label(out, cut, LABEL_BYTES);
            }
        }
        false
    }

    fn text(&mut self, text: Field<'a>, size: Option<u64>, cut: Field<'a>) {
        let most = if self.in_captures { self.limits.named_text_chars } else { self.limits.text_chars };
        let out = &mut self.out;
        put(out, ",\"value\":");
        let mut own_cut = false;
        // What has no more bytes than that has no more characters either.
        if text.raw().len() <= most as usize {
            put_field(out, text);
            put_size_and_id(out, size, None);
        } else {
            let text = text.text();
            let end = text.char_indices().nth(most as usize).map(|(end, _)| end);
            own_cut = end.is_some();
            put_string(out, &text[..end.unwrap_or(text.len())]);
            let size = size.or_else(|| end.map(|_| text.chars().count() as u64));
            put_size_and_id(out, size, None);
        }
        if !cut.is_empty() {
            put(out, ",\"cut\":");
            put_label(out, cut, LABEL_BYTES);
        } else if own_cut {
            put_cut(out, "characters");
        }
    }

    fn open_container(&mut self, shape: &Shape<'a>, closes_entry: bool) {
        if let Shape::Begin { kind, id, size } = *shape {
            self.open.push(Open {
                id,
                size,
                closes_entry,
                ..Open::new(Around::Container(kind), self.names.begin())
            });
        }
    }

    fn end(&mut self, cut: Field<'a>) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        // Sections end otherwise: only containers get here, since the grammar has accepted the end.
        let Some(ended) = self.open.pop() else {
            return;
        };
        self.names.end(&ended.names);
        let out = &mut self.out;
        out.push(if ended.shape == Around::Container(Container::Fields) { b'}' } else { b']' });
        put_size_and_id(out, ended.size, ended.id);
        match ended.cut {
            Some(reason) => put_cut(out, reason),
            None if !cut.is_empty() => {
                put(out, ",\"cut\":");
                put_label(out, cut, LABEL_BYTES);
            }
            None => {}
        }
        out.push(b'}');
        if ended.closes_entry {
            self.end_entry();
        }
    }

    fn end_entry(&mut self) {
        self.out.push(b']');
        if let Some(top) = self.open.last_mut() {
            top.half_entry = false;
        }
    }

    /// Whether there is no longer room for what must be written in any case.
    fn is_over(&self) -> bool {
        self.out.len() + TAIL_BYTES + (self.open.len() + 2) * LEVEL_BYTES > self.most
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
