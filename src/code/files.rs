//! The files that hosts run code from, with what is known of each.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dashmap::DashMap;

use super::idle::{Idle, Resting};
use super::placement::Placement;
use super::units::{SourceUnits, Units};
use crate::breakpoints::{Group, Table};
use crate::location::{FileSystem, KnownPath, OsFileSystem, PathMaps, Place};

/// One file as the interpreter names it.
#[derive(Debug)]
pub struct File {
    path: Arc<[u8]>,
    known: RwLock<Arc<KnownPath>>,
    units: RwLock<Units>,
    placements: Mutex<Stamped>,
    /// Code objects of it that are decided. It changes under the guard of the file's shard only.
    users: AtomicU32,
    resting: Resting,
}

/// What a placement is made of, where that can change: a group, and how often its members had been switched. While it is
/// the same, so is the placement.
type Ingredient = Option<(Arc<Group>, u64)>;

/// Placements that were found to hold in an epoch.
#[derive(Debug, Default)]
struct Stamped {
    epoch: u64,
    /// The breakpoints that are asked for by path, for each key of the file.
    groups: Vec<Ingredient>,
    by_path: Arc<Placement>,
    /// With those that are asked for by module as well.
    by_module: Vec<OfModule>,
}

#[derive(Debug)]
struct OfModule {
    epoch: u64,
    module: Box<str>,
    group: Ingredient,
    placement: Arc<Placement>,
}

/// A file runs as one module, or as `__main__` besides. Beyond this the oldest gives way.
const MODULES: usize = 4;

/// All files seen, with the path maps that translate their names.
///
/// A program that makes up file names for ever (templates, notebooks, generated classes) must not grow this: files without
/// code objects stay for a while only, see [`Idle`].
pub struct Files {
    seen: DashMap<Arc<[u8]>, Arc<File>>,
    maps: RwLock<PathMaps>,
    system: Box<dyn FileSystem + Send + Sync>,
    idle: Idle,
}

impl Files {
    /// Files of this machine; relative locations are tried under the present directory first.
    pub fn new() -> Self {
        Self::with_system(Box::new(OsFileSystem::new()))
    }

    /// Files of an injected file system.
    pub fn with_system(system: Box<dyn FileSystem + Send + Sync>) -> Self {
        Self { seen: DashMap::new(), maps: RwLock::default(), system, idle: Idle::default() }
    }

    /// Adds a path map, and translates the names of the files seen so far anew.
    pub fn add_map(&self, from: &[u8], to: &[u8]) {
        // Held to the end, as `seen_or_new` holds it for reading: no file can slip in with a name of before.
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.add(from, to);
        let all: Vec<Arc<File>> = self.seen.iter().map(|file| Arc::clone(&file)).collect();
        for file in all {
            let known = Arc::new(KnownPath::new(&file.path, &maps, &*self.system));
            *file.known.write().unwrap_or_else(PoisonError::into_inner) = known;
            *file.placements() = Stamped::default();
        }
    }

