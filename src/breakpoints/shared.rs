//! Collections whose copies share what did not change: a table of a hundred thousand breakpoints is copied at each edit.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// Children of a node. An edit copies one leaf and one branch, and at 100,000 values two dozen pointers to the other
/// branches.
const FAN: usize = 64;

type Leaf<T> = Vec<Option<T>>;
type Branch<T> = Vec<Arc<Leaf<T>>>;

/// A vector of optional values: a tree of three levels whose nodes are shared.
#[derive(Clone, Debug)]
pub struct Slots<T> {
    branches: Vec<Arc<Branch<T>>>,
    len: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { branches: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Slots<T> {
    /// The value at a place, if there is one.
    pub fn get(&self, at: usize) -> Option<&T> {
        self.branches.get(at / FAN / FAN)?.get(at / FAN % FAN)?.get(at % FAN)?.as_ref()
    }

    /// Puts a value, or none, at a place.
    pub fn set(&mut self, at: usize, value: Option<T>) {
        let branch = owned(&mut self.branches, at / FAN / FAN);
        let leaf = owned(branch, at / FAN % FAN);
        if leaf.len() <= at % FAN {
            leaf.resize(at % FAN + 1, None);
        }
        leaf[at % FAN] = value;
        self.len = self.len.max(at + 1);
    }

    /// The values, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.branches.iter().flat_map(|branch| branch.iter().flat_map(|leaf| leaf.iter().flatten()))
    }

    /// How many places there are, empty ones included.
    pub fn len(&self) -> usize {
        self.len
    }
}

/// The node at a place, made if it is missing, and copied if it is shared.
fn owned<T: Clone + Default>(nodes: &mut Vec<Arc<T>>, at: usize) -> &mut T {
    while nodes.len() <= at {
        nodes.push(Arc::default());
    }
    Arc::make_mut(&mut nodes[at])
}

/// The breakpoints that are looked up by one key, by their slots. One that lost or got a member is another value.
#[derive(Clone, Debug, Default)]
pub struct Group {
    slots: Vec<u32>,
    switches: Arc<Switches>,
}

impl Group {
    /// The slots, in the order in which they were added.
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Moves on whenever a member is armed or disarmed otherwise than by joining or leaving.
    pub fn switches(&self) -> u64 {
        self.switches.count.load(Ordering::Acquire)
    }
}

/// Counts how often members of a group were switched; all versions of the group share it.
#[derive(Debug, Default)]
pub struct Switches {
    count: AtomicU64,
}

impl Switches {
    /// A member was switched, just before this call.
    pub fn advance(&self) {
        self.count.fetch_add(1, Ordering::Release);
    }
}

/// Maps that an index is divided into. One change copies one of them, and a pointer for each of the others.
const SHARDS: usize = 256;

type Shard = HashMap<Arc<[u8]>, Arc<Group>, BuildHasherDefault<KeyHasher>>;

/// Groups by key, in shared maps.
#[derive(Clone, Debug)]
pub struct Index {
    shards: Vec<Arc<Shard>>,
}

impl Default for Index {
    fn default() -> Self {
        Self { shards: vec![Arc::default(); SHARDS] }
    }
}

impl Index {
    /// The group under a key.
    pub fn get(&self, key: &[u8]) -> Option<&Arc<Group>> {
        self.shards[shard_of(key)].get(key)
    }

    /// Appends a slot to the group of a key. Gives what it must report its switches to.
    pub fn push(&mut self, key: &[u8], slot: u32) -> Arc<Switches> {
        let shard = Arc::make_mut(&mut self.shards[shard_of(key)]);
        if !shard.contains_key(key) {
            shard.insert(key.into(), Arc::default());
        }
        let Some(group) = shard.get_mut(key).map(Arc::make_mut) else { return Arc::default() };
        group.slots.push(slot);
        Arc::clone(&group.switches)
    }

