//! Conditions that are decided without Python: comparisons of variables of the frame with constants, joined by `and`, `or`, `not`.
//!
//! Only values of exact builtin types are compared, which runs nothing of the program and is what Python would do. For all others,
//! and for names that are no variables of the frame, the condition is left to Python.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::api::{Api, Kind, Object};
use super::interpreter::api;
use crate::engine::Engine;

/// How two values are compared. The first six are those of `PyObject_RichCompare`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Sign {
    /// `<`
    Less = 0,
    /// `<=`
    LessOrEqual = 1,
    /// `==`
    Equal = 2,
    /// `!=`
    NotEqual = 3,
    /// `>`
    Greater = 4,
    /// `>=`
    GreaterOrEqual = 5,
    /// `is`
    Is = 6,
    /// `is not`
    IsNot = 7,
}

/// One step of a condition. There is one truth, which each sets, or looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Compares the objects at two places.
    Compare(Sign, u32, u32),
    /// Takes the truth of the object at a place.
    Truth(u32),
    /// The opposite.
    Not,
    /// Goes on at a later step if it is so.
    JumpIf(bool, u32),
}

/// A condition. Objects are named by their place: first the names of variables, then constants.
#[derive(Debug)]
pub struct Condition {
    objects: Box<[Object]>,
    names: usize,
    steps: Box<[Step]>,
    /// How often it was left to Python.
    in_vain: AtomicU32,
}

// SAFETY: the objects are touched under the GIL.
unsafe impl Send for Condition {}
// SAFETY: as above.
unsafe impl Sync for Condition {}

/// After so many looks in vain nobody looks again: these take longer than Python does.
const MOST_IN_VAIN: u32 = 100;

/// What is wrong with the steps of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadStep(pub usize);

impl Condition {
    /// Makes one, with references of its own. The GIL is held.
    ///
    /// # Errors
    /// The first step that names an object that is not there, or jumps elsewhere than forwards.
    ///
    /// # Safety
    /// The objects are alive, and the names are `str`.
    pub unsafe fn new(
        api: &Api,
        objects: &[Object],
        names: usize,
        steps: Vec<Step>,
    ) -> Result<Self, BadStep> {
        for (at, step) in steps.iter().enumerate() {
            let is_right = match *step {
                Step::Compare(_, left, right) => left.max(right) < objects.len() as u32,
                Step::Truth(place) => place < objects.len() as u32,
                Step::Not => true,
                Step::JumpIf(_, to) => to as usize > at && to as usize <= steps.len(),
            };
            if !is_right {
                return Err(BadStep(at));
            }
        }
        for &object in objects {
            api.reference(object);
        }
        Ok(Self {
            objects: objects.into(),
            names: names.min(objects.len()),
            steps: steps.into(),
            in_vain: AtomicU32::new(0),
        })
    }

    /// Whether it holds in the frame that runs; None: Python has to say. The GIL is held, and there is one.
    pub fn decide(&self, api: &Api) -> Option<bool> {
        if self.in_vain.load(Ordering::Relaxed) > MOST_IN_VAIN {
            return None;
        }
        let decided = self.evaluate(api);
        if decided.is_none() {
            self.in_vain.fetch_add(1, Ordering::Relaxed);
        }
        decided
    }

    fn evaluate(&self, api: &Api) -> Option<bool> {
        let frame = api.running_frame()?;
        let mut truth = true;
        let mut at = 0;
        while let Some(step) = self.steps.get(at) {
            at += 1;
            match *step {
                Step::Compare(sign, left, right) => {
                    let left = self.value(api, frame, left)?;
                    let right = self.value(api, frame, right)?;
                    truth = compare(api, sign, left.object, right.object)?;
                }
                Step::Truth(place) => truth = is_true(api, self.value(api, frame, place)?.object)?,
                Step::Not => truth = !truth,
                Step::JumpIf(wanted, to) => {
                    if truth == wanted {
                        at = to as usize;
                    }
                }
            }
        }
        Some(truth)
    }

