//! One live breakpoint: what was asked for, and what became of it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counters::{Counters, End};
use super::id::BreakpointId;
use super::spec::BreakpointSpec;
use super::state::{Report, State};
use crate::location::{Strength, Target};
use crate::policy::Rules;

/// A breakpoint in the table. Shared by every table that carries it and by the sites it is bound to, so its counters
/// go on through edits of other breakpoints.
#[derive(Debug)]
pub struct Breakpoint {
    id: BreakpointId,
    spec: BreakpointSpec,
    rules: Arc<Rules>,
    counters: Arc<Counters>,
    status: Mutex<Status>,
    enabled: AtomicBool,
    /// Set once and read at each arrival, where the status lock would be too dear.
    over: AtomicBool,
    code_objects: AtomicI64,
    off: Off,
    found: Mutex<Found>,
}

/// The files that match its location best, of those seen so far.
#[derive(Debug, Default)]
struct Found {
    strength: Option<Strength>,
    paths: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct Status {
    state: State,
    reason: String,
    resolved_line: u32,
}

/// The time that a breakpoint was switched off: finished stretches, and when the present one began (0: it is on).
#[derive(Debug, Default)]
struct Off {
    total_ns: AtomicU64,
    since_ns: AtomicU64,
}

impl Breakpoint {
    pub(super) fn new(id: BreakpointId, spec: BreakpointSpec, rules: Rules, now_ns: u64) -> Self {
        let off = Off::default();
        if !spec.enabled {
            off.since_ns.store(now_ns.max(1), Relaxed);
        }
        Self {
            id,
            enabled: AtomicBool::new(spec.enabled),
            rules: Arc::new(rules),
            spec,
            counters: Arc::default(),
            status: Mutex::new(Status {
                state: State::Pending,
                reason: String::from("no code that it stands in has run yet"),
                resolved_line: 0,
            }),
            over: AtomicBool::new(false),
            code_objects: AtomicI64::new(0),
            off,
            found: Mutex::default(),
        }
    }

    /// The same breakpoint with fresh locks, for the child of a fork: another thread may have held this one's.
    pub(super) fn reborn(&self) -> Self {
        let status = match self.status.try_lock() {
            Ok(status) => status.clone(),
            Err(_) => Status { state: State::Pending, reason: String::new(), resolved_line: 0 },
        };
        Self {
            id: self.id,
            spec: self.spec.clone(),
            rules: Arc::clone(&self.rules),
            counters: Arc::clone(&self.counters),
            status: Mutex::new(status),
            enabled: AtomicBool::new(self.is_enabled()),
            over: AtomicBool::new(self.is_over()),
            code_objects: AtomicI64::new(0),
            off: Off {
                total_ns: AtomicU64::new(self.off.total_ns.load(Relaxed)),
                since_ns: AtomicU64::new(self.off.since_ns.load(Relaxed)),
            },
            found: Mutex::default(),
        }
    }

    /// Its id.
    pub fn id(&self) -> BreakpointId {
        self.id
    }

    /// What was asked for.
    pub fn spec(&self) -> &BreakpointSpec {
        &self.spec
    }

    /// Its hit rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Counts an arrival that ended so.
    pub fn count(&self, end: End) {
        self.counters.count(end);
    }

    /// Whether it is enabled.
    pub fn is_enabled(&self) -> bool {
        self.enabled.load(Relaxed)
    }

    /// Whether it can never fire again.
    pub fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    /// Whether code should be armed for it.
    pub fn is_armable(&self) -> bool {
        self.is_enabled() && !self.is_over()
    }

    /// Enables or disables it; whether that changed anything.
    pub(super) fn set_enabled(&self, enabled: bool, now_ns: u64) -> bool {
        if self.enabled.swap(enabled, Relaxed) == enabled {
            return false;
        }
        if enabled {
            let since = self.off.since_ns.swap(0, Relaxed);
            self.off.total_ns.fetch_add(now_ns.saturating_sub(since), Relaxed);
        } else {
            self.off.since_ns.store(now_ns.max(1), Relaxed);
        }
        true
    }

