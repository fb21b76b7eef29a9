//! Text of the host.

use std::ffi::c_char;

use super::error::Failure;
use super::memory::slice;
use super::status::NONSTOP_ERROR_INVALID_UTF8;

/// A text inside a struct: `len` bytes from `data`, which need not end with a zero byte. {NULL, 0} is the empty text.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct nonstop_text {
    /// The bytes; the library reads them during the call only.
    pub data: *const c_char,
    /// How many.
    pub len: usize,
}

/// # Safety
/// As for `slice`.
pub(super) unsafe fn bytes<'a>(data: *const c_char, len: usize, what: &str) -> Result<&'a [u8], Failure> {
    // SAFETY: the caller's promise.
    unsafe { slice(data.cast::<u8>(), len, what) }
}

/// # Safety
/// As for `slice`.
pub(super) unsafe fn utf8<'a>(data: *const c_char, len: usize, what: &str) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(data, len, what) }?;
    std::str::from_utf8(bytes).map_err(|error| {
        let detail =
            format!("{what} is not UTF-8: the bytes from {} on make no character", error.valid_up_to());
        Failure::new(NONSTOP_ERROR_INVALID_UTF8, detail)
    })
}

impl nonstop_text {
    /// # Safety
    /// As for `slice`.
    pub(super) unsafe fn bytes<'a>(self, what: &str) -> Result<&'a [u8], Failure> {
        // SAFETY: the caller's promise.
        unsafe { bytes(self.data, self.len, what) }
    }

    /// # Safety
    /// As for `slice`.
    pub(super) unsafe fn utf8<'a>(self, what: &str) -> Result<&'a str, Failure> {
        // SAFETY: the caller's promise.
        unsafe { utf8(self.data, self.len, what) }
    }
}
