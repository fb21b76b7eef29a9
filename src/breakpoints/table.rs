//! The table of all breakpoints: one immutable value that readers share, replaced as a whole by each edit.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::breakpoint::Breakpoint;
use super::id::BreakpointId;
use super::shared::{Group, Index, Slots};
use super::spec::BreakpointSpec;
use crate::location::Place;
use crate::policy::{RateError, Rules};

/// The most breakpoints that one engine holds: a guard against a host that adds in a loop, far above the hundred
/// thousand that are measured.
pub const MAX_BREAKPOINTS: usize = 1 << 24;

/// What every reader sees between two edits. Lookups are by what code has to offer: the end of a file's path, or a module.
#[derive(Debug, Default, Clone)]
pub struct Table {
    slots: Slots<Arc<Breakpoint>>,
    by_path: Index,
    by_module: Index,
}

impl Table {
    /// The breakpoint with this id, unless the id is stale.
    pub fn get(&self, id: BreakpointId) -> Option<&Arc<Breakpoint>> {
        self.slots.get(id.slot()).filter(|found| found.id() == id)
    }

    /// The breakpoints whose path has this [`crate::location::PathPattern::key`].
    pub fn of_path(&self, key: &[u8]) -> Option<&Arc<Group>> {
        self.by_path.get(key)
    }

    /// The breakpoints that were asked for by this module name.
    pub fn of_module(&self, name: &str) -> Option<&Arc<Group>> {
        self.by_module.get(name.as_bytes())
    }

    /// The members of a group of this table, in the order in which they were added.
    pub fn members<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a Arc<Breakpoint>> {
        group.slots().iter().filter_map(|&slot| self.slots.get(slot as usize))
    }

    /// All breakpoints.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Breakpoint>> {
        self.slots.iter()
    }

    fn insert(&mut self, id: BreakpointId, order: u64, spec: BreakpointSpec, rules: Rules, now_ns: u64) {
        let slot = id.slot() as u32;
        let switches = match &spec.location.place {
            Place::File(pattern) => self.by_path.push(pattern.key(), slot),
            Place::Module(name) => self.by_module.push(name.as_bytes(), slot),
        };
        self.slots.set(id.slot(), Some(Arc::new(Breakpoint::new(id, order, spec, rules, switches, now_ns))));
    }

    /// Takes out a whole batch: one pass over each list that it touches, however long the batch is.
    fn remove(&mut self, batch: &[Arc<Breakpoint>]) {
        let (mut paths, mut modules): (BTreeSet<&[u8]>, BTreeSet<&str>) = Default::default();
        for breakpoint in batch {
            self.slots.set(breakpoint.id().slot(), None);
            match &breakpoint.asked().location.place {
                Place::File(pattern) => paths.insert(pattern.key()),
                Place::Module(name) => modules.insert(name),
            };
        }
        let slots = &self.slots;
        let in_use = |slot: u32| slots.get(slot as usize).is_some();
        paths.into_iter().for_each(|key| self.by_path.retain(key, in_use));
        modules.into_iter().for_each(|name| self.by_module.retain(name.as_bytes(), in_use));
    }
}

/// An id that names no breakpoint any more, or never did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale(pub BreakpointId);

/// Why a batch was not added.
#[derive(Debug, Clone, PartialEq)]
pub enum AddError {
    /// No more than [`MAX_BREAKPOINTS`] fit.
    Full,
    /// A rate makes no sense.
    Rate {
        /// Which of the batch.
        index: usize,
        /// Why.
        error: RateError,
    },
}

/// The published table with its one writer at a time.
#[derive(Debug, Default)]
pub struct Breakpoints {
    published: RwLock<Arc<Table>>,
    generations: Mutex<Generations>,
    /// The highest generation given out, outside the lock: the child of a fork reads it whoever held that.
    newest: AtomicU32,
}

/// How often each slot was given out, and which are free.
#[derive(Debug, Default)]
struct Generations {
    of_slot: Vec<u32>,
    free: Vec<u32>,
    /// How many breakpoints were ever added.
    added: u64,
}

impl Generations {
    fn next(&mut self) -> BreakpointId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.of_slot.push(0);
            (self.of_slot.len() - 1) as u32
        });
        let generation = &mut self.of_slot[slot as usize];
        // Generation 0 is skipped when the count wraps, so that an id is never zero.
        *generation = generation.wrapping_add(1).max(1);
        BreakpointId::new(slot, *generation)
    }
}

