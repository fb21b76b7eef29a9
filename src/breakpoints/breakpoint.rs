//! One live breakpoint: what was asked for, and what became of it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::counters::{Counters, End};
use super::found::{Basis, Found, Met, Placed};
use super::id::BreakpointId;
use super::shared::Switches;
use super::spec::{Action, Asked, BreakpointSpec};
use super::state::{Report, State};
use crate::capture::Limits;
use crate::location::{Strength, Target};
use crate::policy::Rules;

/// A breakpoint in the table. Shared by every table that carries it and by the sites it is bound to, so its counters
/// go on through edits of other breakpoints.
#[derive(Debug)]
pub struct Breakpoint {
    id: BreakpointId,
    /// When it was added, counted from the first: ids don't tell, since slots are given out again.
    order: u64,
    kept: Arc<Kept>,
    /// Told when it is armed or disarmed.
    switches: Arc<Switches>,
    enabled: AtomicBool,
    /// How it ended, set once: read at each arrival, where the lock would be too dear, and in the child of a fork, where
    /// another thread may hold that.
    ended: AtomicU8,
    life: Mutex<Life>,
}

/// What goes on in the child of a fork: nothing in it is ever locked.
#[derive(Debug)]
struct Kept {
    asked: Asked,
    rules: Rules,
    counters: Counters,
    only_counts: bool,
}

/// Values of `ended` besides the state that it ended in.
mod ended {
    pub const NOT: u8 = u8::MAX;
    pub const REMOVED: u8 = u8::MAX - 1;
}

/// What changes together. Plain data that is valid after every statement, so a panic elsewhere can't have broken it.
#[derive(Clone, Debug)]
struct Life {
    state: State,
    reason: Cow<'static, str>,
    resolved_line: u32,
    code_objects: u32,
    /// Whether the state is unverified because the host said so: then only an arming proves otherwise.
    is_doubted: bool,
    found: Found,
    /// The time that it was switched off: finished stretches, and when the present one began.
    off_ns: u64,
    off_since_ns: Option<u64>,
}

impl Life {
    fn new(state: State, reason: &'static str) -> Self {
        Self {
            state,
            reason: Cow::Borrowed(reason),
            resolved_line: 0,
            code_objects: 0,
            is_doubted: false,
            found: Found::default(),
            off_ns: 0,
            off_since_ns: None,
        }
    }

    /// Takes over what its files say, unless it was proved already, is over, or the host knows better.
    fn place(&mut self) {
        if !matches!(self.state, State::Pending | State::Unverified) || self.is_doubted {
            return;
        }
        let (state, reason) = match self.found.placed() {
            Placed::Unknown => (State::Pending, Cow::Borrowed(NOT_SEEN)),
            Placed::At(line) => {
                self.resolved_line = line;
                (State::Pending, Cow::Borrowed("its code has not run yet"))
            }
            Placed::Nowhere(reason) => (State::Unverified, Cow::Owned(reason)),
        };
        (self.state, self.reason) = (state, reason);
    }
}

const NOT_SEEN: &str = "no code that it stands in has run yet";

impl Breakpoint {
    pub(super) fn new(
        id: BreakpointId,
        order: u64,
        spec: BreakpointSpec,
        rules: Rules,
        switches: Arc<Switches>,
        now_ns: u64,
    ) -> Self {
        let BreakpointSpec { location, action, has_condition, enabled, limits, user_data, rules: _ } = spec;
        let own_limits = (limits != Limits::DEFAULT).then(|| Box::new(limits));
        let asked = Asked { location, action, has_condition, own_limits, user_data };
        let only_counts = matches!(asked.action, Action::Count) && !has_condition && rules.take_everything();
        let mut life = Life::new(State::Pending, NOT_SEEN);
        life.off_since_ns = (!enabled).then_some(now_ns);
        Self {
            id,
            order,
            kept: Arc::new(Kept { asked, rules, counters: Counters::default(), only_counts }),
            switches,
            enabled: AtomicBool::new(enabled),
            ended: AtomicU8::new(ended::NOT),
            life: Mutex::new(life),
        }
    }

    /// The same breakpoint with fresh locks, for the child of a fork: another thread may have held this one's.
    pub(super) fn reborn(&self) -> Self {
        let life = match self.life.try_lock() {
            Ok(life) => life.clone(),
            Err(TryLockError::Poisoned(broken)) => broken.into_inner().clone(),
            // What was being written can't be read. How it ended is known apart; code is decided anew, and tells the rest.
            Err(TryLockError::WouldBlock) => match self.ended_in() {
                Some(state) => Life::new(state, "the process forked while it ended"),
                None => Life::new(State::Pending, NOT_SEEN),
            },
        };
        Self {
            id: self.id,
            order: self.order,
            kept: Arc::clone(&self.kept),
            switches: Arc::clone(&self.switches),
            enabled: AtomicBool::new(self.is_enabled()),
            ended: AtomicU8::new(self.ended.load(Relaxed)),
            life: Mutex::new(Life { code_objects: 0, ..life }),
        }
    }

