//! Unit tables.

use std::ffi::c_char;

use super::breakpoints::nonstop_breakpoint_id;
use super::engine::nonstop_engine;
use super::error::Failure;
use super::guard::guarded;
use super::memory::{
    expect_ascending, expect_known, expect_out, put_all, read_struct, slice, Handle, Sized32,
};
use super::status::*;
use super::text::{bytes, nonstop_text, utf8};
use crate::breakpoints::BreakpointId;
use crate::code::{BlockRow, ScopeKind, ScopeRow, SourceUnits, UnitKind, UnitRow};

/// Kind of a scope: the module, always row 0.
pub const NONSTOP_SCOPE_MODULE: i32 = 0;
/// Kind of a scope: a function with a name.
pub const NONSTOP_SCOPE_FUNCTION: i32 = 1;
/// Kind of a scope: a class body.
pub const NONSTOP_SCOPE_CLASS: i32 = 2;
/// Kind of a scope: a lambda.
pub const NONSTOP_SCOPE_LAMBDA: i32 = 3;
/// Kind of a scope: a comprehension or generator expression.
pub const NONSTOP_SCOPE_COMPREHENSION: i32 = 4;

/// Kind of a unit: a simple statement, or several on one line.
pub const NONSTOP_UNIT_STATEMENT: i32 = 0;
/// Kind of a unit: the header of a compound statement.
pub const NONSTOP_UNIT_HEADER: i32 = 1;
/// Kind of a unit: the items of a `with`; inner lines are its body.
pub const NONSTOP_UNIT_WITH: i32 = 2;
/// Kind of a unit: the subject of a `match`; inner lines are its cases.
pub const NONSTOP_UNIT_MATCH: i32 = 3;
/// Kind of a unit: the body of a lambda.
pub const NONSTOP_UNIT_LAMBDA: i32 = 4;
/// Kind of a unit: an element or condition of a comprehension that begins on a line of its own.
pub const NONSTOP_UNIT_ELEMENT: i32 = 5;

/// Flag of a unit: control can enter it straight from itself (the first statement of the body of `while True`).
pub const NONSTOP_UNIT_REENTERED: u32 = 1;
/// Flag of a unit: this interpreter makes no code for it; a breakpoint moves on to the next unit of the block.
pub const NONSTOP_UNIT_NO_CODE: u32 = 2;

/// A scope of a file: what becomes a code object. Lines count from 1 everywhere.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_scope {
    /// NONSTOP_SCOPE_MODULE to NONSTOP_SCOPE_COMPREHENSION.
    pub kind: i32,
    /// The first line of its code object (co_firstlineno).
    pub first_line: u32,
    /// Its last line.
    pub last_line: u32,
    /// The row of the scope around it, which comes before it.
    pub parent: u32,
    /// The row of its outermost block.
    pub body_block: u32,
    /// 0.
    pub reserved: u32,
    /// The name of its code object (co_name).
    pub name: nonstop_text,
    /// Its qualified name (co_qualname).
    pub qualname: nonstop_text,
}

/// A block: statements that run one after the other. Row 0 is the body of the module.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_block {
    /// The line after its header; of a later clause (`elif`, the handlers, `else:`, `finally:`), the line after the one before it.
    pub first_line: u32,
    /// The last line of its last statement.
    pub last_line: u32,
    /// The row of the block around it, which comes before it.
    pub parent: u32,
    /// The row of its scope.
    pub scope: u32,
}

/// A unit: where a breakpoint can stand.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_unit {
    /// NONSTOP_UNIT_STATEMENT to NONSTOP_UNIT_ELEMENT.
    pub kind: i32,
    /// Its first line.
    pub first_line: u32,
    /// Its last line.
    pub last_line: u32,
    /// The row of its block.
    pub block: u32,
    /// The row of its scope.
    pub scope: u32,
    /// Lines from which control comes back without entering it: first; 0: none.
    pub inner_first: u32,
    /// The last of them.
    pub inner_last: u32,
    /// NONSTOP_UNIT_REENTERED, NONSTOP_UNIT_NO_CODE.
    pub flags: u32,
}

/// Flag of a source: the host compiled it, with this interpreter: the units without code are marked. Then a code object that
/// lacks a unit was made of another text.
pub const NONSTOP_SOURCE_COMPILED: u32 = 1;

/// The unit table of a file, made by the host's parser.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_source {
    /// sizeof(nonstop_source).
    pub struct_size: u32,
    /// The lines of the file.
    pub line_count: u32,
    /// The scopes.
    pub scopes: *const nonstop_scope,
    /// How many.
    pub scope_count: usize,
    /// The blocks.
    pub blocks: *const nonstop_block,
    /// How many.
    pub block_count: usize,
    /// The units.
    pub units: *const nonstop_unit,
    /// How many.
    pub unit_count: usize,
    /// NONSTOP_SOURCE_COMPILED.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), begins with struct_size; integers and raw pointers only.
