//! One session of observing: the engine that decides, the Python objects that are called, and the callback itself.
//!
//! There is one session at a time in a process, as there is one table of callbacks in an interpreter. A callback that is at work
//! when its session ends finds the session alive, and the engine only while it has not left for Python: whoever ends a session
//! holds the GIL, and on builds without one waits until no callback is inside.

use std::cell::Cell;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::api::{Api, MethodDef, MissingSymbol, Object, METH_FASTCALL, VECTORCALL_COUNT};
use super::armed::{Armed, Found, Point, Points};
use crate::engine::{Engine, HitItem, Thread};

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

struct Session {
    api: Api,
    engine: *const Engine,
    host: Host,
    armed: Armed,
    spent: Spent,
}

// SAFETY: the objects are touched under the GIL, or on builds without one by reference counts that are atomic; the engine is
// for any thread.
unsafe impl Send for Session {}
// SAFETY: as above.
unsafe impl Sync for Session {}

/// What was found in this process.
static API: OnceLock<Api> = OnceLock::new();
/// The session that callbacks work for; from `Arc::into_raw`.
static ACTIVE: AtomicPtr<Session> = AtomicPtr::new(std::ptr::null_mut());
/// Whether callbacks have to be counted in and out.
static IS_FREE_THREADED: AtomicBool = AtomicBool::new(false);
/// How many callbacks are between looking for the session and having a reference of their own.
static ENTERING: AtomicUsize = AtomicUsize::new(0);

/// Whether the next was ever set: reading that of a thread costs more.
static ANY_IGNORED: AtomicBool = AtomicBool::new(false);

/// How many callbacks are in Python; and of the calling thread.
static ASKING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static ASKING_HERE: Cell<usize> = const { Cell::new(0) };
    static IS_IGNORED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this process has what is needed; `inside` is an address in Python, or NULL.
///
/// # Errors
/// What it lacks.
///
/// # Safety
/// See [`Api::load`].
pub unsafe fn check(inside: *const c_void) -> Result<(), MissingSymbol> {
    // SAFETY: the caller's promise.
    unsafe { Api::load(inside) }.map(drop)
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
    let loaded = unsafe { Api::load(host.disable) }?;
    let api = *API.get_or_init(|| loaded);
    stop();
    let _gil = api.hold_gil();
    for object in [host.disable, host.at_instruction, host.answer, host.outdated] {
        api.reference(object);
    }
    let is_made = if host.puts_calls {
        let hook = hook(&api);
        !hook.is_null() && api.append(host.callbacks, hook)
    } else {
        // SAFETY: the definition is a static, the list is alive.
        unsafe { api.append_function(host.callbacks, definition()) }
    };
    if !is_made {
        log::error!("a native callback could not be made: memory lacks");
    }
    IS_FREE_THREADED.store(host.is_free_threaded, Ordering::SeqCst);
    let session =
        Session { api, engine, host, armed: Armed::new(host.is_free_threaded), spent: Spent::default() };
    ACTIVE.store(Arc::into_raw(Arc::new(session)).cast_mut(), Ordering::SeqCst);
    Ok(())
}

/// Ends the session, if there is one: its engine is used no more when this returns.
pub fn stop() {
    let Some(session) = current() else { return };
    // Before the rest: callbacks run under the GIL.
    let gil = session.api.hold_gil();
    let active = ACTIVE.swap(std::ptr::null_mut(), Ordering::SeqCst);
    if active.is_null() {
        return;
    }
    while IS_FREE_THREADED.load(Ordering::SeqCst) && ENTERING.load(Ordering::SeqCst) > 0 {
        std::thread::yield_now();
    }
    // SAFETY: that is the reference that `start` made.
    drop(unsafe { Arc::from_raw(active) });
    drop(gil);
    Asking::wait_for_others();
}

/// A callback that is in Python. When the process ends, CPython up to 3.13 ends a thread where it asks for the GIL, by unwinding
/// its stack: nothing of this library may be on it.
struct Asking;

impl Asking {
    /// How long the end of a session waits at most: a condition may take as long as it likes.
    const PATIENCE: Duration = Duration::from_secs(1);

