//! Code objects: decisions and raw events.

use super::breakpoints::nonstop_breakpoint_id;
use super::dialect::nonstop_dialect;
use super::engine::nonstop_engine;
use super::error::Failure;
use super::filter::event_kind;
use super::guard::guarded;
use super::memory::{
    expect_ascending, expect_known, expect_out, expect_struct, put, put_all, read_struct, slice,
    write_struct, Handle, Sized32,
};
use super::status::*;
use super::text::nonstop_text;
use crate::breakpoints::BreakpointId;
use crate::code::{Arm, Bytecode, CodeInfo, EntryPoint};
use crate::engine::{Engine, EngineError};

/// Flag of a code object: it was not made of the source that is registered for its file, which was edited since, say. Its own
/// lines are its units then, as they are of one that the library finds not to fit.
pub const NONSTOP_CODE_OF_OTHER_SOURCE: u32 = 1;

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
    /// Python only: the dialect of the three below, from which the lines are read then, and where control enters each unit (see
    /// nonstop_code_get_entries). NULL: the host finds that out by itself. Needed once, when the decision asks for lines.
    pub dialect: *const nonstop_dialect,
    /// The bytecode (co_code).
    pub bytecode: nonstop_text,
    /// The line table (co_linetable, or co_lnotab where there is no other).
    pub line_table: nonstop_text,
    /// The exception table (co_exceptiontable); may be empty.
    pub exception_table: nonstop_text,
    /// NONSTOP_CODE_OF_OTHER_SOURCE.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), begins with struct_size; integers and raw pointers only.
unsafe impl Sized32 for nonstop_code_info {}

impl nonstop_code_info {
    /// # Safety
    /// The dialect is NULL or live, the texts are readable.
    unsafe fn told_bytecode<'a>(self) -> Result<Option<Bytecode<'a>>, Failure> {
        if self.dialect.is_null() {
            return Ok(None);
        }
        // SAFETY: the caller's promise.
        unsafe {
            Ok(Some(Bytecode {
                facts: &nonstop_dialect::borrow(self.dialect)?.facts,
                code: self.bytecode.bytes("bytecode")?,
                lines: self.line_table.bytes("line_table")?,
                exceptions: self.exception_table.bytes("exception_table")?,
            }))
        }
    }
}

/// Flag of an arm: pass the thread's name to nonstop_hit.
pub const NONSTOP_ARM_NEEDS_THREAD_NAME: u32 = 1;
/// Flag of an arm: control can enter the unit straight from itself.
pub const NONSTOP_ARM_REENTERED: u32 = 2;

/// One line to arm. All lines of a unit carry its site. For a host that sees lines only, an arrival is an entry of the unit if
/// the line before was not of the same site, and not within the inner lines; one that told the bytecode has the entries
/// themselves (nonstop_code_get_entries).
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

/// Flag of an entry: control can come here from inside of its unit as well. It is an arrival only if the event before was not
/// inside: ask nonstop_code_is_inside.
pub const NONSTOP_ENTRY_MIXED: u32 = 2;
/// Flag of an entry: no line begins there that a tracer is told of, since what runs just before has the same line. Observe the
/// events of instructions (f_trace_opcodes) in this code object.
pub const NONSTOP_ENTRY_HIDDEN: u32 = 4;
/// Flag of an entry: all that an arrival there does is to be counted. A host to which a call of nonstop_hit is dear may count by
/// itself for as long as the epoch is the same, and tell with nonstop_hit_total.
pub const NONSTOP_ENTRY_ONLY_COUNTS: u32 = 8;
/// Flag of an entry, which a host sets for nonstop_cpython_arm: it reads the variables there itself, and decides all conditions.
pub const NONSTOP_ENTRY_HOST_READS: u32 = 16;

/// Where control enters a unit: an event at this offset is an arrival, one elsewhere in the unit is none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_entry {
    /// The offset of the instruction, with its prefixes, in bytes: f_lasti when its line begins.
    pub offset: u32,
    /// Its line.
    pub line: u32,
    /// Report arrivals with this number.
    pub site: u32,
    /// NONSTOP_ARM_NEEDS_THREAD_NAME, NONSTOP_ENTRY_MIXED, NONSTOP_ENTRY_HIDDEN, NONSTOP_ENTRY_ONLY_COUNTS; what a host sets
    /// itself: NONSTOP_ENTRY_HOST_READS.
    pub flags: u32,
}

impl From<&EntryPoint> for nonstop_entry {
    fn from(entry: &EntryPoint) -> Self {
        let name = if entry.needs_thread_name { NONSTOP_ARM_NEEDS_THREAD_NAME } else { 0 };
        let mixed = if entry.is_mixed { NONSTOP_ENTRY_MIXED } else { 0 };
        let hidden = if entry.is_hidden { NONSTOP_ENTRY_HIDDEN } else { 0 };
        let counts = if entry.only_counts { NONSTOP_ENTRY_ONLY_COUNTS } else { 0 };
        Self {
            offset: entry.offset,
            line: entry.line,
            site: entry.site,
            flags: name | mixed | hidden | counts,
        }
    }
}

