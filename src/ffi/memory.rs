//! The host's memory: pointers, arrays, sized structs, and objects handed over and taken back.

use std::mem::{size_of, MaybeUninit};

use super::error::Failure;
use super::status::{nonstop_status, NONSTOP_ERROR_BUFFER_TOO_SMALL, NONSTOP_ERROR_STRUCT_SIZE, NONSTOP_OK};

/// Ties a C type to its one owner: what `into_host` gives out, only `from_host` of the same type takes back.
pub(super) trait Handle: Sized {
    /// The name of the pointer in messages.
    const NAME: &'static str;

    /// Hands the object to the host.
    fn into_host(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }

    /// Takes the object back from the host; `None` for NULL.
    ///
    /// # Safety
    /// The pointer is NULL, or came from `into_host` and was not taken back; nothing else uses it from now on.
    unsafe fn from_host(pointer: *mut Self) -> Option<Box<Self>> {
        // SAFETY: the caller's promise.
        (!pointer.is_null()).then(|| unsafe { Box::from_raw(pointer) })
    }

    /// Borrows the object.
    ///
    /// # Safety
    /// The pointer is NULL or points to a live object, which is not changed or freed while the borrow lives.
    unsafe fn borrow<'a>(pointer: *const Self) -> Result<&'a Self, Failure> {
        // SAFETY: the caller's promise.
        unsafe { pointer.as_ref() }.ok_or_else(|| Failure::null(Self::NAME))
    }

    /// Borrows the object for changing it.
    ///
    /// # Safety
    /// As for `borrow`, and nothing else uses the object while the borrow lives.
    unsafe fn borrow_mut<'a>(pointer: *mut Self) -> Result<&'a mut Self, Failure> {
        // SAFETY: the caller's promise.
        unsafe { pointer.as_mut() }.ok_or_else(|| Failure::null(Self::NAME))
    }
}

/// A C struct that begins with `uint32_t struct_size` and for which all-zero bytes are a value.
///
/// # Safety
/// The type is `repr(C)`, begins with that field, and any bytes are a value of each field (integers, floats, raw pointers).
pub(super) unsafe trait Sized32: Copy {}

/// Reads a sized struct: what the host's version lacks is zero, what this library does not know must be zero.
///
/// # Safety
/// The pointer is NULL, or points to at least 4 readable bytes, and to as many as the number in them says.
pub(super) unsafe fn read_struct<T: Sized32>(pointer: *const T, what: &str) -> Result<T, Failure> {
    if pointer.is_null() {
        return Err(Failure::null(what));
    }
    let bytes = pointer.cast::<u8>();
    // SAFETY: at least the size is readable, by the caller's promise.
    let size = unsafe { bytes.cast::<u32>().read_unaligned() } as usize;
    check_size(size, what)?;
    let known = size.min(size_of::<T>());
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable by the caller's promise, and fit; both are bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes, value.as_mut_ptr().cast::<u8>(), known) };
    // SAFETY: `size` bytes are readable by the caller's promise.
    let tail = unsafe { std::slice::from_raw_parts(bytes.add(known), size - known) };
    if tail.iter().any(|&byte| byte != 0) {
        return Err(Failure::new(
            NONSTOP_ERROR_STRUCT_SIZE,
            format!(
                "{what} has {size} bytes and sets fields beyond the {} that this library knows: use a newer library",
                size_of::<T>()
            ),
        ));
    }
    // SAFETY: the trait promises that these bytes are a value.
    Ok(unsafe { value.assume_init() })
}

/// Writes a sized struct: as much of it as the host has room for, and zeroes beyond what this library knows.
///
/// # Safety
/// As for `read_struct`, with writable memory.
pub(super) unsafe fn write_struct<T: Sized32>(pointer: *mut T, value: &T, what: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::null(what));
    }
    let bytes = pointer.cast::<u8>();
    // SAFETY: at least the size is readable, by the caller's promise.
    let size = unsafe { bytes.cast::<u32>().read_unaligned() } as usize;
    check_size(size, what)?;
    let known = size.min(size_of::<T>());
    let skip = size_of::<u32>();
    // SAFETY: the host's `size` bytes are writable by the caller's promise; the first four keep the host's own size.
    unsafe {
        std::ptr::copy_nonoverlapping(
            std::ptr::from_ref(value).cast::<u8>().add(skip),
            bytes.add(skip),
            known - skip,
        );
        std::ptr::write_bytes(bytes.add(known), 0, size - known);
    }
    Ok(())
}

/// No struct of this library is ever that long: such a size is memory that was not set.
const ABSURD_SIZE: usize = 1 << 16;

fn check_size(size: usize, what: &str) -> Result<(), Failure> {
    if (size_of::<u32>()..=ABSURD_SIZE).contains(&size) {
        return Ok(());
    }
    let detail = format!("the struct_size of {what} is {size}: set it to sizeof of the struct");
    Err(Failure::new(NONSTOP_ERROR_STRUCT_SIZE, detail))
}

/// An array of the host; NULL is an empty one.
///
/// # Safety
/// The pointer is NULL, or points to `count` readable values that do not change while the borrow lives.
pub(super) unsafe fn slice<'a, T>(pointer: *const T, count: usize, what: &str) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Failure::null(what));
    }
    if !pointer.is_aligned() || count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Failure::argument(format!("{what} is misaligned or has an impossible count ({count})")));
    }
    // SAFETY: the caller's promise; alignment and size were checked.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// Writes one output value.
///
/// # Safety
/// The pointer is NULL or writable.
pub(super) unsafe fn put<T>(pointer: *mut T, value: T, what: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::null(what));
    }
    // SAFETY: the caller's promise; the memory may be uninitialised, so nothing is dropped there.
    unsafe { pointer.write(value) };
    Ok(())
}

/// Fails for a NULL output pointer before anything is done.
pub(super) fn expect_out<T>(pointer: *mut T, what: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::null(what));
    }
    Ok(())
}

/// Copies an array out, with its count. When it does not fit, only the count is written.
///
/// # Safety
/// `buffer` is NULL or has `capacity` writable places; `out_count` is NULL or writable.
pub(super) unsafe fn put_all<T: Copy>(
    values: &[T],
    buffer: *mut T,
    capacity: usize,
    out_count: *mut usize,
) -> Result<nonstop_status, Failure> {
    // SAFETY: the caller's promise.
    unsafe { put(out_count, values.len(), "out_count") }?;
    if values.is_empty() {
        return Ok(NONSTOP_OK);
    }
    if buffer.is_null() || values.len() > capacity {
        let detail = format!("there are {} items, and room for {capacity}", values.len());
        return Err(Failure::new(NONSTOP_ERROR_BUFFER_TOO_SMALL, detail));
    }
    // SAFETY: there is room for `capacity`, by the caller's promise, and no more are written.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), buffer, values.len()) };
    Ok(NONSTOP_OK)
}
