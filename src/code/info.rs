//! What a host tells of a code object, and what it is told.

use super::bytecode::Bytecode;

/// A code object as its host describes it. The key is opaque: an address, an index, a hash that the host owns.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo<'a> {
    /// Names the code object for as long as it lives; [`crate::engine::Engine::forget`] frees it for another.
    pub key: u64,
    /// The path that the interpreter knows it by (`co_filename`).
    pub path: &'a [u8],
    /// The module that it runs in; empty if unknown.
    pub module: &'a str,
    /// Its own name (`co_name`).
    pub name: &'a str,
    /// Its qualified name; empty if unknown.
    pub qualname: &'a str,
    /// Its first line (`co_firstlineno`).
    pub first_line: u32,
    /// Lines that carry code, ascending; empty: not told yet (the decision says when they are needed), or to be read off the
    /// bytecode.
    pub lines: &'a [u32],
    /// Its bytecode, from which the engine works out where control enters a unit; `None`: not told yet, or the host finds that
    /// out by itself.
    pub bytecode: Option<Bytecode<'a>>,
    /// Whether the host knows that it was not made of the source text that is registered for its file.
    pub is_of_other_source: bool,
}

impl CodeInfo<'_> {
    /// The last part of its name; `<locals>` is none.
    pub fn last_name(&self) -> &str {
        let qualified = self.qualname.rsplit('.').find(|part| *part != "<locals>");
        qualified.filter(|name| !name.is_empty()).unwrap_or(self.name)
    }
}

/// The last part of a function's name: `total` of `Cart.total`.
pub fn last_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// One line to arm. All lines of a unit carry the unit's site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arm {
    /// The line.
    pub line: u32,
    /// The site that an arrival there is reported with.
    pub site: u32,
    /// Whether a breakpoint of the site filters threads by name, so that the host must tell it.
    pub needs_thread_name: bool,
    /// Whether control can come back to the unit without passing another one (first statement of `while True`).
    pub reentered: bool,
    /// Arrivals from lines `inner_first..=inner_last` are no entries (the body of a `with`, the cases of a `match`, the
    /// elements of a comprehension inside the statement); 0: none.
    pub inner_first: u32,
    /// See `inner_first`.
    pub inner_last: u32,
}

/// One place where control enters an armed unit: a line event there, and nowhere else, is an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// The offset of the instruction (`f_lasti` when its line begins).
    pub offset: u32,
    /// Its line.
    pub line: u32,
    /// The site that an arrival is reported with.
    pub site: u32,
    /// See [`Arm::needs_thread_name`].
    pub needs_thread_name: bool,
    /// Whether an arrival is counted, and nothing else.
    pub only_counts: bool,
    /// Whether control can come here from inside of the unit as well: then it is an arrival only if the event before was not
    /// inside (see [`crate::engine::Engine::is_inside`]).
    pub is_mixed: bool,
    /// Whether no line begins there that a tracer is told of: only an event for each instruction shows it.
    pub is_hidden: bool,
    /// Whether control enters the unit by every step here, also by one from inside of it.
    pub is_reentered: bool,
}

/// What a host should observe of one code object, as of one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The epoch it was made in; once the engine's epoch differs, ask again.
    pub epoch: u64,
    /// The kinds of events wanted ([`super::EventKind`] bits); 0: ignore this code object.
    pub event_mask: u32,
    /// The lines to arm, ascending.
    pub arms: Vec<Arm>,
    /// Where control enters the armed units, by offset, ascending; empty for a code object whose bytecode was not told.
    pub entries: Vec<EntryPoint>,
    /// A breakpoint may stand in this file: register its units, or that there are none, and ask again.
    pub needs_source: bool,
    /// A breakpoint may stand in this code object: tell its lines and ask again.
    pub needs_lines: bool,
}

impl Decision {
    /// Whether the decision waits for something that only the host can tell.
    pub fn is_open(&self) -> bool {
        self.needs_source || self.needs_lines
    }

    /// The site armed at this line.
    pub fn site_at(&self, line: u32) -> Option<u32> {
        let at = self.arms.binary_search_by_key(&line, |arm| arm.line).ok()?;
        Some(self.arms[at].site)
    }
}
