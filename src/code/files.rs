//! The files that hosts run code from, their unit tables, and the breakpoints that may stand in them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dashmap::DashMap;

use super::units::SourceUnits;
use crate::breakpoints::{Breakpoint, Table};
use crate::location::{FileSystem, KnownPath, OsFileSystem, PathMaps, Place, Strength, Target};

/// What is known of a file's units.
#[derive(Clone, Debug, Default)]
pub enum Units {
    /// The host was not asked yet.
    #[default]
    Unasked,
    /// The host has no source text: the lines of the code objects themselves are the units.
    Absent,
    /// The unit table.
    Table(Arc<SourceUnits>),
}

/// One file as the interpreter names it.
#[derive(Debug)]
pub struct File {
    path: KnownPath,
    units: RwLock<Units>,
    candidates: Mutex<Stamped>,
}

#[derive(Debug, Default)]
struct Stamped {
    epoch: u64,
    list: Arc<Vec<Candidate>>,
}

/// A breakpoint that stands in a file.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The breakpoint.
    pub breakpoint: Arc<Breakpoint>,
    /// The units that it may resolve to; empty where the file has no unit table.
    pub starts: Vec<usize>,
}

/// All files seen, with the path maps that translate their names.
pub struct Files {
    seen: DashMap<Vec<u8>, Arc<File>>,
    maps: RwLock<PathMaps>,
    system: Box<dyn FileSystem + Send + Sync>,
}

impl Files {
    /// Files of this machine; relative locations are tried under the present directory first.
    pub fn new() -> Self {
        Self::with_system(Box::new(OsFileSystem::new()))
    }

    /// Files of an injected file system.
    pub fn with_system(system: Box<dyn FileSystem + Send + Sync>) -> Self {
        Self { seen: DashMap::new(), maps: RwLock::default(), system }
    }

    /// Adds a path map. Files seen so far are forgotten, since their names may translate differently now.
    pub fn add_map(&self, from: &[u8], to: &[u8]) {
        self.maps.write().unwrap_or_else(PoisonError::into_inner).add(from, to);
        self.seen.clear();
    }

    /// Takes over the path maps of another, whose locks no other thread holds any more or ever will.
    pub fn inherit_maps(&mut self, other: &mut Self) {
        let maps = other.maps.get_mut().unwrap_or_else(PoisonError::into_inner);
        *self.maps.get_mut().unwrap_or_else(PoisonError::into_inner) = std::mem::take(maps);
    }

    /// The file with this name.
    pub fn file(&self, path: &[u8]) -> Arc<File> {
        if let Some(file) = self.seen.get(path) {
            return Arc::clone(&file);
        }
        let maps = self.maps.read().unwrap_or_else(PoisonError::into_inner);
        let file = Arc::new(File {
            path: KnownPath::new(path, &maps, &*self.system),
            units: RwLock::default(),
            candidates: Mutex::default(),
        });
        drop(maps);
        Arc::clone(&self.seen.entry(path.to_vec()).or_insert(file))
    }

    /// The unit table registered for this name.
    pub fn units(&self, path: &[u8]) -> Option<Arc<SourceUnits>> {
        match self.seen.get(path)?.units() {
            Units::Table(units) => Some(units),
            Units::Unasked | Units::Absent => None,
        }
    }

    /// The breakpoints that stand in `file`, run as `module`, in this table. `rebound` is called when the file turns
    /// out to be a better match than one that a breakpoint was bound in before.
    pub fn candidates(
        &self,
        file: &File,
        module: &str,
        table: &Table,
        epoch: u64,
        rebound: &dyn Fn(),
    ) -> Arc<Vec<Candidate>> {
        let by_path = self.candidates_by_path(file, table, epoch, rebound);
        let mut by_module = table.with_module(module).filter(|found| found.is_armable()).peekable();
        if by_module.peek().is_none() {
            return by_path;
        }
        let units = file.units();
        let mut all = Vec::clone(&by_path);
        all.extend(by_module.filter_map(|found| placed(found, file, &units)));
        Arc::new(all)
    }

    fn candidates_by_path(
        &self,
        file: &File,
        table: &Table,
        epoch: u64,
        rebound: &dyn Fn(),
    ) -> Arc<Vec<Candidate>> {
        let mut stamped = file.candidates.lock().unwrap_or_else(PoisonError::into_inner);
        if stamped.epoch != epoch {
            let units = file.units();
            let mut list = Vec::new();
            for name in file.path.basenames() {
                for found in table.with_basename(name).filter(|found| found.is_armable()) {
                    if let Some(strength) = self.matches(found, file) {
                        if found.found_in(strength, file.path.raw(), rebound) {
                            list.extend(placed(found, file, &units));
                        }
                    }
                }
            }
            *stamped = Stamped { epoch, list: Arc::new(list) };
        }
        Arc::clone(&stamped.list)
    }

    fn matches(&self, breakpoint: &Breakpoint, file: &File) -> Option<Strength> {
        match &breakpoint.spec().location.place {
            Place::File(pattern) => pattern.matches(&file.path),
            Place::Module(_) => None,
        }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("seen", &self.seen.len()).finish_non_exhaustive()
    }
}

impl File {
    /// The name that the interpreter knows it by.
    pub fn path(&self) -> &[u8] {
        self.path.raw()
    }

    /// What is known of its units.
    pub fn units(&self) -> Units {
        self.units.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes its units; breakpoints are placed anew.
    pub fn set_units(&self, units: Units) {
        *self.units.write().unwrap_or_else(PoisonError::into_inner) = units;
        *self.candidates.lock().unwrap_or_else(PoisonError::into_inner) = Stamped::default();
    }
}

/// Resolves a breakpoint to units of a file. One that has no place there is told so.
fn placed(breakpoint: &Arc<Breakpoint>, file: &File, units: &Units) -> Option<Candidate> {
    let Units::Table(units) = units else {
        return Some(Candidate { breakpoint: Arc::clone(breakpoint), starts: Vec::new() });
    };
    let name = String::from_utf8_lossy(file.path()).into_owned();
    let starts = match &breakpoint.spec().location.target {
        Target::Line(line) => match units.place(*line) {
            Ok(starts) => starts,
            Err(refused) => {
                breakpoint.refuse(&refused.explain(&name, *line));
                return None;
            }
        },
        Target::Function(function) => {
            let starts = units.function_starts(function);
            if starts.is_empty() {
                breakpoint.refuse(&no_such_function(&name, function, &units.functions_like(function)));
                return None;
            }
            starts
        }
    };
    let resolved = starts.iter().find_map(|&start| units.following(start).next());
    let Some(resolved) = resolved else {
        breakpoint.refuse(&format!("no code at {}: nothing in its block runs", breakpoint.spec().location));
        return None;
    };
    breakpoint.resolve(units.units()[resolved].first_line);
    Some(Candidate { breakpoint: Arc::clone(breakpoint), starts })
}

fn no_such_function(file: &str, function: &str, near: &[String]) -> String {
    if near.is_empty() {
        format!("no function {function} in {file}; use a line instead: {file}:LINE")
    } else {
        format!("no function {function} in {file}; it has {}", near.join(", "))
    }
}