unsafe impl Sized32 for nonstop_source {}

impl nonstop_source {
    /// # Safety
    /// The arrays and their texts are readable.
    unsafe fn checked(&self) -> Result<SourceUnits, Failure> {
        // SAFETY: the caller's promise.
        let (scopes, blocks, units) = unsafe {
            (
                slice(self.scopes, self.scope_count, "scopes")?,
                slice(self.blocks, self.block_count, "blocks")?,
                slice(self.units, self.unit_count, "units")?,
            )
        };
        let scopes: Result<Vec<_>, _> = scopes
            .iter()
            .enumerate()
            // SAFETY: the caller's promise.
            .map(|(row, scope)| unsafe { scope.checked() }.map_err(|failure| failure.at("scope", row)))
            .collect();
        let units: Result<Vec<_>, _> = units
            .iter()
            .enumerate()
            .map(|(row, unit)| unit.checked().map_err(|failure| failure.at("unit", row)))
            .collect();
        let blocks = blocks.iter().map(|block| BlockRow {
            first_line: block.first_line,
            last_line: block.last_line,
            parent: block.parent,
            scope: block.scope,
        });
        expect_known(self.flags, NONSTOP_SOURCE_COMPILED, self.reserved)?;
        let units = SourceUnits::new(scopes?, blocks.collect(), units?, self.line_count)
            .map_err(|error| Failure::argument(error.to_string()))?;
        Ok(if self.flags & NONSTOP_SOURCE_COMPILED != 0 { units.compiled() } else { units })
    }
}

impl nonstop_scope {
    /// # Safety
    /// The texts are readable.
    unsafe fn checked(&self) -> Result<ScopeRow, Failure> {
        let kind = match self.kind {
            NONSTOP_SCOPE_MODULE => ScopeKind::Module,
            NONSTOP_SCOPE_FUNCTION => ScopeKind::Function,
            NONSTOP_SCOPE_CLASS => ScopeKind::Class,
            NONSTOP_SCOPE_LAMBDA => ScopeKind::Lambda,
            NONSTOP_SCOPE_COMPREHENSION => ScopeKind::Comprehension,
            other => return Err(Failure::argument(format!("there is no kind of scope {other}"))),
        };
        if self.reserved != 0 {
            return Err(Failure::argument(format!("reserved is {}: use a newer library", self.reserved)));
        }
        // SAFETY: the caller's promise.
        let (name, qualname) = unsafe { (self.name.utf8("name")?, self.qualname.utf8("qualname")?) };
        Ok(ScopeRow {
            kind,
            name: name.to_owned(),
            qualname: qualname.to_owned(),
            first_line: self.first_line,
            last_line: self.last_line,
            parent: self.parent,
            body_block: self.body_block,
        })
    }
}

impl nonstop_unit {
    fn checked(&self) -> Result<UnitRow, Failure> {
        let kind = match self.kind {
            NONSTOP_UNIT_STATEMENT => UnitKind::Statement,
            NONSTOP_UNIT_HEADER => UnitKind::Header,
            NONSTOP_UNIT_WITH => UnitKind::With,
            NONSTOP_UNIT_MATCH => UnitKind::Match,
            NONSTOP_UNIT_LAMBDA => UnitKind::Lambda,
            NONSTOP_UNIT_ELEMENT => UnitKind::Element,
            other => return Err(Failure::argument(format!("there is no kind of unit {other}"))),
        };
        if self.flags & !(NONSTOP_UNIT_REENTERED | NONSTOP_UNIT_NO_CODE) != 0 {
            return Err(Failure::argument(format!(
                "flags {:#x} are not known: use a newer library",
                self.flags
            )));
        }
        Ok(UnitRow {
            kind,
            first_line: self.first_line,
            last_line: self.last_line,
            block: self.block,
            scope: self.scope,
            inner_first: self.inner_first,
            inner_last: self.inner_last,
            reentered: self.flags & NONSTOP_UNIT_REENTERED != 0,
            no_code: self.flags & NONSTOP_UNIT_NO_CODE != 0,
        })
    }
}

/// Registers the unit table of the file that the interpreter knows as `path`, run as `module` (may be empty), and places the
/// breakpoints that stand in it: their reports have the resolved line, or say why there is none. Everything is copied. A
/// second registration replaces the first. INVALID_ARGUMENT names the row that makes no sense. Any thread. Since 1.
///
/// # Safety
/// The pointers are readable as far as their lengths and counts say.
#[no_mangle]
pub unsafe extern "C" fn nonstop_source_register(
    engine: *const nonstop_engine,
    path: *const c_char,
    path_len: usize,
    module: *const c_char,
    module_len: usize,
    source: *const nonstop_source,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, path, module, units) = unsafe {
            (
                nonstop_engine::borrow(engine)?,
                bytes(path, path_len, "path")?,
                utf8(module, module_len, "module")?,
                read_struct(source, "source")?.checked()?,
            )
        };
        engine.engine.register_source(path, module, units);
        Ok(NONSTOP_OK)
    })
}