    /// Takes over the path maps of another, whose locks no other thread holds any more or ever will, and its view of the file
    /// system: relative locations go on from the same directory, wherever the process stands now.
    pub fn inherit(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.system, &mut other.system);
        let maps = other.maps.get_mut().unwrap_or_else(PoisonError::into_inner);
        *self.maps.get_mut().unwrap_or_else(PoisonError::into_inner) = std::mem::take(maps);
    }

    /// The file with this name, for a code object of it: [`Files::leave`] it when that is gone.
    pub fn enter(&self, path: &[u8]) -> Arc<File> {
        self.seen_or_new(path, |file| {
            file.users.fetch_add(1, Relaxed);
        })
    }

    /// A code object of the file is gone.
    pub fn leave(&self, file: &Arc<File>) {
        let is_idle = {
            let _guard = self.seen.get(&file.path);
            file.users.fetch_sub(1, Relaxed) == 1
        };
        if is_idle {
            self.rest(file);
        }
    }

    /// Notes the units of a file.
    pub fn set_units(&self, path: &[u8], units: Units) -> Arc<File> {
        let file = self.seen_or_new(path, |_| {});
        *file.units.write().unwrap_or_else(PoisonError::into_inner) = units;
        *file.placements() = Stamped::default();
        if file.users.load(Relaxed) == 0 {
            self.rest(&file);
        }
        file
    }

    /// The unit table registered for this name.
    pub fn units(&self, path: &[u8]) -> Option<Arc<SourceUnits>> {
        match self.seen.get(path)?.units() {
            Units::Table(units) => Some(units),
            Units::Unasked | Units::Absent | Units::Lines(_) => None,
        }
    }

    /// How many files are known.
    pub fn count(&self) -> usize {
        self.seen.len()
    }

    fn seen_or_new(&self, path: &[u8], under_guard: impl Fn(&File)) -> Arc<File> {
        if let Some(file) = self.seen.get(path) {
            file.resting.touch();
            under_guard(&file);
            return Arc::clone(&file);
        }
        let maps = self.maps.read().unwrap_or_else(PoisonError::into_inner);
        let path: Arc<[u8]> = path.into();
        let new = Arc::new(File {
            known: RwLock::new(Arc::new(KnownPath::new(&path, &maps, &*self.system))),
            path: Arc::clone(&path),
            units: RwLock::default(),
            placements: Mutex::default(),
            users: AtomicU32::new(0),
            resting: Resting::default(),
        });
        let file = self.seen.entry(path).or_insert(new);
        under_guard(&file);
        Arc::clone(&file)
    }

    /// A file without code objects is kept for a while, in the place of those that have rested longest.
    fn rest(&self, file: &Arc<File>) {
        for old in self.idle.push(file) {
            self.seen
                .remove_if(&old.path, |_, found| Arc::ptr_eq(found, &old) && found.users.load(Relaxed) == 0);
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
    pub fn path(&self) -> &Arc<[u8]> {
        &self.path
    }

    /// What is known of its units.
    pub fn units(&self) -> Units {
        self.units.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn resting(&self) -> &Resting {
        &self.resting
    }

    /// The breakpoints that stand in it, run as `module`, in this table. `moved` is called when it turns out to be a better
    /// match than a file that a breakpoint was found in before.
    pub fn placement(&self, module: &str, table: &Table, epoch: u64, moved: &dyn Fn()) -> Arc<Placement> {
        let mut stamped = self.placements();
        // One of a later epoch serves an earlier question too: its answer is outdated either way, and will be asked again.
        if stamped.epoch < epoch {
            self.renew(&mut stamped, table, moved);
            stamped.epoch = epoch;
        }
        let known = stamped.by_module.iter().position(|found| *found.module == *module);
        if let Some(at) = known.filter(|&at| stamped.by_module[at].epoch >= epoch) {
            return Arc::clone(&stamped.by_module[at].placement);
        }
        let group = table.of_module(module);
        if let Some(at) = known.filter(|&at| is_same(&stamped.by_module[at].group, group)) {
            stamped.by_module[at].epoch = epoch;
            return Arc::clone(&stamped.by_module[at].placement);
        }
        // The switches are read before the members: one that is switched meanwhile makes the ingredient an old one.
        let ingredient = ingredient(group);
        let members =
            || group.into_iter().flat_map(|group| table.members(group)).filter(|one| one.is_armable());
        let placement = match members().next() {
            None => Arc::clone(&stamped.by_path),
            Some(_) => {
                let all = stamped.by_path.breakpoints().chain(members());
                Arc::new(Placement::new(&self.path, self.units(), all))
            }
        };
        match known {
            Some(at) => drop(stamped.by_module.remove(at)),
            None if stamped.by_module.len() == MODULES => drop(stamped.by_module.remove(0)),
            None => {}
        }
        let of_module =
            OfModule { epoch, module: module.into(), group: ingredient, placement: Arc::clone(&placement) };
        stamped.by_module.push(of_module);
        placement
    }

    /// Places the breakpoints that are asked for by path anew, if there are others than before.
    fn renew(&self, stamped: &mut Stamped, table: &Table, moved: &dyn Fn()) {
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        let groups = || known.keys().map(|key| table.of_path(key));
        let is_made = !stamped.groups.is_empty();
        if is_made && stamped.groups.iter().zip(groups()).all(|(before, group)| is_same(before, group)) {
            return;
        }
        stamped.groups = groups().map(ingredient).collect();
        stamped.by_module.clear();
        let members = groups().flatten().flat_map(|group| table.members(group));
        let found = members.filter(|found| {
            let Place::File(pattern) = &found.asked().location.place else { return false };
            let is_here = |strength| found.found_in(strength, &self.path, moved);
            found.is_armable() && pattern.matches(&known).is_some_and(is_here)
        });
        let by_path = Placement::new(&self.path, self.units(), found);
        // Nothing before and nothing now, in nearly all files: then it is the same, and so are decisions made of it.
        if !(by_path.is_empty() && stamped.by_path.is_empty()) {
            stamped.by_path = Arc::new(by_path);
        }
    }

    fn placements(&self) -> std::sync::MutexGuard<'_, Stamped> {
        self.placements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ingredient(group: Option<&Arc<Group>>) -> Ingredient {
    group.map(|group| (Arc::clone(group), group.switches()))
}

fn is_same(before: &Ingredient, group: Option<&Arc<Group>>) -> bool {
    match (before, group) {
        (Some((before, switches)), Some(group)) => {
            Arc::ptr_eq(before, group) && *switches == group.switches()
        }
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_come_and_go_are_not_all_remembered() {
        let files = Files::new();
        let kept = files.enter(b"/app/kept.py");
        for number in 0..100_000 {
            let file = files.enter(format!("<generated {number}>").as_bytes());
            files.leave(&file);
        }
        assert!(files.count() <= super::super::idle::MOST + 1, "{}", files.count());
        assert!(Arc::ptr_eq(&kept, &files.enter(b"/app/kept.py")), "what has code stays");
    }

    #[test]
    fn a_file_with_a_unit_table_weighs_as_much_as_its_units() {
        let files = Files::new();
        let rows = 1024;
        for number in 0..1000 {
            let table = super::super::units::tests::lines(rows);
            files.set_units(format!("/tmp/{number}/shop.py").as_bytes(), Units::Table(Arc::new(table)));
        }
        assert!(files.count() < 1000, "{}", files.count());
        assert!(files.units(b"/tmp/999/shop.py").is_some(), "the latest are kept");
    }

    #[test]
    fn code_that_comes_back_to_a_resting_file_finds_its_units() {
        let files = Files::new();
        let file = files.enter(b"/app/shop.py");
        files.set_units(b"/app/shop.py", Units::Absent);
        files.leave(&file);
        assert!(matches!(files.enter(b"/app/shop.py").units(), Units::Absent));
    }

    #[test]
    fn a_path_map_reaches_files_that_are_known_already() {
        let files = Files::new();
        let file = files.enter(b"/srv/container/shop.py");
        files.set_units(b"/srv/container/shop.py", Units::Absent);
        files.add_map(b"/srv/container", b"/home/me");
        assert!(file.known.read().unwrap().keys().any(|key| key == b"me/shop.py"));
        assert!(matches!(files.enter(b"/srv/container/shop.py").units(), Units::Absent));
    }

    #[test]
    fn the_child_of_a_fork_starts_relative_paths_where_its_parent_did() {
        struct Elsewhere;
        impl FileSystem for Elsewhere {
            fn canonical(&self, _: &[u8]) -> Option<Vec<u8>> {
                None
            }
            fn base(&self) -> Option<Vec<u8>> {
                Some(b"/where/it/began".to_vec())
            }
        }
        let (mut parent, mut child) = (Files::with_system(Box::new(Elsewhere)), Files::new());
        child.inherit(&mut parent);
        let known = Arc::clone(&child.enter(b"shop.py").known.read().unwrap());
        assert!(known.keys().any(|key| key == b"began/shop.py"));
    }

    #[test]
    fn entering_and_leaving_from_many_threads_never_splits_a_file() {
        let files = Files::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..20_000 {
                        let file = files.enter(b"/app/shop.py");
                        files.leave(&files.enter(format!("<{round}>").as_bytes()));
                        assert!(Arc::ptr_eq(&file, &files.seen.get(&b"/app/shop.py"[..]).unwrap()));
                        files.leave(&file);
                    }
                });
            }
        });
    }
}
