//! One session of observing: the engine that decides, what is armed, and the Python objects that are called.
//!
//! There is one session at a time in a process, as there is one table of callbacks in an interpreter. A callback that is at work
//! when its session ends finds the session alive, and the engine only while it has not left for Python: whoever ends a session
//! holds the GIL, and on builds without one waits until no callback is inside.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::Arc;

use super::api::{Api, MissingSymbol, Object};
use super::armed::{Armed, Found, Point, Points};
use super::callbacks;
use super::condition::{kept, Condition};
use super::ignored::is_ignored;
use super::interpreter::find;
use super::spent::Spent;
use crate::code::Bound;
use crate::engine::{Engine, HitItem, Outcome, Thread};

/// What the host gives for a session. It keeps the references; ours are counted apart.
#[derive(Clone, Copy)]
pub struct Host {
    /// What a callback answers to have an instruction switched off (`sys.monitoring.DISABLE`).
    pub disable: Object,
    /// Called with the code object and the offset, where Python has to do all: gives what the callback answers.
    pub at_instruction: Object,
    /// Called with the fields of a [`HitItem`], where a condition is to be evaluated or a capture made.
    pub answer: Object,
    /// Called with a code object after an arrival in it that may have changed what is armed.
    pub outdated: Object,
    /// A list, which the callback is appended to.
    pub callbacks: Object,
    /// Whether the callback wanted is the one that is put into code.
    pub puts_calls: bool,
    /// Whether threads run without a GIL.
    pub is_free_threaded: bool,
}

/// What callbacks work for.
pub struct Session {
    pub(super) api: &'static Api,
    pub(super) host: Host,
    engine: *const Engine,
    armed: Armed,
    spent: Spent,
}

// SAFETY: the objects are touched under the GIL, or on builds without one by reference counts that are atomic; the engine is
// for any thread.
unsafe impl Send for Session {}
// SAFETY: as above.
unsafe impl Sync for Session {}

/// The session that callbacks work for; from `Arc::into_raw`.
static ACTIVE: AtomicPtr<Session> = AtomicPtr::new(std::ptr::null_mut());
/// Whether callbacks have to be counted in and out.
static IS_FREE_THREADED: AtomicBool = AtomicBool::new(false);
/// How many callbacks are between looking for the session and having a reference of their own.
static ENTERING: AtomicUsize = AtomicUsize::new(0);

/// An instruction that arrives at a site.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The offset of the instruction.
    pub offset: u32,
    /// The site.
    pub site: u32,
    /// Whether Python knows the name of the thread, which a breakpoint there asks for.
    pub asks_python: bool,
    /// Whether where control came from decides, which Python keeps.
    pub is_mixed: bool,
    /// Whether Python reads the variables there, and decides all conditions.
    pub host_reads: bool,
}

/// What an arrival comes to without Python.
pub enum Alone {
    /// It is done: the callback answers this, a new reference.
    Answer(Object),
    /// Python has to do something.
    Ask(Question),
}

/// What Python has to do.
pub enum Question {
    /// All of it.
    Everything,
    /// To answer these.
    Items(Vec<HitItem>),
    /// To decide again about the code object.
    Outdated,
}

/// Begins a session, after the end of any other one.
///
/// # Errors
/// What this process lacks.
///
/// # Safety
/// `engine` outlives the session; the objects of `host` are alive, and those of CPython 3.9 or later.
pub unsafe fn start(engine: *const Engine, host: Host) -> Result<(), MissingSymbol> {
    // SAFETY: the caller's promise.
    let api = unsafe { find(host.disable, host.is_free_threaded) }?;
    stop();
    let _gil = api.hold_gil();
    for object in host.kept() {
        api.reference(object);
    }
    // SAFETY: the list is alive.
    if !unsafe { callbacks::append_to(api, host.callbacks, host.puts_calls) } {
        log::error!("a native callback could not be made: memory lacks");
    }
    IS_FREE_THREADED.store(host.is_free_threaded, Ordering::SeqCst);
    let armed = Armed::new(host.is_free_threaded);
    let session = Session { api, host, engine, armed, spent: Spent::default() };
    ACTIVE.store(Arc::into_raw(Arc::new(session)).cast_mut(), Ordering::SeqCst);
    Ok(())
}

