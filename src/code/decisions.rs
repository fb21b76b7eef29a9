//! The decision per code object: made once, cached with the epoch, made again when the epoch has moved on.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use dashmap::mapref::entry::Entry as Place;
use dashmap::DashMap;

use super::bytecode::{BytecodeError, Decoded};
use super::entries::{arrivals, entries, is_inside, Arrival, Entry as UnitEntry, Span};
use super::files::{File, Files};
use super::filter::{EventKind, Filter};
use super::hash::IntHash;
use super::info::{Arm, CodeInfo, Decision, EntryPoint};
use super::placement::{Armed, Placement};
use super::recent::Stamp;
use super::sites::{Bound, Site, Sites};
use super::units::Units;
use crate::breakpoints::{Breakpoint, BreakpointId, Table};

/// What a decision is made from: everything that the epoch covers.
pub struct View<'a> {
    /// The epoch, read before the rest.
    pub epoch: u64,
    /// The breakpoints.
    pub table: &'a Table,
    /// The event filter.
    pub filter: &'a Arc<Filter>,
    /// The files.
    pub files: &'a Files,
    /// Called when breakpoints move to a better file: earlier decisions are outdated.
    pub moved: &'a dyn Fn(),
}

/// A raw event of a host.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The line it happened at.
    pub line: u32,
    /// The thread it happened on.
    pub thread: u64,
    /// The depth of the call stack, as the host counts.
    pub depth: u32,
}

/// What to do with a raw event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Nothing.
    None,
    /// Nothing, and neither with any later event of this kind at this line in this epoch.
    Never,
    /// It is wanted by the filter.
    Filter,
    /// It arrives at this site.
    Site(u32),
}

/// The decision cache and the sites that decisions gave out.
#[derive(Debug, Default)]
pub struct Decisions {
    entries: DashMap<u64, Entry, IntHash>,
    sites: Sites,
    changed: Stamp,
}

/// One code object: enough to decide again without asking the host.
#[derive(Debug)]
struct Entry {
    file: Arc<File>,
    module: Box<str>,
    name: Box<str>,
    qualname: Box<str>,
    first_line: u32,
    lines: Box<[u32]>,
    /// Its bytecode, where the host told it.
    code: Option<Box<Decoded>>,
    is_of_other_source: bool,
    /// By site: what surrounds it.
    spans: Vec<(u32, Span)>,
    decision: Decision,
    /// What the decision was made of: while these are the same, so is the decision.
    made_of: (Weak<Placement>, Weak<Filter>),
    /// What the filter wants of it, which the lines to arm are added to.
    filter_mask: u32,
    /// Its sites by unit, ascending.
    sites: Vec<Site>,
}

impl Decisions {
    /// No decisions; sites are numbered on from those of `other`, so that its numbers name nothing here.
    pub fn after(other: &Self) -> Self {
        Self { sites: Sites::after(&other.sites), ..Self::default() }
    }

    /// The decision on a code object if it was made in this epoch. The short way, without a view.
    pub fn settled(&self, info: &CodeInfo<'_>, epoch: u64) -> Option<Decision> {
        let entry = self.entries.get(&info.key)?;
        entry.is_settled(info, epoch).then(|| entry.decision.clone())
    }

    /// The decision on a code object, cached or made now. `None` when one that is later than the view is there already:
    /// take a new view then. To decide after it by what was before would unbind what a host has armed meanwhile.
    ///
    /// # Errors
    /// [`BytecodeError`]: what the host told is no bytecode; nothing was decided.
    pub fn decide(&self, info: &CodeInfo<'_>, view: &View<'_>) -> Result<Option<Decision>, BytecodeError> {
        // Before an entry is held, and so that nothing is left behind of bytes that can't be read.
        let told = info.bytecode.map(|bytes| Decoded::read(&bytes, info.first_line)).transpose()?;
        Ok(self.decide_told(info, told, view))
    }

    fn decide_told(&self, info: &CodeInfo<'_>, told: Option<Decoded>, view: &View<'_>) -> Option<Decision> {
        if let Some(mut entry) = self.entries.get_mut(&info.key) {
            if entry.describes(info) {
                return self.answer(info, told, &mut entry, view);
            }
        }
        // Before the entry is held: a file that is new is looked up in the file system.
        let file = view.files.enter(info.path);
        let (mut entry, left) = match self.entries.entry(info.key) {
            Place::Vacant(place) => (place.insert(Entry::new(info, file)), None),
            Place::Occupied(place) if place.get().describes(info) => (place.into_ref(), Some(file)),
            Place::Occupied(mut place) => {
                let old = place.insert(Entry::new(info, file));
                self.changed.advance();
                (place.into_ref(), Some(self.sites_released(old)))
            }
        };
        let decision = self.answer(info, told, &mut entry, view);
        drop(entry);
        if let Some(file) = left {
            view.files.leave(&file);
        }
        decision
    }

