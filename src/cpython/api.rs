//! The functions of CPython's C API that the hooks call, found in the process.

use std::ffi::{c_char, c_int, c_long, c_uint, c_void, CStr};
use std::fmt;
use std::mem::size_of;

/// A `PyObject *`.
pub type Object = *mut c_void;

/// A `PyCFunction` with the flag `METH_FASTCALL`.
pub type FastCall = unsafe extern "C-unwind" fn(Object, *const Object, isize) -> Object;

/// `PyMethodDef`, the same in all versions (Include/methodobject.h).
#[repr(C)]
pub struct MethodDef {
    /// The name.
    pub name: *const c_char,
    /// The function.
    pub call: Option<FastCall>,
    /// `METH_…`.
    pub flags: c_int,
    /// Its docstring.
    pub doc: *const c_char,
}

/// The largest value of a digit of an `int`.
const INT_DIGIT: u64 = (1 << 30) - 1;

/// `METH_FASTCALL`: called with an array of arguments and their number.
pub const METH_FASTCALL: c_int = 0x80;

/// The function of a callable that is called by the vectorcall protocol (PEP 590).
pub type VectorCall = unsafe extern "C-unwind" fn(Object, *const Object, usize, Object) -> Object;

/// An audit hook (PEP 578).
pub type AuditHook = unsafe extern "C-unwind" fn(*const c_char, Object, *mut c_void) -> c_int;

/// The number of arguments, of what a vectorcall is told: the highest bit says something else.
pub const VECTORCALL_COUNT: usize = !(1 << (usize::BITS - 1));

/// `PyMemberDef` (Include/structmember.h).
#[repr(C)]
struct MemberDef {
    name: *const c_char,
    kind: c_int,
    offset: isize,
    flags: c_int,
    doc: *const c_char,
}

/// `PyType_Slot` (Include/object.h).
#[repr(C)]
struct TypeSlot {
    slot: c_int,
    value: *mut c_void,
}

/// `PyType_Spec` (Include/object.h).
#[repr(C)]
struct TypeSpec {
    name: *const c_char,
    basic_size: c_int,
    item_size: c_int,
    flags: c_uint,
    slots: *mut TypeSlot,
}

/// What an object begins with on builds with a GIL: its reference count and its type.
#[repr(C)]
struct Head {
    references: isize,
    kind: Object,
}

/// An object that does nothing but to be called.
#[repr(C)]
struct Callable {
    head: Head,
    call: VectorCall,
}

/// A `tuple` up to its items (Include/cpython/tupleobject.h, up to 3.13).
#[repr(C)]
struct Tuple {
    head: Head,
    size: isize,
    items: [Object; 0],
}

/// A `PyThreadState *`.
type ThreadState = *mut usize;

/// So many words of a `PyThreadState` are there in all versions up to 3.11, and the number of the thread is among them.
const THREAD_STATE_WORDS: usize = 32;

/// What stands before `tracing` in a `PyThreadState` of 3.9 and 3.10, in ints.
const TRACING_INTS: usize = 11;

const READ_ONLY: c_int = 1;
const KIND_SSIZE: c_int = 19;
const SLOT_CALL: c_int = 50;
const SLOT_MEMBERS: c_int = 72;
const FLAG_VECTORCALL: c_uint = 1 << 11;
const FLAG_DEFAULT: c_uint = 1 << 18;

