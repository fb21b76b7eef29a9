//! The functions of CPython's C API that the hooks call, found in the process.

use std::ffi::{c_char, c_int, c_long, c_void, CStr};
use std::fmt;
use std::mem::size_of;

/// A `PyObject *`.
pub type Object = *mut c_void;

/// A `PyCFunction` with the flag `METH_FASTCALL`.
pub type FastCall = unsafe extern "C" fn(Object, *const Object, isize) -> Object;

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

/// `METH_FASTCALL`: called with an array of arguments and their number.
pub const METH_FASTCALL: c_int = 0x80;

/// What is looked up. All of it is in every version from 3.9 on.
#[derive(Clone, Copy)]
pub struct Api {
    ensure_gil: unsafe extern "C" fn() -> c_int,
    release_gil: unsafe extern "C" fn(c_int),
    long_as_long: unsafe extern "C" fn(Object) -> c_long,
    long_from_u64: unsafe extern "C" fn(u64) -> Object,
    vectorcall: unsafe extern "C" fn(Object, *const Object, usize, Object) -> Object,
    increase: unsafe extern "C" fn(Object),
    decrease: unsafe extern "C" fn(Object),
    new_function: unsafe extern "C" fn(*mut MethodDef, Object, Object, Object) -> Object,
    append: unsafe extern "C" fn(Object, Object) -> c_int,
    clear_error: unsafe extern "C" fn(),
    none: Object,
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
                vectorcall: library.function(c"PyObject_Vectorcall")?,
                increase: library.function(c"Py_IncRef")?,
                decrease: library.function(c"Py_DecRef")?,
                new_function: library.function(c"PyCMethod_New")?,
                append: library.function(c"PyList_Append")?,
                clear_error: library.function(c"PyErr_Clear")?,
                none: library.symbol(c"_Py_NoneStruct")?,
            })
        }
    }

    /// Takes the GIL, or attaches this thread, until the value is dropped.
    pub fn hold_gil(&self) -> Gil<'_> {
        // SAFETY: any thread may ask for the GIL while the interpreter lives, which the host promises.
        Gil { api: self, state: unsafe { (self.ensure_gil)() } }
    }

    /// A new reference to `None`.
    pub fn none(&self) -> Object {
        self.reference(self.none)
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

    /// The value of an `int` of 32 bits; any other object gives some number. The GIL is held.
    pub fn small_int(&self, object: Object) -> u32 {
        // SAFETY: the object is alive.
        unsafe { (self.long_as_long)(object) as u32 }
    }

    /// Calls an object with others. NULL: it raised, and the error is set. The GIL is held.
    pub fn call(&self, callable: Object, arguments: &[Object]) -> Object {
        // SAFETY: all of them are alive.
        unsafe { (self.vectorcall)(callable, arguments.as_ptr(), arguments.len(), std::ptr::null_mut()) }
    }

    /// Calls an object with numbers. As `call`.
    pub fn call_with_numbers<const N: usize>(&self, callable: Object, numbers: [u64; N]) -> Object {
        // SAFETY: any number can be made an object of; NULL where memory lacks.
        let objects = numbers.map(|number| unsafe { (self.long_from_u64)(number) });
        let result = match objects.contains(&std::ptr::null_mut()) {
            true => std::ptr::null_mut(),
            false => self.call(callable, &objects),
        };
        objects.into_iter().for_each(|object| self.give_up(object));
        result
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
