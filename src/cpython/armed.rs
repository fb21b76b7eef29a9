//! What is armed in which code object, by its address.

use std::cell::{Cell, UnsafeCell};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::condition::Condition;
use crate::code::{Bound, IntHash};

/// An instruction that is an arrival.
#[derive(Clone, Debug)]
pub struct Point {
    /// Its offset.
    pub offset: u32,
    /// What is bound at the site that it arrives at, in the epoch of the decision.
    pub bound: Bound,
    /// For each breakpoint there, its condition, where that is decided without Python. None: nowhere.
    pub conditions: Option<Box<[Option<Arc<Condition>>]>>,
    /// Whether Python has to be asked: it knows the names of threads.
    pub asks_python: bool,
}

/// All of one code object.
#[derive(Clone, Debug)]
pub struct Points {
    /// The epoch of the decision that they are of.
    pub epoch: u64,
    /// By offset, ascending.
    pub points: Box<[Point]>,
    /// Whether Python has to be told of every instruction, to know where control came from.
    pub is_tracked: bool,
}

/// What a callback has to know of one instruction.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// It is no arrival: it can be switched off.
    Nothing,
    /// It is this arrival, by a decision of this epoch.
    One(&'a Point, u64),
    /// It is for Python: it is several arrivals, or where control came from decides.
    Many,
}

impl Points {
    fn found(&self, offset: u32) -> Found<'_> {
        if self.is_tracked {
            return Found::Many;
        }
        let from = self.points.partition_point(|point| point.offset < offset);
        match self.points.get(from..) {
            Some([point, rest @ ..]) if point.offset == offset => match rest {
                [next, ..] if next.offset == offset => Found::Many,
                _ if point.asks_python => Found::Many,
                _ => Found::One(point, self.epoch),
            },
            _ => Found::Nothing,
        }
    }
}

/// The code objects in which anything is armed.
///
/// It is read at every hit, where a lock would cost as much as the rest. The GIL is that lock, on builds that have one.
#[derive(Debug)]
pub struct Armed {
    by_code: UnsafeCell<HashMap<usize, Points, IntHash>>,
    /// The code object that was looked up last: a loop asks for the same one again. Only under a GIL.
    last: Cell<(usize, *const Points)>,
    /// Where there is no GIL.
    lock: Option<RwLock<()>>,
}

const NO_CODE: (usize, *const Points) = (0, std::ptr::null());

// SAFETY: every access is under the GIL, by the promise of the callers, or under the lock.
unsafe impl Sync for Armed {}
// SAFETY: the pointer leads into the map, which goes where the value goes.
unsafe impl Send for Armed {}

impl Armed {
    /// Nothing is armed.
    pub fn new(is_free_threaded: bool) -> Self {
        let lock = is_free_threaded.then(RwLock::default);
        Self { by_code: UnsafeCell::default(), last: Cell::new(NO_CODE), lock }
    }

    /// Arms these points in the code object at an address, and no others.
    ///
    /// # Safety
    /// The caller holds the GIL, if there is one, and is not inside of `find`.
    pub unsafe fn set(&self, code: usize, points: Points) {
        let _locked = self.lock.as_ref().map(|lock| lock.write().unwrap_or_else(PoisonError::into_inner));
        self.last.set(NO_CODE);
        // SAFETY: nobody else reads or writes meanwhile.
        let by_code = unsafe { &mut *self.by_code.get() };
        if points.points.is_empty() {
            by_code.remove(&code);
        } else {
            by_code.insert(code, points);
        }
    }

    /// Works with what the instruction at an offset of a code object is.
    ///
    /// # Safety
    /// The caller holds the GIL, if there is one, and `work` does not give it up.
    pub unsafe fn find<R>(&self, code: usize, offset: u32, work: impl FnOnce(Found<'_>) -> R) -> R {
        let Some(lock) = &self.lock else {
            let (last, known) = self.last.get();
            // SAFETY: the map has not changed since, and nobody writes meanwhile.
            let points = unsafe {
                if last == code {
                    known.as_ref()
                } else {
                    (*self.by_code.get()).get(&code)
                }
            };
            let Some(points) = points else { return work(Found::Nothing) };
            self.last.set((code, points));
            return work(points.found(offset));
        };
        let _locked = lock.read().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: nobody writes meanwhile.
        let by_code = unsafe { &*self.by_code.get() };
        work(by_code.get(&code).map_or(Found::Nothing, |points| points.found(offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(offsets: &[u32]) -> Points {
        let point = |&offset| Point { offset, bound: Bound::default(), conditions: None, asks_python: false };
        Points { epoch: 7, points: offsets.iter().map(point).collect(), is_tracked: false }
    }

    /// By the letter of what was found.
    fn find(armed: &Armed, code: usize, offsets: &[u32]) -> String {
        let letter = |found: Found<'_>| match found {
            Found::Nothing => '-',
            Found::One(..) => '1',
            Found::Many => 'm',
        };
        // SAFETY: there is one thread.
        offsets.iter().map(|&offset| unsafe { armed.find(code, offset, letter) }).collect()
    }

    #[test]
    fn an_instruction_is_one_arrival_several_or_none() {
        for armed in [false, true].map(Armed::new) {
            let mut all = points(&[2, 6, 6, 9]);
            let set = |points: &Points| {
                // SAFETY: there is one thread.
                unsafe { armed.set(0x1000, points.clone()) }
            };
            set(&all);
            assert_eq!(find(&armed, 0x1000, &[0, 2, 6, 7, 9, 10]), "-1m-1-");
            all.points[3].asks_python = true;
            set(&all);
            assert_eq!(find(&armed, 0x1000, &[2, 9]), "1m");
            all.is_tracked = true;
            set(&all);
            assert_eq!(find(&armed, 0x1000, &[2, 7]), "mm");
        }
    }

    #[test]
    fn code_in_which_nothing_is_armed_is_not_known() {
        let armed = Armed::new(false);
        for offsets in [&[2][..], &[]] {
            // SAFETY: there is one thread.
            unsafe { armed.set(0x1000, points(offsets)) };
            assert_eq!(find(&armed, 0x1000, &[2]), if offsets.is_empty() { "-" } else { "1" });
            assert_eq!(find(&armed, 0x2000, &[2]), "-");
        }
    }
}
