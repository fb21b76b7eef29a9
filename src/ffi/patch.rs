//! Code objects with calls in them.

use super::code::NONSTOP_ARM_REENTERED;
use super::dialect::nonstop_dialect;
use super::engine::nonstop_engine;
use super::error::Failure;
use super::guard::guarded;
use super::memory::{
    expect_known, expect_out, expect_struct, put, put_all, read_struct, slice, write_struct, Handle, Sized32,
};
use super::status::*;
use super::text::nonstop_text;
use crate::code::{Bytecode, EntryPoint, Span};
use crate::patch::{patch, Original, Patch, PatchError, Probe};

/// A code object that was rewritten: calls to a hook stand in it where control enters units. It is made once and read
/// only, and it keeps nothing of what it was made of.
pub struct nonstop_patch {
    patch: Patch,
}

impl Handle for nonstop_patch {
    const NAME: &'static str = "patch";
}

/// A call to put into a code object where control enters a unit: nonstop_code_get_probes gives it all but the last two
/// fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_probe {
    /// The offset of the entry, as in nonstop_entry.
    pub offset: u32,
    /// The first line of the unit that is entered.
    pub first_line: u32,
    /// Its last line.
    pub last_line: u32,
    /// Further lines that control comes back from without entering the unit: first; 0: none.
    pub inner_first: u32,
    /// The last of them.
    pub inner_last: u32,
    /// NONSTOP_ARM_REENTERED: control enters the unit on each way to this entry, also on one from inside of the unit.
    pub flags: u32,
    /// Report arrivals with this number. nonstop_patch_new does not read it.
    pub site: u32,
    /// The index, in the constants of the code object, of what to call.
    pub hook: u32,
    /// The index of what to call it with.
    pub argument: u32,
}

/// What is rewritten of a code object.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_patch_code {
    /// sizeof(nonstop_patch_code).
    pub struct_size: u32,
    /// Its first line (co_firstlineno).
    pub first_line: u32,
    /// How deep its stack gets (co_stacksize).
    pub stack_size: u32,
    /// 0.
    pub reserved: u32,
    /// The bytecode (co_code).
    pub bytecode: nonstop_text,
    /// The line table (co_linetable, or co_lnotab where there is no other).
    pub line_table: nonstop_text,
    /// The exception table (co_exceptiontable); may be empty.
    pub exception_table: nonstop_text,
}

// SAFETY: repr(C), begins with struct_size; integers and raw pointers only.
unsafe impl Sized32 for nonstop_patch_code {}

impl nonstop_probe {
    fn new((entry, span): &(EntryPoint, Span)) -> Self {
        Self {
            offset: entry.offset,
            first_line: span.first_line,
            last_line: span.last_line,
            inner_first: span.inner.0,
            inner_last: span.inner.1,
            flags: if entry.is_reentered { NONSTOP_ARM_REENTERED } else { 0 },
            site: entry.site,
            hook: 0,
            argument: 0,
        }
    }

    fn checked(&self) -> Result<Probe, Failure> {
        if self.flags & !NONSTOP_ARM_REENTERED != 0 {
            return Err(Failure::argument(format!("the flags are {:#x}; only 2 is known", self.flags)));
        }
        let spans = [(self.first_line, self.last_line), (self.inner_first, self.inner_last)];
        if self.first_line == 0 || spans.iter().any(|(first, last)| first > last) {
            return Err(Failure::argument(format!(
                "the lines {} to {}, and {} to {} inside, are those of no unit",
                self.first_line, self.last_line, self.inner_first, self.inner_last
            )));
        }
        let span = Span {
            first_line: self.first_line,
            last_line: self.last_line,
            inner: (self.inner_first, self.inner_last),
            reentered: self.flags & NONSTOP_ARM_REENTERED != 0,
        };
        Ok(Probe { offset: self.offset, span, hook: self.hook, argument: self.argument })
    }
}

impl From<PatchError> for Failure {
    fn from(error: PatchError) -> Self {
        let status = match error {
            PatchError::Refused(_) => NONSTOP_ERROR_INVALID_ARGUMENT,
            PatchError::DoesNotAddUp(_) => NONSTOP_ERROR_INTERNAL,
        };
        Self::new(status, error.to_string())
    }
}

/// Gives the probes of a code object whose bytecode was told: one for each of its entries (nonstop_code_get_entries),
/// in the same order, with what nonstop_patch_new must know of it. Set `hook` and `argument` in each, and pass them on.
/// `probes` has room for `capacity`; `*out_count` is how many there are, BUFFER_TOO_SMALL if that is more. `*out_epoch`
/// is the epoch of the last decision on it, which they are of: if that is not the one of your decision, decide again.
/// NOT_FOUND: decide the code object first. Any thread. Since 1.
///
/// # Safety
/// The pointers are as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_code_get_probes(
    engine: *const nonstop_engine,
    key: u64,
    probes: *mut nonstop_probe,
    capacity: usize,
    out_count: *mut usize,
    out_epoch: *mut u64,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let engine = unsafe { nonstop_engine::borrow(engine) }?;
        expect_out(out_epoch, "out_epoch")?;
        let (epoch, found) = engine.engine.probe_points(key)?;
        let found: Vec<nonstop_probe> = found.iter().map(nonstop_probe::new).collect();
        // SAFETY: the host's promise.
        unsafe {
            let status = put_all(&found, probes, capacity, out_count, "out_count")?;
            put(out_epoch, epoch, "out_epoch")?;
            Ok(status)
        }
    })
}

