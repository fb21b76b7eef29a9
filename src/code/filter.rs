//! The event filter, for hosts that have only raw trace events.

use crate::location::Glob;

/// The kinds of raw events; each is one bit of an event mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EventKind {
    /// A code object begins to run.
    Call = 1,
    /// Control comes to a line.
    Line = 2,
    /// A code object returns.
    Return = 4,
    /// An exception is raised or passes.
    Exception = 8,
}

/// What a rule does with the events that match it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// They are wanted.
    Include,
    /// They are not.
    Exclude,
}

/// One rule; what it does not name, it does not look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it does.
    pub action: RuleAction,
    /// The kinds of events that it is about.
    pub events: u32,
    /// The path of the file.
    pub path: Option<Glob>,
    /// The module: a name, or `package.*` for a package with all below it.
    pub module: Option<String>,
    /// The function: the end of the qualified name, on dots.
    pub function: Option<String>,
    /// The thread.
    pub thread: Option<u64>,
    /// The deepest call depth.
    pub max_depth: Option<u32>,
}

impl Rule {
    fn covers(&self, path: &[u8], module: &str, function: &str) -> bool {
        self.path.as_ref().is_none_or(|glob| glob.matches(path))
            && self.module.as_deref().is_none_or(|wanted| is_module(wanted, module))
            && self.function.as_deref().is_none_or(|wanted| is_function(wanted, function))
    }

    /// Whether it decides every event of its kinds in the code that it covers.
    fn is_unconditional(&self) -> bool {
        self.thread.is_none() && self.max_depth.is_none()
    }

    fn matches(&self, kind: EventKind, thread: u64, depth: u32) -> bool {
        self.events & kind as u32 != 0
            && self.thread.is_none_or(|wanted| wanted == thread)
            && self.max_depth.is_none_or(|deepest| depth <= deepest)
    }
}

/// Rules in order: the first that matches decides, and what none matches is not wanted. Breakpoints need no rule.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    rules: Vec<Rule>,
}

impl Filter {
    /// A filter of these rules.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// Rules that exclude what is not the user's own code: everything below `roots` (the directories of the standard
    /// library and of site-packages, which the host knows) and what is frozen into the interpreter. Put them first.
    pub fn just_my_code(roots: &[Vec<u8>]) -> Vec<Rule> {
        let frozen = std::iter::once(Glob::parse(b"<frozen **"));
        let below = roots.iter().map(|root| Glob::below(root));
        below
            .chain(frozen)
            .map(|glob| Rule {
                action: RuleAction::Exclude,
                events: u32::MAX,
                path: Some(glob),
                module: None,
                function: None,
                thread: None,
                max_depth: None,
            })
            .collect()
    }

    /// The kinds of events of a code object that may be wanted, on some thread at some depth.
    pub fn mask(&self, path: &[u8], module: &str, function: &str) -> u32 {
        let mut wanted = 0;
        let mut settled = 0;
        for rule in self.rules.iter().filter(|rule| rule.covers(path, module, function)) {
            if rule.action == RuleAction::Include {
                wanted |= rule.events & !settled;
            }
            if rule.is_unconditional() {
                settled |= rule.events;
            }
        }
        wanted
    }

    /// Whether this event is wanted.
    pub fn wants(
        &self,
        kind: EventKind,
        path: &[u8],
        module: &str,
        function: &str,
        thread: u64,
        depth: u32,
    ) -> bool {
        self.rules
            .iter()
            .find(|rule| rule.matches(kind, thread, depth) && rule.covers(path, module, function))
            .is_some_and(|rule| rule.action == RuleAction::Include)
    }
}

fn is_module(wanted: &str, module: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(package) => {
            module.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }
        None => module == wanted,
    }
}

