//! The library itself: versions, errors, logging.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

use super::error::{with_last, Failure};
use super::guard::guarded;
use super::status::*;

/// The version of this interface. It changes only when something that worked would not any more; functions and fields may be
/// added under the same number.
pub const NONSTOP_ABI_VERSION: u32 = 1;

/// The ABI version that the loaded library has. Compare it with NONSTOP_ABI_VERSION before anything else: when they differ,
/// use neither. Any thread, no cost. Since 1.
#[no_mangle]
pub extern "C" fn nonstop_abi_version() -> u32 {
    NONSTOP_ABI_VERSION
}

/// The version of the library, such as "0.1.0": static text. Any thread, no cost. Since 1.
#[no_mangle]
pub extern "C" fn nonstop_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Copies the detail of this thread's last error into `buffer`: UTF-8, cut to `capacity` - 1 bytes between characters, and
/// always ended by a zero byte when `capacity` is not 0. `buffer` may be NULL when `capacity` is 0. Returns the full length in
/// bytes, without the zero. A call that succeeds leaves the detail as it was. Any thread; costs the copy. Since 1.
///
/// # Safety
/// `buffer` has `capacity` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn nonstop_last_error(buffer: *mut c_char, capacity: usize) -> usize {
    with_last(|detail| {
        if !buffer.is_null() && capacity > 0 {
            let mut end = detail.len().min(capacity - 1);
            while !detail.is_char_boundary(end) {
                end -= 1;
            }
            // SAFETY: the host promises `capacity` writable bytes, and end + 1 <= capacity.
            unsafe {
                std::ptr::copy_nonoverlapping(detail.as_ptr(), buffer.cast::<u8>(), end);
                buffer.add(end).write(0);
            }
        }
        detail.len()
    })
    .unwrap_or(0)
}

/// Levels of log messages, and the most that a callback gets: 0 none, 1 errors, 2 warnings, 3 information, 4 debugging, 5 all.
pub const NONSTOP_LOG_OFF: i32 = 0;
/// See NONSTOP_LOG_OFF.
pub const NONSTOP_LOG_ERROR: i32 = 1;
/// See NONSTOP_LOG_OFF.
pub const NONSTOP_LOG_WARN: i32 = 2;
/// See NONSTOP_LOG_OFF.
pub const NONSTOP_LOG_INFO: i32 = 3;
/// See NONSTOP_LOG_OFF.
pub const NONSTOP_LOG_DEBUG: i32 = 4;
/// See NONSTOP_LOG_OFF.
pub const NONSTOP_LOG_TRACE: i32 = 5;

/// Receives one log message: `user_data` as it was set, the level, the part of the library that speaks, and the message. Both
/// texts are UTF-8 without a zero byte at the end, and valid during the call only. It is called by whatever thread has
/// something to say, holding no lock of the library; it may call the library, but messages from within it are dropped. It must
/// return: no exception and no longjmp may leave it.
pub type nonstop_log_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        level: i32,
        target: *const c_char,
        target_len: usize,
        message: *const c_char,
        message_len: usize,
    ),
>;

struct Sink {
    callback: nonstop_log_callback,
    user_data: *mut c_void,
    /// The sink before this one.
    _before: *mut Sink,
}

/// Where messages go; NULL: nowhere. No lock, which the child of a fork could find held for ever. Hence a sink is never freed:
/// a message may be on its way to it. That is 24 bytes a call of nonstop_set_logger.
struct HostLogger {
    sink: AtomicPtr<Sink>,
}

static LOGGER: HostLogger = HostLogger { sink: AtomicPtr::new(std::ptr::null_mut()) };

thread_local! {
    static SPEAKING: Cell<bool> = const { Cell::new(false) };
}

impl Log for HostLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        // SAFETY: NULL, or made by nonstop_set_logger and never freed or changed.
        let Some(sink) = (unsafe { self.sink.load(Ordering::Acquire).as_ref() }) else { return };
        let Some(callback) = sink.callback else { return };
        if !self.enabled(record.metadata())
            || SPEAKING.try_with(|speaking| speaking.replace(true)) != Ok(false)
        {
            return;
        }
        let (target, message) = (record.target(), record.args().to_string());
        // SAFETY: the host promised a function of this type that may be called from any thread; both texts live through the
        // call, and no lock is held.
        unsafe {
            callback(
                sink.user_data,
                record.level() as i32,
                target.as_ptr().cast(),
                target.len(),
                message.as_ptr().cast(),
                message.len(),
            );
        }
        let _ = SPEAKING.try_with(|speaking| speaking.set(false));
    }

    fn flush(&self) {}
}

/// Sends the library's log messages to `callback`, up to `max_level` (NONSTOP_LOG_OFF to NONSTOP_LOG_TRACE). A later call
/// replaces the callback; NULL takes it away. `user_data` is handed back with each message and may be NULL; it and the
/// callback must live until after the callback was replaced and calls in flight have returned. Returns OK;
/// INVALID_ARGUMENT for another level; LIMIT_REACHED when a Rust host of the same process has set a logger of its own: the
/// messages go there. Any thread. Since 1.
///
/// # Safety
/// As said of `callback` and `user_data`.
#[no_mangle]
pub unsafe extern "C" fn nonstop_set_logger(
    callback: nonstop_log_callback,
    user_data: *mut c_void,
    max_level: i32,
) -> nonstop_status {
    guarded(|| {
        let level = match max_level {
            NONSTOP_LOG_OFF => LevelFilter::Off,
            NONSTOP_LOG_ERROR => LevelFilter::Error,
            NONSTOP_LOG_WARN => LevelFilter::Warn,
            NONSTOP_LOG_INFO => LevelFilter::Info,
            NONSTOP_LOG_DEBUG => LevelFilter::Debug,
            NONSTOP_LOG_TRACE => LevelFilter::Trace,
            other => return Err(Failure::argument(format!("there is no log level {other}: use 0 to 5"))),
        };
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| drop(log::set_logger(&LOGGER)));
        let installed =
            std::ptr::from_ref(log::logger()).cast::<()>() == std::ptr::from_ref(&LOGGER).cast::<()>();
        if !installed {
            return Err(Failure::new(
                NONSTOP_ERROR_LIMIT_REACHED,
                "another logger of this process receives the messages: set up that one instead",
            ));
        }
        let sink = Box::new(Sink { callback, user_data, _before: LOGGER.sink.load(Ordering::Relaxed) });
        LOGGER.sink.store(Box::into_raw(sink), Ordering::Release);
        // Without a callback nothing needs to be put into words.
        log::set_max_level(if callback.is_some() { level } else { LevelFilter::Off });
        Ok(NONSTOP_OK)
    })
}

/// Nanoseconds of the clock that every `now_ns` is read from: CLOCK_MONOTONIC, the one of Python's time.monotonic_ns(). Any
/// thread, about 20 ns. Since 1.
#[no_mangle]
pub extern "C" fn nonstop_monotonic_ns() -> u64 {
    monotonic_ns()
}

#[cfg(unix)]
pub(super) fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec; the call asks for nothing else.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(not(unix))]
pub(super) fn monotonic_ns() -> u64 {
    crate::engine::since_first_call_ns()
}
