//! The channel: from captures to whoever reads them.

use std::ffi::c_char;
use std::time::Duration;

use super::breakpoints::nonstop_breakpoint_id;
use super::engine::nonstop_engine;
use super::error::Failure;
use super::guard::guarded;
use super::memory::{expect_out, put, slice, write_struct, Handle, Sized32};
use super::status::*;
use crate::channel::Received;
use crate::engine::Snapshot;

/// One captured hit, received. It belongs to the host and outlives its engine.
pub struct nonstop_snapshot {
    snapshot: Snapshot,
}

impl Handle for nonstop_snapshot {
    const NAME: &'static str = "snapshot";
}

/// How full the channel is, and what it has seen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_channel_stats {
    /// sizeof(nonstop_channel_stats).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Snapshots that wait.
    pub queued: u64,
    /// Their bytes.
    pub queued_bytes: u64,
    /// Snapshots that were ever queued.
    pub sent: u64,
    /// Snapshots that found it full or closed.
    pub dropped: u64,
}

// SAFETY: repr(C), begins with struct_size, integers only.
unsafe impl Sized32 for nonstop_channel_stats {}

/// One snapshot of a batch, with what the accessors would tell of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_received {
    /// The snapshot: yours.
    pub snapshot: *mut nonstop_snapshot,
    /// As of nonstop_snapshot_breakpoint.
    pub breakpoint: nonstop_breakpoint_id,
    /// As of nonstop_snapshot_json: valid until the snapshot is freed.
    pub json: *const c_char,
    /// How many bytes.
    pub json_len: usize,
    /// As of nonstop_snapshot_action.
    pub action: i32,
    /// 0.
    pub reserved: u32,
}

impl From<Snapshot> for nonstop_received {
    fn from(snapshot: Snapshot) -> Self {
        let (breakpoint, action) = (snapshot.breakpoint.raw(), snapshot.action as i32);
        // The text lies on the heap and stays where it is when the snapshot moves.
        let (json, json_len) = (snapshot.json.as_ptr().cast(), snapshot.json.len());
        let snapshot = nonstop_snapshot { snapshot }.into_host();
        Self { snapshot, breakpoint, json, json_len, action, reserved: 0 }
    }
}

/// Receives the oldest snapshot, waiting up to `timeout_ms` milliseconds for one: 0 does not wait, a negative number waits until
/// one comes or the channel is closed. On OK `*out_snapshot` is yours; free it with nonstop_snapshot_free. TIMEOUT: nothing
/// came. CLOSED: nothing will come any more. Any number of threads may wait; each snapshot goes to one. Since 1.
///
/// # Safety
/// `engine` is NULL, or live until the call returns (nonstop_channel_close ends a waiting call); `out_snapshot` is NULL or
/// writable.
#[no_mangle]
pub unsafe extern "C" fn nonstop_channel_receive(
    engine: *const nonstop_engine,
    timeout_ms: i64,
    out_snapshot: *mut *mut nonstop_snapshot,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        expect_out(out_snapshot, "out_snapshot")?;
        let snapshot = first(engine, timeout_ms)?;
        // SAFETY: the host's promise.
        unsafe { put(out_snapshot, nonstop_snapshot { snapshot }.into_host(), "out_snapshot") }?;
        Ok(NONSTOP_OK)
    })
}

/// Receives snapshots as nonstop_channel_receive does, as many as are there, up to `capacity`: it waits for the first only.
/// `received` (room for `capacity`, at least 1) gets them in order, `*out_count` how many. For hosts to which a call is dear: an
/// interpreter that gives up its lock around each waits for it again each time. Free them with nonstop_received_free. TIMEOUT,
/// CLOSED: as there. INVALID_ARGUMENT: no room. Any thread. Since 1.
///
/// # Safety
/// As for nonstop_channel_receive; `received` has room for `capacity`.
#[no_mangle]
pub unsafe extern "C" fn nonstop_channel_receive_batch(
    engine: *const nonstop_engine,
    timeout_ms: i64,
    received: *mut nonstop_received,
    capacity: usize,
    out_count: *mut usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        expect_out(received, "received")?;
        expect_out(out_count, "out_count")?;
        if capacity == 0 {
            return Err(Failure::argument("capacity is 0: give room for at least one snapshot"));
        }
        let mut next = Some(first(engine, timeout_ms)?);
        let mut count = 0;
        while let Some(snapshot) = next {
            // SAFETY: the host promises room for `capacity`.
            unsafe { received.add(count).write(snapshot.into()) };
            count += 1;
            next = match count < capacity {
                true => match engine.engine.receive(Some(Duration::ZERO)) {
                    Received::Item(snapshot) => Some(snapshot),
                    Received::Timeout | Received::Closed => None,
                },
                false => None,
            };
        }
        // SAFETY: the host's promise.
        unsafe { put(out_count, count, "out_count") }?;
        Ok(NONSTOP_OK)
    })
}