/// Ends the session, if there is one: its engine is used no more when this returns.
pub fn stop() {
    let Some(session) = current() else { return };
    // Before the rest: callbacks run under the GIL.
    let _gil = session.api.hold_gil();
    let active = ACTIVE.swap(std::ptr::null_mut(), Ordering::SeqCst);
    if active.is_null() {
        return;
    }
    while IS_FREE_THREADED.load(Ordering::SeqCst) && ENTERING.load(Ordering::SeqCst) > 0 {
        std::thread::yield_now();
    }
    // SAFETY: that is the reference that `start` made.
    drop(unsafe { Arc::from_raw(active) });
}

/// Arms points in the code object at an address, and no others; whether there is a session.
pub fn arm(code: usize, epoch: u64, points: &[Site]) -> bool {
    let Some(session) = current() else { return false };
    let is_tracked = points.iter().any(|point| point.is_mixed);
    // A site that is gone is no longer decided: the next decision knows.
    let bound = |point: &Site| {
        let bound = session.engine().bound_at(point.site).ok()?;
        let conditions = if point.host_reads { None } else { session.conditions(&bound) };
        Some(Point { offset: point.offset, bound, conditions, asks_python: point.asks_python })
    };
    // No child of a fork finds the table half written: it is forked under the GIL.
    let _gil = session.api.hold_gil();
    let points = points.iter().filter_map(bound).collect();
    // SAFETY: as just said.
    unsafe { session.armed.set(code, Points { epoch, points, is_tracked }) };
    true
}

/// The time that the program spent in callbacks which did not leave for Python, in nanoseconds: an estimate from one of 256.
pub fn native_spent_ns() -> u64 {
    current().map_or(0, |session| session.spent.estimate_ns())
}

/// Counts an arrival at an offset (an `int`, or NULL for 0), if there is a GIL, and counting is all there is to do: gives what the
/// callback answers then. Nothing of this can panic, so it needs no frame that catches, which would take as long as the rest.
///
/// # Safety
/// The caller holds the GIL, if there is one. The offset is NULL or alive.
pub unsafe fn count_at_once(code: usize, offset: Object) -> Option<Object> {
    if IS_FREE_THREADED.load(Ordering::Relaxed) {
        return None;
    }
    // SAFETY: the session is let go of under the GIL, which nothing of this gives up.
    let session = unsafe { ACTIVE.load(Ordering::Acquire).as_ref() }?;
    let offset = session.offset(offset);
    // SAFETY: as above.
    let is_counted = unsafe { session.armed.find(code, offset, |found| session.counts_at_once(found)) };
    is_counted.then(|| session.api.none())
}

/// Works with the active session, if there is one: that stays while this takes, and longer where `work` takes a reference of its
/// own.
///
/// # Safety
/// The caller holds the GIL, if there is one, and `work` does not give it up.
pub unsafe fn with_active<R>(work: impl FnOnce(&Arc<Session>) -> R) -> Option<R> {
    let _entering = Entering::begin();
    let active = ACTIVE.load(Ordering::SeqCst).cast_const();
    // SAFETY: the pointer is one of `Arc::into_raw`; its reference is given up under the GIL, and when nobody is entering. It is
    // not given up here.
    (!active.is_null()).then(|| work(&std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(active) })))
}

/// The session, with a reference of the caller's own.
fn current() -> Option<Arc<Session>> {
    let _entering = Entering::begin();
    let active = ACTIVE.load(Ordering::SeqCst).cast_const();
    // SAFETY: the pointer is one of `Arc::into_raw`; its reference is given up under the GIL, or when nobody is entering.
    (!active.is_null()).then(|| unsafe {
        Arc::increment_strong_count(active);
        Arc::from_raw(active)
    })
}

/// Counted in and out, on builds without a GIL: as long as it lives the session that is found active stays.
struct Entering {
    is_counted: bool,
}

impl Entering {
    fn begin() -> Self {
        let is_counted = IS_FREE_THREADED.load(Ordering::Relaxed);
        if is_counted {
            ENTERING.fetch_add(1, Ordering::SeqCst);
        }
        Self { is_counted }
    }
}