/// What is looked up. All of it is in every version from 3.9 on.
#[derive(Clone, Copy)]
pub struct Api {
    ensure_gil: unsafe extern "C" fn() -> c_int,
    release_gil: unsafe extern "C" fn(c_int),
    long_as_long: unsafe extern "C" fn(Object) -> c_long,
    long_from_u64: unsafe extern "C" fn(u64) -> Object,
    /// Here the thread may end, when the process does.
    vectorcall: unsafe extern "C-unwind" fn(Object, *const Object, usize, Object) -> Object,
    increase: unsafe extern "C" fn(Object),
    decrease: unsafe extern "C" fn(Object),
    new_function: unsafe extern "C" fn(*mut MethodDef, Object, Object, Object) -> Object,
    append: unsafe extern "C" fn(Object, Object) -> c_int,
    clear_error: unsafe extern "C" fn(),
    type_from_spec: unsafe extern "C" fn(*mut TypeSpec) -> Object,
    allocate: unsafe extern "C" fn(Object, isize) -> Object,
    call_by_vector: unsafe extern "C" fn(Object, Object, Object) -> Object,
    tuple_item: unsafe extern "C" fn(Object, isize) -> Object,
    add_audit_hook: unsafe extern "C" fn(AuditHook, *mut c_void) -> c_int,
    thread_state: unsafe extern "C" fn() -> ThreadState,
    swap_thread_state: unsafe extern "C" fn(ThreadState) -> ThreadState,
    interpreter: unsafe extern "C" fn() -> *mut c_void,
    first_thread: unsafe extern "C" fn(*mut c_void) -> ThreadState,
    next_thread: unsafe extern "C" fn(ThreadState) -> ThreadState,
    /// From 3.11 on.
    tracing: Option<[unsafe extern "C" fn(ThreadState); 2]>,
    /// From 3.12 on.
    frame_variable: Option<unsafe extern "C" fn(Object, Object) -> Object>,
    running_frame: unsafe extern "C" fn() -> Object,
    compare: unsafe extern "C" fn(Object, Object, c_int) -> Object,
    is_true: unsafe extern "C" fn(Object) -> c_int,
    kinds: Kinds,
    none: Object,
    /// Whether `None` counts no references (PEP 683).
    none_is_immortal: bool,
    /// Whether the value of a small `int` stands where [`Int`] says.
    reads_ints: bool,
}

/// What a value is, of those whose comparison and truth run nothing of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `None`.
    None,
    /// An exact `int`, `float` or `bool`.
    Number,
    /// An exact `str`.
    Text,
    /// An exact `list`, `tuple`, `dict` or `set`, whose truth is told by its size; what is in it may be the program's.
    Container,
}

/// Exact types.
#[derive(Clone, Copy)]
struct Kinds {
    int: Object,
    float: Object,
    bool: Object,
    text: Object,
    containers: [Object; 4],
}

/// A small `int` that is not negative (Include/cpython/longintrepr.h; the digits are of 30 bits).
#[repr(C)]
struct Int {
    head: Head,
    /// The number of digits, or from 3.12 on that and a tag.
    size: usize,
    first_digit: u32,
}

// SAFETY: `None` is there for every thread, and the functions are.
unsafe impl Send for Api {}
// SAFETY: as above.
unsafe impl Sync for Api {}

/// A symbol that the process does not have: it is not CPython, or hides what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingSymbol(&'static CStr);

impl fmt::Display for MissingSymbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the symbol {} of CPython's C API is not found in this process", self.0.to_string_lossy())
    }
}

impl std::error::Error for MissingSymbol {}

