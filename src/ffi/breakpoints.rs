//! Breakpoints.

use std::ffi::c_char;

use super::engine::nonstop_engine;
use super::error::Failure;
use super::guard::guarded;
use super::library::monotonic_ns;
use super::limits::nonstop_limits;
use super::memory::{expect_out, put_all, read_structs, slice, write_struct, Handle, Sized32};
use super::status::*;
use super::text::{nonstop_text, utf8};
use crate::breakpoints::{Action, BreakpointId, BreakpointSpec, State};
use crate::capture::Template;
use crate::location::Location;
use crate::policy::{HitCondition, Rate, RuleSpec, ThreadFilter};

/// Names a breakpoint. An id is never given to another breakpoint: one that was removed is NOT_FOUND. 0 is none.
pub type nonstop_breakpoint_id = u64;

/// Action: count the hits.
pub const NONSTOP_COUNT: i32 = 0;
/// Action: a message, made from a template.
pub const NONSTOP_LOG: i32 = 1;
/// Action: a snapshot of frames, locals and expressions.
pub const NONSTOP_SNAPSHOT: i32 = 2;

/// Flag of a breakpoint: the host has a condition for it, and evaluates it at each arrival.
pub const NONSTOP_HAS_CONDITION: u32 = 1;
/// Flag of a breakpoint: it starts disabled.
pub const NONSTOP_DISABLED: u32 = 2;

/// State: no code that it stands in has run yet.
pub const NONSTOP_PENDING: i32 = 0;
/// State: armed in at least one code object, now or before.
pub const NONSTOP_BOUND: i32 = 1;
/// State: max_hits is spent.
pub const NONSTOP_EXHAUSTED: i32 = 2;
/// State: its time is over.
pub const NONSTOP_EXPIRED: i32 = 3;
/// State: the host could not do its part.
pub const NONSTOP_FAILED: i32 = 4;
/// State: it can't fire where it was asked for; the reason names the nearest usable lines.
pub const NONSTOP_UNVERIFIED: i32 = 5;

/// A breakpoint as it is asked for. All-zero but for the size and the location is a plain counter.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_breakpoint_spec {
    /// sizeof(nonstop_breakpoint_spec).
    pub struct_size: u32,
    /// NONSTOP_COUNT, NONSTOP_LOG or NONSTOP_SNAPSHOT.
    pub action: i32,
    /// "shop.py:42", "shop.py:total", "shop.py:Cart.total" or "package.module:42"; the path is bytes. A relative path names the
    /// file below the directory in which the engine was made, or else every file whose path ends with it on whole components;
    /// when there are several, the reason names them.
    pub location: nonstop_text,
    /// "== n", ">= n" or "% n", over the number of hits; empty: every hit.
    pub hit_condition: nonstop_text,
    /// The template of a log action: text with {expressions}; see nonstop_template_parse.
    pub log_template: nonstop_text,
    /// Only arrivals on threads of this name; empty: any. Not together with thread_id.
    pub thread_name: nonstop_text,
    /// Only arrivals on this thread; 0: any.
    pub thread_id: u64,
    /// The most hits taken; 0: no limit.
    pub max_hits: u64,
    /// Hits a second (a token bucket); 0: no limit.
    pub rate_per_second: f64,
    /// How many hits may come at once within the rate; 0: one second's worth, at least 1.
    pub burst: f64,
    /// Its life, in nanoseconds from now; 0: without end. The state changes when somebody looks: at the next arrival or report.
    pub expires_after_ns: u64,
    /// NONSTOP_HAS_CONDITION, NONSTOP_DISABLED.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Handed back with each hit.
    pub user_data: u64,
    /// The limits of a capture; all zero: the defaults.
    pub limits: nonstop_limits,
}

// SAFETY: repr(C), begins with struct_size; integers, floats and raw pointers only.
unsafe impl Sized32 for nonstop_breakpoint_spec {}

