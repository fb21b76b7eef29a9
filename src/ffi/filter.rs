//! The event filter.

use super::engine::nonstop_engine;
use super::error::Failure;
use super::guard::guarded;
use super::memory::{read_structs, slice, Handle, Sized32};
use super::status::*;
use super::text::nonstop_text;
use crate::code::{EventKind, Filter, Rule, RuleAction};
use crate::location::Glob;

/// Event: a code object begins to run. Events are bits of a mask.
pub const NONSTOP_EVENT_CALL: u32 = 1;
/// Event: control comes to a line.
pub const NONSTOP_EVENT_LINE: u32 = 2;
/// Event: a code object returns.
pub const NONSTOP_EVENT_RETURN: u32 = 4;
/// Event: an exception is raised, or passes.
pub const NONSTOP_EVENT_EXCEPTION: u32 = 8;

/// A rule of the event filter. What it leaves empty or 0, it does not look at.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nonstop_filter_rule {
    /// sizeof(nonstop_filter_rule).
    pub struct_size: u32,
    /// 1: the events that match are wanted; 0: they are not.
    pub include: u32,
    /// The events that it is about: NONSTOP_EVENT_… bits.
    pub events: u32,
    /// The deepest call depth, as the host counts; 0: any.
    pub max_depth: u32,
    /// The thread; 0: any.
    pub thread_id: u64,
    /// A glob over the path: `?` and `*` stay within a component, `**` goes across.
    pub path_glob: nonstop_text,
    /// A module, or "package.*" for a package with all below it.
    pub module: nonstop_text,
    /// A function: the end of its qualified name, on dots.
    pub function: nonstop_text,
}

// SAFETY: repr(C), begins with struct_size; integers and raw pointers only.
unsafe impl Sized32 for nonstop_filter_rule {}

impl nonstop_filter_rule {
    /// # Safety
    /// The texts are readable.
    unsafe fn checked(&self) -> Result<Rule, Failure> {
        let all = NONSTOP_EVENT_CALL | NONSTOP_EVENT_LINE | NONSTOP_EVENT_RETURN | NONSTOP_EVENT_EXCEPTION;
        if self.events == 0 || self.events & !all != 0 || self.include > 1 {
            return Err(Failure::argument(format!(
                "events {:#x} or include {} make no sense: events is a set of NONSTOP_EVENT_… bits, include 0 or 1",
                self.events, self.include
            )));
        }
        // SAFETY: the caller's promise.
        let (path, module, function) = unsafe {
            (self.path_glob.bytes("path_glob")?, self.module.utf8("module")?, self.function.utf8("function")?)
        };
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Rule {
            action: if self.include == 1 { RuleAction::Include } else { RuleAction::Exclude },
            events: self.events,
            path: (!path.is_empty()).then(|| Glob::parse(path)),
            module: given(module),
            function: given(function),
            thread: (self.thread_id != 0).then_some(self.thread_id),
            max_depth: (self.max_depth != 0).then_some(self.max_depth),
        })
    }
}

/// The kind of an event as the engine has it.
pub(super) fn event_kind(number: u32) -> Result<EventKind, Failure> {
    match number {
        NONSTOP_EVENT_CALL => Ok(EventKind::Call),
        NONSTOP_EVENT_LINE => Ok(EventKind::Line),
        NONSTOP_EVENT_RETURN => Ok(EventKind::Return),
        NONSTOP_EVENT_EXCEPTION => Ok(EventKind::Exception),
        other => {
            Err(Failure::argument(format!("there is no event {other:#x}: give one NONSTOP_EVENT_… bit")))
        }
    }
}

/// Replaces the event filter, for hosts that have only raw trace events. Rules are tried in order and the first that matches
/// decides; what none matches is not wanted. Breakpoints need no rule: their lines are always wanted. `just_my_code` (may be
/// NULL with count 0) names directories whose code is excluded before any rule: the standard library and site-packages, "just
/// my code"; with them goes what is frozen into the interpreter. No rules and no directories: only breakpoints. Everything is
/// copied; each rule is as long as the struct_size of the first says. INVALID_ARGUMENT names the rule. Any thread. Since 1.
///
/// # Safety
/// The pointers are readable as far as their counts and lengths say.
#[no_mangle]
pub unsafe extern "C" fn nonstop_filter_set(
    engine: *const nonstop_engine,
    rules: *const nonstop_filter_rule,
    rule_count: usize,
    just_my_code: *const nonstop_text,
    just_my_code_count: usize,
) -> nonstop_status {
    guarded(|| {
        // SAFETY: the host's promise.
        let (engine, roots) = unsafe {
            (nonstop_engine::borrow(engine)?, slice(just_my_code, just_my_code_count, "just_my_code")?)
        };
        // SAFETY: the host promises `rule_count` structs, each as long as the first one's size says.
        let rules = unsafe { read_structs(rules, rule_count, "rules") }?;
        // SAFETY: the host's promise.
        let roots: Result<Vec<_>, _> =
            roots.iter().map(|root| unsafe { root.bytes("just_my_code") }.map(<[u8]>::to_vec)).collect();
        let roots = roots?;
        let mut all = if roots.is_empty() { Vec::new() } else { Filter::just_my_code(&roots) };
        for (index, rule) in rules.enumerate() {
            // SAFETY: the host promises readable texts.
            let rule = rule.and_then(|rule| unsafe { rule.checked() });
            all.push(rule.map_err(|failure| failure.at("rule", index))?);
        }
        engine.engine.set_filter(Filter::new(all));
        Ok(NONSTOP_OK)
    })
}
