//! The limits of a capture.

use std::mem::size_of;

use super::error::Failure;
use super::guard::guarded;
use super::memory::{write_struct, Sized32};
use super::status::*;
use crate::capture::Limits;

/// How much one hit captures. A field that is 0 has its default. The engine holds every host to them, and the document says
/// in `cut` what was left out; a host that stops at them while it walks values collects nothing in vain.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_limits {
    /// sizeof(nonstop_limits). 0 where the struct stands in another one and all its fields are 0.
    pub struct_size: u32,
    /// How many levels of collections and objects are shown inside each other; 32 at most.
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
    /// Bytes of a snapshot as JSON. Less than 12 KiB counts as 12 KiB.
    pub snapshot_bytes: u32,
}

// SAFETY: repr(C), begins with struct_size, integers only.
unsafe impl Sized32 for nonstop_limits {}

impl nonstop_limits {
    /// The limits that a struct inside another one means.
    pub(super) fn checked(&self) -> Result<Limits, Failure> {
        let default = Limits::default();
        let or = |given: u32, default: u32| if given == 0 { default } else { given };
        let limits = Limits {
            depth: or(self.depth, default.depth),
            items: or(self.items, default.items),
            named_items: or(self.named_items, default.named_items),
            text_chars: or(self.text_chars, default.text_chars),
            named_text_chars: or(self.named_text_chars, default.named_text_chars),
            fields: or(self.fields, default.fields),
            frames: or(self.frames, default.frames),
            frames_with_locals: or(self.frames_with_locals, default.frames_with_locals),
            snapshot_bytes: or(self.snapshot_bytes, default.snapshot_bytes),
        };
        if self.struct_size as usize == size_of::<Self>() || (self.struct_size == 0 && limits == default) {
            return Ok(limits);
        }
        let detail =
            format!("the struct_size of limits is {}: set it to sizeof(nonstop_limits)", self.struct_size);
        Err(Failure::new(NONSTOP_ERROR_STRUCT_SIZE, detail))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(struct_size: usize, depth: u32) -> nonstop_limits {
        // SAFETY: all-zero bytes are a value, as the trait promises.
        let zero: nonstop_limits = unsafe { std::mem::zeroed() };
        nonstop_limits { struct_size: struct_size as u32, depth, ..zero }
    }

    #[test]
    fn a_struct_of_zeroes_means_the_defaults() {
        assert_eq!(limits(0, 0).checked().unwrap(), Limits::DEFAULT);
        assert_eq!(limits(size_of::<nonstop_limits>(), 0).checked().unwrap(), Limits::DEFAULT);
    }

    #[test]
    fn a_field_counts_only_in_a_struct_that_says_its_size() {
        let sized = limits(size_of::<nonstop_limits>(), 7).checked().unwrap();
        assert_eq!(sized, Limits { depth: 7, ..Limits::DEFAULT });
        for size in [0, 4, size_of::<nonstop_limits>() + 4] {
            let refused = limits(size, 7).checked().unwrap_err();
            assert_eq!(refused.status, NONSTOP_ERROR_STRUCT_SIZE);
            assert!(refused.detail.contains(&format!("is {size}:")), "{}", refused.detail);
        }
    }
}