/// A breakpoint's state, counters and proof of arming at one moment. An arrival is counted once, when it is over: one whose
/// ticket is open is in none of the counters yet. Always: arrivals = skipped + false_conditions + errors + hits, and hits =
/// passed + limited + captured + dropped.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_breakpoint_report {
    /// sizeof(nonstop_breakpoint_report).
    pub struct_size: u32,
    /// NONSTOP_PENDING to NONSTOP_UNVERIFIED.
    pub state: i32,
    /// The line that was asked for; 0 when a function was.
    pub requested_line: u32,
    /// The line that it resolved to; 0 while none is known.
    pub resolved_line: u32,
    /// 1 or 0.
    pub enabled: u32,
    /// Live code objects in which it is armed.
    pub code_objects: u32,
    /// Arrivals while disabled, expired or exhausted, or on another thread.
    pub skipped: u64,
    /// Arrivals whose condition was false.
    pub false_conditions: u64,
    /// Arrivals whose condition raised, or got no outcome.
    pub errors: u64,
    /// Hits that the hit condition or max_hits let pass.
    pub passed: u64,
    /// Hits beyond the rate.
    pub limited: u64,
    /// Hits counted, or captured and queued. A snapshot that was received is counted.
    pub captured: u64,
    /// Hits whose capture failed, was given up, or found the queue full.
    pub dropped: u64,
    /// All arrivals.
    pub arrivals: u64,
    /// Arrivals whose condition held, or that had none.
    pub hits: u64,
    /// Nanoseconds in which arrivals were not observed because it was switched off.
    pub off_ns: u64,
    /// As it was given.
    pub user_data: u64,
}

// SAFETY: repr(C), begins with struct_size, integers only.
unsafe impl Sized32 for nonstop_breakpoint_report {}

impl nonstop_breakpoint_spec {
    /// # Safety
    /// The texts are readable.
    unsafe fn checked(&self) -> Result<BreakpointSpec, Failure> {
        // SAFETY: the caller's promise, for all five.
        let (location, hit_condition, template, thread_name) = unsafe {
            (
                self.location.bytes("location")?,
                self.hit_condition.utf8("hit_condition")?,
                self.log_template.utf8("log_template")?,
                self.thread_name.utf8("thread_name")?,
            )
        };
        let location = Location::parse(location)
            .map_err(|error| Failure::new(NONSTOP_ERROR_INVALID_LOCATION, error.to_string()))?;
        let known = NONSTOP_HAS_CONDITION | NONSTOP_DISABLED;
        if self.flags & !known != 0 || self.reserved != 0 {
            let detail = format!(
                "flags {:#x} and reserved {} are not known: use a newer library",
                self.flags, self.reserved
            );
            return Err(Failure::argument(detail));
        }
        Ok(BreakpointSpec {
            location,
            action: action(self.action, template)?,
            has_condition: self.flags & NONSTOP_HAS_CONDITION != 0,
            enabled: self.flags & NONSTOP_DISABLED == 0,
            rules: self.rules(hit_condition, thread_name)?,
            limits: self.limits.checked()?,
            user_data: self.user_data,
        })
    }

    fn rules(&self, hit_condition: &str, thread_name: &str) -> Result<RuleSpec, Failure> {
        let hit_condition = match hit_condition {
            "" => None,
            text => Some(
                HitCondition::parse(text)
                    .map_err(|error| Failure::new(NONSTOP_ERROR_INVALID_HIT_CONDITION, error.to_string()))?,
            ),
        };
        let rate = match (self.rate_per_second, self.burst) {
            (0.0, 0.0) => None,
            (0.0, burst) => {
                return Err(Failure::argument(format!("a burst of {burst} needs a rate_per_second")))
            }
            (per_second, 0.0) => Some(Rate::per_second(per_second)),
            (per_second, burst) => Some(Rate { per_second, burst }),
        };
        let thread = match (self.thread_id, thread_name) {
            (0, "") => ThreadFilter::Any,
            (0, name) => ThreadFilter::Name(name.into()),
            (id, "") => ThreadFilter::Id(id),
            (id, name) => {
                return Err(Failure::argument(format!(
                    "give thread_id {id} or thread_name '{name}', not both"
                )))
            }
        };
        Ok(RuleSpec {
            hit_condition,
            max_hits: (self.max_hits != 0).then_some(self.max_hits),
            rate,
            expires_ns: (self.expires_after_ns != 0)
                .then(|| monotonic_ns().saturating_add(self.expires_after_ns)),
            thread,
        })
    }
}

