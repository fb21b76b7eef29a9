//! Captures.

use std::cell::UnsafeCell;
use std::ffi::c_char;
use std::thread::ThreadId;

use super::engine::nonstop_engine;
use super::error::Failure;
use super::guard::guarded;
use super::hits::nonstop_ticket;
use super::memory::{expect_out, put, Handle};
use super::status::*;
use super::text::{bytes, nonstop_text, utf8};
use crate::capture::records::Container;
use crate::capture::RecordWriter;

/// Sends what one hit captured as a stream of records (docs/snapshot-schema.md describes them): the way for hosts that build
/// the stream themselves, in one call. Verdict CAPTURE: queued; DROPPED: the queue is full or closed, and the hit is counted
/// so. INVALID_RECORDS: the detail names the byte; the hit is counted as dropped. NOT_FOUND: the ticket was answered already.
/// INVALID_ARGUMENT: its condition is still open. Never blocks. Any thread; a few microseconds for ten values. Since 1.
///
/// # Safety
/// `records` has `records_len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_records(
    engine: *const nonstop_engine,
    ticket: nonstop_ticket,
    records: *const c_char,
    records_len: usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, records) =
            unsafe { (nonstop_engine::borrow(engine)?, bytes(records, records_len, "records")?) };
        Ok(engine.engine.capture(ticket, records)? as i32)
    })
}

/// What one hit captured, while it is being described call by call. It belongs to the thread that made it: any other gets
/// WRONG_THREAD.
pub struct nonstop_capture {
    ticket: nonstop_ticket,
    owner: ThreadId,
    /// Touched by the owner only. Another thread may look at `owner` meanwhile, so nobody ever borrows the whole for changing.
    writer: UnsafeCell<RecordWriter>,
}

impl Handle for nonstop_capture {
    const NAME: &'static str = "capture";
}

impl nonstop_capture {
    fn check_thread(&self) -> Result<(), Failure> {
        if self.owner == std::thread::current().id() {
            return Ok(());
        }
        Err(Failure::new(NONSTOP_ERROR_WRONG_THREAD, "this capture belongs to the thread that made it"))
    }
}

/// # Safety
/// As for [`Handle::borrow`].
unsafe fn change(
    capture: *mut nonstop_capture,
    write: impl FnOnce(&mut RecordWriter) -> Result<(), Failure>,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let capture = unsafe { nonstop_capture::borrow(capture) }?;
        capture.check_thread()?;
        // SAFETY: this is the one thread that comes here, and `write` does not come here again.
        write(unsafe { &mut *capture.writer.get() })?;
        Ok(NONSTOP_OK)
    })
}

/// Where and when a hit was.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_capture_head {
    /// The line.
    pub line: u32,
    /// 0.
    pub reserved: u32,
    /// The file, UTF-8.
    pub file: nonstop_text,
    /// The function.
    pub function: nonstop_text,
    /// The wall clock, in nanoseconds since 1970; 0: the engine reads it.
    pub time_ns: u64,
    /// The thread.
    pub thread_id: u64,
    /// Its name; may be empty.
    pub thread_name: nonstop_text,
    /// The name of the task (a coroutine's); may be empty.
    pub task: nonstop_text,
}

/// Begins to describe what one hit captured. On OK `*out_capture` is yours: send it with nonstop_capture_send or free it with
/// nonstop_capture_free. `head` is copied. Only sending looks at the ticket. This thread only. Since 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_new(
    ticket: nonstop_ticket,
    head: *const nonstop_capture_head,
    out_capture: *mut *mut nonstop_capture,
) -> nonstop_status {
    guarded(|| {
        expect_out(out_capture, "out_capture")?;
        // SAFETY: the host's promise.
        let head = unsafe { head.as_ref() }.ok_or_else(|| Failure::null("head"))?;
        if head.reserved != 0 {
            return Err(Failure::argument(format!("reserved is {}: use a newer library", head.reserved)));
        }
        // SAFETY: the host's promise.
        let (file, function, thread_name, task) = unsafe {
            (
                head.file.utf8("file")?,
                head.function.utf8("function")?,
                head.thread_name.utf8("thread_name")?,
                head.task.utf8("task")?,
            )
        };
        let mut writer = RecordWriter::new();
        writer.head(file, head.line, function, head.time_ns, head.thread_id, thread_name, task);
        let owner = std::thread::current().id();
        let capture = nonstop_capture { ticket, owner, writer: UnsafeCell::new(writer) };
        // SAFETY: the host's promise.
        unsafe { put(out_capture, capture.into_host(), "out_capture") }?;
        Ok(NONSTOP_OK)
    })
}

/// Begins a frame, the innermost first. When `with_locals` is 1, its locals follow: each a nonstop_capture_name and a value. This
/// thread only. Since 1.
///
/// # Safety
/// The pointers are NULL or as said; `capture` is live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_frame(
    capture: *mut nonstop_capture,
    file: *const c_char,
    file_len: usize,
    line: u32,
    function: *const c_char,
    function_len: usize,
    with_locals: i32,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            let (file, function) = (utf8(file, file_len, "file")?, utf8(function, function_len, "function")?);
            writer.frame(file, line, function, with_locals != 0);
            Ok(())
        })
    }
}

/// Begins the expressions: each a nonstop_capture_name with the text of the expression, and its value. For a log action there
/// is one for each expression of the template, in order. After the frames. This thread only. Since 1.
///
/// # Safety
/// `capture` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_expressions(capture: *mut nonstop_capture) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            writer.captures();
            Ok(())
        })
    }
}

/// Names the value that follows: a local, an expression, a field. This thread only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_name(
    capture: *mut nonstop_capture,
    name: *const c_char,
    name_len: usize,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            writer.name(utf8(name, name_len, "name")?);
            Ok(())
        })
    }
}