impl Drop for Entering {
    fn drop(&mut self) {
        if self.is_counted {
            ENTERING.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Host {
    fn kept(&self) -> [Object; 4] {
        [self.disable, self.at_instruction, self.answer, self.outdated]
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Whoever looked for the session may be the last to let it go, with or without the GIL.
        let _gil = self.api.hold_gil();
        for object in self.host.kept() {
            self.api.give_up(object);
        }
    }
}

impl Session {
    /// Control comes to what is armed at an offset of what has an address (or a number).
    ///
    /// # Safety
    /// The session is the active one. The caller holds the GIL, if there is one.
    pub unsafe fn alone(&self, code: usize, offset: u32) -> Alone {
        // SAFETY: nothing of this gives the GIL up.
        unsafe { self.armed.find(code, offset, |found| self.arrive(found)) }
    }

    fn arrive(&self, found: Found<'_>) -> Alone {
        let api = &self.api;
        let (point, epoch) = match found {
            Found::Nothing => return Alone::Answer(api.reference(self.host.disable)),
            Found::Many => return Alone::Ask(Question::Everything),
            Found::One(point, epoch) => (point, epoch),
        };
        if self.epoch() != epoch {
            return Alone::Ask(Question::Everything);
        }
        if is_ignored() {
            return Alone::Answer(api.none());
        }
        // SAFETY: it has no conditions.
        let thread = Thread { id: unsafe { libc::pthread_self() } as u64, name: None };
        let mut items: Vec<HitItem> = Vec::new();
        let clock = self.spent.begin();
        let decide = |place: usize| self.decide(point, place);
        let arrived =
            self.engine().hit_bound(&point.bound, &thread, 0, ROOM, decide, |item| items.push(item));
        self.spent.end(clock);
        match arrived {
            Err(_) => Alone::Ask(Question::Everything),
            Ok(_) if !items.is_empty() => Alone::Ask(Question::Items(items)),
            Ok(_) if self.epoch() != epoch => Alone::Ask(Question::Outdated),
            Ok(_) => Alone::Answer(api.none()),
        }
    }

    /// The conditions of what is bound at a site, where some are decided without Python. The GIL is held.
    fn conditions(&self, bound: &Bound) -> Option<Box<[Option<Arc<Condition>>]>> {
        if self.host.is_free_threaded || !bound.breakpoints.iter().any(|one| one.asked().has_condition) {
            return None;
        }
        let kept = bound.breakpoints.iter().map(|one| kept(self.engine, one.asked().user_data));
        let found: Box<[_]> = kept.collect();
        found.iter().any(Option::is_some).then_some(found)
    }

    /// Decides the condition of the breakpoint at a place among those that are bound, if that needs no Python.
    fn decide(&self, point: &Point, place: usize) -> Option<Outcome> {
        let condition = point.conditions.as_ref()?.get(place)?.as_ref()?;
        Some(if condition.decide(self.api)? { Outcome::True } else { Outcome::False })
    }

    /// Counts what control came to, if that is all there is to do; whether it was.
    fn counts_at_once(&self, found: Found<'_>) -> bool {
        let Found::One(point, epoch) = found else { return false };
        let is_counted = self.epoch() == epoch
            && !is_ignored()
            && self.spent.is_untimed()
            && self.engine().count_in_turn(&point.bound);
        if is_counted {
            self.spent.pass();
        }
        is_counted
    }

    /// The value of an offset: an `int`, or NULL for 0.
    pub fn offset(&self, object: Object) -> u32 {
        if object.is_null() {
            0
        } else {
            self.api.small_int(object)
        }
    }

    /// Whether the session goes on. It may end whenever Python runs, and its engine with it.
    pub fn is_active(&self) -> bool {
        std::ptr::eq(ACTIVE.load(Ordering::SeqCst), self)
    }

    /// Only at the beginning of a callback, or when the session is the active one.
    pub fn engine(&self) -> &Engine {
        // SAFETY: the host promised that it outlives the session.
        unsafe { &*self.engine }
    }

    /// That of the engine: see there.
    pub fn epoch(&self) -> u64 {
        self.engine().epoch_word().load(Ordering::Acquire)
    }
}

/// The most breakpoints at one place that need the host: more are left to Python, which makes room for any number.
const ROOM: usize = 16;