impl Breakpoints {
    /// What readers see now. The table stays valid while it is held, whatever is edited meanwhile.
    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a batch and publishes once.
    ///
    /// # Errors
    /// [`AddError`] says why; then nothing was added.
    pub fn add(&self, specs: Vec<BreakpointSpec>, now_ns: u64) -> Result<Vec<BreakpointId>, AddError> {
        let rules: Result<Vec<_>, _> = specs
            .iter()
            .enumerate()
            .map(|(index, spec)| Rules::new(&spec.rules).map_err(|error| AddError::Rate { index, error }))
            .collect();
        let rules = rules?;
        if specs.is_empty() {
            return Ok(Vec::new());
        }
        let mut generations = self.writer();
        let in_use = generations.of_slot.len() - generations.free.len();
        if in_use.saturating_add(specs.len()) > MAX_BREAKPOINTS {
            return Err(AddError::Full);
        }
        let mut table = Table::clone(&self.table());
        let ids = specs
            .into_iter()
            .zip(rules)
            .map(|(spec, rules)| {
                let id = generations.next();
                self.newest.fetch_max(id.generation(), Relaxed);
                generations.added += 1;
                table.insert(id, generations.added, spec, rules, now_ns);
                id
            })
            .collect();
        self.publish(table);
        Ok(ids)
    }

    /// Removes a batch and publishes once; gives back what was removed.
    ///
    /// # Errors
    /// [`Stale`] names the first id that is stale or given twice; then nothing was removed.
    pub fn remove(&self, ids: &[BreakpointId]) -> Result<Vec<Arc<Breakpoint>>, Stale> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut generations = self.writer();
        let mut table = Table::clone(&self.table());
        let batch = found(&table, ids)?;
        let mut slots: Vec<u32> = ids.iter().map(|id| id.slot() as u32).collect();
        slots.sort_unstable();
        if let Some(twice) = slots.windows(2).find(|pair| pair[0] == pair[1]) {
            let id = ids.iter().find(|id| id.slot() as u32 == twice[0]);
            return Err(Stale(id.copied().unwrap_or(ids[0])));
        }
        table.remove(&batch);
        generations.free.extend(slots);
        self.publish(table);
        Ok(batch)
    }

    /// Makes all breakpoints forget which files they stand in: paths read differently now.
    pub fn forget_files(&self) {
        self.table().iter().for_each(|breakpoint| breakpoint.forget_files());
    }

    /// Enables or disables a batch; whether that changed any.
    ///
    /// # Errors
    /// [`Stale`] names the first stale id; then nothing was changed.
    pub fn set_enabled(&self, ids: &[BreakpointId], enabled: bool, now_ns: u64) -> Result<bool, Stale> {
        let _writer = self.writer();
        let batch = found(&self.table(), ids)?;
        let changed = batch.iter().filter(|breakpoint| breakpoint.set_enabled(enabled, now_ns)).count();
        Ok(changed > 0)
    }

    /// The same breakpoints with the same ids behind fresh locks, for the child of a fork.
    pub fn reborn(&mut self) -> Self {
        let published = self.published.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut table = Table::clone(published);
        for breakpoint in published.iter() {
            table.slots.set(breakpoint.id().slot(), Some(Arc::new(breakpoint.reborn())));
        }
        // The writer may have been in the middle of an edit: the generations are read off the table. A slot that is
        // free in it starts above every generation in sight, so that ids stale in the parent stay stale here.
        let newest = *self.newest.get_mut();
        let slots = 0..table.slots.len();
        let generation =
            |slot| table.slots.get(slot).map_or(newest, |breakpoint| breakpoint.id().generation());
        let generations = Generations {
            of_slot: slots.clone().map(generation).collect(),
            free: slots.filter(|&slot| table.slots.get(slot).is_none()).map(|slot| slot as u32).collect(),
            added: table.iter().map(|breakpoint| breakpoint.order()).max().unwrap_or(0),
        };
        Self {
            published: RwLock::new(Arc::new(table)),
            generations: Mutex::new(generations),
            newest: AtomicU32::new(newest),
        }
    }

    fn publish(&self, table: Table) {
        let table = Arc::new(table);
        // Replaced, then dropped: an assignment would drop the old table first, and the child of a fork at that moment would
        // find its remains. Nobody needs to wait for it either.
        let old =
            std::mem::replace(&mut *self.published.write().unwrap_or_else(PoisonError::into_inner), table);
        drop(old);
    }

    fn writer(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found(table: &Table, ids: &[BreakpointId]) -> Result<Vec<Arc<Breakpoint>>, Stale> {
    ids.iter().map(|&id| table.get(id).cloned().ok_or(Stale(id))).collect()
}
