//! The limits of a capture.

use super::guard::guarded;
use super::memory::{write_struct, Sized32};
use super::status::*;
use crate::capture::Limits;

/// How much one hit captures. A field that is 0 has its default. The engine enforces `snapshot_bytes` and its own nesting limit;
/// the others are for the code of the host that walks values, so that all hosts have one set of numbers.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_limits {
    /// sizeof(nonstop_limits); 0 where the struct stands in another one and all defaults are meant.
    pub struct_size: u32,
    /// How deep values are followed.
    pub depth: u32,
    /// Items of a collection.
    pub items: u32,
    /// Items of a collection that is the value of a named expression.
    pub named_items: u32,
    /// Characters of a text.
    pub text_chars: u32,
    /// Characters of a text that is the value of a named expression.
    pub named_text_chars: u32,
    /// Fields of an object.
    pub fields: u32,
    /// Frames.
    pub frames: u32,
    /// Frames with their locals.
    pub frames_with_locals: u32,
    /// Bytes of a snapshot as JSON.
    pub snapshot_bytes: u32,
}

// SAFETY: repr(C), begins with struct_size, integers only.
unsafe impl Sized32 for nonstop_limits {}

impl nonstop_limits {
    pub(super) fn or_defaults(&self) -> Limits {
        let default = Limits::default();
        let or = |given: u32, default: u32| if given == 0 { default } else { given };
        Limits {
            depth: or(self.depth, default.depth),
            items: or(self.items, default.items),
            named_items: or(self.named_items, default.named_items),
            text_chars: or(self.text_chars, default.text_chars),
            named_text_chars: or(self.named_text_chars, default.named_text_chars),
            fields: or(self.fields, default.fields),
            frames: or(self.frames, default.frames),
            frames_with_locals: or(self.frames_with_locals, default.frames_with_locals),
            snapshot_bytes: or(self.snapshot_bytes, default.snapshot_bytes),
        }
    }
}

/// Writes the default limits into `*out_limits`, whose struct_size is set. Any thread, no cost. Since 1.
///
/// # Safety
/// The pointer is NULL or to a sized struct.
#[no_mangle]
pub unsafe extern "C" fn nonstop_limits_default(out_limits: *mut nonstop_limits) -> nonstop_status {
    guarded(|| {
        let limits = Limits::default();
        let limits = nonstop_limits {
            struct_size: 0,
            depth: limits.depth,
            items: limits.items,
            named_items: limits.named_items,
            text_chars: limits.text_chars,
            named_text_chars: limits.named_text_chars,
            fields: limits.fields,
            frames: limits.frames,
            frames_with_locals: limits.frames_with_locals,
            snapshot_bytes: limits.snapshot_bytes,
        };
        // SAFETY: the host promises a sized struct.
        unsafe { write_struct(out_limits, &limits, "out_limits") }?;
        Ok(NONSTOP_OK)
    })
}
