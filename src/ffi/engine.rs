//! Engines.

use std::ffi::c_char;

use super::error::Failure;
use super::guard::guarded;
use super::library::monotonic_ns;
use super::memory::{expect_out, put, read_struct, Handle, Sized32};
use super::status::*;
use super::text::bytes;
use crate::cpython::forget_conditions;
use crate::engine::{Engine, EngineOptions};

/// An engine: breakpoints, decisions on code, open hits, and the queue of what was captured. A process may have several. Where
/// a function takes a const pointer, any number of threads may call it at once.
pub struct nonstop_engine {
    pub(super) engine: Engine,
}

impl Handle for nonstop_engine {
    const NAME: &'static str = "engine";
}

/// How to build an engine. A field that is 0 has its default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_engine_options {
    /// sizeof(nonstop_engine_options).
    pub struct_size: u32,
    /// The most snapshots queued; default 1000.
    pub queue_items: u32,
    /// The most bytes of JSON queued; default 8 MiB.
    pub queue_bytes: u64,
}

// SAFETY: repr(C), begins with struct_size, integers only.
unsafe impl Sized32 for nonstop_engine_options {}

/// Makes an engine. `options` may be NULL for the defaults. On OK `*out_engine` is yours; free it with nonstop_engine_free.
/// STRUCT_SIZE or NULL_POINTER: fix the call. Any thread. Since 1.
///
/// # Safety
/// As said of the pointers.
#[no_mangle]
pub unsafe extern "C" fn nonstop_engine_new(
    options: *const nonstop_engine_options,
    out_engine: *mut *mut nonstop_engine,
) -> nonstop_status {
    guarded(|| {
        expect_out(out_engine, "out_engine")?;
        let mut built = EngineOptions { clock: monotonic_ns, ..EngineOptions::default() };
        if !options.is_null() {
            // SAFETY: the host promises a sized struct.
            let options = unsafe { read_struct(options, "options") }?;
            if options.queue_items != 0 {
                built.queue_items = options.queue_items as usize;
            }
            if options.queue_bytes != 0 {
                built.queue_bytes = usize::try_from(options.queue_bytes).unwrap_or(usize::MAX);
            }
        }
        let engine = nonstop_engine { engine: Engine::new(built) };
        // SAFETY: the host promises a writable pointer.
        unsafe { put(out_engine, engine.into_host(), "out_engine") }?;
        Ok(NONSTOP_OK)
    })
}

/// Frees an engine with all that it holds. NULL is fine. Nothing may use the engine, its epoch word or a capture of it from
/// the moment of the call; snapshots that were received live on. Since 1.
///
/// # Safety
/// As said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_engine_free(engine: *mut nonstop_engine) {
    guarded(|| {
        // SAFETY: the host promises that it owns the engine and uses it no more.
        let engine = unsafe { nonstop_engine::from_host(engine) };
        if let Some(engine) = &engine {
            forget_conditions(&engine.engine);
        }
        drop(engine);
        Ok(NONSTOP_OK)
    });
}

/// Call this first in the child of a fork. Locks that other threads held at the fork would never be released there: the engine
/// starts with fresh ones, with the same breakpoints, ids, counters and filter. Code is decided anew, sources are registered
/// anew; sites, open hits and queued snapshots stay with the parent, and their numbers name nothing here. A closed channel stays
/// closed. The epoch word keeps its address and changes. The caller is the only thread. Since 1.
///
/// # Safety
/// Nothing else uses the engine during the call.
#[no_mangle]
pub unsafe extern "C" fn nonstop_engine_after_fork(engine: *mut nonstop_engine) -> nonstop_status {
    guarded(|| {
        // SAFETY: the child of a fork has one thread, and the host calls from it.
        unsafe { nonstop_engine::borrow_mut(engine) }?.engine.after_fork();
        Ok(NONSTOP_OK)
    })
}

/// The address of the engine's epoch: one aligned word that the host may read at any time without a call, until the engine is
/// freed (a plain aligned 64-bit load; acquire order where the host has it). It changes whenever a decision may have: compare
/// it with the epoch of a decision. NULL for a NULL engine. Any thread, no cost. Since 1.
///
/// # Safety
/// `engine` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_engine_epoch(engine: *const nonstop_engine) -> *const u64 {
    // SAFETY: the host promises a live engine or NULL.
    match unsafe { nonstop_engine::borrow(engine) } {
        Ok(engine) => engine.engine.epoch_word().as_ptr().cast_const(),
        Err(_) => std::ptr::null(),
    }
}

/// Adds a path map: run-time paths that begin with `from` (a container's "/app") stand for local ones that begin with `to`, on
/// whole components; of several maps the longest `from` wins, and one for the same `from` is replaced. Sources stay
/// registered; code is decided anew. INVALID_ARGUMENT for an empty `from`. Any thread. Since 1.
///
/// # Safety
/// The pointers have as many readable bytes as their lengths say.
#[no_mangle]
pub unsafe extern "C" fn nonstop_engine_add_path_map(
    engine: *const nonstop_engine,
    from: *const c_char,
    from_len: usize,
    to: *const c_char,
    to_len: usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host promises a live engine and readable texts.
        let (engine, from, to) = unsafe {
            (nonstop_engine::borrow(engine)?, bytes(from, from_len, "from")?, bytes(to, to_len, "to")?)
        };
        if from.is_empty() {
            return Err(Failure::argument(
                "a path map from nothing would apply to nothing: name a directory",
            ));
        }
        engine.engine.add_path_map(from, to);
        Ok(NONSTOP_OK)
    })
}
