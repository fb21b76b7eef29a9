//! Composes the modules below it; only the C ABI knows it.

mod clock;
mod error;
mod hits;
#[cfg(test)]
mod concurrency_tests;
#[cfg(test)]
mod placement_tests;
#[cfg(test)]
mod tests;
mod tickets;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::breakpoints::{Breakpoint, BreakpointId, BreakpointSpec, Breakpoints, Report, State, Table};
use crate::channel::{Channel, ChannelStats, Received};
use crate::code::{
    CodeInfo, Decision, Decisions, EntryPoint, Event, EventKind, Files, Filter, Interest, SourceUnits, Span,
    Units, View,
};
use tickets::Tickets;

pub use clock::{since_first_call_ns, Clock};
pub use error::EngineError;
pub use hits::{HitItem, Outcome, Snapshot, Thread, Verdict};

/// How an engine is built.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// The most snapshots queued.
    pub queue_items: usize,
    /// The most bytes of snapshots queued.
    pub queue_bytes: usize,
    /// The monotonic clock.
    pub clock: Clock,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { queue_items: 1000, queue_bytes: 8 << 20, clock: since_first_call_ns }
    }
}

/// Breakpoints, the decisions on code, the hits that are open, and the queue of what was captured.
///
/// All methods take `&self` and may be called from any number of threads, except [`Engine::after_fork`].
#[derive(Debug)]
pub struct Engine {
    /// Boxed: hosts keep its address.
    epoch: Box<AtomicU64>,
    breakpoints: Breakpoints,
    files: Files,
    filter: RwLock<Arc<Filter>>,
    decisions: Decisions,
    tickets: Tickets,
    channel: Channel<Snapshot>,
    told: Told,
    options: EngineOptions,
}

/// What was logged already: a trouble that can come with every hit is logged once.
#[derive(Debug, Default)]
struct Told {
    queue_full: AtomicBool,
    given_up: AtomicBool,
}

impl Engine {
    /// An engine without breakpoints.
    pub fn new(options: EngineOptions) -> Self {
        Self {
            epoch: Box::new(AtomicU64::new(1)),
            breakpoints: Breakpoints::default(),
            files: Files::new(),
            filter: RwLock::default(),
            decisions: Decisions::default(),
            tickets: Tickets::default(),
            channel: Channel::new(options.queue_items, options.queue_bytes),
            told: Told::default(),
            options,
        }
    }

    /// Starts afresh in the child of a fork, where locks that other threads held will never be released: same
    /// breakpoints, ids and counters; code is decided anew, open hits and queued snapshots stay with the parent.
    pub fn after_fork(&mut self) {
        let fresh = Self {
            epoch: Box::new(AtomicU64::new(0)),
            breakpoints: self.breakpoints.reborn(),
            files: Files::new(),
            filter: RwLock::new(Arc::clone(self.filter.get_mut().unwrap_or_else(PoisonError::into_inner))),
            decisions: Decisions::after(&self.decisions),
            tickets: Tickets::after(&self.tickets),
            channel: Channel::new(self.options.queue_items, self.options.queue_bytes),
            told: Told::default(),
            options: self.options,
        };
        if self.channel.is_closed() {
            fresh.channel.close();
        }
        let mut old = std::mem::replace(self, fresh);
        std::mem::swap(&mut self.epoch, &mut old.epoch);
        self.files.inherit(&mut old.files);
        // A structure that another thread was changing at the fork is in no state to be dropped: it is left alone.
        std::mem::forget(old);
        self.advance();
    }

    /// The word that changes whenever decisions may have. Its address stays the same for the engine's life.
    pub fn epoch_word(&self) -> &AtomicU64 {
        &self.epoch
    }

    /// From now on `from` at the start of a run-time path reads as `to`, on whole components; the longest map wins.
    pub fn add_path_map(&self, from: &[u8], to: &[u8]) {
        self.files.add_map(from, to);
        self.breakpoints.forget_files();
        self.advance();
        log::debug!("{} reads as {}", String::from_utf8_lossy(from), String::from_utf8_lossy(to));
    }

    /// Adds a batch of breakpoints, published at once.
    ///
    /// # Errors
    /// [`EngineError::LimitReached`]; nothing was added then.
    pub fn add(&self, specs: Vec<BreakpointSpec>) -> Result<Vec<BreakpointId>, EngineError> {
        let ids = self.breakpoints.add(specs, self.now())?;
        if let Some(first) = ids.first() {
            self.advance();
            log::debug!("breakpoints added: {}, the first with the id {first}", ids.len());
        }
        Ok(ids)
    }

    /// Removes a batch of breakpoints, published at once. Hits of theirs that are open can still be answered.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a stale id, or one given twice; nothing was removed then.
    pub fn remove(&self, ids: &[BreakpointId]) -> Result<(), EngineError> {
        for removed in self.breakpoints.remove(ids)? {
            removed.retire();
        }
        if let Some(first) = ids.first() {
            self.advance();
            log::debug!("breakpoints removed: {}, the first with the id {first}", ids.len());
        }
        Ok(())
    }

