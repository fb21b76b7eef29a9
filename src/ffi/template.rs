//! Log templates.

use std::ffi::c_char;

use super::error::Failure;
use super::guard::guarded;
use super::memory::put_all;
use super::status::*;
use super::text::utf8;
use crate::capture::{Part, Template};

/// Kind of a part: text that stands in the message as it is.
pub const NONSTOP_PART_LITERAL: i32 = 0;
/// Kind of a part: an expression, whose value stands in the message.
pub const NONSTOP_PART_EXPRESSION: i32 = 1;

/// A part of a log template. Offsets and lengths are bytes of the template's text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_template_part {
    /// NONSTOP_PART_LITERAL or NONSTOP_PART_EXPRESSION.
    pub kind: i32,
    /// The conversion of an expression, 'r', 's' or 'a'; 0: none.
    pub conversion: u32,
    /// Where the literal or the expression begins.
    pub start: usize,
    /// How long it is.
    pub len: usize,
    /// Where the format specification begins.
    pub spec_start: usize,
    /// How long it is; 0: none.
    pub spec_len: usize,
}

/// Takes a log template apart: "total={total} of {user.name!r} {x:>10.2f} {{literal}}", in the syntax of Python's f-strings. The
/// host compiles the expressions, and sends their values in order with each hit. `parts` has room for `capacity`,
/// `*out_count` is how many there are. BUFFER_TOO_SMALL: only `*out_count` was written. INVALID_TEMPLATE: the detail names the
/// position and the remedy. Any thread. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_template_parse(
    text: *const c_char,
    text_len: usize,
    parts: *mut nonstop_template_part,
    capacity: usize,
    out_count: *mut usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let text = unsafe { utf8(text, text_len, "text") }?;
        let template = Template::parse(text)
            .map_err(|error| Failure::new(NONSTOP_ERROR_INVALID_TEMPLATE, error.to_string()))?;
        let all: Vec<nonstop_template_part> = template
            .parts()
            .iter()
            .zip(template.spans())
            .map(|(part, span)| {
                let (kind, conversion) = match part {
                    Part::Literal(_) => (NONSTOP_PART_LITERAL, 0),
                    Part::Expression { conversion, .. } => {
                        (NONSTOP_PART_EXPRESSION, conversion.map_or(0, u32::from))
                    }
                };
                nonstop_template_part {
                    kind,
                    conversion,
                    start: span.text.start,
                    len: span.text.len(),
                    spec_start: span.format_spec.start,
                    spec_len: span.format_spec.len(),
                }
            })
            .collect();
        // SAFETY: the host promises the room.
        unsafe { put_all(&all, parts, capacity, out_count, "out_count") }
    })
}