    /// Leaves in the group of a key what `keep` says, in one pass; an empty group goes.
    pub fn retain(&mut self, key: &[u8], keep: impl Fn(u32) -> bool) {
        let shard = Arc::make_mut(&mut self.shards[shard_of(key)]);
        let Some(group) = shard.get_mut(key).map(Arc::make_mut) else { return };
        group.slots.retain(|&slot| keep(slot));
        if group.slots.is_empty() {
            shard.remove(key);
        }
    }
}

fn shard_of(key: &[u8]) -> usize {
    let mut hasher = KeyHasher::default();
    key.hash(&mut hasher);
    // The map inside takes the lowest bits and the highest.
    (hasher.finish() >> 32) as usize % SHARDS
}

/// A quick hash of names: every file is looked up after every edit, and the default hasher, which resists those who choose
/// their keys, would be most of that. Whoever sets breakpoints has better ways to slow a program down. Fx, the hash of
/// rustc and Firefox, a word at a time.
#[derive(Clone, Copy, Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_ne_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_usize(&mut self, length: usize) {
        self.write_u64(length as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_slots_does_not_see_later_changes() {
        let mut slots = Slots::default();
        let far = FAN * FAN * 2 + FAN + 3;
        slots.set(far, Some(7));
        let before = slots.clone();
        slots.set(far, None);
        slots.set(0, Some(1));
        assert_eq!((before.get(far), before.get(0), before.len()), (Some(&7), None, far + 1));
        assert_eq!(slots.iter().collect::<Vec<_>>(), [&1]);
        assert_eq!((slots.get(FAN), slots.get(far * 9)), (None, None));
    }

    #[test]
    fn a_change_copies_one_branch_and_one_leaf() {
        let mut slots = Slots::default();
        (0..FAN * FAN * 3).for_each(|at| slots.set(at, Some(at)));
        let before = slots.clone();
        slots.set(FAN * FAN, None);
        let shared: Vec<bool> =
            before.branches.iter().zip(&slots.branches).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
        assert_eq!(shared, [true, false, true]);
        let leaves = before.branches[1].iter().zip(slots.branches[1].iter());
        assert_eq!(leaves.filter(|(one, other)| !Arc::ptr_eq(one, other)).count(), 1);
    }

    #[test]
    fn names_that_differ_in_a_number_spread_over_the_shards() {
        let mut counts = [0; SHARDS];
        (0..25_600).for_each(|number| counts[shard_of(format!("p{number}/__init__.py").as_bytes())] += 1);
        assert!(counts.iter().all(|&count| (20..500).contains(&count)), "{counts:?}");
    }

    fn listed(index: &Index, key: &[u8]) -> Vec<u32> {
        index.get(key).map_or(Vec::new(), |group| group.slots().to_vec())
    }

    #[test]
    fn a_copy_of_an_index_does_not_see_later_changes() {
        let mut index = Index::default();
        [1, 2, 3].into_iter().for_each(|slot| drop(index.push(b"shop.py", slot)));
        let before = index.clone();
        index.retain(b"shop.py", |slot| slot == 2);
        index.push(b"cart.py", 4);
        assert_eq!((listed(&before, b"shop.py"), listed(&before, b"cart.py")), (vec![1, 2, 3], vec![]));
        assert_eq!((listed(&index, b"shop.py"), listed(&index, b"cart.py")), (vec![2], vec![4]));
        index.retain(b"shop.py", |_| false);
        assert!(index.get(b"shop.py").is_none());
    }

    #[test]
    fn another_member_makes_another_group_and_a_switch_is_counted_in_all_versions() {
        let mut index = Index::default();
        let switches = index.push(b"shop.py", 1);
        let before = Arc::clone(index.get(b"shop.py").unwrap());
        switches.advance();
        assert_eq!(before.switches(), 1);
        let copy = index.clone();
        assert!(Arc::ptr_eq(&before, copy.get(b"shop.py").unwrap()));
        index.push(b"shop.py", 2);
        let after = index.get(b"shop.py").unwrap();
        assert!(!Arc::ptr_eq(&before, after));
        assert_eq!(after.switches(), 1);
    }
}