impl Api {
    /// Looks all of it up: among the symbols that the process shows to all, else in the library that `inside` is part of (an
    /// embedding program may have loaded Python's for itself alone).
    ///
    /// # Errors
    /// The first symbol that is missing.
    ///
    /// # Safety
    /// The process runs CPython 3.9 or later, or does not have these symbols; `inside` is any address.
    pub unsafe fn load(inside: *const c_void) -> Result<Self, MissingSymbol> {
        // SAFETY: the caller's promise covers what the symbols are; their types are those of the C API.
        unsafe {
            let library = Library::around(inside);
            Ok(Self {
                ensure_gil: library.function(c"PyGILState_Ensure")?,
                release_gil: library.function(c"PyGILState_Release")?,
                long_as_long: library.function(c"PyLong_AsLong")?,
                long_from_u64: library.function(c"PyLong_FromUnsignedLongLong")?,
                // Up to 3.10 `PyObject_Vectorcall` is no symbol, but inlined.
                vectorcall: library.function(c"PyObject_VectorcallDict")?,
                increase: library.function(c"Py_IncRef")?,
                decrease: library.function(c"Py_DecRef")?,
                new_function: library.function(c"PyCMethod_New")?,
                append: library.function(c"PyList_Append")?,
                clear_error: library.function(c"PyErr_Clear")?,
                type_from_spec: library.function(c"PyType_FromSpec")?,
                allocate: library.function(c"PyType_GenericAlloc")?,
                call_by_vector: library.function(c"PyVectorcall_Call")?,
                tuple_item: library.function(c"PyTuple_GetItem")?,
                add_audit_hook: library.function(c"PySys_AddAuditHook")?,
                thread_state: library.function(c"PyThreadState_Get")?,
                swap_thread_state: library.function(c"PyThreadState_Swap")?,
                interpreter: library.function(c"PyInterpreterState_Get")?,
                first_thread: library.function(c"PyInterpreterState_ThreadHead")?,
                next_thread: library.function(c"PyThreadState_Next")?,
                tracing: library
                    .function(c"PyThreadState_EnterTracing")
                    .and_then(|enter| Ok([enter, library.function(c"PyThreadState_LeaveTracing")?]))
                    .ok(),
                frame_variable: library.function(c"PyFrame_GetVar").ok(),
                running_frame: library.function(c"PyEval_GetFrame")?,
                compare: library.function(c"PyObject_RichCompare")?,
                is_true: library.function(c"PyObject_IsTrue")?,
                kinds: Kinds {
                    int: library.symbol(c"PyLong_Type")?,
                    float: library.symbol(c"PyFloat_Type")?,
                    bool: library.symbol(c"PyBool_Type")?,
                    text: library.symbol(c"PyUnicode_Type")?,
                    containers: [
                        library.symbol(c"PyList_Type")?,
                        library.symbol(c"PyTuple_Type")?,
                        library.symbol(c"PyDict_Type")?,
                        library.symbol(c"PySet_Type")?,
                    ],
                },
                none: library.symbol(c"_Py_NoneStruct")?,
                none_is_immortal: false,
                reads_ints: false,
            })
        }
    }