/// Waits for a snapshot.
fn first(engine: &nonstop_engine, timeout_ms: i64) -> Result<Snapshot, Failure> {
    match engine.engine.receive(u64::try_from(timeout_ms).ok().map(Duration::from_millis)) {
        Received::Item(snapshot) => Ok(snapshot),
        Received::Timeout => {
            Err(Failure::new(NONSTOP_ERROR_TIMEOUT, format!("no snapshot came in {timeout_ms} ms")))
        }
        Received::Closed => Err(Failure::new(NONSTOP_ERROR_CLOSED, "the channel is closed and empty")),
    }
}

/// Frees the snapshots of a batch. NULL with count 0 is fine. Any thread. Since 1.
///
/// # Safety
/// `received` has `count` elements as nonstop_channel_receive_batch wrote them; none of them is used any more.
#[no_mangle]
pub unsafe extern "C" fn nonstop_received_free(
    received: *const nonstop_received,
    count: usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        for one in unsafe { slice(received, count, "received") }? {
            // SAFETY: the host's promise.
            drop(unsafe { nonstop_snapshot::from_host(one.snapshot) });
        }
        Ok(NONSTOP_OK)
    })
}

/// Closes the channel: from now on captures are DROPPED; what is queued can still be received, and after it every waiting call
/// returns CLOSED. Any thread. Since 1.
///
/// # Safety
/// `engine` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_channel_close(engine: *const nonstop_engine) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        unsafe { nonstop_engine::borrow(engine) }?.engine.close();
        Ok(NONSTOP_OK)
    })
}

/// Writes how full the channel is into `*out_stats`, whose struct_size is set. Any thread, no cost. Since 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_channel_get_stats(
    engine: *const nonstop_engine,
    out_stats: *mut nonstop_channel_stats,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let stats = unsafe { nonstop_engine::borrow(engine) }?.engine.channel_stats();
        let stats = nonstop_channel_stats {
            struct_size: 0,
            reserved: 0,
            queued: stats.queued,
            queued_bytes: stats.queued_bytes,
            sent: stats.sent,
            dropped: stats.dropped,
        };
        // SAFETY: the host promises a sized struct.
        unsafe { write_struct(out_stats, &stats, "out_stats") }?;
        Ok(NONSTOP_OK)
    })
}

/// The breakpoint of a snapshot; 0 for NULL. Since 1.
///
/// # Safety
/// `snapshot` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_snapshot_breakpoint(
    snapshot: *const nonstop_snapshot,
) -> nonstop_breakpoint_id {
    // SAFETY: the host's promise.
    unsafe { nonstop_snapshot::borrow(snapshot) }.map_or(0, |snapshot| snapshot.snapshot.breakpoint.raw())
}

/// The action that a snapshot was captured for: NONSTOP_LOG or NONSTOP_SNAPSHOT; NONSTOP_COUNT for NULL. Since 1.
///
/// # Safety
/// `snapshot` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_snapshot_action(snapshot: *const nonstop_snapshot) -> i32 {
    // SAFETY: the host's promise.
    unsafe { nonstop_snapshot::borrow(snapshot) }.map_or(0, |snapshot| snapshot.snapshot.action as i32)
}

/// The document of a snapshot: JSON, UTF-8, without a zero byte at the end (docs/snapshot-schema.md). `*out_json` is valid
/// until the snapshot is freed. Since 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_snapshot_json(
    snapshot: *const nonstop_snapshot,
    out_json: *mut *const c_char,
    out_len: *mut usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let json = &unsafe { nonstop_snapshot::borrow(snapshot) }?.snapshot.json;
        expect_out(out_json, "out_json")?;
        expect_out(out_len, "out_len")?;
        // SAFETY: the host's promise.
        unsafe {
            put(out_len, json.len(), "out_len")?;
            put(out_json, json.as_ptr().cast(), "out_json")?;
        }
        Ok(NONSTOP_OK)
    })
}

/// Frees a snapshot. NULL is fine. Any thread. Since 1.
///
/// # Safety
/// The snapshot is not used any more.
#[no_mangle]
pub unsafe extern "C" fn nonstop_snapshot_free(snapshot: *mut nonstop_snapshot) {
    guarded(|| {
        // SAFETY: the host's promise.
        drop(unsafe { nonstop_snapshot::from_host(snapshot) });
        Ok(NONSTOP_OK)
    });
}