    /// Its id.
    pub fn id(&self) -> BreakpointId {
        self.id
    }

    /// When it was added: of two the one with the lower number came first.
    pub fn order(&self) -> u64 {
        self.order
    }

    /// What was asked for.
    pub fn asked(&self) -> &Asked {
        &self.kept.asked
    }

    /// Its hit rules.
    pub fn rules(&self) -> &Rules {
        &self.kept.rules
    }

    /// Whether every arrival while it is armable is a hit that is counted, and nothing else is to be done.
    pub fn only_counts(&self) -> bool {
        self.kept.only_counts
    }

    /// Counts an arrival that ended so.
    pub fn count(&self, end: End) {
        self.count_many(end, 1);
    }

    /// Counts several that did.
    pub fn count_many(&self, end: End, arrivals: u64) {
        self.kept.counters.count(end, arrivals);
    }

    /// Counts an arrival that ended in [`End::Captured`], for callers of which only one at a time gets here.
    pub fn count_captured_in_turn(&self) {
        self.kept.counters.count_captured_in_turn();
    }

    /// Whether it is enabled.
    pub fn is_enabled(&self) -> bool {
        self.enabled.load(Relaxed)
    }

    /// Whether it can never fire again.
    pub fn is_over(&self) -> bool {
        self.ended.load(Relaxed) != ended::NOT
    }

    /// Whether code should be armed for it.
    pub fn is_armable(&self) -> bool {
        self.is_enabled() && !self.is_over()
    }

    fn ended_in(&self) -> Option<State> {
        let ended = self.ended.load(Relaxed);
        [State::Exhausted, State::Expired, State::Failed].into_iter().find(|state| *state as u8 == ended)
    }

    /// Enables or disables it; whether that changed anything.
    pub(super) fn set_enabled(&self, enabled: bool, now_ns: u64) -> bool {
        let mut life = self.life();
        if self.enabled.swap(enabled, Relaxed) == enabled {
            return false;
        }
        if let Some(since) = life.off_since_ns.take() {
            life.off_ns = life.off_ns.saturating_add(now_ns.saturating_sub(since));
        }
        life.off_since_ns = (!enabled).then_some(now_ns);
        self.switches.advance();
        true
    }

    /// Notes a file that matches its location. Whether it stands in that file: a better match (`shop.py` under the
    /// working directory) takes it away from the lesser ones, and `moved` is called when that outdates earlier
    /// decisions. Among equals it stands in all of them, and says so.
    pub fn found_in(&self, strength: Strength, path: &Arc<[u8]>, moved: &dyn Fn()) -> bool {
        let mut life = self.life();
        let met = life.found.meet(strength, path);
        if matches!(met, Met::New | Met::Better) {
            life.place();
        }
        if met == Met::Better {
            self.switches.advance();
            moved();
        }
        met != Met::Worse
    }

    /// Notes what became of it in a file, before any code object is armed there.
    pub fn place(&self, path: &Arc<[u8]>, placed: Placed) {
        let mut life = self.life();
        if life.found.note(path, Some(placed)) {
            life.place();
        }
    }

    /// Forgets the files: paths read differently now.
    pub(super) fn forget_files(&self) {
        let mut life = self.life();
        life.found = Found::default();
        life.place();
        self.switches.advance();
    }

    /// It is armed in one more code object, in the unit that begins at this line. The line that it resolved to is the one that
    /// its file says; where that says none, the first of those that it is armed at (functions of one name).
    pub fn bind(&self, line: u32, basis: Basis) {
        let mut life = self.life();
        life.resolved_line = match (basis, life.found.placed()) {
            (Basis::Source, Placed::At(placed)) => placed,
            (Basis::OtherSource, _) if life.code_objects > 0 => life.resolved_line,
            (Basis::NoSource, _) if life.code_objects > 0 => life.resolved_line.min(line),
            _ => line,
        };
        life.code_objects += 1;
        if matches!(life.state, State::Pending | State::Unverified) {
            life.state = State::Bound;
            life.reason = Cow::Borrowed("");
            life.is_doubted = false;
        }
        if life.state == State::Bound && life.reason.is_empty() {
            life.reason = Cow::Borrowed(basis.note());
        }
    }

    /// It is no longer armed in one code object.
    pub fn unbind(&self) {
        let mut life = self.life();
        life.code_objects = life.code_objects.saturating_sub(1);
    }