/// There is no source text for this file: the lines of its code objects are its units, and only those lines can carry a
/// breakpoint. `lines` are the `line_count` lines that carry code in any code object of the file, ascending, each once: a
/// breakpoint elsewhere is told at once that it has no place, and which lines are near; NULL: they are not known. Any thread.
/// Since 1.
///
/// # Safety
/// `path` has `path_len` readable bytes, `lines` has `line_count` lines.
#[no_mangle]
pub unsafe extern "C" fn nonstop_source_without_units(
    engine: *const nonstop_engine,
    path: *const c_char,
    path_len: usize,
    lines: *const u32,
    line_count: usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, path, lines) = unsafe {
            (
                nonstop_engine::borrow(engine)?,
                bytes(path, path_len, "path")?,
                slice(lines, line_count, "lines")?,
            )
        };
        expect_ascending(lines)?;
        engine.engine.source_without_units(path, lines);
        Ok(NONSTOP_OK)
    })
}

/// The lines of a registered file that can carry a breakpoint, ascending: `lines` has room for `capacity`, `*out_count` is how
/// many there are. BUFFER_TOO_SMALL: only `*out_count` was written. NOT_FOUND: register the source first. Any thread. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_source_lines(
    engine: *const nonstop_engine,
    path: *const c_char,
    path_len: usize,
    lines: *mut u32,
    capacity: usize,
    out_count: *mut usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, path) = unsafe { (nonstop_engine::borrow(engine)?, bytes(path, path_len, "path")?) };
        let found = engine.engine.source_lines(path)?;
        // SAFETY: the host promises the room.
        unsafe { put_all(&found, lines, capacity, out_count, "out_count") }
    })
}

/// A file, and the module that its code runs as.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_file {
    /// The path that the interpreter knows it by; bytes.
    pub path: nonstop_text,
    /// The module; may be empty.
    pub module: nonstop_text,
}

/// Tells in which of `count` files one of `breakpoint_count` breakpoints stands (of none: any breakpoint), so that a host which
/// arms code ahead looks at the code of those alone after an edit: `out_carry` has room for `count`, each 1 or 0. Ids that are
/// stale stand nowhere. Any thread; about 1 µs a file. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_files_carry(
    engine: *const nonstop_engine,
    files: *const nonstop_file,
    count: usize,
    breakpoints: *const nonstop_breakpoint_id,
    breakpoint_count: usize,
    out_carry: *mut u8,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, files, ids) = unsafe {
            (
                nonstop_engine::borrow(engine)?,
                slice(files, count, "files")?,
                slice(breakpoints, breakpoint_count, "breakpoints")?,
            )
        };
        let mut named = Vec::with_capacity(files.len());
        for file in files {
            // SAFETY: the host's promise.
            named.push(unsafe { (file.path.bytes("path")?, file.module.utf8("module")?) });
        }
        if !files.is_empty() {
            expect_out(out_carry, "out_carry")?;
        }
        let ids: Vec<BreakpointId> = ids.iter().map(|&id| BreakpointId::from_raw(id)).collect();
        for (at, carries) in engine.engine.files_carry(&named, &ids).into_iter().enumerate() {
            // SAFETY: the host promises room for `count`.
            unsafe { out_carry.add(at).write(u8::from(carries)) };
        }
        Ok(NONSTOP_OK)
    })
}

/// The first lines of the functions, classes, lambdas and comprehensions of a registered file, run as `module`, whose code carries a
/// breakpoint, ascending; 1 where the module's own code does. A code object that was made of that very source and begins
/// elsewhere carries none: a host that knows that need not ask about it. `lines` has room for `capacity`, `*out_count` is how many
/// there are. BUFFER_TOO_SMALL: only `*out_count` was written. NOT_FOUND: no source is registered. Any thread. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_file_scopes(
    engine: *const nonstop_engine,
    path: *const c_char,
    path_len: usize,
    module: *const c_char,
    module_len: usize,
    lines: *mut u32,
    capacity: usize,
    out_count: *mut usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, path, module) = unsafe {
            (
                nonstop_engine::borrow(engine)?,
                bytes(path, path_len, "path")?,
                utf8(module, module_len, "module")?,
            )
        };
        let found = engine.engine.file_scopes(path, module)?;
        // SAFETY: the host promises the room.
        unsafe { put_all(&found, lines, capacity, out_count, "out_count") }
    })
}