    /// Enables or disables a batch of breakpoints, published at once.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a stale id; nothing was changed then.
    pub fn set_enabled(&self, ids: &[BreakpointId], enabled: bool) -> Result<(), EngineError> {
        if self.breakpoints.set_enabled(ids, enabled, self.now())? {
            self.advance();
        }
        Ok(())
    }

    /// A breakpoint's state, counters and proof of arming.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a stale id.
    pub fn report(&self, id: BreakpointId) -> Result<Report, EngineError> {
        let table = self.breakpoints.table();
        let breakpoint = table.get(id).ok_or(crate::breakpoints::Stale(id))?;
        let now = self.now();
        if breakpoint.rules().is_expired(now) {
            self.expire(breakpoint);
        }
        Ok(breakpoint.report(now))
    }

    /// The host could not do its part (`Failed`), or knows that the breakpoint can't fire (`Unverified`).
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a stale id, [`EngineError::InvalidArgument`] for any other state.
    pub fn set_state(&self, id: BreakpointId, state: State, reason: &str) -> Result<(), EngineError> {
        let table = self.breakpoints.table();
        let breakpoint = table.get(id).ok_or(crate::breakpoints::Stale(id))?;
        match state {
            State::Failed => self.end(breakpoint, State::Failed, reason.to_owned()),
            State::Unverified => drop(breakpoint.doubt(reason)),
            other => {
                return Err(EngineError::InvalidArgument(format!(
                    "a host can't set the state {other:?}: only Failed and Unverified are its to tell"
                )))
            }
        }
        Ok(())
    }

    /// Registers the unit table of a file, and places the breakpoints that stand in it.
    pub fn register_source(&self, path: &[u8], module: &str, units: SourceUnits) {
        self.learn(path, module, Units::Table(Arc::new(units)));
    }

    /// There is no source text for this file: the lines of its code objects are the units. `lines` are those of all of them,
    /// ascending; empty where they are not known.
    pub fn source_without_units(&self, path: &[u8], lines: &[u32]) {
        self.learn(path, "", if lines.is_empty() { Units::Absent } else { Units::Lines(lines.into()) });
    }

    /// The lines of a registered file that can carry a breakpoint.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when no unit table is registered for that path.
    pub fn source_lines(&self, path: &[u8]) -> Result<Vec<u32>, EngineError> {
        self.files.units(path).map(|units| units.lines().to_vec()).ok_or_else(|| no_units(path))
    }

    /// By file, of those that are named with the module that they run as: whether one of these breakpoints stands in it; where
    /// none is named, whether any does.
    pub fn files_carry(&self, files: &[(&[u8], &str)], breakpoints: &[BreakpointId]) -> Vec<bool> {
        let wanted: HashSet<BreakpointId> = breakpoints.iter().copied().collect();
        self.with_view(|view| {
            let carries = |&(path, module): &(&[u8], &str)| {
                let file = view.files.enter(path);
                let placement = file.placement(module, view.table, view.epoch, view.moved);
                view.files.leave(&file);
                if wanted.is_empty() {
                    !placement.is_empty()
                } else {
                    placement.has_any_of(&wanted)
                }
            };
            files.iter().map(carries).collect()
        })
    }

    /// The first lines of the scopes of a registered file, run as this module, whose code carries a breakpoint.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when no unit table is registered for that path.
    pub fn file_scopes(&self, path: &[u8], module: &str) -> Result<Vec<u32>, EngineError> {
        self.with_view(|view| {
            let file = view.files.enter(path);
            let placement = file.placement(module, view.table, view.epoch, view.moved);
            view.files.leave(&file);
            match file.units() {
                // What nothing stands in was not placed by any units.
                Units::Table(_) if placement.is_empty() => Some(Vec::new()),
                Units::Table(_) => placement.scope_lines(),
                Units::Unasked | Units::Absent | Units::Lines(_) => None,
            }
        })
        .ok_or_else(|| no_units(path))
    }

    /// Replaces the event filter.
    pub fn set_filter(&self, filter: Filter) {
        let filter = Arc::new(filter);
        // Replaced, then dropped, as a table of breakpoints is: the child of a fork finds the one or the other.
        let old =
            std::mem::replace(&mut *self.filter.write().unwrap_or_else(PoisonError::into_inner), filter);
        drop(old);
        self.advance();
    }

    /// What to observe of a code object.
    ///
    /// # Errors
    /// [`EngineError::InvalidArgument`] for bytes that are not the bytecode that its facts say.
    pub fn decide(&self, info: &CodeInfo<'_>) -> Result<Decision, EngineError> {
        if let Some(settled) = self.decisions.settled(info, self.epoch.load(Acquire)) {
            return Ok(settled);
        }
        loop {
            let decided = self.with_view(|view| self.decisions.decide(info, view));
            let decided = decided.map_err(|error| EngineError::InvalidArgument(error.to_string()))?;
            if let Some(decision) = decided {
                return Ok(decision);
            }
        }
    }

