//! The decision per code object: made once, cached with the epoch, made again when the epoch has moved on.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::Arc;

use dashmap::DashMap;

use super::arming::{armed_line, armed_unit, ArmedUnit};
use super::files::{Candidate, File, Files, Units};
use super::filter::{EventKind, Filter};
use super::hash::IntHash;
use super::info::{Arm, CodeInfo, Decision};
use crate::breakpoints::{Breakpoint, Table};

/// The breakpoints bound at one site.
pub type Bound = Arc<[Arc<Breakpoint>]>;

/// What a decision is made from: everything that the epoch covers.
pub struct View<'a> {
    /// The epoch, read before the rest.
    pub epoch: u64,
    /// The breakpoints.
    pub table: &'a Table,
    /// The event filter.
    pub filter: &'a Filter,
    /// The files.
    pub files: &'a Files,
    /// Called when breakpoints move to a better file: earlier decisions are outdated.
    pub rebound: &'a dyn Fn(),
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
    sites: DashMap<u32, Bound, IntHash>,
    last_site: AtomicU32,
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
    decision: Decision,
    sites: Vec<Site>,
}

/// A site keeps its number for as long as its code object lives, so that a host with an older plan still names the
/// unit it means.
#[derive(Debug)]
struct Site {
    number: u32,
    unit: u32,
    bound: Vec<Arc<Breakpoint>>,
}

impl Decisions {
    /// The decision on a code object, cached or made now.
    pub fn decide(&self, info: &CodeInfo<'_>, view: &View<'_>) -> Decision {
        if let Some(entry) = self.entries.get(&info.key) {
            if entry.is_settled(info, view.epoch) {
                return entry.decision.clone();
            }
        }
        let mut entry = self.entries.entry(info.key).or_insert_with(|| Entry::new(info, view.files));
        if !entry.describes(info) {
            self.release(std::mem::replace(&mut *entry, Entry::new(info, view.files)).sites);
        }
        if !info.lines.is_empty() && *entry.lines != *info.lines {
            entry.lines = info.lines.into();
        }
        self.renew(info.key, &mut entry, view);
        entry.decision.clone()
    }

    /// What to do with a raw event; `None` for a code object that was not decided yet.
    pub fn event(&self, key: u64, event: Event, view: &View<'_>) -> Option<Interest> {
        let entry = self.entries.get(&key)?;
        if entry.decision.epoch == view.epoch {
            return Some(entry.interest(event, view.filter));
        }
        drop(entry);
        let mut entry = self.entries.get_mut(&key)?;
        self.renew(key, &mut entry, view);
        Some(entry.interest(event, view.filter))
    }

    /// Forgets a code object that is gone; whether it was known.
    pub fn forget(&self, key: u64) -> bool {
        self.entries.remove(&key).map(|(_, entry)| self.release(entry.sites)).is_some()
    }

    /// Forgets all code objects: the files that they were decided in are known by other names now.
    pub fn clear(&self) {
        self.entries.retain(|_, entry| {
            self.release(std::mem::take(&mut entry.sites));
            false
        });
    }

    /// The breakpoints bound at a site; `None` for a number that names no site (any more).
    pub fn bound_at(&self, site: u32) -> Option<Bound> {
        self.sites.get(&site).map(|bound| Arc::clone(&bound))
    }

    fn release(&self, sites: Vec<Site>) {
        for site in sites {
            self.sites.remove(&site.number);
            site.bound.iter().for_each(|breakpoint| breakpoint.unbind());
        }
    }

    fn renew(&self, key: u64, entry: &mut Entry, view: &View<'_>) {
        let candidates =
            view.files.candidates(&entry.file, &entry.module, view.table, view.epoch, view.rebound);
        let units = entry.file.units();
        let mut decision = Decision { epoch: view.epoch, ..Decision::default() };
        if !candidates.is_empty() {
            decision.needs_source = matches!(units, Units::Unasked);
            decision.needs_lines = entry.lines.is_empty();
        }
        let armed = if decision.is_open() { Vec::new() } else { entry.armed(key, &candidates, &units) };
        self.bind(entry, &armed);
        decision.arms = entry.arms(&armed);
        decision.event_mask = view.filter.mask(entry.file.path(), &entry.module, entry.full_name());
        if !decision.arms.is_empty() {
            decision.event_mask |= EventKind::Line as u32;
        }
        entry.decision = decision;
    }

