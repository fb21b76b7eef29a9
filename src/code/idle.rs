//! Files without code objects: kept for a while, since the code of a module is gone as soon as it has run, and its functions
//! come and go.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::files::File;
use super::units::Units;

/// The most that rests, counted in files without a unit table: about 8 MiB.
pub const MOST: usize = 16_384;

/// Units that weigh as much as a file without any.
const UNITS: usize = 8;

/// What the queue must know of a file; it stands in the file itself.
#[derive(Debug, Default)]
pub struct Resting {
    /// Whether it is in the queue. It changes under the queue's lock only.
    queued: AtomicBool,
    /// Whether it was used since it was put there, or got its second chance.
    used: AtomicBool,
}

impl Resting {
    /// The file is used.
    pub fn touch(&self) {
        self.used.store(true, Relaxed);
    }
}

/// The resting files. Of too many, those go that were not used for longest (the clock algorithm: F. J. Corbató, "A Paging
/// Experiment with the Multics System", 1968).
#[derive(Debug, Default)]
pub struct Idle {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    files: VecDeque<(Arc<File>, usize)>,
    weight: usize,
}

impl Idle {
    /// A file lost its last code object, or never had one. Gives those that must make room for it.
    pub fn push(&self, file: &Arc<File>) -> Vec<Arc<File>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if file.resting().queued.swap(true, Relaxed) {
            return Vec::new();
        }
        queue.push(Arc::clone(file));
        let mut chances = queue.files.len();
        let mut gone = Vec::new();
        // The latest stays whatever it weighs: it was only just wanted.
        while queue.weight > MOST && queue.files.len() > 1 {
            let Some((old, weight)) = queue.files.pop_front() else { break };
            queue.weight -= weight;
            if chances > 0 && old.resting().used.swap(false, Relaxed) {
                chances -= 1;
                queue.push(old);
            } else {
                old.resting().queued.store(false, Relaxed);
                gone.push(old);
            }
        }
        gone
    }
}

impl Queue {
    fn push(&mut self, file: Arc<File>) {
        let weight = match file.units() {
            Units::Table(units) => 1 + units.units().len() / UNITS,
            Units::Lines(lines) => 1 + lines.len() / UNITS,
            Units::Unasked | Units::Absent => 1,
        };
        self.weight += weight;
        self.files.push_back((file, weight));
    }
}