    /// Takes the GIL, or attaches this thread, until the value is dropped.
    pub fn hold_gil(&self) -> Gil<'_> {
        // SAFETY: any thread may ask for the GIL while the interpreter lives, which the host promises.
        Gil { api: self, state: unsafe { (self.ensure_gil)() } }
    }

    /// Tries out what need not be asked of the interpreter at each hit, on builds with a GIL. What does not look as expected is
    /// asked. The GIL is held.
    pub fn try_shortcuts(&mut self) {
        // SAFETY: `None` is there for good, and an `int` is at least as long as what is read of it.
        unsafe {
            let references = || (*self.none.cast::<Head>()).references;
            let before = references();
            self.reference(self.none);
            self.none_is_immortal = references() == before;
            self.give_up(self.none);
            // The small ones are made once, and others each time.
            self.reads_ints = [0, 1, 7, 256, 257, 65_536, INT_DIGIT].into_iter().all(|number| {
                let object = (self.long_from_u64)(number);
                if object.is_null() {
                    (self.clear_error)();
                    return false;
                }
                let is_read = u64::from((*object.cast::<Int>()).first_digit) == number;
                self.give_up(object);
                is_read
            });
        }
    }

    /// A new reference to `None`.
    pub fn none(&self) -> Object {
        if self.none_is_immortal {
            self.none
        } else {
            self.reference(self.none)
        }
    }

    /// A new reference to an object. The GIL is held.
    pub fn reference(&self, object: Object) -> Object {
        // SAFETY: the object is alive, since somebody holds it, and the caller has the GIL.
        unsafe { (self.increase)(object) };
        object
    }

    /// Gives a reference up. The GIL is held.
    pub fn give_up(&self, object: Object) {
        // SAFETY: the reference is the caller's own; NULL is fine.
        unsafe { (self.decrease)(object) }
    }

    /// The value of an `int` of 30 bits; any other object gives some number. The GIL is held.
    pub fn small_int(&self, object: Object) -> u32 {
        // SAFETY: the object is alive.
        unsafe {
            if self.reads_ints && (*object.cast::<Head>()).kind == self.kinds.int {
                (*object.cast::<Int>()).first_digit
            } else {
                (self.long_as_long)(object) as u32
            }
        }
    }

    /// Calls an object with others. NULL: it raised, and the error is set. The GIL is held.
    pub fn call(&self, callable: Object, arguments: &[Object]) -> Object {
        // SAFETY: all of them are alive.
        unsafe { (self.vectorcall)(callable, arguments.as_ptr(), arguments.len(), std::ptr::null_mut()) }
    }

    /// New objects for numbers; None: memory lacks, and the error is set. The GIL is held.
    pub fn ints<const N: usize>(&self, numbers: [u64; N]) -> Option<[Object; N]> {
        // SAFETY: any number can be made an object of; NULL where memory lacks.
        let objects = numbers.map(|number| unsafe { (self.long_from_u64)(number) });
        if objects.contains(&std::ptr::null_mut()) {
            objects.into_iter().for_each(|object| self.give_up(object));
            return None;
        }
        Some(objects)
    }

    /// The frame that runs in this thread, borrowed; None where frames do not tell their variables. The GIL is held.
    pub fn running_frame(&self) -> Option<Object> {
        self.frame_variable?;
        // SAFETY: the GIL is held.
        let frame = unsafe { (self.running_frame)() };
        (!frame.is_null()).then_some(frame)
    }

    /// The value of a variable of a frame, a new reference; NULL: it has none of that name, or no value. The GIL is held.
    ///
    /// # Safety
    /// The frame runs in this thread, the name is a `str`.
    pub unsafe fn variable(&self, frame: Object, name: Object) -> Object {
        let Some(read) = self.frame_variable else { return std::ptr::null_mut() };
        // SAFETY: the caller's promise.
        unsafe {
            let value = read(frame, name);
            if value.is_null() {
                (self.clear_error)();
            }
            value
        }
    }

    /// What a value is; None: of a type of the program's, or of another of the interpreter's. The GIL is held, and there is one.
    pub fn kind(&self, object: Object) -> Option<Kind> {
        if object == self.none {
            return Some(Kind::None);
        }
        // SAFETY: the object is alive.
        let kind = unsafe { (*object.cast::<Head>()).kind };
        let Kinds { int, float, bool, text, containers } = self.kinds;
        if [int, float, bool].contains(&kind) {
            Some(Kind::Number)
        } else if kind == text {
            Some(Kind::Text)
        } else {
            containers.contains(&kind).then_some(Kind::Container)
        }
    }

    /// Compares two objects; None: that raised. The GIL is held.
    pub fn compare(&self, left: Object, right: Object, sign: c_int) -> Option<bool> {
        // SAFETY: both are alive.
        let found = unsafe { (self.compare)(left, right, sign) };
        let truth = if found.is_null() { None } else { self.is_true(found) };
        self.give_up(found);
        if truth.is_none() {
            // SAFETY: an error is set.
            unsafe { (self.clear_error)() };
        }
        truth
    }

    /// The truth of an object of an exact builtin type; None: that raised. The GIL is held.
    pub fn is_true(&self, object: Object) -> Option<bool> {
        // SAFETY: it is alive.
        match unsafe { (self.is_true)(object) } {
            0 => Some(false),
            1 => Some(true),
            _ => {
                // SAFETY: an error is set.
                unsafe { (self.clear_error)() };
                None
            }
        }
    }

    /// Appends a native function to a `list`; whether that went well. The GIL is held.
    ///
    /// # Safety
    /// `definition` lives for ever, `list` is alive.
    pub unsafe fn append_function(&self, list: Object, definition: *mut MethodDef) -> bool {
        let null = std::ptr::null_mut();
        // SAFETY: the caller's promise.
        unsafe {
            let function = (self.new_function)(definition, null, null, null);
            let is_appended = !function.is_null() && (self.append)(list, function) == 0;
            self.give_up(function);
            if !is_appended {
                (self.clear_error)();
            }
            is_appended
        }
    }
}

