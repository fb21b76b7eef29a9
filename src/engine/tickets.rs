//! Open hits: between the engine's verdict and the host's answer, a hit is a ticket.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use dashmap::DashMap;

use crate::breakpoints::Breakpoint;
use crate::code::IntHash;

/// The most hits that may be open at once: more than any number of threads needs, since a thread has a few at a time.
/// A host that forgets to answer loses hits beyond it (they are counted as dropped) instead of memory.
pub const MAX_OPEN: usize = 1 << 16;

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
}

/// The open hits. Ticket numbers start at 1 and are never given out again, so a stale one is recognised.
#[derive(Debug, Default)]
pub struct Tickets {
    open: DashMap<u64, Ticket, IntHash>,
    last: AtomicU64,
    count: AtomicU64,
}

impl Tickets {
    /// Opens a hit; `None` when [`MAX_OPEN`] are open.
    pub fn open(&self, ticket: Ticket) -> Option<u64> {
        if self.count.fetch_add(1, Relaxed) >= MAX_OPEN as u64 {
            self.count.fetch_sub(1, Relaxed);
            return None;
        }
        let number = self.last.fetch_add(1, Relaxed) + 1;
        self.open.insert(number, ticket);
        Some(number)
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
        Self { last: AtomicU64::new(other.last.load(Relaxed)), ..Self::default() }
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
