//! What Python is asked in a callback, step by step.
//!
//! The steps lie on the heap, behind a plain pointer: a thread that ends while it is in Python leaves them there (see `callbacks`).

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use super::api::Object;
use super::session::{Question, Session};
use crate::engine::HitItem;

/// What is asked for one arrival.
pub struct Asking {
    /// Kept, whatever Python does.
    session: Arc<Session>,
    question: Question,
    /// The code object and the offset, or the site; so many of them are told.
    place: [Object; 2],
    told: usize,
    epoch: u64,
    /// How many items have been answered.
    answered: usize,
}

/// The next thing to do. Nothing of it needs to be dropped.
#[derive(Clone, Copy)]
enum Step {
    /// To call this object with the first arguments. The callback gives what it gives.
    Last(Object, [Object; 2], usize),
    /// To call this object with an item. What it gives is of no interest, unless it raises.
    Item(Object, [Object; ITEM]),
    /// To give this.
    Done(Object),
}

/// The number of fields of a [`HitItem`].
const ITEM: usize = 6;

impl Asking {
    /// The session is the active one; its GIL is held, if there is one.
    pub fn new(session: Arc<Session>, question: Question, place: [Object; 2], told: usize) -> *mut Self {
        let epoch = session.epoch();
        Box::into_raw(Box::new(Self { session, question, place, told, epoch, answered: 0 }))
    }

    /// Asks, and gives what the callback gives.
    ///
    /// # Safety
    /// `this` is from `new`, and is used up. The GIL is held, if there is one.
    pub unsafe fn carry_out(this: *mut Self) -> Object {
        // SAFETY: the caller's promise; it is freed at the end.
        let api = unsafe { &*this }.session.api;
        loop {
            // SAFETY: as above.
            match unsafe { Self::step(this) } {
                Step::Last(callable, place, told) => {
                    let answer = api.call(callable, &place[..told]);
                    // SAFETY: as above.
                    unsafe { Self::free(this) };
                    return answer;
                }
                Step::Item(callable, fields) => {
                    let result = api.call(callable, &fields);
                    fields.iter().for_each(|&field| api.give_up(field));
                    // SAFETY: as above.
                    unsafe { Self::answered(this, result) };
                    if result.is_null() {
                        // SAFETY: as above.
                        unsafe { Self::free(this) };
                        return result;
                    }
                    api.give_up(result);
                }
                Step::Done(answer) => {
                    // SAFETY: as above.
                    unsafe { Self::free(this) };
                    return answer;
                }
            }
        }
    }

    #[inline(never)]
    unsafe fn step(this: *mut Self) -> Step {
        // SAFETY: the caller's promise. It is not borrowed while Python runs.
        let this = unsafe { &*this };
        catch_unwind(AssertUnwindSafe(|| this.next())).unwrap_or_else(|_| {
            log::error!("nonstop has a defect: a callback panicked");
            Step::Done(this.session.api.none())
        })
    }

    fn next(&self) -> Step {
        let (api, host) = (self.session.api, &self.session.host);
        let items = match &self.question {
            Question::Everything => return Step::Last(host.at_instruction, self.place, self.told),
            Question::Outdated => return Step::Last(host.outdated, self.place, 1),
            Question::Items(items) => items,
        };
        let Some(&HitItem { breakpoint, ticket, hit, verdict, action, user_data }) = items.get(self.answered)
        else {
            let is_outdated = self.session.is_active() && self.session.epoch() != self.epoch;
            return match is_outdated {
                true => Step::Last(host.outdated, self.place, 1),
                false => Step::Done(api.none()),
            };
        };
        let numbers = [breakpoint.raw(), ticket, hit, verdict as u64, action as u64, user_data];
        match api.ints(numbers) {
            Some(fields) => Step::Item(host.answer, fields),
            None => {
                self.abandon_from(self.answered);
                Step::Done(std::ptr::null_mut())
            }
        }
    }

    #[inline(never)]
    unsafe fn answered(this: *mut Self, result: Object) {
        // SAFETY: the caller's promise. It is not borrowed while Python runs.
        let this = unsafe { &mut *this };
        this.answered += 1;
        if result.is_null() {
            // What is left of the arrival gets no answer.
            drop(catch_unwind(AssertUnwindSafe(|| this.abandon_from(this.answered))));
        }
    }

    /// Tells the engine, if it is there still.
    fn abandon_from(&self, first: usize) {
        let Question::Items(items) = &self.question else { return };
        for left in items[first..].iter().filter(|_| self.session.is_active()) {
            drop(self.session.engine().abandon(left.ticket));
        }
    }

    #[inline(never)]
    unsafe fn free(this: *mut Self) {
        // SAFETY: the caller's promise: it is one of `Box::into_raw`, and not used again.
        drop(unsafe { Box::from_raw(this) });
    }
}