    fn value<'a>(&self, api: &'a Api, frame: Object, place: u32) -> Option<Held<'a>> {
        let object = *self.objects.get(place as usize)?;
        if place as usize >= self.names {
            return Some(Held { api, object, is_own: false });
        }
        // SAFETY: the frame runs, the name is alive.
        let object = unsafe { api.variable(frame, object) };
        (!object.is_null()).then_some(Held { api, object, is_own: true })
    }
}

impl Drop for Condition {
    fn drop(&mut self) {
        let Some(api) = api() else { return };
        let _gil = api.hold_gil();
        self.objects.iter().for_each(|&object| api.give_up(object));
    }
}

/// An object for a while.
struct Held<'a> {
    api: &'a Api,
    object: Object,
    is_own: bool,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.is_own {
            self.api.give_up(self.object);
        }
    }
}

fn compare(api: &Api, sign: Sign, left: Object, right: Object) -> Option<bool> {
    match sign {
        Sign::Is => return Some(left == right),
        Sign::IsNot => return Some(left != right),
        _ => (),
    }
    let kinds = [api.kind(left)?, api.kind(right)?];
    let is_equality = matches!(sign, Sign::Equal | Sign::NotEqual);
    match kinds {
        [Kind::Number, Kind::Number] | [Kind::Text, Kind::Text] => api.compare(left, right, sign as i32),
        [Kind::None, Kind::None] if is_equality => Some(sign == Sign::Equal),
        [Kind::Container, _] | [_, Kind::Container] => None,
        _ if is_equality => Some(sign == Sign::NotEqual),
        // Python raises.
        _ => None,
    }
}

fn is_true(api: &Api, object: Object) -> Option<bool> {
    match api.kind(object)? {
        Kind::None => Some(false),
        Kind::Number | Kind::Text | Kind::Container => api.is_true(object),
    }
}

/// The conditions that hosts gave, by their engine and the number that they know the breakpoint by. Locked under the GIL only, so
/// that no child of a fork finds it locked.
static CONDITIONS: Mutex<Option<ByBreakpoint>> = Mutex::new(None);

type ByBreakpoint = HashMap<(usize, u64), Arc<Condition>>;

/// Whether any was ever kept.
static ANY_KEPT: AtomicBool = AtomicBool::new(false);

/// Keeps a condition for the breakpoint that its host knows by a number, or forgets the one that was kept.
pub fn keep(api: &Api, engine: *const Engine, user_data: u64, condition: Option<Condition>) {
    ANY_KEPT.fetch_or(condition.is_some(), Ordering::Relaxed);
    let _gil = api.hold_gil();
    let before = {
        let mut conditions = CONDITIONS.lock().unwrap_or_else(PoisonError::into_inner);
        let conditions = conditions.get_or_insert_with(HashMap::new);
        match condition {
            Some(condition) => conditions.insert((engine as usize, user_data), Arc::new(condition)),
            None => conditions.remove(&(engine as usize, user_data)),
        }
    };
    drop(before);
}

/// The condition that is kept for a breakpoint. The GIL is held.
pub fn kept(engine: *const Engine, user_data: u64) -> Option<Arc<Condition>> {
    let conditions = CONDITIONS.lock().unwrap_or_else(PoisonError::into_inner);
    conditions.as_ref()?.get(&(engine as usize, user_data)).cloned()
}

/// Forgets all of an engine that is about to be freed.
pub fn forget_all(engine: *const Engine) {
    let (Some(api), true) = (api(), ANY_KEPT.load(Ordering::Relaxed)) else { return };
    let _gil = api.hold_gil();
    let gone: Vec<_> = {
        let mut conditions = CONDITIONS.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(conditions) = conditions.as_mut() else { return };
        let keys: Vec<_> =
            conditions.keys().filter(|(owner, _)| *owner == engine as usize).copied().collect();
        keys.iter().filter_map(|key| conditions.remove(key)).collect()
    };
    drop(gone);
}
