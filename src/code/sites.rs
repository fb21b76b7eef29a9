//! Sites: the units of code objects that breakpoints are bound to.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use dashmap::mapref::entry::Entry as Place;
use dashmap::DashMap;

use super::hash::IntHash;
use super::placement::Armed;
use crate::breakpoints::{Breakpoint, BreakpointId};

/// What is bound at one site.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// The line that its unit begins at; 0 while nothing was bound.
    pub line: u32,
    /// The breakpoints.
    pub breakpoints: Arc<[Arc<Breakpoint>]>,
}

/// What a site number stands for.
#[derive(Debug, Default)]
struct Known {
    bound: Bound,
    /// Arrivals that the host counted by itself, as far as it has told.
    told: AtomicU64,
}

/// The sites of all code objects, by number.
#[derive(Debug, Default)]
pub struct Sites {
    known: DashMap<u32, Known, IntHash>,
    last: AtomicU32,
}

/// One site, as its code object keeps it. It keeps its number for as long as its code object lives, so that a host with an
/// older plan still names the unit it means.
#[derive(Debug)]
pub struct Site {
    /// What hosts report arrivals with.
    pub number: u32,
    unit: u32,
    bound: Bound,
}

impl Site {
    /// The site of a unit, of those of a code object.
    pub fn of_unit(sites: &[Self], unit: u32) -> Option<&Self> {
        sites.binary_search_by_key(&unit, |site| site.unit).ok().map(|at| &sites[at])
    }

    /// Whether a breakpoint is bound here.
    pub fn carries(&self, breakpoint: BreakpointId) -> bool {
        self.bound.breakpoints.iter().any(|bound| bound.id() == breakpoint)
    }
}

impl Sites {
    /// No sites; numbers go on from those of `other`.
    pub fn after(other: &Self) -> Self {
        Self { last: AtomicU32::new(other.last.load(Relaxed)), ..Self::default() }
    }

    /// The breakpoints bound at a site; `None` for a number that names no site (any more).
    pub fn bound_at(&self, number: u32) -> Option<Bound> {
        self.known.get(&number).map(|known| known.bound.clone())
    }

    /// The host has counted so many arrivals at a site since that has its number: what is bound there, and how many of them
    /// are new. To tell the same twice is fine, from whatever threads.
    pub fn told_total(&self, number: u32, total: u64) -> Option<(Bound, u64)> {
        let known = self.known.get(&number)?;
        let before = known.told.fetch_max(total, Relaxed);
        Some((known.bound.clone(), total.saturating_sub(before)))
    }

    /// Makes the sites of a code object carry exactly the armed breakpoints, and tells these what changed for them. Both
    /// are ascending by unit.
    pub fn bind(&self, sites: &mut Vec<Site>, armed: &[Armed]) {
        let known = sites.len();
        for (unit, _) in armed {
            if Site::of_unit(&sites[..known], unit.unit).is_none() {
                sites.push(self.new_site(unit.unit));
            }
        }
        sites.sort_by_key(|site| site.unit);
        for site in sites {
            let at = armed.binary_search_by_key(&site.unit, |(unit, _)| unit.unit);
            let (place, wanted) =
                at.map_or((None, &[][..]), |at| (Some(&armed[at].0), armed[at].1.as_slice()));
            if site.bound.breakpoints.iter().map(|old| old.id()).eq(wanted.iter().map(|new| new.id())) {
                continue;
            }
            let (before, after) = (ids(&site.bound.breakpoints), ids(wanted));
            let old = site.bound.breakpoints.iter();
            old.filter(|old| !after.contains(&old.id())).for_each(|old| old.unbind());
            for new in wanted.iter().filter(|new| !before.contains(&new.id())) {
                place.into_iter().for_each(|place| new.bind(place.span.first_line, place.basis));
            }
            let line = place.map_or(site.bound.line, |place| place.span.first_line);
            site.bound = Bound { line, breakpoints: wanted.into() };
            if let Some(mut known) = self.known.get_mut(&site.number) {
                known.bound = site.bound.clone();
            }
        }
    }

    /// Ends a site: its code object is gone.
    pub fn release(&self, site: Site) {
        self.known.remove(&site.number);
        site.bound.breakpoints.iter().for_each(|breakpoint| breakpoint.unbind());
    }

    /// A site under a number that names no other. 0 is none; after four thousand million sites the numbers come round.
    fn new_site(&self, unit: u32) -> Site {
        loop {
            let number = self.last.fetch_add(1, Relaxed).wrapping_add(1);
            if number == 0 {
                continue;
            }
            if let Place::Vacant(place) = self.known.entry(number) {
                place.insert(Known::default());
                return Site { number, unit, bound: Bound::default() };
            }
        }
    }
}

fn ids(bound: &[Arc<Breakpoint>]) -> HashSet<BreakpointId> {
    bound.iter().map(|breakpoint| breakpoint.id()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breakpoints::Basis;
    use crate::code::arming::ArmedUnit;
    use crate::code::entries::Span;

    fn unit(unit: u32) -> Armed {
        let (lines, span, basis) = (vec![unit], Span::of_line(unit), Basis::Source);
        (ArmedUnit { unit, lines, inner: (0, 0), span, basis }, Vec::new())
    }

    #[test]
    fn a_unit_keeps_its_site_whatever_else_is_armed() {
        let (all, mut sites) = (Sites::default(), Vec::new());
        all.bind(&mut sites, &[unit(5)]);
        let number = sites[0].number;
        all.bind(&mut sites, &[unit(2), unit(5), unit(9)]);
        all.bind(&mut sites, &[unit(9)]);
        assert_eq!(Site::of_unit(&sites, 5).map(|site| site.number), Some(number));
        assert!(
            all.bound_at(number).is_some_and(|bound| bound.breakpoints.is_empty()),
            "an old plan names an empty site"
        );
        sites.into_iter().for_each(|site| all.release(site));
        assert!(all.bound_at(number).is_none());
    }

    #[test]
    fn site_numbers_that_come_round_skip_zero_and_those_in_use() {
        let (all, mut sites) = (Sites::default(), Vec::new());
        all.bind(&mut sites, &[unit(1)]);
        all.last.store(u32::MAX - 1, Relaxed);
        all.bind(&mut sites, &[unit(1), unit(2), unit(3)]);
        let numbers: Vec<u32> = sites.iter().map(|site| site.number).collect();
        assert_eq!(numbers, [1, u32::MAX, 2]);
    }

    #[test]
    fn of_what_a_host_counted_only_what_is_new_counts() {
        let (all, mut sites) = (Sites::default(), Vec::new());
        all.bind(&mut sites, &[unit(5)]);
        let number = sites[0].number;
        let new = |total| all.told_total(number, total).map(|(_, new)| new);
        assert_eq!([new(3), new(3), new(2), new(7)], [Some(3), Some(0), Some(0), Some(4)]);
        // Also where other breakpoints stand there now.
        all.bind(&mut sites, &[]);
        assert_eq!(new(8), Some(1));
        sites.into_iter().for_each(|site| all.release(site));
        assert!(all.told_total(number, 9).is_none());
    }

    #[test]
    fn the_child_of_a_fork_gives_out_none_of_its_parents_numbers() {
        let (parent, mut sites) = (Sites::default(), Vec::new());
        parent.bind(&mut sites, &[unit(1), unit(2)]);
        let (child, mut own) = (Sites::after(&parent), Vec::new());
        child.bind(&mut own, &[unit(1)]);
        assert_eq!(own[0].number, 3);
        assert!(child.bound_at(1).is_none());
    }
}
