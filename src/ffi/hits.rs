//! Hits.

use std::ffi::c_char;

use super::breakpoints::nonstop_breakpoint_id;
use super::engine::nonstop_engine;
use super::error::Failure;
use super::guard::guarded;
use super::memory::{expect_aligned, expect_out, put, Handle};
use super::status::*;
use super::text::utf8;
use crate::engine::{EngineError, HitItem, Outcome, Thread};

/// Names an open hit, from the engine's verdict to the host's last answer. A number is never given out twice; a hit that was
/// answered is NOT_FOUND. Answer each with nonstop_hit_commit, a capture or nonstop_hit_abandon: of more than 65,536 open hits
/// the oldest are given up, as if abandoned.
pub type nonstop_ticket = u64;

/// The host's part of one breakpoint's hit.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_hit_item {
    /// Whose hit it is.
    pub breakpoint: nonstop_breakpoint_id,
    /// Answer to this ticket; 0: nothing is left to do.
    pub ticket: nonstop_ticket,
    /// The number of the hit, from 1; 0 while the condition is open.
    pub hit: u64,
    /// NONSTOP_EVALUATE, NONSTOP_CAPTURE or NONSTOP_IGNORE.
    pub verdict: i32,
    /// The breakpoint's action.
    pub action: i32,
    /// The breakpoint's user_data.
    pub user_data: u64,
}

impl From<&HitItem> for nonstop_hit_item {
    fn from(item: &HitItem) -> Self {
        Self {
            breakpoint: item.breakpoint.raw(),
            ticket: item.ticket,
            hit: item.hit,
            verdict: item.verdict as i32,
            action: item.action as i32,
            user_data: item.user_data,
        }
    }
}

/// Control arrived at a site. Applies the hit rules of every breakpoint there, counts, and writes what is left for the host to
/// `items` (room for `capacity`), `*out_count` of them: EVALUATE (commit the outcome of the condition) or CAPTURE (send the
/// records). The verdict is the strongest; DISABLE when no breakpoint here can fire again in this epoch. `thread_name` may be
/// NULL unless the arm asks for it. `now_ns` is of nonstop_monotonic_ns, or 0: the engine reads it when a rule needs it.
/// BUFFER_TOO_SMALL: nothing was counted; only `*out_count` was written, with the room that is enough. NOT_FOUND: the code
/// object was forgotten. Any thread; about 40 ns for a counter. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_hit(
    engine: *const nonstop_engine,
    site: u32,
    thread_id: u64,
    thread_name: *const c_char,
    thread_name_len: usize,
    now_ns: u64,
    items: *mut nonstop_hit_item,
    capacity: usize,
    out_count: *mut usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, name) =
            unsafe { (nonstop_engine::borrow(engine)?, utf8(thread_name, thread_name_len, "thread_name")?) };
        expect_out(out_count, "out_count")?;
        expect_aligned(items, "items")?;
        let room = if items.is_null() { 0 } else { capacity };
        let thread = Thread { id: thread_id, name: (!thread_name.is_null()).then_some(name) };
        let mut count = 0;
        let arrived = engine.engine.hit(site, &thread, now_ns, room, |item| {
            // SAFETY: the host promises room for `capacity`, and the engine gives no more than `room`.
            unsafe { items.add(count).write((&item).into()) };
            count += 1;
        });
        if let Err(EngineError::BufferTooSmall { needed }) = arrived {
            count = needed;
        }
        if !matches!(arrived, Err(EngineError::NotFound(_))) {
            // SAFETY: the host's promise.
            unsafe { put(out_count, count, "out_count") }?;
        }
        Ok(arrived? as i32)
    })
}

/// The host counted arrivals at a site by itself, where all entries have NONSTOP_ENTRY_ONLY_COUNTS: `total` since it was given
/// the number of the site. Those that are new are counted as hits of the breakpoints there. Tell before breakpoints are
/// removed, disabled or reported, and before the code object is forgotten: what was counted afterwards goes to those that are
/// there then. Telling the same twice, or less than before, counts nothing, so that several threads may tell. NOT_FOUND: the
/// code object was forgotten. Any thread. Since 1.
///
/// # Safety
/// `engine` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_hit_total(
    engine: *const nonstop_engine,
    site: u32,
    total: u64,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        unsafe { nonstop_engine::borrow(engine) }?.engine.hit_total(site, total)?;
        Ok(NONSTOP_OK)
    })
}

/// Outcome of a condition: it does not hold.
pub const NONSTOP_FALSE: i32 = 0;
/// Outcome of a condition: it holds; the arrival is a hit.
pub const NONSTOP_TRUE: i32 = 1;
/// Outcome of a condition: it raised.
pub const NONSTOP_RAISED: i32 = 2;

/// The condition of an open hit had this outcome: NONSTOP_FALSE, NONSTOP_TRUE or NONSTOP_RAISED. When it held, the hit rules go
/// on: verdict CAPTURE means capture, under the same ticket; IGNORE: nothing is left to do. `*out_item` says the same, with
/// the number of the hit. NOT_FOUND: the ticket was answered already. INVALID_ARGUMENT: it waits for a capture, or there is
/// no such outcome; it stays open. Any thread. Since 1.
///
/// # Safety
/// `engine` is NULL or live, `out_item` NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn nonstop_hit_commit(
    engine: *const nonstop_engine,
    ticket: nonstop_ticket,
    outcome: i32,
    now_ns: u64,
    out_item: *mut nonstop_hit_item,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        expect_out(out_item, "out_item")?;
        let outcome = match outcome {
            NONSTOP_FALSE => Outcome::False,
            NONSTOP_TRUE => Outcome::True,
            NONSTOP_RAISED => Outcome::Error,
            other => {
                return Err(Failure::argument(format!(
                    "there is no outcome {other}: use NONSTOP_FALSE, NONSTOP_TRUE or NONSTOP_RAISED"
                )))
            }
        };
        let item = engine.engine.commit(ticket, outcome, now_ns)?;
        // SAFETY: the host's promise.
        unsafe { put(out_item, nonstop_hit_item::from(&item), "out_item") }?;
        Ok(item.verdict as i32)
    })
}

/// The host gives up on an open hit. It is counted as an error while its condition is open, as dropped after that. NOT_FOUND:
/// it was answered already. Any thread. Since 1.
///
/// # Safety
/// `engine` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_hit_abandon(
    engine: *const nonstop_engine,
    ticket: nonstop_ticket,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        unsafe { nonstop_engine::borrow(engine) }?.engine.abandon(ticket)?;
        Ok(NONSTOP_OK)
    })
}