    /// What to do with a raw event if that was decided in this epoch and the filter need not be asked. The short way,
    /// without a view.
    pub fn settled_event(&self, key: u64, event: Event, epoch: u64) -> Option<Interest> {
        self.changed.recall(key, event, epoch, || {
            let entry = self.entries.get(&key).filter(|entry| entry.decision.epoch == epoch)?;
            entry.plain_interest(event)
        })
    }

    /// What to do with a raw event; `None` for a code object that was not decided yet.
    pub fn event(&self, key: u64, event: Event, view: &View<'_>) -> Option<Interest> {
        let entry = self.entries.get(&key)?;
        if entry.decision.epoch >= view.epoch {
            return Some(entry.interest(event, view.filter));
        }
        drop(entry);
        let mut entry = self.entries.get_mut(&key)?;
        if entry.decision.epoch < view.epoch {
            self.renew(key, &mut entry, view);
        }
        Some(entry.interest(event, view.filter))
    }

    /// Forgets a code object that is gone; whether it was known.
    pub fn forget(&self, key: u64, files: &Files) -> bool {
        let Some((_, entry)) = self.entries.remove(&key) else { return false };
        self.changed.advance();
        files.leave(&self.sites_released(entry));
        true
    }

    /// Whether a breakpoint is armed in a code object; `None` for one that was not decided.
    pub fn carries(&self, key: u64, breakpoint: BreakpointId) -> Option<bool> {
        let entry = self.entries.get(&key)?;
        Some(entry.sites.iter().any(|site| site.carries(breakpoint)))
    }

    /// The breakpoints bound at a site; `None` for a number that names no site (any more).
    pub fn bound_at(&self, site: u32) -> Option<Bound> {
        self.sites.bound_at(site)
    }

    /// See [`Sites::told_total`].
    pub fn told_total(&self, site: u32, total: u64) -> Option<(Bound, u64)> {
        self.sites.told_total(site, total)
    }

    /// Ends the sites of an entry that is out of the map; its file is yet to be left.
    fn sites_released(&self, entry: Entry) -> Arc<File> {
        entry.sites.into_iter().for_each(|site| self.sites.release(site));
        entry.file
    }

    /// Where control enters the armed units of a code object, with the epoch of the decision; `None`: it was not decided.
    pub fn entry_points(&self, key: u64) -> Option<(u64, Vec<EntryPoint>)> {
        let entry = self.entries.get(&key)?;
        Some((entry.decision.epoch, entry.decision.entries.clone()))
    }

    /// The same for a host that sees single instructions: those that run when control enters the armed units.
    pub fn instruction_points(&self, key: u64) -> Option<(u64, Vec<EntryPoint>)> {
        let entry = self.entries.get(&key)?;
        Some((entry.decision.epoch, entry.instruction_points()))
    }

    /// The same, each with the lines of the unit that is entered.
    pub fn probe_points(&self, key: u64) -> Option<(u64, Vec<(EntryPoint, Span)>)> {
        let entry = self.entries.get(&key)?;
        let points = entry.decision.entries.iter();
        let points = points.filter_map(|point| Some((*point, *entry.span_of(point.site)?)));
        Some((entry.decision.epoch, points.collect()))
    }

    /// Whether control that is at an offset is inside of the unit of a site, or of what it surrounds; `None`: the code object
    /// was not decided, its bytecode was not told, or it has no such site.
    pub fn is_inside(&self, key: u64, site: u32, offset: u32) -> Option<bool> {
        let entry = self.entries.get(&key)?;
        let code = entry.code.as_ref()?;
        let span = entry.span_of(site)?;
        Some(code.at(offset).is_some_and(|at| is_inside(code, at, span)))
    }

    fn answer(
        &self,
        info: &CodeInfo<'_>,
        told: Option<Decoded>,
        entry: &mut Entry,
        view: &View<'_>,
    ) -> Option<Decision> {
        if entry.decision.epoch > view.epoch {
            return None;
        }
        if !entry.is_settled(info, view.epoch) {
            if let Some(code) = told {
                entry.lines = code.lines().into();
                entry.code = Some(Box::new(code));
                // Another text may have been registered since it was told before.
                entry.is_of_other_source = info.is_of_other_source;
                entry.made_of = Default::default();
            }
            if entry.is_told_more(info) {
                entry.lines = info.lines.into();
                entry.made_of = Default::default();
            }
            self.renew(info.key, entry, view);
        }
        Some(entry.decision.clone())
    }