    /// Where control enters the armed units of a code object, by the last decision on it, with the epoch of that.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a code object that was not decided.
    pub fn entries(&self, key: u64) -> Result<(u64, Vec<EntryPoint>), EngineError> {
        self.decisions.entry_points(key).ok_or_else(|| undecided(key))
    }

    /// The same for a host that sees single instructions: those whose running is an arrival.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a code object that was not decided.
    pub fn instruction_points(&self, key: u64) -> Result<(u64, Vec<EntryPoint>), EngineError> {
        self.decisions.instruction_points(key).ok_or_else(|| undecided(key))
    }

    /// The same, each with the lines of the unit that is entered.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a code object that was not decided.
    pub fn probe_points(&self, key: u64) -> Result<(u64, Vec<(EntryPoint, Span)>), EngineError> {
        self.decisions.probe_points(key).ok_or_else(|| undecided(key))
    }

    /// Whether control that is at an offset of a code object is inside of the unit of a site, or of what that surrounds: an
    /// event at an entry that is mixed is no arrival then.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a code object that was not decided or whose bytecode was not told, and for a site that is
    /// none of its own.
    pub fn is_inside(&self, key: u64, site: u32, offset: u32) -> Result<bool, EngineError> {
        self.decisions.is_inside(key, site, offset).ok_or_else(|| {
            EngineError::NotFound(format!("no site {site} is known in the bytecode of the code object {key}"))
        })
    }

    /// Forgets a code object that is gone, so that its key can name another; whether it was known.
    pub fn forget(&self, key: u64) -> bool {
        self.decisions.forget(key, &self.files)
    }

    /// Whether a breakpoint is armed in a code object, by the last decision on it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a code object that was not decided.
    pub fn carries(&self, key: u64, breakpoint: BreakpointId) -> Result<bool, EngineError> {
        self.decisions.carries(key, breakpoint).ok_or_else(|| undecided(key))
    }

    /// What to do with a raw event: `Capture` with the site that it arrives at, or with 0 when the filter wants it;
    /// `Ignore`; or `Disable` when no such event at that line is wanted in this epoch.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a code object that was not decided yet.
    pub fn event(
        &self,
        key: u64,
        kind: EventKind,
        line: u32,
        thread: u64,
        depth: u32,
    ) -> Result<(Verdict, u32), EngineError> {
        let event = Event { kind, line, thread, depth };
        let settled = self.decisions.settled_event(key, event, self.epoch.load(Acquire));
        match settled.or_else(|| self.with_view(|view| self.decisions.event(key, event, view))) {
            Some(Interest::Site(site)) => Ok((Verdict::Capture, site)),
            Some(Interest::Filter) => Ok((Verdict::Capture, 0)),
            Some(Interest::None) => Ok((Verdict::Ignore, 0)),
            Some(Interest::Never) => Ok((Verdict::Disable, 0)),
            None => Err(undecided(key)),
        }
    }

    /// The next captured hit; waits up to `timeout`, or for ever.
    pub fn receive(&self, timeout: Option<Duration>) -> Received<Snapshot> {
        self.channel.receive(timeout)
    }

    /// Closes the channel: what is queued can still be received, then consumers are told the end.
    pub fn close(&self) {
        self.channel.close();
        log::debug!("the channel is closed");
    }

    /// How full the channel is, and what it dropped.
    pub fn channel_stats(&self) -> ChannelStats {
        self.channel.stats()
    }

    fn learn(&self, path: &[u8], module: &str, units: Units) {
        let file = self.files.set_units(path, units);
        self.advance();
        // Placing now, rather than when the code first runs, tells the user at once where each breakpoint went.
        self.with_view(|view| file.placement(module, view.table, view.epoch, view.moved));
    }

    /// Ends a breakpoint, once.
    fn end(&self, breakpoint: &Breakpoint, state: State, reason: impl Into<Cow<'static, str>>) {
        let reason = reason.into();
        if breakpoint.end(state, reason.clone()) {
            self.advance();
            log::info!("breakpoint {} at {} ended: {reason}", breakpoint.id(), breakpoint.asked().location);
        }
    }

    fn with_view<R>(&self, work: impl FnOnce(&View<'_>) -> R) -> R {
        // The epoch is read before what it covers: whoever changes that advances the epoch afterwards, so a decision
        // made from a mixture carries an old epoch and is made again.
        let epoch = self.epoch.load(Acquire);
        let table: Arc<Table> = self.breakpoints.table();
        let filter = Arc::clone(&self.filter.read().unwrap_or_else(PoisonError::into_inner));
        let moved = || self.advance();
        work(&View { epoch, table: &table, filter: &filter, files: &self.files, moved: &moved })
    }

    fn advance(&self) {
        self.epoch.fetch_add(1, Release);
    }

    fn now(&self) -> u64 {
        (self.options.clock)()
    }
}

fn no_units(path: &[u8]) -> EngineError {
    let name = String::from_utf8_lossy(path);
    EngineError::NotFound(format!("no units are registered for {name}: register its source first"))
}

fn undecided(key: u64) -> EngineError {
    EngineError::NotFound(format!("the code object {key} was not decided: decide it first"))
}
