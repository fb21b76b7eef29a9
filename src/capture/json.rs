//! The parts of JSON text that snapshots and log lines share.

use std::borrow::Cow;

use super::records::{Field, HeadRecord};
use super::Head;

/// The version of `docs/snapshot-schema.md` that is written.
const SCHEMA: u64 = 1;

/// Bytes of JSON that a path takes at most: PATH_MAX of Linux.
const FILE_BYTES: usize = 4096;
/// Bytes of JSON for the name of a function, a thread or a task.
const NAME_BYTES: usize = 1024;
/// Bytes of JSON for the name of a type or a reason.
pub(super) const LABEL_BYTES: usize = 128;
/// Reasons that a snapshot can give for not being complete; more than that help nobody.
const MAX_CUTS: usize = 8;

/// Bytes kept free for the end of the text: the braces and all reasons.
pub(super) const TAIL_BYTES: usize = MAX_CUTS * (LABEL_BYTES + 8) + 128;
/// The least room that an output needs: the largest head, the tail, and one cut value.
pub(super) const LEAST_BYTES: usize = 12 * 1024;

pub(super) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_number(out: &mut Vec<u8>, number: u64) {
    let written = serde_json::to_writer(out, &number);
    debug_assert!(written.is_ok(), "a Vec takes every byte");
}

/// Writes a JSON string. Everything but quotes, backslashes and control characters stays as it is.
pub(super) fn put_string(out: &mut Vec<u8>, text: &str) {
    let written = serde_json::to_writer(out, text);
    debug_assert!(written.is_ok(), "a Vec takes every byte");
}

/// Writes the text of a field as a JSON string.
pub(super) fn put_field(out: &mut Vec<u8>, field: Field<'_>) {
    if is_plain(field.raw()) {
        put_plain(out, field.raw());
    } else {
        put_string(out, &field.text());
    }
}

/// Writes a JSON string of at most `most` bytes (and quotes); a longer one ends with an ellipsis.
pub(super) fn put_label(out: &mut Vec<u8>, label: Field<'_>, most: usize) {
    if label.raw().len() <= most && is_plain(label.raw()) {
        put_plain(out, label.raw());
    } else {
        put_bounded(out, &label.text(), most);
    }
}

/// Whether nothing in a text needs escaping in JSON, nor was escaped in the records. In pieces that the compiler turns
/// into a few wide instructions: with a branch for each byte this took a fifth of the time of a snapshot.
fn is_plain(text: &str) -> bool {
    let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    text.as_bytes().chunks(32).all(|piece| !piece.iter().fold(false, |any, byte| any | special(byte)))
}

fn put_plain(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    put(out, text);
    out.push(b'"');
}

fn put_bounded(out: &mut Vec<u8>, text: &str, most: usize) {
    let start = out.len();
    if text.len() <= most {
        put_string(out, text);
        if out.len() - start <= most + 2 {
            return;
        }
        out.truncate(start);
    }
    // No character takes more than six bytes for each of its own (\u0000).
    let mut end = if text.bytes().take(most).any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        most / 6
    } else {
        most
    };
    end = end.saturating_sub('…'.len_utf8()).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    put_string(out, &text[..end]);
    out.pop();
    put(out, "…\"");
}

/// `,"size":…,"id":…`, each if it is known.
pub(super) fn put_size_and_id(out: &mut Vec<u8>, size: Option<u64>, id: Option<u64>) {
    if let Some(size) = size {
        put(out, ",\"size\":");
        put_number(out, size);
    }
    if let Some(id) = id {
        put(out, ",\"id\":");
        put_number(out, id);
    }
}

/// `,"cut":reason`
pub(super) fn put_cut(out: &mut Vec<u8>, reason: &str) {
    put(out, ",\"cut\":");
    put_bounded(out, reason, LABEL_BYTES);
}

/// Everything up to and including the task: the same for snapshots and log lines.
pub(super) fn put_head(
    out: &mut Vec<u8>,
    head: &Head,
    record: &HeadRecord<'_>,
    wall_clock: impl FnOnce() -> u64,
) {
    put(out, "{\"schema\":");
    put_number(out, SCHEMA);
    put(out, ",\"breakpoint\":");
    put_number(out, head.breakpoint);
    put(out, ",\"location\":{");
    let line = if head.line == 0 { record.line } else { head.line };
    put_place(out, record.file, line, record.function);
    put(out, "},\"hit\":");
    put_number(out, head.hit);
    put(out, ",\"time_ns\":");
    put_number(out, if record.time_ns == 0 { wall_clock() } else { record.time_ns });
    put(out, ",\"thread\":{\"id\":");
    put_number(out, record.thread_id);
    put(out, ",\"name\":");
    put_optional(out, record.thread_name);
    put(out, "},\"task\":");
    put_optional(out, record.task);
}

/// `"file":…,"line":…,"function":…`
pub(super) fn put_place(out: &mut Vec<u8>, file: Field<'_>, line: u32, function: Field<'_>) {
    put(out, "\"file\":");
    put_label(out, file, FILE_BYTES);
    put(out, ",\"line\":");
    put_number(out, u64::from(line));
    put(out, ",\"function\":");
    put_label(out, function, NAME_BYTES);
}

fn put_optional(out: &mut Vec<u8>, field: Field<'_>) {
    if field.is_empty() {
        put(out, "null");
    } else {
        put_label(out, field, NAME_BYTES);
    }
}

/// Why a snapshot is not complete: each reason once.
#[derive(Debug, Default)]
pub(super) struct Cuts<'a> {
    reasons: Vec<Cow<'a, str>>,
}

impl<'a> Cuts<'a> {
    pub fn add(&mut self, reason: impl Into<Cow<'a, str>>) {
        let reason = reason.into();
        if self.reasons.len() < MAX_CUTS && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// `,"cut":[…]}`: the last member.
    pub fn put(&self, out: &mut Vec<u8>) {
        put(out, ",\"cut\":[");
        for (index, reason) in self.reasons.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            put_bounded(out, reason, LABEL_BYTES);
        }
        put(out, "]}");
    }
}
