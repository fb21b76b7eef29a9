//! A hit from arrival to queue: rules, verdict, the host's answers, the capture.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

use super::clock::wall_clock_ns;
use super::tickets::{Stage, Ticket, MAX_OPEN};
use super::{Clock, Engine, EngineError};
use crate::breakpoints::{Action, ActionKind, Breakpoint, BreakpointId, End, State};
use crate::capture::{encode_log, encode_snapshot, Head};
use crate::channel::SendError;
use crate::code::Bound;
use crate::policy::{HitOutcome, Skip};

/// What the host should do next. The numbers are those of the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Verdict {
    /// Nothing.
    Ignore = 0,
    /// Nothing, and not here again in this epoch: switch the line off if that is cheaper than asking.
    Disable = 1,
    /// Evaluate the condition and commit its outcome.
    Evaluate = 2,
    /// Capture, and send the records.
    Capture = 3,
    /// The capture was dropped, and counted so.
    Dropped = 4,
}

/// The host's part of one breakpoint's hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HitItem {
    /// Whose hit it is.
    pub breakpoint: BreakpointId,
    /// Answers go to this ticket; 0 when no answer is owed.
    pub ticket: u64,
    /// The number of the hit, from 1; 0 while the condition is open.
    pub hit: u64,
    /// `Evaluate` or `Capture`; `Ignore` when nothing is left to do.
    pub verdict: Verdict,
    /// What a capture is for.
    pub action: ActionKind,
    /// The host's own number.
    pub user_data: u64,
}

/// The thread of an arrival.
#[derive(Clone, Copy, Debug)]
pub struct Thread<'a> {
    /// The number that the host knows it by.
    pub id: u64,
    /// Its name, where a site needs it.
    pub name: Option<&'a str>,
}

/// The outcome of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It does not hold.
    False,
    /// It holds: a hit.
    True,
    /// It raised.
    Error,
}

/// One captured hit, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose hit it was.
    pub breakpoint: BreakpointId,
    /// What it was captured for.
    pub action: ActionKind,
    /// The document: UTF-8 JSON.
    pub json: Vec<u8>,
}

impl Engine {
    /// Control arrived at a site. Applies the hit rules of every breakpoint bound there and gives what the host must do to
    /// `give`, at most `room` items; the verdict is the strongest of them, and `Disable` when no breakpoint there can fire
    /// again. `now_ns` 0 lets the engine read its clock.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown site; [`EngineError::BufferTooSmall`], and then nothing was counted.
    pub fn hit(
        &self,
        site: u32,
        thread: &Thread<'_>,
        now_ns: u64,
        room: usize,
        give: impl FnMut(HitItem),
    ) -> Result<Verdict, EngineError> {
        let bound = self.bound_at(site)?;
        self.hit_bound(&bound, thread, now_ns, room, |_| None, give)
    }

    /// The host has counted arrivals at a site by itself, `total` since that has its number. Those that it had not told are
    /// hits of the breakpoints there that only count. It tells before breakpoints change: what it counted afterwards counts
    /// for those that are there when it tells.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown site.
    pub fn hit_total(&self, site: u32, total: u64) -> Result<(), EngineError> {
        let (bound, new) = self.decisions.told_total(site, total).ok_or_else(|| unknown(site))?;
        let counting = bound.breakpoints.iter().filter(|breakpoint| breakpoint.only_counts());
        counting.for_each(|breakpoint| breakpoint.count_many(End::Captured, new));
        Ok(())
    }

    /// An arrival, if all there is to do is to count it: one breakpoint is bound, and it has no rules. Whether that was done.
    /// Only one caller at a time may be here, which a lock of the host sees to.
    pub fn count_in_turn(&self, bound: &Bound) -> bool {
        let [breakpoint] = &*bound.breakpoints else { return false };
        let counts = breakpoint.only_counts() && breakpoint.is_armable();
        if counts {
            breakpoint.count_captured_in_turn();
        }
        counts
    }

    /// What is bound at a site.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown site.
    pub fn bound_at(&self, site: u32) -> Result<Bound, EngineError> {
        self.decisions.bound_at(site).ok_or_else(|| unknown(site))
    }