impl Api {
    /// Makes an object of a type of its own that calls a function, and no other: calling a `builtin_function_or_method` takes a
    /// level of the recursion limit, and profilers are told of it. NULL: memory lacks. The GIL is held, and there is one.
    pub fn new_callable(&self, name: &'static CStr, call: VectorCall) -> Object {
        let null: Object = std::ptr::null_mut();
        let no_member = MemberDef { name: null.cast(), kind: 0, offset: 0, flags: 0, doc: null.cast() };
        // The type keeps the address: it is there for good, as the type is.
        let members = Box::leak(Box::new([
            MemberDef {
                name: c"__vectorcalloffset__".as_ptr(),
                kind: KIND_SSIZE,
                offset: std::mem::offset_of!(Callable, call) as isize,
                flags: READ_ONLY,
                doc: null.cast(),
            },
            no_member,
        ]));
        let mut slots = [
            TypeSlot { slot: SLOT_CALL, value: self.call_by_vector as *mut c_void },
            TypeSlot { slot: SLOT_MEMBERS, value: members.as_mut_ptr().cast() },
            TypeSlot { slot: 0, value: null },
        ];
        let mut spec = TypeSpec {
            name: name.as_ptr(),
            basic_size: size_of::<Callable>() as c_int,
            item_size: 0,
            flags: FLAG_DEFAULT | FLAG_VECTORCALL,
            slots: slots.as_mut_ptr(),
        };
        // SAFETY: the structures are those of the C API; an object that was just allocated belongs to nobody else.
        unsafe {
            let kind = (self.type_from_spec)(&mut spec);
            let made = if kind.is_null() { null } else { (self.allocate)(kind, 0) };
            self.give_up(kind);
            if made.is_null() {
                (self.clear_error)();
            } else {
                (*made.cast::<Callable>()).call = call;
            }
            made
        }
    }

    /// Appends an object to a `list`; whether that went well. The GIL is held.
    pub fn append(&self, list: Object, object: Object) -> bool {
        // SAFETY: both are alive, by the promise of who asks.
        let is_appended = unsafe { (self.append)(list, object) } == 0;
        if !is_appended {
            // SAFETY: an error is set.
            unsafe { (self.clear_error)() };
        }
        is_appended
    }

    /// Puts an object into the place of another in a `tuple`, if that is what stands there; whether it is. The GIL is held.
    ///
    /// # Safety
    /// It is a tuple of CPython up to 3.13, and nobody relies on what is in it.
    pub unsafe fn replace_item(&self, tuple: Object, index: usize, old: Object, new: Object) -> bool {
        // SAFETY: the function checks type and index; what it gives stands in the array of items, which is checked.
        unsafe {
            if (self.tuple_item)(tuple, index as isize) != old {
                (self.clear_error)();
                return false;
            }
            let place = (&raw mut (*tuple.cast::<Tuple>()).items).cast::<Object>().add(index);
            if *place != old {
                return false;
            }
            *place = self.reference(new);
            self.give_up(old);
            true
        }
    }

    /// Sets the trace function of another thread, if it has the one that is expected; whether that was done. `get` and `set` are
    /// `sys.gettrace` and `sys.settrace`, which work on the thread that is current: for as long as they take that is the other one.
    /// The GIL is held.
    ///
    /// # Safety
    /// This is CPython up to 3.11, with a GIL; the objects are alive.
    pub unsafe fn set_trace(
        &self,
        thread: usize,
        [get, set]: [Object; 2],
        [expected, tracer]: [Object; 2],
    ) -> bool {
        // SAFETY: the list of threads changes under the GIL only, and so does what is current. Neither function gives it up.
        unsafe {
            let Some(state) = self.state_of(thread) else { return false };
            let own = (self.swap_thread_state)(state);
            let found = self.call(get, &[]);
            let is_expected = found == expected;
            self.give_up(found);
            let done = if is_expected { self.call(set, &[tracer]) } else { std::ptr::null_mut() };
            self.give_up(done);
            if found.is_null() || (is_expected && done.is_null()) {
                (self.clear_error)();
            }
            (self.swap_thread_state)(own);
            !done.is_null()
        }
    }

    /// The interpreter that runs in this thread. The GIL is held.
    pub fn interpreter(&self) -> *mut c_void {
        // SAFETY: there is one, since the GIL is held.
        unsafe { (self.interpreter)() }
    }

    /// Keeps tracers and profilers from what Python runs in this thread from now on, as while one of them runs. The GIL is held,
    /// and this is CPython up to 3.11.
    pub fn stop_tracing(&self) {
        self.change_tracing(true);
    }