    /// Makes the entry's sites carry exactly the armed breakpoints, and tells breakpoints what changed for them.
    fn bind(&self, entry: &mut Entry, armed: &[(ArmedUnit, Vec<Arc<Breakpoint>>)]) {
        for (unit, _) in armed {
            if !entry.sites.iter().any(|site| site.unit == unit.unit) {
                let number = self.last_site.fetch_add(1, Relaxed).wrapping_add(1);
                entry.sites.push(Site { number, unit: unit.unit, bound: Vec::new() });
            }
        }
        for site in &mut entry.sites {
            let found = armed.iter().find(|(unit, _)| unit.unit == site.unit);
            let wanted = found.map_or(&[][..], |(_, breakpoints)| breakpoints);
            let line = found.map_or(0, |(unit, _)| unit.lines[0]);
            for gone in site.bound.iter().filter(|old| !contains(wanted, old)) {
                gone.unbind();
            }
            for new in wanted.iter().filter(|new| !contains(&site.bound, new)) {
                new.bind(line);
            }
            site.bound = wanted.to_vec();
            self.sites.insert(site.number, wanted.into());
        }
    }
}

impl Entry {
    fn new(info: &CodeInfo<'_>, files: &Files) -> Self {
        Self {
            file: files.file(info.path),
            module: info.module.into(),
            name: info.name.into(),
            qualname: info.qualname.into(),
            first_line: info.first_line,
            lines: info.lines.into(),
            decision: Decision::default(),
            sites: Vec::new(),
        }
    }

    /// Whether the cached decision answers this question.
    fn is_settled(&self, info: &CodeInfo<'_>, epoch: u64) -> bool {
        let told_more = !info.lines.is_empty() && *self.lines != *info.lines;
        self.decision.epoch == epoch && !self.decision.is_open() && !told_more && self.describes(info)
    }

    /// Whether this is the code object that was decided, not another that came to live at its address.
    fn describes(&self, info: &CodeInfo<'_>) -> bool {
        self.first_line == info.first_line
            && *self.name == *info.name
            && self.file.path() == info.path
            && *self.module == *info.module
            && *self.qualname == *info.qualname
    }

    fn full_name(&self) -> &str {
        if self.qualname.is_empty() {
            &self.name
        } else {
            &self.qualname
        }
    }

    fn armed(
        &self,
        key: u64,
        candidates: &[Candidate],
        units: &Units,
    ) -> Vec<(ArmedUnit, Vec<Arc<Breakpoint>>)> {
        let info = CodeInfo {
            key,
            path: self.file.path(),
            module: &self.module,
            name: &self.name,
            qualname: &self.qualname,
            first_line: self.first_line,
            lines: &self.lines,
        };
        let mut armed: Vec<(ArmedUnit, Vec<Arc<Breakpoint>>)> = Vec::new();
        for Candidate { breakpoint, starts } in candidates {
            let unit = match units {
                Units::Table(units) => armed_unit(units, &info, starts),
                Units::Absent | Units::Unasked => armed_line(&info, &breakpoint.spec().location.target),
            };
            let Some(unit) = unit else { continue };
            match armed.iter_mut().find(|(other, _)| other.unit == unit.unit) {
                Some((_, breakpoints)) => breakpoints.push(Arc::clone(breakpoint)),
                None => armed.push((unit, vec![Arc::clone(breakpoint)])),
            }
        }
        armed
    }

    fn arms(&self, armed: &[(ArmedUnit, Vec<Arc<Breakpoint>>)]) -> Vec<Arm> {
        let mut arms = Vec::new();
        for (unit, breakpoints) in armed {
            let Some(site) = self.sites.iter().find(|site| site.unit == unit.unit) else { continue };
            let needs_thread_name = breakpoints.iter().any(|found| found.rules().needs_thread_name());
            arms.extend(unit.lines.iter().map(|&line| Arm {
                line,
                site: site.number,
                needs_thread_name,
                reentered: unit.reentered,
                inner_first: unit.inner.0,
                inner_last: unit.inner.1,
            }));
        }
        // Two lambdas on one line are two units with the same line: the code object can be either, one site is enough.
        arms.sort_by_key(|arm| arm.line);
        arms.dedup_by_key(|arm| arm.line);
        arms
    }

    fn interest(&self, event: Event, filter: &Filter) -> Interest {
        if event.kind == EventKind::Line {
            if let Some(site) = self.decision.site_at(event.line) {
                return Interest::Site(site);
            }
        }
        let (path, module, name) = (self.file.path(), &*self.module, self.full_name());
        if filter.mask(path, module, name) & event.kind as u32 == 0 {
            return Interest::Never;
        }
        if filter.wants(event.kind, path, module, name, event.thread, event.depth) {
            Interest::Filter
        } else {
            Interest::None
        }
    }
}

fn contains(list: &[Arc<Breakpoint>], wanted: &Arc<Breakpoint>) -> bool {
    list.iter().any(|found| found.id() == wanted.id())
}