/// Flag of a decision: a breakpoint may stand in this file; call nonstop_source_register or nonstop_source_without_units, and
/// decide again.
pub const NONSTOP_NEEDS_SOURCE: u32 = 1;
/// Flag of a decision: a breakpoint may stand in this code object; tell its lines or its bytecode, and decide again.
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
    /// How many entries nonstop_code_get_entries gives for it; 0 where no bytecode was told.
    pub entry_count: usize,
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
/// itself differently under the same key replaces the former one. INVALID_ARGUMENT: also for bytes that are no bytecode of the
/// dialect. Everything is copied. Any thread; about 100 ns when cached. Since 1.
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
        expect_ascending(lines)?;
        expect_known(info.flags, NONSTOP_CODE_OF_OTHER_SOURCE, info.reserved)?;
        let first_line = info.first_line;
        // SAFETY: the host's promise.
        let bytecode = unsafe { info.told_bytecode() }?;
        let is_of_other_source = info.flags & NONSTOP_CODE_OF_OTHER_SOURCE != 0;
        let key = info.key;
        let code =
            CodeInfo { key, path, module, name, qualname, first_line, lines, bytecode, is_of_other_source };
        let decision = engine.engine.decide(&code)?;
        let needs_source = if decision.needs_source { NONSTOP_NEEDS_SOURCE } else { 0 };
        let needs_lines = if decision.needs_lines { NONSTOP_NEEDS_LINES } else { 0 };
        let told = nonstop_decision {
            struct_size: 0,
            event_mask: decision.event_mask,
            epoch: decision.epoch,
            arm_count: decision.arms.len(),
            flags: needs_source | needs_lines,
            reserved: 0,
            entry_count: decision.entries.len(),
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

/// Gives where control enters the armed units of a code object whose bytecode was told, by offset, ascending, as of the last
/// decision on it, whose epoch is written to `*out_epoch`: if that is not the one of your decision, decide again. Room for
/// `capacity`; `*out_count` is how many there are, BUFFER_TOO_SMALL if that is more. NOT_FOUND: decide the code object first. Any
/// thread. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_code_get_entries(
    engine: *const nonstop_engine,
    key: u64,
    entries: *mut nonstop_entry,
    capacity: usize,
    out_count: *mut usize,
    out_epoch: *mut u64,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        unsafe { put_points(engine, Engine::entries, key, entries, capacity, out_count, out_epoch) }
    })
}

/// The same for a host that sees single instructions (INSTRUCTION events of Python's sys.monitoring): an event for the
/// instruction at one of these offsets is an arrival, and all others can be switched off. `offset` is not always that of the
/// entry: where control comes to an entry from inside of its unit too, but from outside by jumps alone, it is that of each of
/// these jumps; `line` is that of the entry. With NONSTOP_ENTRY_MIXED nothing can be switched off in the code object: ask
/// nonstop_code_is_inside about the instruction before. NONSTOP_ENTRY_HIDDEN is never set. Two at one offset are two arrivals,
/// in this order. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_code_get_instructions(
    engine: *const nonstop_engine,
    key: u64,
    instructions: *mut nonstop_entry,
    capacity: usize,
    out_count: *mut usize,
    out_epoch: *mut u64,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        unsafe {
            put_points(engine, Engine::instruction_points, key, instructions, capacity, out_count, out_epoch)
        }
    })
}

type Points = fn(&Engine, u64) -> Result<(u64, Vec<EntryPoint>), EngineError>;

/// Copies out what `points` gives for a code object, with its epoch.
///
/// # Safety
/// The pointers are as said of nonstop_code_get_entries.
unsafe fn put_points(
    engine: *const nonstop_engine,
    points: Points,
    key: u64,
    buffer: *mut nonstop_entry,
    capacity: usize,
    out_count: *mut usize,
    out_epoch: *mut u64,
) -> Result<nonstop_status, Failure> {
    // SAFETY: the caller's promise.
    let engine = unsafe { nonstop_engine::borrow(engine) }?;
    expect_out(out_epoch, "out_epoch")?;
    let (epoch, found) = points(&engine.engine, key)?;
    let found: Vec<nonstop_entry> = found.iter().map(Into::into).collect();
    // SAFETY: the caller's promise.
    unsafe {
        let status = put_all(&found, buffer, capacity, out_count, "out_count")?;
        put(out_epoch, epoch, "out_epoch")?;
        Ok(status)
    }
}

/// Whether control that is at `offset` of a code object is inside of the unit of a site, or of what that unit surrounds:
/// `*out_inside` is 1 or 0. An event at an entry with NONSTOP_ENTRY_MIXED is an arrival if that of the event before it, in the
/// same activation, is 0. The answer for an offset stays the same until the next decision. NOT_FOUND: the code object was not
/// decided, its bytecode was not told, or the site is none of its own. Any thread. Since 1.
///
/// # Safety
/// `engine` is NULL or live, `out_inside` writable.
#[no_mangle]
pub unsafe extern "C" fn nonstop_code_is_inside(
    engine: *const nonstop_engine,
    key: u64,
    site: u32,
    offset: u32,
    out_inside: *mut i32,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        expect_out(out_inside, "out_inside")?;
        let inside = engine.engine.is_inside(key, site, offset)?;
        // SAFETY: the host's promise.
        unsafe { put(out_inside, i32::from(inside), "out_inside") }?;
        Ok(NONSTOP_OK)
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