fn is_function(wanted: &str, function: &str) -> bool {
    let mut parts = function.rsplit('.').filter(|part| *part != "<locals>");
    wanted.rsplit('.').all(|part| parts.next() == Some(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn include(events: u32) -> Rule {
        Rule {
            action: RuleAction::Include,
            events,
            path: None,
            module: None,
            function: None,
            thread: None,
            max_depth: None,
        }
    }

    fn exclude(events: u32) -> Rule {
        Rule { action: RuleAction::Exclude, ..include(events) }
    }

    const CALL: u32 = EventKind::Call as u32;
    const LINE: u32 = EventKind::Line as u32;

    fn mask(rules: Vec<Rule>) -> u32 {
        Filter::new(rules).mask(b"/app/shop.py", "shop.cart", "Cart.total")
    }

    fn wants(rules: Vec<Rule>, thread: u64, depth: u32) -> bool {
        Filter::new(rules).wants(EventKind::Call, b"/app/shop.py", "shop.cart", "Cart.total", thread, depth)
    }

    #[test]
    fn nothing_is_wanted_without_rules() {
        assert_eq!(mask(vec![]), 0);
        assert!(!wants(vec![], 1, 1));
    }

    #[test]
    fn the_first_match_wins() {
        assert!(wants(vec![include(CALL), exclude(CALL)], 1, 1));
        assert!(!wants(vec![exclude(CALL), include(CALL)], 1, 1));
        assert_eq!(mask(vec![exclude(CALL), include(CALL | LINE)]), LINE);
    }

    #[test]
    fn rules_look_at_path_module_and_function() {
        let path = |glob: &str| Rule { path: Some(Glob::parse(glob.as_bytes())), ..include(CALL) };
        let module = |name: &str| Rule { module: Some(name.into()), ..include(CALL) };
        let function = |name: &str| Rule { function: Some(name.into()), ..include(CALL) };
        for rule in [
            path("/app/**"),
            module("shop.*"),
            module("shop.cart"),
            function("total"),
            function("Cart.total"),
        ] {
            assert_eq!(mask(vec![rule.clone()]), CALL, "{rule:?}");
        }
        for rule in [path("/lib/**"), module("shop"), module("shopping.*"), function("Basket.total")] {
            assert_eq!(mask(vec![rule.clone()]), 0, "{rule:?}");
        }
    }

    #[test]
    fn thread_and_depth_are_asked_per_event_and_stay_in_the_mask() {
        let rules = || vec![Rule { thread: Some(7), max_depth: Some(3), ..include(CALL) }];
        assert_eq!(mask(rules()), CALL);
        assert!(wants(rules(), 7, 3));
        assert!(!wants(rules(), 8, 3));
        assert!(!wants(rules(), 7, 4));
    }

    #[test]
    fn an_exclusion_for_one_thread_leaves_the_mask_to_the_others() {
        let rules = || vec![Rule { thread: Some(7), ..exclude(CALL) }, include(CALL)];
        assert_eq!(mask(rules()), CALL);
        assert!(!wants(rules(), 7, 1));
        assert!(wants(rules(), 8, 1));
    }

    #[test]
    fn just_my_code_leaves_out_libraries_and_frozen_modules() {
        let mut rules = Filter::just_my_code(&[b"/usr/lib/python3".to_vec()]);
        rules.push(include(CALL));
        let filter = Filter::new(rules);
        assert_eq!(filter.mask(b"/usr/lib/python3/json/decoder.py", "json.decoder", "f"), 0);
        assert_eq!(filter.mask(b"<frozen importlib._bootstrap>", "importlib", "f"), 0);
        assert_eq!(filter.mask(b"/usr/lib/python3x/shop.py", "shop", "f"), CALL);
        assert_eq!(filter.mask(b"/app/shop.py", "shop", "f"), CALL);
    }

    #[test]
    fn the_characters_of_a_root_stand_for_themselves() {
        let rules = Filter::just_my_code(&[b"/opt/py*".to_vec()]);
        assert!(rules[0]
            .path
            .as_ref()
            .is_some_and(|glob| glob.matches(b"/opt/py*/x.py") && !glob.matches(b"/opt/pypy/x.py")));
    }
}