    fn begin() -> Self {
        ASKING.fetch_add(1, Ordering::SeqCst);
        ASKING_HERE.with(|here| here.set(here.get() + 1));
        Self
    }

    /// Waits, without the GIL, until other threads are back from Python. No more go there: the session has ended.
    fn wait_for_others() {
        let (own, begun) = (ASKING_HERE.with(Cell::get), Instant::now());
        while ASKING.load(Ordering::SeqCst) > own && begun.elapsed() < Self::PATIENCE {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKING.fetch_sub(1, Ordering::SeqCst);
        ASKING_HERE.with(|here| here.set(here.get() - 1));
    }
}

/// Arms points in the code object at an address, and no others; whether there is a session.
pub fn arm(code: usize, epoch: u64, points: &[Site]) -> bool {
    let Some(session) = current() else { return false };
    let is_tracked = points.iter().any(|point| point.is_mixed);
    // A site that is gone is no longer decided: the next decision knows.
    let bound = |point: &Site| {
        let bound = session.engine().bound_at(point.site).ok()?;
        Some(Point { offset: point.offset, bound, asks_python: point.asks_python })
    };
    let points = points.iter().filter_map(bound).collect();
    // No child of a fork finds the table half written: it is forked under the GIL.
    let _gil = session.api.hold_gil();
    // SAFETY: as just said.
    unsafe { session.armed.set(code, Points { epoch, points, is_tracked }) };
    true
}

/// The functions of the interpreter, once a session has begun.
pub fn api() -> Option<&'static Api> {
    API.get()
}

/// Has an object called with each code object that `exec`, `eval` or an import is about to run, until another is set; NULL:
/// nobody. Whether that is possible: a session has begun, and nobody forbids it.
///
/// # Safety
/// The listener is NULL or alive.
pub unsafe fn listen(listener: Object) -> bool {
    let Some(api) = api() else { return false };
    let _gil = api.hold_gil();
    // SAFETY: the caller's promise.
    unsafe { super::audit::listen(api, listener) }
}

/// Puts an object into the place of another in a `tuple`, if that is what stands there; whether it is.
///
/// # Safety
/// The objects are alive, and the tuple holds the constants of a code object of CPython up to 3.11.
pub unsafe fn replace_item(tuple: Object, index: usize, old: Object, new: Object) -> bool {
    let Some(api) = api() else { return false };
    let _gil = api.hold_gil();
    // SAFETY: the caller's promise.
    unsafe { api.replace_item(tuple, index, old, new) }
}

/// Sets the trace function of another thread, if it has the one that is expected; see [`Api::set_trace`].
///
/// # Safety
/// As there; the GIL need not be held.
pub unsafe fn set_trace(thread: usize, functions: [Object; 2], tracers: [Object; 2]) -> bool {
    let Some(api) = api() else { return false };
    let _gil = api.hold_gil();
    // SAFETY: the caller's promise.
    unsafe { api.set_trace(thread, functions, tracers) }
}

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
}

/// Whether what happens in the calling thread is not observed.
pub fn ignore_this_thread(is_ignored: bool) {
    IS_IGNORED.with(|ignored| ignored.set(is_ignored));
    ANY_IGNORED.fetch_or(is_ignored, Ordering::Relaxed);
}

fn is_ignored() -> bool {
    ANY_IGNORED.load(Ordering::Relaxed) && IS_IGNORED.with(Cell::get)
}

/// How many threads are answering an arrival in Python, which a call in code told of.
static ANSWERING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static IS_ANSWERING: Cell<bool> = const { Cell::new(false) };
}

/// Held while Python answers: what it runs meanwhile arrives nowhere, as inside of a callback of `sys.monitoring`.
struct Answering;

impl Answering {
    fn begin() -> Self {
        ANSWERING.fetch_add(1, Ordering::Relaxed);
        IS_ANSWERING.with(|answering| answering.set(true));
        Self
    }

