//! What this thread asked lately: an answer that is still right is found without a step on memory that threads share.

use std::cell::Cell;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use super::decisions::{Event, Interest};

/// Answers kept, of each thread: 20 KiB. What is asked next takes the place of what was there.
const MOST: usize = 512;

/// Moves on when a decision is made, or gone. No two are ever at the same value, so that an answer of one is none of another's.
#[derive(Debug)]
pub struct Stamp(AtomicU64);

#[derive(Clone, Copy)]
struct Answer {
    stamp: u64,
    epoch: u64,
    key: u64,
    line: u32,
    kind: u32,
    interest: Interest,
}

static LAST: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static ANSWERS: [Cell<Answer>; MOST] = const {
        [const { Cell::new(Answer { stamp: 0, epoch: 0, key: 0, line: 0, kind: 0, interest: Interest::None }) }; MOST]
    };
}

impl Default for Stamp {
    fn default() -> Self {
        Self(AtomicU64::new(next()))
    }
}

fn next() -> u64 {
    LAST.fetch_add(1, Relaxed) + 1
}

impl Stamp {
    /// Makes all answers old. After a change, and before whoever made it goes on.
    pub fn advance(&self) {
        self.0.store(next(), Release);
    }

    /// The answer that was given to this thread in this epoch, or else the one that is found now, if any.
    pub fn recall(
        &self,
        key: u64,
        event: Event,
        epoch: u64,
        find: impl FnOnce() -> Option<Interest>,
    ) -> Option<Interest> {
        // Before the answer is found: one that is outdated meanwhile is kept under a stamp that is no more.
        let stamp = self.0.load(Acquire);
        let kind = event.kind as u32;
        ANSWERS.with(|answers| {
            let mixed = (key ^ (u64::from(event.line) << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let place = &answers[(mixed >> 40) as usize % MOST];
            let kept = place.get();
            if (kept.stamp, kept.epoch, kept.key, kept.line, kept.kind)
                == (stamp, epoch, key, event.line, kind)
            {
                return Some(kept.interest);
            }
            let interest = find()?;
            place.set(Answer { stamp, epoch, key, line: event.line, kind, interest });
            Some(interest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::EventKind;

    const EVENT: Event = Event { kind: EventKind::Line, line: 3, thread: 1, depth: 1 };

    fn found(stamp: &Stamp, key: u64, event: Event, epoch: u64) -> bool {
        let mut is_asked = false;
        let answer = stamp.recall(key, event, epoch, || {
            is_asked = true;
            Some(Interest::Site(key as u32))
        });
        assert_eq!(answer, Some(Interest::Site(key as u32)));
        !is_asked
    }

    #[test]
    fn an_answer_is_found_again_until_something_changes() {
        let stamp = Stamp::default();
        assert!(!found(&stamp, 1, EVENT, 7));
        assert!(found(&stamp, 1, EVENT, 7));
        assert!(!found(&stamp, 1, EVENT, 8), "another epoch");
        assert!(!found(&stamp, 1, Event { line: 4, ..EVENT }, 8));
        assert!(!found(&stamp, 1, Event { kind: EventKind::Call, ..EVENT }, 8));
        assert!(!found(&Stamp::default(), 1, EVENT, 8), "another engine's");
        found(&stamp, 1, EVENT, 8);
        stamp.advance();
        assert!(!found(&stamp, 1, EVENT, 8));
    }

    #[test]
    fn what_is_not_known_is_asked_again() {
        let stamp = Stamp::default();
        assert_eq!(stamp.recall(1, EVENT, 1, || None), None);
        assert!(!found(&stamp, 1, EVENT, 1));
    }

    #[test]
    fn many_keys_share_the_room() {
        let stamp = Stamp::default();
        for round in 0..3 {
            for key in 0..10 * MOST as u64 {
                found(&stamp, key, EVENT, round);
            }
        }
    }
}