    fn renew(&self, key: u64, entry: &mut Entry, view: &View<'_>) {
        let placement = entry.file.placement(&entry.module, view.table, view.epoch, view.moved);
        let made_of = (Arc::downgrade(&placement), Arc::downgrade(view.filter));
        if entry.made_of.0.ptr_eq(&made_of.0) && entry.made_of.1.ptr_eq(&made_of.1) {
            entry.decision.epoch = view.epoch;
            return;
        }
        let mut decision = Decision { epoch: view.epoch, ..Decision::default() };
        if !placement.is_empty() {
            decision.needs_source = matches!(placement.units(), Units::Unasked);
            decision.needs_lines = entry.lines.is_empty();
        }
        let mut armed = match decision.is_open() || placement.is_empty() {
            true => Vec::new(),
            false => placement.armed(&entry.info(key)),
        };
        let found = entry.entered(&mut armed);
        self.sites.bind(&mut entry.sites, &armed);
        decision.arms = entry.arms(&armed);
        decision.entries = entry.entry_points(&armed, &found);
        entry.filter_mask = view.filter.mask(entry.file.path(), &entry.module, entry.full_name());
        let line = if decision.arms.is_empty() { 0 } else { EventKind::Line as u32 };
        decision.event_mask = entry.filter_mask | line;
        entry.decision = decision;
        entry.made_of = made_of;
        self.changed.advance();
    }
}

impl Entry {
    fn new(info: &CodeInfo<'_>, file: Arc<File>) -> Self {
        Self {
            file,
            module: info.module.into(),
            name: info.name.into(),
            qualname: info.qualname.into(),
            first_line: info.first_line,
            lines: info.lines.into(),
            code: None,
            is_of_other_source: info.is_of_other_source,
            spans: Vec::new(),
            decision: Decision::default(),
            made_of: Default::default(),
            filter_mask: 0,
            sites: Vec::new(),
        }
    }

    /// Whether the cached decision answers this question.
    fn is_settled(&self, info: &CodeInfo<'_>, epoch: u64) -> bool {
        let is_told_anew = info.bytecode.is_some()
            && (self.code.is_none() || self.is_of_other_source != info.is_of_other_source);
        let told_more = self.is_told_more(info) || is_told_anew;
        self.decision.epoch == epoch && !self.decision.is_open() && !told_more && self.describes(info)
    }

    /// Whether lines come that are not known. Those that the bytecode tells are the better ones.
    fn is_told_more(&self, info: &CodeInfo<'_>) -> bool {
        self.code.is_none() && !info.lines.is_empty() && *self.lines != *info.lines
    }

    /// Whether this is the code object that was decided, not another that came to live at its address.
    fn describes(&self, info: &CodeInfo<'_>) -> bool {
        self.first_line == info.first_line
            && *self.name == *info.name
            && **self.file.path() == *info.path
            && *self.module == *info.module
            && *self.qualname == *info.qualname
    }

