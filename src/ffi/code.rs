//! Code objects: decisions and raw events.

use super::breakpoints::nonstop_breakpoint_id;
use super::engine::nonstop_engine;
use super::error::Failure;
use super::filter::event_kind;
use super::guard::guarded;
use super::memory::{expect_out, expect_struct, put, read_struct, slice, write_struct, Handle, Sized32};
use super::status::*;
use super::text::nonstop_text;
use crate::breakpoints::BreakpointId;
use crate::code::{Arm, CodeInfo};

/// A code object, as its host describes it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_code_info {
    /// sizeof(nonstop_code_info).
    pub struct_size: u32,
    /// Its first line (co_firstlineno).
    pub first_line: u32,
    /// Names it for as long as it lives: an address, an index, anything that the host keeps unique.
    pub key: u64,
    /// The path that the interpreter knows it by (co_filename); bytes.
    pub path: nonstop_text,
    /// The module that it runs in; may be empty.
    pub module: nonstop_text,
    /// Its own name (co_name).
    pub name: nonstop_text,
    /// Its qualified name (co_qualname); may be empty.
    pub qualname: nonstop_text,
    /// The lines that carry code, ascending, each once. NULL: not worked out yet; the decision says when they are needed.
    pub lines: *const u32,
    /// How many.
    pub line_count: usize,
}

// SAFETY: repr(C), begins with struct_size; integers and raw pointers only.
unsafe impl Sized32 for nonstop_code_info {}

/// Flag of an arm: pass the thread's name to nonstop_hit.
pub const NONSTOP_ARM_NEEDS_THREAD_NAME: u32 = 1;
/// Flag of an arm: control can enter the unit straight from itself.
pub const NONSTOP_ARM_REENTERED: u32 = 2;

/// One line to arm. All lines of a unit carry its site; an arrival is an entry of the unit: the line before was not of the same
/// site, and not within the inner lines.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_arm {
    /// The line.
    pub line: u32,
    /// Report arrivals with this number.
    pub site: u32,
    /// NONSTOP_ARM_… bits.
    pub flags: u32,
    /// The inner lines: first; 0: none.
    pub inner_first: u32,
    /// The last of them.
    pub inner_last: u32,
}

/// Flag of a decision: a breakpoint may stand in this file; call nonstop_source_register or nonstop_source_without_units, and
/// decide again.
pub const NONSTOP_NEEDS_SOURCE: u32 = 1;
/// Flag of a decision: a breakpoint may stand in this code object; tell its lines, and decide again.
pub const NONSTOP_NEEDS_LINES: u32 = 2;

/// What to observe of a code object.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_decision {
    /// sizeof(nonstop_decision).
    pub struct_size: u32,
    /// The events wanted; 0: ignore the code object.
    pub event_mask: u32,
    /// The epoch that it was made in; once the epoch word differs, decide again.
    pub epoch: u64,
    /// How many lines to arm.
    pub arm_count: usize,
    /// NONSTOP_NEEDS_SOURCE, NONSTOP_NEEDS_LINES.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), begins with struct_size, integers only.
unsafe impl Sized32 for nonstop_decision {}

impl From<&Arm> for nonstop_arm {
    fn from(arm: &Arm) -> Self {
        let name = if arm.needs_thread_name { NONSTOP_ARM_NEEDS_THREAD_NAME } else { 0 };
        let again = if arm.reentered { NONSTOP_ARM_REENTERED } else { 0 };
        Self {
            line: arm.line,
            site: arm.site,
            flags: name | again,
            inner_first: arm.inner_first,
            inner_last: arm.inner_last,
        }
    }
}