    /// The same as [`Engine::hit`], for one who knows what is bound there in the present epoch. `decide` may know the outcome of
    /// the condition of the breakpoint at a place among them: then the host is not asked.
    ///
    /// # Errors
    /// [`EngineError::BufferTooSmall`], and then nothing was counted.
    pub fn hit_bound(
        &self,
        bound: &Bound,
        thread: &Thread<'_>,
        now_ns: u64,
        room: usize,
        decide: impl Fn(usize) -> Option<Outcome>,
        mut give: impl FnMut(HitItem),
    ) -> Result<Verdict, EngineError> {
        let needed = bound.breakpoints.iter().filter(|breakpoint| may_ask_host(breakpoint)).count();
        if needed > room {
            return Err(EngineError::BufferTooSmall { needed });
        }
        let mut now = Now { clock: self.options.clock, ns: now_ns };
        let mut verdict = Verdict::Disable;
        for (place, breakpoint) in bound.breakpoints.iter().enumerate() {
            if breakpoint.only_counts() && breakpoint.is_armable() {
                // One step on memory that threads share, where the rules would take three.
                breakpoint.count(End::Captured);
                if verdict == Verdict::Disable {
                    verdict = Verdict::Ignore;
                }
                continue;
            }
            let item = self.arrive(breakpoint, bound.line, thread, &mut now, || decide(place));
            if breakpoint.is_armable() {
                verdict = verdict.max(item.verdict);
                if verdict == Verdict::Disable {
                    verdict = Verdict::Ignore;
                }
            }
            if item.ticket != 0 {
                verdict = verdict.max(item.verdict);
                give(item);
            }
        }
        Ok(verdict)
    }

    /// The condition of an open hit had this outcome. When it held, the hit rules go on: the item says whether to
    /// capture, under the same ticket.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a stale ticket, [`EngineError::InvalidArgument`] when it waits for a capture.
    pub fn commit(&self, ticket: u64, outcome: Outcome, now_ns: u64) -> Result<HitItem, EngineError> {
        let open = self
            .tickets
            .close(ticket, |stage| stage == Stage::Condition)
            .map_err(|refused| EngineError::from_ticket(ticket, refused, "the outcome of a condition"))?;
        let Ticket { breakpoint, line, .. } = open;
        let end = match outcome {
            Outcome::True => {
                let mut now = Now { clock: self.options.clock, ns: now_ns };
                return Ok(self.condition_held(&breakpoint, line, Some(ticket), &mut now));
            }
            Outcome::False => End::False,
            Outcome::Error => End::Error,
        };
        breakpoint.count(end);
        Ok(item(&breakpoint, Verdict::Ignore))
    }

    /// The host gives up on an open hit: counted as an error before the condition's outcome, as dropped after it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a stale ticket.
    pub fn abandon(&self, ticket: u64) -> Result<(), EngineError> {
        let open = self
            .tickets
            .close(ticket, |_| true)
            .map_err(|refused| EngineError::from_ticket(ticket, refused, "anything"))?;
        give_up(&open);
        Ok(())
    }

    /// Encodes the records of an open hit and queues them: `Capture`, or `Dropped` when the queue is full or closed.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a stale ticket, [`EngineError::InvalidArgument`] when it waits for its condition,
    /// [`EngineError::InvalidRecords`] for records that make no document (the hit is counted as dropped).
    pub fn capture(&self, ticket: u64, records: &[u8]) -> Result<Verdict, EngineError> {
        let open = self
            .tickets
            .close(ticket, |stage| stage != Stage::Condition)
            .map_err(|refused| EngineError::from_ticket(ticket, refused, "a capture"))?;
        let (Stage::Capture { hit }, breakpoint) = (open.stage, &open.breakpoint) else {
            return Err(EngineError::InvalidArgument(format!("ticket {ticket} does not wait for a capture")));
        };
        let head = Head { breakpoint: breakpoint.id().raw(), hit, line: open.line };
        let limits = breakpoint.asked().limits();
        let encoded = match &breakpoint.asked().action {
            Action::Log(template) => encode_log(records, template, &head, limits, wall_clock_ns),
            Action::Snapshot | Action::Count => encode_snapshot(records, &head, limits, wall_clock_ns),
        };
        let mut json = encoded.map_err(|error| {
            breakpoint.count(End::Dropped);
            EngineError::InvalidRecords(error.to_string())
        })?;
        // The queue counts bytes of text: it should hold no more than it counts.
        json.shrink_to_fit();
        let bytes = json.len();
        let snapshot =
            Snapshot { breakpoint: breakpoint.id(), action: breakpoint.asked().action.kind(), json };
        let Err(refused) = self.channel.try_send(snapshot, bytes, || breakpoint.count(End::Captured)) else {
            return Ok(Verdict::Capture);
        };
        breakpoint.count(End::Dropped);
        if refused == SendError::Full && !self.told.queue_full.swap(true, Relaxed) {
            log::warn!("{refused}; snapshots are dropped and counted (this is said once)");
        }
        Ok(Verdict::Dropped)
    }

    /// Ends a breakpoint whose time is over.
    pub(super) fn expire(&self, breakpoint: &Breakpoint) {
        self.end(breakpoint, State::Expired, "its time is over");
    }