/// Rewrites a code object: at each of `count` probes, in any order, stands a call of its hook with its argument, on the
/// ways that enter the unit from outside and on no others. Nothing else that a program or a tracer can tell of the code
/// is changed; that is proven before anything is given out. Put the two constants at the end of co_consts before the
/// new code is run: the hook must take one argument, and never raise. Rewrite always the original code, not one that
/// has calls in it.
///
/// On OK `*out_patch` is yours; free it with nonstop_patch_free. Everything is copied. INVALID_ARGUMENT: nothing can be
/// put into code of this dialect (its call_length is 0); the bytes are no bytecode of it; no instruction begins at the
/// offset of a probe, or there are two at one; or a call cannot stand where it is wanted, since what comes there from
/// outside of the unit cannot be told from what comes from inside. Which probe it is the detail says, and asking for
/// each alone shows: leave it out, and observe its unit by other means. INTERNAL: the new code was found not to do what
/// the old one does; please report the detail. Any thread; about 1 us for each instruction. Since 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_patch_new(
    dialect: *const nonstop_dialect,
    code: *const nonstop_patch_code,
    probes: *const nonstop_probe,
    count: usize,
    out_patch: *mut *mut nonstop_patch,
) -> nonstop_status {
    guarded(|| {
        expect_out(out_patch, "out_patch")?;
        // SAFETY: the host's promise.
        let (dialect, code, probes) = unsafe {
            (nonstop_dialect::borrow(dialect)?, read_struct(code, "code")?, slice(probes, count, "probes")?)
        };
        expect_known(0, 0, code.reserved)?;
        // SAFETY: the host's promise.
        let bytes = unsafe {
            Bytecode {
                facts: &dialect.facts,
                code: code.bytecode.bytes("bytecode")?,
                lines: code.line_table.bytes("line_table")?,
                exceptions: code.exception_table.bytes("exception_table")?,
            }
        };
        let probes = probes.iter().enumerate();
        let probes: Result<Vec<Probe>, Failure> = probes
            .map(|(index, probe)| probe.checked().map_err(|failure| failure.at("probe", index)))
            .collect();
        let original = Original { bytes, first_line: code.first_line, stack_size: code.stack_size };
        let made = nonstop_patch { patch: patch(&original, &probes?)? };
        // SAFETY: the host's promise.
        unsafe { put(out_patch, made.into_host(), "out_patch") }?;
        Ok(NONSTOP_OK)
    })
}

/// Gives the rewritten code: `*out_code` is a struct of the kind that nonstop_patch_new took, with its struct_size set.
/// Its texts are valid until the patch is freed; its first_line is 0, since that is as it was. Any thread. Since 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_patch_get_code(
    patch: *const nonstop_patch,
    out_code: *mut nonstop_patch_code,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let patch = &unsafe { nonstop_patch::borrow(patch) }?.patch;
        // SAFETY: the host promises a sized struct.
        unsafe { expect_struct(out_code, "out_code") }?;
        let text = |bytes: &[u8]| nonstop_text { data: bytes.as_ptr().cast(), len: bytes.len() };
        let code = nonstop_patch_code {
            struct_size: 0,
            first_line: 0,
            stack_size: patch.stack_size,
            reserved: 0,
            bytecode: text(&patch.code),
            line_table: text(&patch.lines),
            exception_table: text(&patch.exceptions),
        };
        // SAFETY: the host promises a sized struct.
        unsafe { write_struct(out_code, &code, "out_code") }?;
        Ok(NONSTOP_OK)
    })
}

/// Where an offset of the original code is in the rewritten one: a frame that stood there goes on there, past the calls
/// that stand before that instruction. INVALID_ARGUMENT: it is beyond the end. Any thread. Since 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_patch_new_offset(
    patch: *const nonstop_patch,
    offset: u32,
    out_offset: *mut u32,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe { moved(patch, offset, out_offset, |patch| patch.offsets.new_offset(offset)) }
}

/// Which offset of the original code an offset of the rewritten one is (f_lasti of a frame that runs it): within a
/// call, that of the instruction before which the call stands. INVALID_ARGUMENT: it is beyond the end. Any thread.
/// Since 1.
///
/// # Safety
/// The pointers are NULL or as said.
#[no_mangle]
pub unsafe extern "C" fn nonstop_patch_old_offset(
    patch: *const nonstop_patch,
    offset: u32,
    out_offset: *mut u32,
) -> nonstop_status {
    // SAFETY: the host's promise.
    unsafe { moved(patch, offset, out_offset, |patch| patch.offsets.old_offset(offset)) }
}

/// # Safety
/// As for the functions above.
unsafe fn moved(
    patch: *const nonstop_patch,
    offset: u32,
    out_offset: *mut u32,
    map: impl FnOnce(&Patch) -> Option<u32>,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let patch = &unsafe { nonstop_patch::borrow(patch) }?.patch;
        expect_out(out_offset, "out_offset")?;
        let found =
            map(patch).ok_or_else(|| Failure::argument(format!("{offset} is beyond the end of the code")))?;
        // SAFETY: the caller's promise.
        unsafe { put(out_offset, found, "out_offset") }?;
        Ok(NONSTOP_OK)
    })
}

/// Frees a patch; NULL is fine. Since 1.
///
/// # Safety
/// `patch` is NULL, or came from nonstop_patch_new and was not freed; nothing uses it any more.
#[no_mangle]
pub unsafe extern "C" fn nonstop_patch_free(patch: *mut nonstop_patch) {
    guarded(|| {
        // SAFETY: the host promises that it owns the patch and uses it no more.
        drop(unsafe { nonstop_patch::from_host(patch) });
        Ok(NONSTOP_OK)
    });
}