/// Decides what to observe of a code object. Verdict IGNORE: nothing, unless the flags of the decision ask for more; CAPTURE:
/// the events of the mask, and the lines written to `arms` (room for `capacity`), ascending. BUFFER_TOO_SMALL: only
/// `*out_decision` was written, with the count needed. Answers are cached per key and epoch; a code object that describes
/// itself differently under the same key replaces the former one. Everything is copied. Any thread; about 100 ns when cached.
/// Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_code_decide(
    engine: *const nonstop_engine,
    info: *const nonstop_code_info,
    arms: *mut nonstop_arm,
    capacity: usize,
    out_decision: *mut nonstop_decision,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, info) = unsafe {
            expect_struct(out_decision, "out_decision")?;
            (nonstop_engine::borrow(engine)?, read_struct(info, "info")?)
        };
        // SAFETY: the host's promise.
        let (path, module, name, qualname, lines) = unsafe {
            (
                info.path.bytes("path")?,
                info.module.utf8("module")?,
                info.name.utf8("name")?,
                info.qualname.utf8("qualname")?,
                slice(info.lines, info.line_count, "lines")?,
            )
        };
        if lines.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Failure::argument("lines must be ascending, each once"));
        }
        let first_line = info.first_line;
        let code = CodeInfo { key: info.key, path, module, name, qualname, first_line, lines };
        let decision = engine.engine.decide(&code);
        let needs_source = if decision.needs_source { NONSTOP_NEEDS_SOURCE } else { 0 };
        let needs_lines = if decision.needs_lines { NONSTOP_NEEDS_LINES } else { 0 };
        let told = nonstop_decision {
            struct_size: 0,
            event_mask: decision.event_mask,
            epoch: decision.epoch,
            arm_count: decision.arms.len(),
            flags: needs_source | needs_lines,
            reserved: 0,
        };
        if (1..=capacity).contains(&decision.arms.len()) {
            expect_out(arms, "arms")?;
        }
        // SAFETY: the host promises a sized struct.
        unsafe { write_struct(out_decision, &told, "out_decision") }?;
        if decision.arms.len() > capacity {
            let detail = format!("there are {} lines to arm, and room for {capacity}", decision.arms.len());
            return Err(Failure::new(NONSTOP_ERROR_BUFFER_TOO_SMALL, detail));
        }
        for (index, arm) in decision.arms.iter().enumerate() {
            // SAFETY: the host promises room for `capacity`.
            unsafe { arms.add(index).write(arm.into()) };
        }
        Ok(if decision.event_mask == 0 { NONSTOP_IGNORE } else { NONSTOP_CAPTURE })
    })
}

/// The code object of this key is gone: its sites end, and the key can name another. NOT_FOUND: it was not known, which is
/// fine. Any thread. Since 1.
///
/// # Safety
/// `engine` is NULL or live.
#[no_mangle]
pub unsafe extern "C" fn nonstop_code_forget(engine: *const nonstop_engine, key: u64) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        if engine.engine.forget(key) {
            return Ok(NONSTOP_OK);
        }
        Err(Failure::new(NONSTOP_ERROR_NOT_FOUND, format!("no code object has the key {key}")))
    })
}

/// Whether a breakpoint is armed in a code object, by the last decision on it: `*out_carries` is 1 or 0 (also for an id that
/// is stale). With it a host tells in which of its live frames a breakpoint can fire. NOT_FOUND: decide the code object first.
/// Any thread. Since 1.
///
/// # Safety
/// `engine` is NULL or live, `out_carries` writable.
#[no_mangle]
pub unsafe extern "C" fn nonstop_code_carries(
    engine: *const nonstop_engine,
    key: u64,
    breakpoint: nonstop_breakpoint_id,
    out_carries: *mut i32,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        expect_out(out_carries, "out_carries")?;
        let carries = engine.engine.carries(key, BreakpointId::from_raw(breakpoint))?;
        // SAFETY: the host's promise.
        unsafe { put(out_carries, i32::from(carries), "out_carries") }?;
        Ok(NONSTOP_OK)
    })
}

/// Asks about one raw event: `kind` is one NONSTOP_EVENT_… bit, `depth` the call depth as the host counts. Verdict CAPTURE:
/// `*out_site` is the site that it arrives at (call nonstop_hit), or 0 when the filter wants the event. IGNORE: not wanted.
/// DISABLE: neither is any later event of this kind at this line in this epoch. NOT_FOUND: decide the code object first. Right
/// after any change: a decision that is outdated is made again here. Any thread; about 30 ns. Since 1.
///
/// # Safety
/// `engine` is NULL or live, `out_site` NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn nonstop_event(
    engine: *const nonstop_engine,
    key: u64,
    kind: u32,
    line: u32,
    thread_id: u64,
    depth: u32,
    out_site: *mut u32,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        expect_out(out_site, "out_site")?;
        let (verdict, site) = engine.engine.event(key, event_kind(kind)?, line, thread_id, depth)?;
        // SAFETY: the host's promise.
        unsafe { put(out_site, site, "out_site") }?;
        Ok(verdict as i32)
    })
}