    fn arrive(
        &self,
        breakpoint: &Arc<Breakpoint>,
        line: u32,
        thread: &Thread<'_>,
        now: &mut Now,
        decide: impl FnOnce() -> Option<Outcome>,
    ) -> HitItem {
        if !breakpoint.is_armable() {
            breakpoint.count(End::Skipped);
            return item(breakpoint, Verdict::Ignore);
        }
        if let Err(skip) = breakpoint.rules().admit(thread.id, thread.name, now.of(breakpoint)) {
            if skip == Skip::Expired {
                self.expire(breakpoint);
            }
            breakpoint.count(End::Skipped);
            return item(breakpoint, Verdict::Ignore);
        }
        if !breakpoint.asked().has_condition {
            return self.condition_held(breakpoint, line, None, now);
        }
        if let Some(outcome) = decide() {
            return match outcome {
                Outcome::True => self.condition_held(breakpoint, line, None, now),
                Outcome::False => ended(breakpoint, End::False),
                Outcome::Error => ended(breakpoint, End::Error),
            };
        }
        let open = Ticket { breakpoint: Arc::clone(breakpoint), stage: Stage::Condition, line };
        HitItem { ticket: self.open(open), ..item(breakpoint, Verdict::Evaluate) }
    }

    /// Opens a hit. What must make room for it is counted as given up by its host.
    fn open(&self, ticket: Ticket) -> u64 {
        let (number, oldest) = self.tickets.open(ticket);
        if let Some(oldest) = oldest {
            give_up(&oldest);
            if !self.told.given_up.swap(true, Relaxed) {
                log::warn!(
                    "{MAX_OPEN} hits are open: the oldest are given up, the first one of breakpoint {}; the host \
                     must commit, capture or abandon each (this is said once)",
                    oldest.breakpoint.id()
                );
            }
        }
        number
    }

    /// A hit: the rules that come after the condition. `ticket` is the one that the condition was asked under.
    fn condition_held(
        &self,
        breakpoint: &Arc<Breakpoint>,
        line: u32,
        ticket: Option<u64>,
        now: &mut Now,
    ) -> HitItem {
        let hit = match breakpoint.rules().hit(now.of(breakpoint)) {
            HitOutcome::Passed => {
                breakpoint.count(End::Passed);
                return item(breakpoint, Verdict::Ignore);
            }
            HitOutcome::Limited => {
                breakpoint.count(End::Limited);
                return item(breakpoint, Verdict::Ignore);
            }
            HitOutcome::Take { hit } => hit,
        };
        if breakpoint.rules().is_exhausted() {
            self.end(breakpoint, State::Exhausted, "max_hits is spent");
        }
        if matches!(breakpoint.asked().action, Action::Count) {
            breakpoint.count(End::Captured);
            return HitItem { hit, ..item(breakpoint, Verdict::Ignore) };
        }
        let open = Ticket { breakpoint: Arc::clone(breakpoint), stage: Stage::Capture { hit }, line };
        let ticket = match ticket {
            Some(number) => {
                self.tickets.advance(number, open);
                number
            }
            None => self.open(open),
        };
        HitItem { ticket, hit, ..item(breakpoint, Verdict::Capture) }
    }
}

/// The time of one arrival, read at most once, and only for breakpoints that look at it: the clock costs as much as the
/// rest of a counted hit.
struct Now {
    clock: Clock,
    ns: u64,
}

impl Now {
    fn of(&mut self, breakpoint: &Breakpoint) -> u64 {
        if self.ns == 0 && breakpoint.rules().needs_clock() {
            self.ns = (self.clock)();
        }
        self.ns
    }
}

/// Counts an open hit that gets no answer: as an error before the condition's outcome, as dropped after it.
fn give_up(open: &Ticket) {
    open.breakpoint.count(match open.stage {
        Stage::Condition => End::Error,
        Stage::Capture { .. } => End::Dropped,
    });
}

fn unknown(site: u32) -> EngineError {
    EngineError::NotFound(format!("no site has the number {site}: its code object was forgotten"))
}

/// Whether a hit of this breakpoint can need the host: a plain counter never does.
fn may_ask_host(breakpoint: &Breakpoint) -> bool {
    breakpoint.asked().has_condition || !matches!(breakpoint.asked().action, Action::Count)
}

fn ended(breakpoint: &Breakpoint, end: End) -> HitItem {
    breakpoint.count(end);
    item(breakpoint, Verdict::Ignore)
}

fn item(breakpoint: &Breakpoint, verdict: Verdict) -> HitItem {
    HitItem {
        breakpoint: breakpoint.id(),
        ticket: 0,
        hit: 0,
        verdict,
        action: breakpoint.asked().action.kind(),
        user_data: breakpoint.asked().user_data,
    }
}