fn action(number: i32, template: &str) -> Result<Action, Failure> {
    match number {
        NONSTOP_COUNT => Ok(Action::Count),
        NONSTOP_SNAPSHOT => Ok(Action::Snapshot),
        NONSTOP_LOG => Template::parse(template)
            .map(|template| Action::Log(Box::new(template)))
            .map_err(|error| Failure::new(NONSTOP_ERROR_INVALID_TEMPLATE, error.to_string())),
        other => Err(Failure::argument(format!(
            "there is no action {other}: use NONSTOP_COUNT, _LOG or _SNAPSHOT"
        ))),
    }
}

/// # Safety
/// As for `slice`.
unsafe fn ids(ids: *const nonstop_breakpoint_id, count: usize) -> Result<Vec<BreakpointId>, Failure> {
    // SAFETY: the caller's promise.
    let ids: &[u64] = unsafe { slice(ids, count, "ids") }?;
    Ok(ids.iter().copied().map(BreakpointId::from_raw).collect())
}

/// Adds `count` breakpoints and publishes them at once; `out_ids` (room for `count`) gets their ids in order. All or nothing.
/// Each element of `specs` is as long as the struct_size of the first says. INVALID_LOCATION, INVALID_HIT_CONDITION,
/// INVALID_TEMPLATE, INVALID_UTF8, INVALID_ARGUMENT, STRUCT_SIZE: the detail names the element and the value. LIMIT_REACHED:
/// remove some first. The texts are copied. Any thread; about 10 microseconds and one for each breakpoint. Every edit makes hosts
/// decide their code anew, so add many in one call. Since 1.
///
/// # Safety
/// As said of the pointers.
#[no_mangle]
pub unsafe extern "C" fn nonstop_breakpoints_add(
    engine: *const nonstop_engine,
    specs: *const nonstop_breakpoint_spec,
    count: usize,
    out_ids: *mut nonstop_breakpoint_id,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host promises a live engine.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        if count == 0 {
            return Ok(NONSTOP_OK);
        }
        // SAFETY: the host promises `count` structs, each as long as the first one's size says.
        let specs = unsafe { read_structs(specs, count, "specs") }?;
        expect_out(out_ids, "out_ids")?;
        let checked: Result<Vec<BreakpointSpec>, Failure> = specs
            .enumerate()
            .map(|(index, spec)| {
                // SAFETY: the host promises readable texts.
                spec.and_then(|spec| unsafe { spec.checked() })
                    .map_err(|failure| failure.at("breakpoint", index))
            })
            .collect();
        let ids: Vec<u64> = engine.engine.add(checked?)?.into_iter().map(BreakpointId::raw).collect();
        // SAFETY: the host promises room for `count` ids.
        unsafe { std::ptr::copy_nonoverlapping(ids.as_ptr(), out_ids, ids.len()) };
        Ok(NONSTOP_OK)
    })
}

/// Removes `count` breakpoints at once. NOT_FOUND when one of the ids is stale, or twice in the list: nothing was removed then.
/// Hits that are open can still be answered. Any thread. Since 1.
///
/// # Safety
/// `ids` has `count` readable values.
#[no_mangle]
pub unsafe extern "C" fn nonstop_breakpoints_remove(
    engine: *const nonstop_engine,
    ids: *const nonstop_breakpoint_id,
    count: usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host promises a live engine and `count` ids.
        let (engine, ids) = unsafe { (nonstop_engine::borrow(engine)?, self::ids(ids, count)?) };
        engine.engine.remove(&ids)?;
        Ok(NONSTOP_OK)
    })
}