    /// The host knows that it can't fire where it was asked for. Whether that is believed: not once code was armed for it,
    /// and not after its end.
    pub fn doubt(&self, reason: &str) -> bool {
        let mut life = self.life();
        let is_open = matches!(life.state, State::Pending | State::Unverified);
        if is_open {
            life.state = State::Unverified;
            life.reason = Cow::Owned(reason.to_owned());
            life.is_doubted = true;
        }
        is_open
    }

    /// Ends it, unless it has ended; whether it ended just now.
    pub fn end(&self, state: State, reason: impl Into<Cow<'static, str>>) -> bool {
        let mut life = self.life();
        if !state.is_over() || self.ended.compare_exchange(ended::NOT, state as u8, Relaxed, Relaxed).is_err()
        {
            return false;
        }
        life.state = state;
        life.reason = reason.into();
        self.switches.advance();
        true
    }

    /// It was removed: sites that still carry it let arrivals pass.
    pub fn retire(&self) {
        self.ended.store(ended::REMOVED, Relaxed);
    }

    /// Its state, counters and proof of arming now.
    pub fn report(&self, now_ns: u64) -> Report {
        let life = self.life().clone();
        let off_now = life.off_since_ns.map_or(0, |since| now_ns.saturating_sub(since));
        let Kept { asked, counters, .. } = &*self.kept;
        let reason = match life.found.ambiguity(&asked.location) {
            None => life.reason.into_owned(),
            Some(ambiguity) if life.reason.is_empty() => ambiguity,
            Some(ambiguity) => format!("{}; {ambiguity}", life.reason),
        };
        Report {
            state: life.state,
            reason,
            requested_line: match asked.location.target {
                Target::Line(line) => line,
                Target::Function(_) => 0,
            },
            resolved_line: life.resolved_line,
            enabled: self.is_enabled(),
            code_objects: life.code_objects,
            skipped: counters.get(End::Skipped),
            false_conditions: counters.get(End::False),
            errors: counters.get(End::Error),
            passed: counters.get(End::Passed),
            limited: counters.get(End::Limited),
            captured: counters.get(End::Captured),
            dropped: counters.get(End::Dropped),
            off_ns: life.off_ns.saturating_add(off_now),
            user_data: asked.user_data,
        }
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breakpoints::{Action, Breakpoints};
    use crate::location::Location;
    use crate::policy::RuleSpec;

    fn one(breakpoints: &Breakpoints) -> Arc<Breakpoint> {
        let spec = BreakpointSpec {
            location: Location::parse(b"shop.py:3").unwrap(),
            action: Action::Count,
            has_condition: false,
            enabled: true,
            rules: RuleSpec::default(),
            limits: Limits::default(),
            user_data: 0,
        };
        let id = breakpoints.add(vec![spec], 0).unwrap()[0];
        Arc::clone(breakpoints.table().get(id).unwrap())
    }

    #[test]
    fn a_fork_in_the_middle_of_a_change_keeps_what_must_not_be_lost() {
        let mut breakpoints = Breakpoints::default();
        let (ended, living) = (one(&breakpoints), one(&breakpoints));
        ended.end(State::Exhausted, "max_hits is spent");
        ended.count(End::Captured);
        // Held by a thread that does not exist in the child.
        let (_first, _second) = (ended.life(), living.life());
        let child = breakpoints.reborn();
        let report = |parent: &Breakpoint| child.table().get(parent.id()).unwrap().report(0);
        assert_eq!((report(&ended).state, report(&ended).captured), (State::Exhausted, 1));
        assert_eq!(report(&living).state, State::Pending);
        assert!(child.table().get(living.id()).unwrap().is_armable());
    }

    #[test]
    fn the_time_that_it_was_off_is_the_sum_of_all_stretches() {
        let breakpoint = one(&Breakpoints::default());
        assert!(!breakpoint.set_enabled(true, 5));
        assert!(breakpoint.set_enabled(false, 10) && breakpoint.set_enabled(true, 30));
        assert!(breakpoint.set_enabled(false, 100));
        assert_eq!((breakpoint.report(100).off_ns, breakpoint.report(107).off_ns), (20, 27));
    }

    #[test]
    fn the_first_end_stays() {
        let breakpoint = one(&Breakpoints::default());
        assert!(breakpoint.end(State::Expired, "its time is over"));
        assert!(!breakpoint.end(State::Failed, "too late"));
        assert!(!breakpoint.doubt("too late") && !breakpoint.is_armable());
        breakpoint.bind(3, Basis::Source);
        assert_eq!(breakpoint.report(0).state, State::Expired);
    }
}
