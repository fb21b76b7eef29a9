//! Encoding what a hit captured, as a snapshot and as the line of a logpoint: an error, or JSON. The first line is the
//! template of a log message, what follows it are records.

use nonstop::capture::{encode_log, encode_snapshot, Head, Limits, Template};

const HEAD: Head = Head { breakpoint: 1, hit: 2, line: 0 };
/// Such as every seed passes.
const NARROW: Limits = Limits {
    depth: 1,
    items: 2,
    named_items: 2,
    text_chars: 3,
    named_text_chars: 5,
    fields: 1,
    frames: 1,
    frames_with_locals: 1,
    snapshot_bytes: 0,
};

/// Encodes records in both ways, under wide limits and under narrow ones.
pub fn check(bytes: &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let records = bytes.get(end + 1..).unwrap_or_default();
    let template = std::str::from_utf8(&bytes[..end]).ok().and_then(|text| Template::parse(text).ok());
    for limits in [Limits::DEFAULT, NARROW] {
        expect_json(encode_snapshot(records, &HEAD, &limits, || 3));
        if let Some(template) = &template {
            expect_json(encode_log(records, template, &HEAD, &limits, || 3));
        }
    }
}

fn expect_json<Error>(encoded: Result<Vec<u8>, Error>) {
    if let Ok(json) = encoded {
        if let Err(error) = serde_json::from_slice::<serde_json::Value>(&json) {
            panic!("{error}: {}", String::from_utf8_lossy(&json));
        }
    }
}