    /// Ends what `stop_tracing` began.
    pub fn go_on_tracing(&self) {
        self.change_tracing(false);
    }

    fn change_tracing(&self, enters: bool) {
        // SAFETY: the state of this thread, under the GIL. Up to 3.10 it counts in the field `tracing`, an int that stands behind
        // three pointers, the frame and three ints (Include/cpython/pystate.h).
        unsafe {
            let state = (self.thread_state)();
            match self.tracing {
                Some([enter, _]) if enters => enter(state),
                Some([_, leave]) => leave(state),
                None => *state.cast::<c_int>().add(TRACING_INTS) += if enters { 1 } else { -1 },
            }
        }
    }

    /// The state of a thread. What a state looks like differs: the number of the thread is where the current one has its own.
    unsafe fn state_of(&self, thread: usize) -> Option<ThreadState> {
        // SAFETY: a state is longer than what is read of it, and holds pointers and numbers.
        unsafe {
            let own = (self.thread_state)();
            let number = libc::pthread_self() as usize;
            let place = (0..THREAD_STATE_WORDS).find(|&at| *own.add(at) == number)?;
            let mut state = (self.first_thread)((self.interpreter)());
            while !state.is_null() && *state.add(place) != thread {
                state = (self.next_thread)(state);
            }
            (!state.is_null() && state != own).then_some(state)
        }
    }

    /// The first item of a `tuple`, or NULL; the tuple keeps the reference. The GIL is held.
    pub fn first_item(&self, tuple: Object) -> Object {
        // SAFETY: the function checks type and index.
        let item = unsafe { (self.tuple_item)(tuple, 0) };
        if item.is_null() {
            // SAFETY: an error is set.
            unsafe { (self.clear_error)() };
        }
        item
    }

    /// Adds an audit hook, for good; whether that went well. The GIL is held.
    ///
    /// # Safety
    /// The hook lives for ever.
    pub unsafe fn add_audit_hook(&self, hook: AuditHook) -> bool {
        // SAFETY: the caller's promise.
        let is_added = unsafe { (self.add_audit_hook)(hook, std::ptr::null_mut()) } == 0;
        if !is_added {
            // SAFETY: an error may be set; clearing none is fine.
            unsafe { (self.clear_error)() };
        }
        is_added
    }
}

/// The GIL, held.
pub struct Gil<'a> {
    api: &'a Api,
    state: c_int,
}

impl Drop for Gil<'_> {
    fn drop(&mut self) {
        // SAFETY: it is this thread that took it, and it is let go in the reverse order.
        unsafe { (self.api.release_gil)(self.state) }
    }
}

/// Where symbols are looked for.
struct Library(*mut c_void);

impl Library {
    unsafe fn around(inside: *const c_void) -> Self {
        // SAFETY: the information is all plain data; the name that it gives lives as long as the library.
        unsafe {
            let mut found: libc::Dl_info = std::mem::zeroed();
            if libc::dladdr(inside, &mut found) == 0 || found.dli_fname.is_null() {
                return Self(std::ptr::null_mut());
            }
            Self(libc::dlopen(found.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD))
        }
    }

    /// A symbol as a function of the type that is wanted.
    unsafe fn function<F: Copy>(&self, name: &'static CStr) -> Result<F, MissingSymbol> {
        const { assert!(size_of::<F>() == size_of::<Object>()) };
        // SAFETY: the caller knows the type; a function pointer is as large as an address.
        unsafe { Ok(std::mem::transmute_copy(&self.symbol(name)?)) }
    }

    unsafe fn symbol(&self, name: &'static CStr) -> Result<Object, MissingSymbol> {
        // SAFETY: the name ends with a zero; the handle is one of dlopen.
        unsafe {
            let mut found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
            if found.is_null() && !self.0.is_null() {
                found = libc::dlsym(self.0, name.as_ptr());
            }
            if found.is_null() {
                return Err(MissingSymbol(name));
            }
            Ok(found)
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the handle is ours; the library itself stays, since it runs.
            unsafe { libc::dlclose(self.0) };
        }
    }
}