/// A whole number. `type` is the name of its type in the host's language. This thread only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_int(
    capture: *mut nonstop_capture,
    r#type: *const c_char,
    type_len: usize,
    value: i64,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            writer.int(utf8(r#type, type_len, "type")?, value);
            Ok(())
        })
    }
}

/// A number with a fraction; not-a-number and infinities become texts. This thread only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_float(
    capture: *mut nonstop_capture,
    r#type: *const c_char,
    type_len: usize,
    value: f64,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            writer.float(utf8(r#type, type_len, "type")?, value);
            Ok(())
        })
    }
}

/// True (1) or false (0). This thread only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_bool(
    capture: *mut nonstop_capture,
    r#type: *const c_char,
    type_len: usize,
    value: i32,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            writer.bool(utf8(r#type, type_len, "type")?, value != 0);
            Ok(())
        })
    }
}

/// The value that stands for none. This thread only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_none(
    capture: *mut nonstop_capture,
    r#type: *const c_char,
    type_len: usize,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            writer.none(utf8(r#type, type_len, "type")?);
            Ok(())
        })
    }
}

/// A text. `size` is its true length, or -1 when the text is whole; `cut` says why it is not (may be empty). This thread only.
/// Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_text(
    capture: *mut nonstop_capture,
    r#type: *const c_char,
    type_len: usize,
    text: *const c_char,
    text_len: usize,
    size: i64,
    cut: *const c_char,
    cut_len: usize,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            let (kind, text) = (utf8(r#type, type_len, "type")?, utf8(text, text_len, "text")?);
            writer.text(kind, text, u64::try_from(size).ok(), utf8(cut, cut_len, "cut")?);
            Ok(())
        })
    }
}

/// Kind of a container: items, each a value.
pub const NONSTOP_ITEMS: i32 = 0;
/// Kind of a container: entries, each a key and a value.
pub const NONSTOP_ENTRIES: i32 = 1;
/// Kind of a container: fields, each a nonstop_capture_name and a value.
pub const NONSTOP_FIELDS: i32 = 2;

/// Begins a container; its values and nonstop_capture_end follow. `id` numbers an object that is referred to elsewhere in the
/// capture, 0: none; `size` is the true number of items, or -1 when all follow. INVALID_ARGUMENT: no such kind. This thread
/// only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_begin(
    capture: *mut nonstop_capture,
    kind: i32,
    r#type: *const c_char,
    type_len: usize,
    id: u64,
    size: i64,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            let container = match kind {
                NONSTOP_ITEMS => Container::Items,
                NONSTOP_ENTRIES => Container::Entries,
                NONSTOP_FIELDS => Container::Fields,
                other => return Err(Failure::argument(format!("there is no kind of container {other}"))),
            };
            let kind = utf8(r#type, type_len, "type")?;
            writer.begin(container, kind, (id != 0).then_some(id), u64::try_from(size).ok());
            Ok(())
        })
    }
}

/// Ends the container that was begun last; `cut` says why it is not whole (may be empty). INVALID_RECORDS: none is open. This
/// thread only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_end(
    capture: *mut nonstop_capture,
    cut: *const c_char,
    cut_len: usize,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            let ended = writer.end(utf8(cut, cut_len, "cut")?);
            ended.map_err(|error| Failure::new(NONSTOP_ERROR_INVALID_RECORDS, error.to_string()))
        })
    }
}

/// An object that is shown elsewhere in the capture under this id: it is shared, or contains itself. This thread only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_reference(
    capture: *mut nonstop_capture,
    r#type: *const c_char,
    type_len: usize,
    id: u64,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            writer.reference(utf8(r#type, type_len, "type")?, id);
            Ok(())
        })
    }
}

/// A value that is not shown; `cut` says why ("depth"). This thread only. Since 1.
///
/// # Safety
/// As for nonstop_capture_frame.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_omitted(
    capture: *mut nonstop_capture,
    r#type: *const c_char,
    type_len: usize,
    cut: *const c_char,
    cut_len: usize,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe {
        change(capture, |writer| {
            writer.omitted(utf8(r#type, type_len, "type")?, utf8(cut, cut_len, "cut")?);
            Ok(())
        })
    }
}

/// Sends the capture and frees it, whatever the outcome, but for NULL_POINTER and WRONG_THREAD. The outcome is that of
/// nonstop_capture_records. This thread only. Since 1.
///
/// # Safety
/// The pointers are NULL or live; the capture is not used any more unless it was refused with WRONG_THREAD.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_send(
    engine: *const nonstop_engine,
    capture: *mut nonstop_capture,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe {
            nonstop_capture::borrow(capture)?.check_thread()?;
            nonstop_engine::borrow(engine)?
        };
        // SAFETY: the host's promise.
        let Some(capture) = (unsafe { nonstop_capture::from_host(capture) }) else {
            return Err(Failure::null("capture"));
        };
        Ok(engine.engine.capture(capture.ticket, &capture.writer.into_inner().finish())? as i32)
    })
}

/// Frees a capture without sending it; its ticket stays open. NULL is fine. This thread only; another's is left alone. Since 1.
///
/// # Safety
/// As for nonstop_capture_send.
#[no_mangle]
pub unsafe extern "C" fn nonstop_capture_free(capture: *mut nonstop_capture) {
    guarded(|| {
        if capture.is_null() {
            return Ok(NONSTOP_OK);
        }
        // SAFETY: the host's promise.
        unsafe {
            nonstop_capture::borrow(capture)?.check_thread()?;
            drop(nonstop_capture::from_host(capture));
        }
        Ok(NONSTOP_OK)
    });
}
