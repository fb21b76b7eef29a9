//! Open hits: between the engine's verdict and the host's answer, a hit is a ticket.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use dashmap::DashMap;

use crate::breakpoints::Breakpoint;
use crate::code::IntHash;

/// The most hits that may be open at once: more than any number of threads needs, since a thread has a few at a time.
/// Beyond it the oldest is given up, so that a host which forgets answers (its threads are killed, say) loses those hits,
/// not memory, and not the hits to come.
pub const MAX_OPEN: u64 = 1 << 16;

/// What the host owes an answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The outcome of the condition.
    Condition,
    /// The capture of hit number `hit`.
    Capture {
        /// The number of the hit, from 1.
        hit: u64,
    },
}

/// One open hit.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Whose hit it is.
    pub breakpoint: Arc<Breakpoint>,
    /// What is owed.
    pub stage: Stage,
    /// The line that the unit of its site begins at.
    pub line: u32,
}

/// The open hits. Ticket numbers start at 1 and are never given out again, so a stale one is recognised.
#[derive(Debug, Default)]
pub struct Tickets {
    open: DashMap<u64, Ticket, IntHash>,
    last: AtomicU64,
    count: AtomicU64,
    /// No ticket up to this number is open, but for those that went on to their capture meanwhile.
    gone: AtomicU64,
}

impl Tickets {
    /// Opens a hit. The second is a hit that was given up to make room.
    pub fn open(&self, ticket: Ticket) -> (u64, Option<Ticket>) {
        let number = self.last.fetch_add(1, Relaxed) + 1;
        self.open.insert(number, ticket);
        let is_full = self.count.fetch_add(1, Relaxed) >= MAX_OPEN;
        (number, if is_full { self.give_up_oldest(number) } else { None })
    }

    /// Takes a hit whose answer is of the kind that `expected` accepts.
    ///
    /// # Errors
    /// Says whether the number is unknown, or the ticket waits for another answer; it stays open then.
    pub fn close(&self, number: u64, expected: impl Fn(Stage) -> bool) -> Result<Ticket, Refused> {
        match self.open.remove_if(&number, |_, ticket| expected(ticket.stage)) {
            Some((_, ticket)) => {
                self.count.fetch_sub(1, Relaxed);
                Ok(ticket)
            }
            None if self.open.contains_key(&number) => Err(Refused::WrongStage),
            None => Err(Refused::Stale),
        }
    }

    /// Goes on from the condition to the capture under the same number.
    pub fn advance(&self, number: u64, ticket: Ticket) {
        self.count.fetch_add(1, Relaxed);
        self.open.insert(number, ticket);
    }

    /// Goes on numbering after `other`, so that its tickets are stale here.
    pub fn after(other: &Self) -> Self {
        let last = other.last.load(Relaxed);
        Self { last: AtomicU64::new(last), gone: AtomicU64::new(last), ..Self::default() }
    }

    /// Each number is passed once, so all of these calls together take no more steps than tickets were opened.
    fn give_up_oldest(&self, newest: u64) -> Option<Ticket> {
        loop {
            let oldest = self.gone.fetch_add(1, Relaxed) + 1;
            if oldest >= newest {
                self.gone.fetch_min(newest - 1, Relaxed);
                return None;
            }
            if let Ok(ticket) = self.close(oldest, |_| true) {
                return Some(ticket);
            }
        }
    }
}

/// Why a ticket was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It was answered already, or never given out.
    Stale,
    /// It waits for another answer.
    WrongStage,
}
