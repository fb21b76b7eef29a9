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

/// Reads all elements of an array of sized structs. Each is as long as the size of the first says, so an element of another
/// size is one whose size was not set, or memory of something else.
///
/// # Safety
/// The pointer is NULL, or points to `count` structs as for `read_struct`, one right after the other.
pub(super) unsafe fn read_structs<T: Sized32>(
    pointer: *const T,
    count: usize,
    what: &'static str,
) -> Result<impl Iterator<Item = Result<T, Failure>>, Failure> {
    if pointer.is_null() && count > 0 {
        return Err(Failure::null(what));
    }
    let bytes = pointer.cast::<u8>();
    // SAFETY: the first element has at least its size, by the caller's promise.
    let stride = if count == 0 { 0 } else { unsafe { bytes.cast::<u32>().read_unaligned() } };
    Ok((0..count).map(move |index| {
        // SAFETY: the elements before this one were found to have that size, so it begins here, by the caller's promise.
        let element = unsafe { bytes.add(index * stride as usize) };
        // SAFETY: as above; at least its size is readable.
        let size = unsafe { element.cast::<u32>().read_unaligned() };
        if size != stride {
            let detail = format!(
                "the struct_size of {what} is {size}, but that of the first is {stride}: set all alike"
            );
            return Err(Failure::new(NONSTOP_ERROR_STRUCT_SIZE, detail));
        }
        // SAFETY: the caller's promise.
        unsafe { read_struct(element.cast::<T>(), what) }
    }))
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
    expect_out(pointer, what)?;
    // SAFETY: the caller's promise; the memory may be uninitialised, so nothing is dropped there.
    unsafe { pointer.write(value) };
    Ok(())
}

/// Fails for an output pointer that can't be written to, before anything is done.
pub(super) fn expect_out<T>(pointer: *mut T, what: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::null(what));
    }
    expect_aligned(pointer, what)
}

/// Fails for a buffer that can't be written to; NULL may be one without room.
pub(super) fn expect_aligned<T>(pointer: *mut T, what: &str) -> Result<(), Failure> {
    if pointer.is_aligned() {
        return Ok(());
    }
    Err(Failure::argument(format!("{what} is misaligned")))
}

/// Fails for an output struct that can't be written to, before anything is done.
///
/// # Safety
/// As for `write_struct`.
pub(super) unsafe fn expect_struct<T: Sized32>(pointer: *mut T, what: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::null(what));
    }
    // SAFETY: at least the size is readable, by the caller's promise.
    check_size(unsafe { pointer.cast::<u32>().read_unaligned() } as usize, what)
}

/// Copies an array out, with its count. When it does not fit, only the count is written. `what` is the name of `out_count`.
///
/// # Safety
/// `buffer` is NULL or has `capacity` writable places; `out_count` is NULL or writable.
pub(super) unsafe fn put_all<T: Copy>(
    values: &[T],
    buffer: *mut T,
    capacity: usize,
    out_count: *mut usize,
    what: &str,
) -> Result<nonstop_status, Failure> {
    expect_aligned(buffer, "the buffer")?;
    // SAFETY: the caller's promise.
    unsafe { put(out_count, values.len(), what) }?;
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

/// Flags above `last` are of a newer library, and so is anything in what is reserved.
pub(super) fn expect_known(flags: u32, last: u32, reserved: u32) -> Result<(), Failure> {
    if flags > last || reserved != 0 {
        let detail = format!("flags are {flags:#x} and reserved is {reserved}: use a newer library");
        return Err(Failure::argument(detail));
    }
    Ok(())
}

/// Lines are told in ascending order, each once.
pub(super) fn expect_ascending(lines: &[u32]) -> Result<(), Failure> {
    if lines.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Failure::argument("lines must be ascending, each once"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::status::{NONSTOP_ERROR_INVALID_ARGUMENT, NONSTOP_ERROR_NULL_POINTER};
    use super::*;

    #[test]
    fn an_output_that_cannot_be_written_is_refused_before_anything_is_done() {
        let mut room = [7u64; 2];
        let odd = room.as_mut_ptr().cast::<u8>().wrapping_add(1).cast::<u64>();
        // SAFETY: NULL and misaligned pointers are what is refused.
        let refused = unsafe {
            [
                put(std::ptr::null_mut(), 1u64, "out").unwrap_err(),
                put(odd, 1, "out").unwrap_err(),
                put_all(&[1, 2], odd, 2, &mut 0, "out_count").unwrap_err(),
            ]
        };
        assert_eq!(
            refused.map(|failure| failure.status),
            [NONSTOP_ERROR_NULL_POINTER, NONSTOP_ERROR_INVALID_ARGUMENT, NONSTOP_ERROR_INVALID_ARGUMENT]
        );
        assert_eq!(room, [7, 7]);
    }

    #[test]
    fn an_array_that_no_memory_could_hold_is_refused() {
        let one = [1u32];
        for (pointer, count) in [(one.as_ptr(), usize::MAX), (std::ptr::null(), 1)] {
            // SAFETY: an impossible count and NULL are what is refused.
            assert!(unsafe { slice(pointer, count, "lines") }.is_err());
        }
        // SAFETY: there is nothing to read.
        assert!(unsafe { slice(std::ptr::null::<u32>(), 0, "lines") }.is_ok_and(<[u32]>::is_empty));
    }
}