    fn info(&self, key: u64) -> CodeInfo<'_> {
        CodeInfo {
            key,
            path: self.file.path(),
            module: &self.module,
            name: &self.name,
            qualname: &self.qualname,
            first_line: self.first_line,
            lines: &self.lines,
            bytecode: None,
            is_of_other_source: self.is_of_other_source,
        }
    }

    /// Where control enters the armed units, with the unit of each. One that it never enters, since its code can't run, is
    /// not armed.
    fn entered(&self, armed: &mut Vec<Armed>) -> Vec<(u32, UnitEntry)> {
        let Some(code) = self.code.as_ref().filter(|_| !armed.is_empty()) else { return Vec::new() };
        let spans: Vec<Span> = armed.iter().map(|(unit, _)| unit.span).collect();
        let units = unit_by_line(armed);
        let unit_of = |line| units.binary_search_by_key(&line, |&(own, _)| own).ok().map(|at| units[at].1);
        let found = entries(code, &spans, unit_of).into_iter();
        let found: Vec<(u32, UnitEntry)> = found.map(|entry| (armed[entry.unit].0.unit, entry)).collect();
        let entered: HashSet<u32> = found.iter().map(|&(unit, _)| unit).collect();
        armed.retain(|(unit, _)| entered.contains(&unit.unit));
        found
    }

    /// The entries as hosts are told of them. The units have their sites by now.
    fn entry_points(&mut self, armed: &[Armed], found: &[(u32, UnitEntry)]) -> Vec<EntryPoint> {
        let site_of = |unit: u32| Site::of_unit(&self.sites, unit).map(|site| site.number);
        self.spans = armed.iter().filter_map(|(unit, _)| Some((site_of(unit.unit)?, unit.span))).collect();
        let point = |&(unit, entry): &(u32, UnitEntry)| {
            let (_, breakpoints) = &armed[armed.binary_search_by_key(&unit, |(own, _)| own.unit).ok()?];
            Some(EntryPoint {
                offset: entry.offset,
                line: entry.line,
                site: site_of(unit)?,
                needs_thread_name: needs_thread_name(breakpoints),
                only_counts: breakpoints.iter().all(|found| found.only_counts()),
                is_mixed: entry.is_mixed,
                is_hidden: entry.is_hidden,
                is_reentered: entry.is_reentered,
            })
        };
        found.iter().filter_map(point).collect()
    }

    fn span_of(&self, site: u32) -> Option<&Span> {
        self.spans.iter().find(|(number, _)| *number == site).map(|(_, span)| span)
    }

    fn instruction_points(&self) -> Vec<EntryPoint> {
        let Some(code) = &self.code else { return Vec::new() };
        // Beside each: whether it stands elsewhere than the entry that it is for.
        let mut points: Vec<(EntryPoint, bool)> = Vec::new();
        for entry in &self.decision.entries {
            let (Some(span), Some(at)) = (self.span_of(entry.site), code.at(entry.offset)) else { continue };
            let shown = EntryPoint { is_hidden: false, ..*entry };
            if entry.is_reentered {
                points.push((shown, false));
                continue;
            }
            points.extend(arrivals(code, at, span).into_iter().map(|arrival| {
                let Arrival { offset, is_mixed } = arrival;
                (EntryPoint { offset, is_mixed, ..shown }, offset != entry.offset)
            }));
        }
        // Of two at one instruction, that of the instruction's own unit comes first: the other is where it jumps to.
        points.sort_by_key(|(point, is_elsewhere)| (point.offset, *is_elsewhere));
        points.into_iter().map(|(point, _)| point).collect()
    }

    fn full_name(&self) -> &str {
        if self.qualname.is_empty() {
            &self.name
        } else {
            &self.qualname
        }
    }

    fn arms(&self, armed: &[Armed]) -> Vec<Arm> {
        let mut arms = Vec::new();
        for (unit, breakpoints) in armed {
            let Some(site) = Site::of_unit(&self.sites, unit.unit) else { continue };
            let needs_thread_name = needs_thread_name(breakpoints);
            arms.extend(unit.lines.iter().map(|&line| Arm {
                line,
                site: site.number,
                needs_thread_name,
                reentered: unit.span.reentered,
                inner_first: unit.inner.0,
                inner_last: unit.inner.1,
            }));
        }
        // Two lambdas on one line are two units with the same line: the code object can be either, one site is enough.
        arms.sort_by_key(|arm| arm.line);
        arms.dedup_by_key(|arm| arm.line);
        arms
    }

    /// What is known without asking the filter.
    fn plain_interest(&self, event: Event) -> Option<Interest> {
        if event.kind == EventKind::Line {
            if let Some(site) = self.decision.site_at(event.line) {
                return Some(Interest::Site(site));
            }
        }
        (self.filter_mask & event.kind as u32 == 0).then_some(Interest::Never)
    }

    fn interest(&self, event: Event, filter: &Filter) -> Interest {
        self.plain_interest(event).unwrap_or_else(|| {
            let (path, module, name) = (self.file.path(), &*self.module, self.full_name());
            if filter.wants(event.kind, path, module, name, event.thread, event.depth) {
                Interest::Filter
            } else {
                Interest::None
            }
        })
    }
}

fn needs_thread_name(breakpoints: &[Arc<Breakpoint>]) -> bool {
    breakpoints.iter().any(|found| found.rules().needs_thread_name())
}

/// The lines of units, ascending. Two lambdas on one line are two units with the same line: the first one has it.
fn unit_by_line(armed: &[Armed]) -> Vec<(u32, usize)> {
    let all = armed.iter().enumerate();
    let mut lines: Vec<(u32, usize)> =
        all.flat_map(|(number, (unit, _))| unit.lines.iter().map(move |&line| (line, number))).collect();
    lines.sort_unstable();
    lines.dedup_by_key(|&mut (line, _)| line);
    lines
}
