//! The table of all breakpoints: one immutable value that readers share, replaced as a whole by each edit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::breakpoint::Breakpoint;
use super::id::BreakpointId;
use super::spec::BreakpointSpec;
use crate::location::Place;
use crate::policy::{RateError, Rules};

/// The most breakpoints that one engine holds: a guard against a host that adds in a loop, far above the hundred
/// thousand that are measured.
pub const MAX_BREAKPOINTS: usize = 1 << 24;

/// What every reader sees between two edits. Lookups are by what code has to offer: a file's base name, or a module.
#[derive(Debug, Default, Clone)]
pub struct Table {
    slots: Vec<Option<Arc<Breakpoint>>>,
    by_basename: HashMap<Vec<u8>, Arc<Vec<u32>>>,
    by_module: HashMap<String, Arc<Vec<u32>>>,
}

impl Table {
    /// The breakpoint with this id, unless the id is stale.
    pub fn get(&self, id: BreakpointId) -> Option<&Arc<Breakpoint>> {
        self.slots.get(id.slot())?.as_ref().filter(|found| found.id() == id)
    }

    /// Breakpoints whose file has this base name.
    pub fn with_basename<'a>(&'a self, name: &[u8]) -> impl Iterator<Item = &'a Arc<Breakpoint>> {
        self.listed(self.by_basename.get(name))
    }

    /// Breakpoints that were asked for by this module name.
    pub fn with_module<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Arc<Breakpoint>> {
        self.listed(self.by_module.get(name))
    }

    /// All breakpoints.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Breakpoint>> {
        self.slots.iter().flatten()
    }

    fn listed<'a>(&'a self, list: Option<&'a Arc<Vec<u32>>>) -> impl Iterator<Item = &'a Arc<Breakpoint>> {
        list.into_iter()
            .flat_map(|slots| slots.iter())
            .filter_map(|&slot| self.slots.get(slot as usize)?.as_ref())
    }

    fn insert(&mut self, breakpoint: Arc<Breakpoint>) {
        let slot = breakpoint.id().slot();
        let index = match &breakpoint.spec().location.place {
            Place::File(pattern) => self.by_basename.entry(pattern.basename().to_vec()).or_default(),
            Place::Module(name) => self.by_module.entry(name.clone()).or_default(),
        };
        Arc::make_mut(index).push(slot as u32);
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, None);
        }
        self.slots[slot] = Some(breakpoint);
    }

    /// Takes out a whole batch: one pass over each list that it touches, however long the batch is.
    fn remove(&mut self, batch: &[Arc<Breakpoint>]) {
        let mut basenames: Vec<&[u8]> = Vec::new();
        let mut modules: Vec<&str> = Vec::new();
        for breakpoint in batch {
            self.slots[breakpoint.id().slot()] = None;
            match &breakpoint.spec().location.place {
                Place::File(pattern) => basenames.push(pattern.basename()),
                Place::Module(name) => modules.push(name),
            }
        }
        basenames.sort_unstable();
        basenames.dedup();
        modules.sort_unstable();
        modules.dedup();
        for name in basenames {
            if prune(self.by_basename.get_mut(name), &self.slots) {
                self.by_basename.remove(name);
            }
        }
        for name in modules {
            if prune(self.by_module.get_mut(name), &self.slots) {
                self.by_module.remove(name);
            }
        }
    }
}

/// Drops emptied slots from a list; whether nothing is left of it.
fn prune(list: Option<&mut Arc<Vec<u32>>>, slots: &[Option<Arc<Breakpoint>>]) -> bool {
    list.is_some_and(|list| {
        let list = Arc::make_mut(list);
        list.retain(|&slot| slots[slot as usize].is_some());
        list.is_empty()
    })
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
    Rate(RateError),
}

/// The published table with its one writer at a time.
#[derive(Debug, Default)]
pub struct Breakpoints {
    published: RwLock<Arc<Table>>,
    generations: Mutex<Generations>,
}

/// How often each slot was given out, and which are free.
#[derive(Debug, Default)]
struct Generations {
    of_slot: Vec<u32>,
    free: Vec<u32>,
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
        let rules: Result<Vec<_>, _> = specs.iter().map(|spec| Rules::new(&spec.rules)).collect();
        let rules = rules.map_err(AddError::Rate)?;
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
                table.insert(Arc::new(Breakpoint::new(id, spec, rules, now_ns)));
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
        for slot in table.slots.iter_mut().flatten() {
            *slot = Arc::new(slot.reborn());
        }
        // The writer may have been in the middle of an edit: the generations are read off the table. A slot that is
        // free in it starts above every generation in sight, so that ids stale in the parent stay stale here.
        let newest = table.iter().map(|breakpoint| breakpoint.id().generation()).max().unwrap_or(0);
        let known = self.generations.get_mut().unwrap_or_else(PoisonError::into_inner);
        let newest = known.of_slot.iter().copied().max().unwrap_or(0).max(newest);
        let of_slot = table.slots.iter().map(|slot| match slot {
            Some(breakpoint) => breakpoint.id().generation(),
            None => newest,
        });
        let generations = Generations {
            of_slot: of_slot.collect(),
            free: (0..table.slots.len() as u32)
                .filter(|&slot| table.slots[slot as usize].is_none())
                .collect(),
        };
        Self { published: RwLock::new(Arc::new(table)), generations: Mutex::new(generations) }
    }

    fn publish(&self, table: Table) {
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    fn writer(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found(table: &Table, ids: &[BreakpointId]) -> Result<Vec<Arc<Breakpoint>>, Stale> {
    ids.iter().map(|&id| table.get(id).cloned().ok_or(Stale(id))).collect()
}