    fn is_now() -> bool {
        ANSWERING.load(Ordering::Relaxed) > 0 && IS_ANSWERING.with(Cell::get)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        IS_ANSWERING.with(|answering| answering.set(false));
        ANSWERING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What stands in code, made once: code that has it may outlive its session.
fn hook(api: &Api) -> Object {
    struct Made(Object);
    // SAFETY: the object is for every thread, under the GIL.
    unsafe impl Send for Made {}
    // SAFETY: as above.
    unsafe impl Sync for Made {}
    static HOOK: OnceLock<Made> = OnceLock::new();
    HOOK.get_or_init(|| Made(api.new_callable(c"nonstop.hook", at_site))).0
}

/// What is called by code that calls were put into, with the number of the site. It gives what `at_instruction` gives.
unsafe extern "C" fn at_site(_: Object, arguments: *const Object, count: usize, _: Object) -> Object {
    let active = ACTIVE.load(Ordering::SeqCst).cast_const();
    let none = || API.get().map_or(std::ptr::null_mut(), Api::none);
    if active.is_null() || count & VECTORCALL_COUNT != 1 || Answering::is_now() {
        return none();
    }
    // SAFETY: as in `at_instruction`; there is a GIL wherever calls are put into code.
    let (session, site) = unsafe { (&*active, *arguments) };
    let answered = catch_unwind(AssertUnwindSafe(|| {
        let number = session.api.small_int(site) as usize;
        // SAFETY: the interpreter calls under the GIL, and nothing of this gives it up.
        match unsafe { session.armed.find(number, 0, |found| session.arrive(found)) } {
            Alone::Answer(object) => object,
            Alone::Ask(question) => {
                // SAFETY: as above; from now on the reference keeps it, whatever Python does.
                let kept = unsafe {
                    Arc::increment_strong_count(active);
                    Arc::from_raw(active)
                };
                let _answering = Answering::begin();
                let _untraced = session.api.untraced();
                kept.ask_python(question, &[site])
            }
        }
    }));
    answered.unwrap_or_else(|_| {
        log::error!("nonstop has a defect: a hook panicked");
        none()
    })
}

/// The time that the program spent in callbacks which did not leave for Python, in nanoseconds: an estimate from one of 256.
pub fn native_spent_ns() -> u64 {
    current().map_or(0, |session| session.spent.estimate_ns())
}

impl Drop for Session {
    fn drop(&mut self) {
        // Whoever looked for the session may be the last to let it go, with or without the GIL.
        let _gil = self.api.hold_gil();
        for object in [self.host.disable, self.host.at_instruction, self.host.answer, self.host.outdated] {
            self.api.give_up(object);
        }
    }
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

fn definition() -> *mut MethodDef {
    struct Static(std::cell::UnsafeCell<MethodDef>);
    // SAFETY: nobody writes to it, CPython neither.
    unsafe impl Sync for Static {}
    static DEFINITION: Static = Static(std::cell::UnsafeCell::new(MethodDef {
        name: c"nonstop_at_instruction".as_ptr(),
        call: Some(at_instruction),
        flags: METH_FASTCALL,
        doc:
            c"What sys.monitoring calls for an instruction of a code object in which nonstop has armed some."
                .as_ptr(),
    }));
    DEFINITION.0.get()
}

/// The callback. It gives a new reference; NULL only where Python code raised that it called: what a signal handler of the
/// program raised goes on.
unsafe extern "C" fn at_instruction(_: Object, arguments: *const Object, count: isize) -> Object {
    let entering = Entering::begin();
    let active = ACTIVE.load(Ordering::SeqCst).cast_const();
    if active.is_null() || count < 2 {
        // The session ended while the interpreter was on its way here.
        return API.get().map_or(std::ptr::null_mut(), Api::none);
    }
    // SAFETY: the active session stays as long as this thread is counted as entering, or holds the GIL; there are as many
    // arguments as CPython says.
    let (session, code, offset) = unsafe { (&*active, *arguments, *arguments.add(1)) };
    let answered = catch_unwind(AssertUnwindSafe(|| match session.alone(code, offset) {
        Alone::Answer(object) => object,
        Alone::Ask(question) => {
            // SAFETY: as above; from now on the reference keeps it, whatever Python does.
            let kept = unsafe {
                Arc::increment_strong_count(active);
                Arc::from_raw(active)
            };
            drop(entering);
            kept.ask_python(question, &[code, offset])
        }
    }));
    answered.unwrap_or_else(|_| {
        log::error!("nonstop has a defect: a callback panicked");
        API.get().map_or(std::ptr::null_mut(), Api::none)
    })
}

/// What a callback comes to without Python.
enum Alone {
    /// It is done.
    Answer(Object),
    /// Python has to do something.
    Ask(Question),
}

enum Question {
    /// All of it.
    Everything,
    /// To answer these.
    Items(Vec<HitItem>),
    /// To decide again about the code object.
    Outdated,
}

impl Session {
    fn alone(&self, code: Object, offset: Object) -> Alone {
        let offset = self.api.small_int(offset);
        // SAFETY: the interpreter calls under the GIL, and nothing of this gives it up.
        unsafe { self.armed.find(code as usize, offset, |found| self.arrive(found)) }
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
        let arrived = self.engine().hit_bound(&point.bound, &thread, 0, ROOM, |item| items.push(item));
        self.spent.end(clock);
        match arrived {
            Err(_) => Alone::Ask(Question::Everything),
            Ok(_) if !items.is_empty() => Alone::Ask(Question::Items(items)),
            Ok(_) if self.epoch() != epoch => Alone::Ask(Question::Outdated),
            Ok(_) => Alone::Answer(api.none()),
        }
    }

    /// `place`: the code object and the offset, or the site.
    fn ask_python(&self, question: Question, place: &[Object]) -> Object {
        let api = &self.api;
        let _asking = Asking::begin();
        let items = match question {
            Question::Everything => return api.call(self.host.at_instruction, place),
            Question::Outdated => return api.call(self.host.outdated, &place[..1]),
            Question::Items(items) => items,
        };
        let epoch = self.epoch();
        for (at, item) in items.iter().enumerate() {
            let HitItem { breakpoint, ticket, hit, verdict, action, user_data } = *item;
            let numbers = [breakpoint.raw(), ticket, hit, verdict as u64, action as u64, user_data];
            let result = api.call_with_numbers(self.host.answer, numbers);
            if result.is_null() {
                // What is left of the arrival gets no answer: the engine is told, if it is there still.
                for left in items[at + 1..].iter().filter(|_| self.is_active()) {
                    drop(self.engine().abandon(left.ticket));
                }
                return result;
            }
            api.give_up(result);
        }
        if self.is_active() && self.epoch() != epoch {
            return api.call(self.host.outdated, &place[..1]);
        }
        api.none()
    }

    /// Whether the session goes on. It may end whenever Python runs, and its engine with it.
    fn is_active(&self) -> bool {
        std::ptr::eq(ACTIVE.load(Ordering::SeqCst), self)
    }

    /// Only at the beginning of a callback, or when the session is the active one.
    fn engine(&self) -> &Engine {
        // SAFETY: the host promised that it outlives the session.
        unsafe { &*self.engine }
    }

    fn epoch(&self) -> u64 {
        self.engine().epoch_word().load(Ordering::Acquire)
    }
}

/// The most breakpoints at one place that need the host: more are left to Python, which makes room for any number.
const ROOM: usize = 16;

/// The time spent, from samples: two readings of the clock cost as much as a counted hit.
#[derive(Debug, Default)]
struct Spent {
    count: AtomicU64,
    sampled: AtomicU64,
    sampled_ns: AtomicU64,
}

impl Spent {
    const ONE_OF: u64 = 256;

    fn begin(&self) -> Option<Instant> {
        // Two threads at once may count one for both: it is an estimate.
        let number = self.count.load(Ordering::Relaxed);
        self.count.store(number + 1, Ordering::Relaxed);
        (number % Self::ONE_OF == 0).then(Instant::now)
    }

    fn end(&self, clock: Option<Instant>) {
        if let Some(begun) = clock {
            self.sampled.fetch_add(1, Ordering::Relaxed);
            self.sampled_ns.fetch_add(begun.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }
    }

    fn estimate_ns(&self) -> u64 {
        let [count, sampled, ns] =
            [&self.count, &self.sampled, &self.sampled_ns].map(|cell| cell.load(Ordering::Relaxed));
        (ns * count).checked_div(sampled).unwrap_or(0)
    }
}