    /// Notes a file that matches its location. Whether it stands in that file: a better match (`shop.py` under the
    /// working directory) takes it away from the lesser ones, and `moved` is called when that outdates earlier
    /// decisions. Among equals it stands in all of them, and says so.
    pub fn found_in(&self, strength: Strength, path: &[u8], moved: &dyn Fn()) -> bool {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.strength > Some(strength) {
            return false;
        }
        if found.strength < Some(strength) {
            if found.strength.is_some() {
                moved();
            }
            *found = Found { strength: Some(strength), paths: Vec::new() };
        }
        if !found.paths.iter().any(|known| known == path) {
            found.paths.push(path.to_vec());
        }
        true
    }

    /// Notes the line that it resolves to, before any code object is armed.
    pub fn resolve(&self, line: u32) {
        let mut status = self.status();
        status.resolved_line = line;
        if status.state == State::Unverified {
            status.state = State::Pending;
        }
        if status.state == State::Pending {
            status.reason = String::from("its code has not run yet");
        }
    }

    /// It is armed in one more code object, at this line.
    pub fn bind(&self, line: u32) {
        self.code_objects.fetch_add(1, Relaxed);
        let mut status = self.status();
        if matches!(status.state, State::Pending | State::Unverified) {
            status.state = State::Bound;
            status.reason.clear();
        }
        status.resolved_line = line;
    }

    /// It is no longer armed in one code object.
    pub fn unbind(&self) {
        self.code_objects.fetch_sub(1, Relaxed);
    }

    /// It can't fire where it was asked for, unless some other code already proved that it can.
    pub fn refuse(&self, reason: &str) {
        let mut status = self.status();
        if matches!(status.state, State::Pending | State::Unverified) {
            status.state = State::Unverified;
            status.reason = reason.to_owned();
        }
    }

    /// Moves it to a state that hosts and rules decide; a state that is over stays. Whether it became over just now.
    pub fn end(&self, state: State, reason: &str) -> bool {
        let mut status = self.status();
        if status.state.is_over() {
            return false;
        }
        status.state = state;
        status.reason = reason.to_owned();
        if state.is_over() {
            self.over.store(true, Relaxed);
        }
        state.is_over()
    }

    /// It was removed: sites that still carry it let arrivals pass.
    pub fn retire(&self) {
        self.over.store(true, Relaxed);
    }

    /// Its state, counters and proof of arming now.
    pub fn report(&self, now_ns: u64) -> Report {
        let status = self.status().clone();
        let since = self.off.since_ns.load(Relaxed);
        let off_now = if since == 0 { 0 } else { now_ns.saturating_sub(since) };
        Report {
            state: status.state,
            reason: self.with_ambiguity(status.reason),
            requested_line: match self.spec.location.target {
                Target::Line(line) => line,
                Target::Function(_) => 0,
            },
            resolved_line: status.resolved_line,
            enabled: self.is_enabled(),
            code_objects: u32::try_from(self.code_objects.load(Relaxed)).unwrap_or(0),
            skipped: self.counters.get(End::Skipped),
            false_conditions: self.counters.get(End::False),
            errors: self.counters.get(End::Error),
            passed: self.counters.get(End::Passed),
            limited: self.counters.get(End::Limited),
            captured: self.counters.get(End::Captured),
            dropped: self.counters.get(End::Dropped),
            off_ns: self.off.total_ns.load(Relaxed).saturating_add(off_now),
            user_data: self.spec.user_data,
        }
    }

    /// A location that matches several files equally well stands in all of them; the user may have meant one.
    fn with_ambiguity(&self, reason: String) -> String {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.paths.len() < 2 {
            return reason;
        }
        let names: Vec<_> = found.paths.iter().map(|path| String::from_utf8_lossy(path)).collect();
        let gap = if reason.is_empty() { "" } else { "; " };
        format!(
            "{reason}{gap}{} stands in {} files: {}; write more of the path to choose one",
            self.spec.location,
            names.len(),
            names.join(", ")
        )
    }

    /// The status is plain data that is valid after every statement, so a panic elsewhere can't have broken it.
    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