/// Enables (1) or disables (0) `count` breakpoints at once. A disabled one costs nothing and observes no arrivals; its report
/// has the time that it was off. NOT_FOUND when one of the ids is stale: nothing was changed then. Any thread. Since 1.
///
/// # Safety
/// `ids` has `count` readable values.
#[no_mangle]
pub unsafe extern "C" fn nonstop_breakpoints_set_enabled(
    engine: *const nonstop_engine,
    ids: *const nonstop_breakpoint_id,
    count: usize,
    enabled: i32,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host promises a live engine and `count` ids.
        let (engine, ids) = unsafe { (nonstop_engine::borrow(engine)?, self::ids(ids, count)?) };
        engine.engine.set_enabled(&ids, enabled != 0)?;
        Ok(NONSTOP_OK)
    })
}

/// Writes the report of a breakpoint into `*out_report`, whose struct_size is set. NOT_FOUND: it was removed. Any thread. Since
/// 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_breakpoint_get_report(
    engine: *const nonstop_engine,
    id: nonstop_breakpoint_id,
    out_report: *mut nonstop_breakpoint_report,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host promises a live engine.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        let report = engine.engine.report(BreakpointId::from_raw(id))?;
        let report = nonstop_breakpoint_report {
            struct_size: 0,
            state: report.state as i32,
            requested_line: report.requested_line,
            resolved_line: report.resolved_line,
            enabled: u32::from(report.enabled),
            code_objects: report.code_objects,
            skipped: report.skipped,
            false_conditions: report.false_conditions,
            errors: report.errors,
            passed: report.passed,
            limited: report.limited,
            captured: report.captured,
            dropped: report.dropped,
            arrivals: report.arrivals(),
            hits: report.hits(),
            off_ns: report.off_ns,
            user_data: report.user_data,
        };
        // SAFETY: the host promises a sized struct.
        unsafe { write_struct(out_report, &report, "out_report") }?;
        Ok(NONSTOP_OK)
    })
}

/// Why a breakpoint is in its state, for its user: UTF-8, empty where there is nothing to say. `buffer` has room for `capacity`
/// bytes and gets no zero byte; `*out_len` is the length. BUFFER_TOO_SMALL: only `*out_len` was written. NOT_FOUND: it was
/// removed. Any thread. Since 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_breakpoint_reason(
    engine: *const nonstop_engine,
    id: nonstop_breakpoint_id,
    buffer: *mut c_char,
    capacity: usize,
    out_len: *mut usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host promises a live engine.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        let reason = engine.engine.report(BreakpointId::from_raw(id))?.reason;
        // SAFETY: the host promises the room.
        unsafe { put_all(reason.as_bytes(), buffer.cast::<u8>(), capacity, out_len, "out_len") }
    })
}

/// The host tells the engine what only it can know: NONSTOP_FAILED (its condition can't be compiled, say), which ends the
/// breakpoint, or NONSTOP_UNVERIFIED (no code can be found for it, say), which lasts until code is armed for it and is not
/// believed once some was. A breakpoint that has ended stays as it is. `reason` is for the user. INVALID_ARGUMENT for another
/// state, NOT_FOUND for a stale id. Any thread. Since 1.
///
/// # Safety
/// `reason` has `reason_len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn nonstop_breakpoint_set_state(
    engine: *const nonstop_engine,
    id: nonstop_breakpoint_id,
    state: i32,
    reason: *const c_char,
    reason_len: usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host promises a live engine and a readable text.
        let (engine, reason) =
            unsafe { (nonstop_engine::borrow(engine)?, utf8(reason, reason_len, "reason")?) };
        let state = match state {
            NONSTOP_FAILED => State::Failed,
            NONSTOP_UNVERIFIED => State::Unverified,
            other => {
                return Err(Failure::argument(format!(
                    "a host can't set the state {other}: use NONSTOP_FAILED or NONSTOP_UNVERIFIED"
                )))
            }
        };
        engine.engine.set_state(BreakpointId::from_raw(id), state, reason)?;
        Ok(NONSTOP_OK)
    })
}
